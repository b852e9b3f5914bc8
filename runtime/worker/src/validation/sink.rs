//! Checks that concern several keys of a sink connector
//! (`SinkConnectorConfig.validate`, `DistributedHerder.validateSinkConnectorConfig`).

use tether_api::config::{ConfigData, ConfigMap, ConfigValue};
use tether_java_regex::Pattern;

/// The topics of a `topics` list: blanks trimmed, empty ones and repetitions
/// dropped.
pub(crate) fn topics(list: &str) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for topic in list.split(',').map(str::trim) {
        if !topic.is_empty() && !topics.iter().any(|known| known == topic) {
            topics.push(topic.to_owned());
        }
    }
    topics
}

/// Adds the errors of a sink's configuration to the values of their keys.
pub(super) fn check(config: &ConfigMap, values: &mut Vec<ConfigValue>, worker_group: Option<&str>) {
    let text = |key: &str| {
        config
            .get(key)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    };
    let list = text("topics");
    let regex = text("topics.regex");
    let dead_letters = text("errors.deadletterqueue.topic.name");

    let both = match (list, regex) {
        (Some(_), Some(_)) => {
            Some("topics and topics.regex are mutually exclusive options, but both are set.")
        }
        (None, None) => Some("Must configure one of topics or topics.regex"),
        _ => None,
    };
    if let Some(message) = both {
        // The reference reports this once for each of the two keys.
        add(values, "topics", message);
        add(values, "topics.regex", message);
    }
    if let (Some(queue), Some(list)) = (dead_letters, list) {
        let topics = topics(list);
        if topics.iter().any(|topic| topic == queue) {
            add(
                values,
                "topics",
                &format!(
                    "The DLQ topic '{queue}' may not be included in the list of topics ('topics=[{}]') consumed \
                     by the connector",
                    topics.join(", ")
                ),
            );
        }
    }
    if let (Some(queue), Some(regex)) = (dead_letters, regex)
        && Pattern::whole(regex).is_ok_and(|pattern| pattern.matches(queue))
    {
        add(
            values,
            "topics.regex",
            &format!(
                "The DLQ topic '{queue}' may not be matched by the regex for the topics ('topics.regex={regex}') \
                 consumed by the connector"
            ),
        );
    }
    if let Some(group) = worker_group {
        check_group(config, values, group);
    }
}

/// A sink that joined the workers' own group would break it.
fn check_group(config: &ConfigMap, values: &mut Vec<ConfigValue>, worker_group: &str) {
    let name = config.get("name").map_or("", |name| name.trim());
    let key = "consumer.override.group.id";
    match config.get(key) {
        Some(group) => {
            let mut value = ConfigValue::new(key, ConfigData::String(group.clone()));
            if group == worker_group {
                value.error(format!(
                    "Consumer group {group} conflicts with Connect worker group {worker_group}"
                ));
            }
            values.push(value);
        }
        None if format!("connect-{name}") == worker_group => {
            let message = format!(
                "Consumer group for sink connector named {name} conflicts with Connect worker group {worker_group}"
            );
            add(values, "name", &message);
        }
        None => {}
    }
}

fn add(values: &mut Vec<ConfigValue>, key: &str, message: &str) {
    match values.iter_mut().find(|value| value.name == key) {
        Some(value) => value.error(message),
        None => {
            let mut value = ConfigValue::new(key, ConfigData::Null);
            value.error(message);
            values.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(config: &[(&str, &str)]) -> Vec<String> {
        let config = config
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut values = Vec::new();
        check(&config, &mut values, Some("connect-x"));
        values.into_iter().flat_map(|value| value.errors).collect()
    }

    #[test]
    fn topics_are_checked_together() {
        assert_eq!(errors(&[("name", "a")]).len(), 2);
        assert_eq!(errors(&[("topics", "a"), ("topics.regex", "b")]).len(), 2);
        assert!(errors(&[("topics", "a")]).is_empty());
        let queue = "errors.deadletterqueue.topic.name";
        assert_eq!(
            errors(&[("topics", "a, q"), (queue, "q")]),
            [
                "The DLQ topic 'q' may not be included in the list of topics ('topics=[a, q]') consumed by the connector"
            ]
        );
        assert_eq!(errors(&[("topics.regex", "q.*"), (queue, "q1")]).len(), 1);
        assert!(errors(&[("topics.regex", "q"), (queue, "q1")]).is_empty());
        let java = r"\p{Lower}\Q.\E\d";
        assert_eq!(errors(&[("topics.regex", java), (queue, "q.1")]).len(), 1);
        assert!(errors(&[("topics.regex", java), (queue, "q1")]).is_empty());
    }

    #[test]
    fn the_workers_group_is_taken() {
        assert_eq!(
            errors(&[("name", "x"), ("topics", "a")]),
            [
                "Consumer group for sink connector named x conflicts with Connect worker group connect-x"
            ]
        );
    }
}
