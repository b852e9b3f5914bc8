//! Checks that concern several keys of a source connector
//! (`DistributedHerder.validateSourceConnectorConfig`).

use tether_api::config::{ConfigMap, ConfigValue};
use tether_api::connector::{Connector, ConnectorTransactionBoundaries, ExactlyOnceSupport};
use tether_api::{ConnectError, Result};

const SUPPORT: &str = "exactly.once.support";
const BOUNDARY: &str = "transaction.boundary";

/// Adds the errors of a source's exactly-once settings, on a worker that has
/// such sources or has not. A setting that has an error of its own already is
/// passed over.
pub(super) fn check(
    connector: &dyn Connector,
    worker_has_it: bool,
    config: &ConfigMap,
    values: &mut [ConfigValue],
) {
    let is = |key: &str, word: &str| {
        config
            .get(key)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    };
    if is(SUPPORT, "required") {
        let worker = (!worker_has_it)
            .then(|| "This worker does not have exactly-once source support enabled.".to_owned());
        let own = refusal(
            connector.exactly_once_support(config),
            |support| match support {
                Some(ExactlyOnceSupport::Supported) => None,
                Some(ExactlyOnceSupport::Unsupported) => Some(
                    "The connector does not support exactly-once semantics with the provided configuration.",
                ),
                None => Some(
                    "The connector does not implement the API required for preflight validation of exactly-once source \
                 support. Please consult the documentation for the connector to determine whether it supports \
                 exactly-once semantics, and then consider reconfiguring the connector to use the value \
                 \"requested\" for this property (which will disable this preflight check and allow the connector \
                 to be created).",
                ),
            },
        );
        add(values, SUPPORT, worker.into_iter().chain(own));
    }
    if is(BOUNDARY, "connector") {
        let own = refusal(
            connector.can_define_transaction_boundaries(config),
            |boundaries| match boundaries {
                ConnectorTransactionBoundaries::Supported => None,
                ConnectorTransactionBoundaries::Unsupported => Some(
                    "The connector does not support connector-defined transaction boundaries with the given \
                     configuration. Please reconfigure it to use a different transaction boundary definition.",
                ),
            },
        );
        add(values, BOUNDARY, own);
    }
}

/// What is wrong with a connector's answer.
fn refusal<T>(answer: Result<T>, judge: impl FnOnce(T) -> Option<&'static str>) -> Option<String> {
    match answer {
        Ok(answer) => judge(answer).map(str::to_owned),
        Err(error) => Some(unexpected(&error)),
    }
}

fn unexpected(error: &ConnectError) -> String {
    const WHAT: &str = "An unexpected error occurred during validation";
    match error.message().trim() {
        "" => format!("{WHAT}; please see the worker logs for more details."),
        message => format!("{WHAT}: {message}"),
    }
}

fn add(values: &mut [ConfigValue], key: &str, messages: impl IntoIterator<Item = String>) {
    if let Some(value) = values
        .iter_mut()
        .find(|value| value.name == key && value.errors.is_empty())
    {
        for message in messages {
            value.error(message);
        }
    }
}
