//! Worker properties from the environment, as the usual connect containers take
//! them (spec section 2.5).

use tether_api::config::ConfigMap;

/// What the Debezium image's sample file and entry point set, where the
/// environment does not.
const DEBEZIUM_DEFAULTS: [(&str, &str); 10] = [
    ("group.id", "1"),
    ("status.storage.topic", "connect-status"),
    (
        "key.converter",
        "org.apache.kafka.connect.json.JsonConverter",
    ),
    (
        "value.converter",
        "org.apache.kafka.connect.json.JsonConverter",
    ),
    ("offset.flush.interval.ms", "60000"),
    ("offset.flush.timeout.ms", "5000"),
    ("task.shutdown.graceful.timeout.ms", "10000"),
    ("config.storage.replication.factor", "1"),
    ("offset.storage.replication.factor", "1"),
    ("status.storage.replication.factor", "1"),
];

/// The variables of the Debezium image that have no `CONNECT_` prefix, and their
/// properties.
const DEBEZIUM_VARIABLES: [(&str, &str); 12] = [
    ("BOOTSTRAP_SERVERS", "bootstrap.servers"),
    ("GROUP_ID", "group.id"),
    ("CONFIG_STORAGE_TOPIC", "config.storage.topic"),
    ("OFFSET_STORAGE_TOPIC", "offset.storage.topic"),
    ("STATUS_STORAGE_TOPIC", "status.storage.topic"),
    ("KEY_CONVERTER", "key.converter"),
    ("VALUE_CONVERTER", "value.converter"),
    ("ADVERTISED_HOST_NAME", "rest.advertised.host.name"),
    ("ADVERTISED_PORT", "rest.advertised.port"),
    ("OFFSET_FLUSH_INTERVAL_MS", "offset.flush.interval.ms"),
    ("OFFSET_FLUSH_TIMEOUT_MS", "offset.flush.timeout.ms"),
    ("SHUTDOWN_TIMEOUT", "task.shutdown.graceful.timeout.ms"),
];

/// `CONNECT_` variables that concern the process and not the worker.
const PROCESS_PREFIXES: [&str; 2] = ["CONNECT_LOG4J", "CONNECT_LOG_LEVEL"];

/// What to know about an error of these properties.
pub(crate) const HINT: &str = "All properties come from the environment, for no file was given: a.b is the variable CONNECT_A_B";

/// The worker properties of this process's environment. Variables that are not
/// UTF-8 are not ours.
pub(crate) fn worker_properties() -> ConfigMap {
    properties(
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

/// The worker properties that an environment holds.
///
/// `CONNECT_X_Y` becomes `x.y`; a double underscore stands for an underscore and
/// a triple one for a hyphen. The unprefixed variables of the Debezium image
/// count where the prefixed ones do not say otherwise, and bring that image's
/// defaults with them.
fn properties(variables: impl Iterator<Item = (String, String)>) -> ConfigMap {
    let mut properties = ConfigMap::new();
    let mut debezium = ConfigMap::new();
    for (name, value) in variables {
        if PROCESS_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            continue;
        }
        if let Some(rest) = name
            .strip_prefix("CONNECT_")
            .filter(|rest| !rest.is_empty())
        {
            properties.insert(property_name(rest), value);
        } else if let Some((_, property)) =
            DEBEZIUM_VARIABLES.iter().find(|(known, _)| *known == name)
        {
            debezium.insert((*property).to_owned(), value);
        }
    }
    // Other containers may have a variable of that name, too.
    let is_debezium = !properties.contains_key("bootstrap.servers")
        && (debezium.contains_key("bootstrap.servers")
            || (debezium.contains_key("config.storage.topic")
                && debezium.contains_key("offset.storage.topic")));
    if is_debezium {
        let defaults = DEBEZIUM_DEFAULTS.map(|(key, value)| (key.to_owned(), value.to_owned()));
        for (key, value) in debezium.into_iter().chain(defaults) {
            properties.entry(key).or_insert(value);
        }
    }
    properties.sort_keys();
    properties
}

fn property_name(variable: &str) -> String {
    let mut name = String::with_capacity(variable.len());
    let mut rest = variable;
    while let Some(c) = rest.chars().next() {
        let underscores = rest.len() - rest.trim_start_matches('_').len();
        let (written, used) = match underscores {
            0 => (c.to_ascii_lowercase(), c.len_utf8()),
            1 => ('.', 1),
            2 => ('_', 2),
            _ => ('-', 3),
        };
        name.push(written);
        rest = &rest[used..];
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> ConfigMap {
        properties(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn names_are_translated() {
        assert_eq!(property_name("BOOTSTRAP_SERVERS"), "bootstrap.servers");
        assert_eq!(property_name("A__B_C___D"), "a_b.c-d");
        assert_eq!(
            property_name("KEY_CONVERTER_SCHEMA_REGISTRY_URL"),
            "key.converter.schema.registry.url"
        );
    }

    #[test]
    fn prefixed_variables_are_the_workers() {
        let properties = from(&[
            ("PATH", "/bin"),
            ("CONNECT_GROUP_ID", "g"),
            ("CONNECT_LOG4J_ROOT_LOGLEVEL", "WARN"),
            (
                "GROUP_ID",
                "ignored: no topics of the Debezium image are set",
            ),
        ]);
        assert_eq!(
            properties.into_iter().collect::<Vec<_>>(),
            [("group.id".to_owned(), "g".to_owned())]
        );
    }

    #[test]
    fn a_stray_variable_makes_no_debezium() {
        let properties = from(&[
            ("CONNECT_BOOTSTRAP_SERVERS", "k:9092"),
            ("BOOTSTRAP_SERVERS", "other:9092"),
        ]);
        assert_eq!(properties.len(), 1);
        assert_eq!(properties["bootstrap.servers"], "k:9092");
    }

    #[test]
    fn the_debezium_image_has_defaults() {
        let properties = from(&[
            ("BOOTSTRAP_SERVERS", "k:9092"),
            ("CONFIG_STORAGE_TOPIC", "c"),
            ("OFFSET_STORAGE_TOPIC", "o"),
            ("GROUP_ID", "7"),
            ("CONNECT_KEY_CONVERTER_SCHEMAS_ENABLE", "false"),
            ("CONNECT_GROUP_ID", "8"),
        ]);
        let get = |key: &str| properties.get(key).map(String::as_str);
        assert_eq!(get("bootstrap.servers"), Some("k:9092"));
        assert_eq!(get("group.id"), Some("8"));
        assert_eq!(get("status.storage.topic"), Some("connect-status"));
        assert_eq!(get("task.shutdown.graceful.timeout.ms"), Some("10000"));
        assert_eq!(get("key.converter.schemas.enable"), Some("false"));
    }
}
