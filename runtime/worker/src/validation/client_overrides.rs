//! What a connector overrides of its clients' properties (KIP-458).

use tether_api::config::{ConfigData, ConfigKey, ConfigMap, ConfigValue, Password, with_prefix};
use tether_api::plugin::PluginKind;
use tether_kafka::properties::{ClientKind, definition};

use crate::client_properties::OverridePolicy;
use crate::herder::ConfigInfo;

use super::Part;

/// The clients that a connector uses, with the prefix of their overrides.
fn clients(
    kind: PluginKind,
    exactly_once: bool,
    config: &ConfigMap,
) -> Vec<(&'static str, ClientKind)> {
    let set = |key: &str| {
        config
            .get(key)
            .is_some_and(|value| !value.trim().is_empty())
    };
    let dead_letters = set("errors.deadletterqueue.topic.name");
    let own_offsets = exactly_once || set("offsets.storage.topic");
    let creates_topics = config.keys().any(|key| key.starts_with("topic.creation."));
    let sink = kind == PluginKind::Sink;
    let mut clients = Vec::new();
    if !sink || dead_letters {
        clients.push(("producer.override.", ClientKind::Producer));
    }
    if sink || own_offsets {
        clients.push(("consumer.override.", ClientKind::Consumer));
    }
    if (sink && dead_letters) || (!sink && (creates_topics || own_offsets)) {
        clients.push(("admin.override.", ClientKind::Admin));
    }
    clients
}

/// Checks the overrides for each of the connector's clients: whether the policy
/// allows them, and whether the client would take the value.
///
/// The reference checks no more than the type here, and fails the tasks for the
/// rest.
pub(super) fn check(
    policy: &OverridePolicy,
    kind: PluginKind,
    exactly_once: bool,
    config: &ConfigMap,
) -> Vec<Part> {
    clients(kind, exactly_once, config)
        .into_iter()
        .map(|(prefix, client)| {
            let definition = definition(client);
            let configs = with_prefix(config, prefix)
                .into_iter()
                .map(|(name, text)| {
                    let key = definition.key(&name);
                    let mut value = match key {
                        Some(key) => known(key, &text),
                        None => ConfigValue::new("", ConfigData::String(shown(&name, text))),
                    };
                    value.name = format!("{prefix}{name}");
                    if let Some(refusal) = policy.refusal(&name) {
                        value.error(refusal);
                    }
                    ConfigInfo {
                        definition: key.cloned().map(|key| ConfigKey {
                            name: format!("{prefix}{name}").into(),
                            ..key
                        }),
                        value: Some(value),
                    }
                })
                .collect();
            Part::of(configs)
        })
        .collect()
}

/// The value of a property that the client knows.
fn known(key: &ConfigKey, text: &str) -> ConfigValue {
    let mut value = ConfigValue::new("", ConfigData::Null);
    match key.parse(text) {
        Ok(data) => {
            if let Err(error) = key.check(&data) {
                value.error(error.message());
            }
            value.value = data;
        }
        Err(error) => value.error(error.message()),
    }
    value
}

/// Properties that no client knows have no type that says which are secrets;
/// their names do.
fn shown(name: &str, text: String) -> String {
    let secret = ["password", "jaas", "secret", "keystore.key"]
        .iter()
        .any(|word| name.contains(word));
    if secret {
        Password::HIDDEN.to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infos(kind: PluginKind, config: &[(&str, &str)]) -> Vec<ConfigInfo> {
        let config = config
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        check(&OverridePolicy::Principal, kind, false, &config)
            .into_iter()
            .flat_map(|part| part.configs)
            .collect()
    }

    #[test]
    fn values_are_checked_and_keys_defined() {
        let infos = infos(
            PluginKind::Sink,
            &[
                ("consumer.override.max.poll.records", "xx"),
                ("consumer.override.isolation.level", "some"),
                ("consumer.override.sasl.jaas.config", "x password=hunter2;"),
                ("consumer.override.my.secret", "hunter2"),
                ("producer.override.acks", "not used by this sink"),
            ],
        );
        let value = |at: usize| infos[at].value.as_ref().unwrap();
        assert_eq!(infos.len(), 4);
        assert_eq!(
            value(0).errors[0],
            "Invalid value xx for configuration max.poll.records: Not a number of type INT"
        );
        let key = infos[0].definition.as_ref().unwrap();
        assert_eq!(&*key.name, "consumer.override.max.poll.records");
        assert_eq!(key.default, Some(ConfigData::Int(500)));
        assert_eq!(
            value(1).errors[0],
            "Invalid value some for configuration isolation.level: String must be one of: \
             read_committed, read_uncommitted"
        );
        assert!(value(1).errors[1].starts_with("The 'Principal' policy does not allow"));
        assert!(value(2).errors.is_empty());
        for hidden in [2, 3] {
            assert_eq!(
                value(hidden).value.configured().as_deref(),
                Some("[hidden]")
            );
        }
        assert!(infos[3].definition.is_none());
    }

    #[test]
    fn sources_have_producers() {
        let infos = infos(
            PluginKind::Source,
            &[
                ("admin.override.retries", "x"),
                ("consumer.override.max.poll.records", "xx"),
                ("producer.override.linger.ms", " 5 "),
            ],
        );
        assert_eq!(infos.len(), 1);
        let value = infos[0].value.as_ref().unwrap();
        assert_eq!(value.value, ConfigData::Long(5));
    }
}
