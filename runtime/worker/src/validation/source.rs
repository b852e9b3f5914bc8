//! Checks that concern several keys of a source connector
//! (`DistributedHerder.validateSourceConnectorConfig`).

use tether_api::config::{ConfigMap, ConfigValue};

/// Adds the errors of a source's exactly-once settings. A setting that has an
/// error of its own already is passed over.
pub(super) fn check(config: &ConfigMap, values: &mut [ConfigValue]) {
    let is = |key: &str, word: &str| {
        config
            .get(key)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    };
    if is("exactly.once.support", "required") {
        add(
            values,
            "exactly.once.support",
            &[
                "This worker does not have exactly-once source support enabled.",
                "The connector does not support exactly-once semantics with the provided configuration.",
            ],
        );
    }
    if is("transaction.boundary", "connector") {
        add(
            values,
            "transaction.boundary",
            &[
                "The connector does not support connector-defined transaction boundaries with the given configuration. \
               Please reconfigure it to use a different transaction boundary definition.",
            ],
        );
    }
}

fn add(values: &mut [ConfigValue], key: &str, messages: &[&str]) {
    if let Some(value) = values
        .iter_mut()
        .find(|value| value.name == key && value.errors.is_empty())
    {
        for message in messages {
            value.error(*message);
        }
    }
}
