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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use tether_api::config::{ConfigData, ConfigDef};
    use tether_api::connector::{ConnectorContext, Task};

    use super::*;

    /// Answers what it is made of.
    struct Source(Result<Option<ExactlyOnceSupport>>, bool);

    #[async_trait]
    impl Connector for Source {
        fn config_def(&self) -> Arc<ConfigDef> {
            Arc::new(ConfigDef::new())
        }

        async fn start(&mut self, _: ConnectorContext, _: ConfigMap) -> Result<()> {
            Ok(())
        }

        async fn task_configs(&mut self, _: usize) -> Result<Vec<ConfigMap>> {
            Ok(Vec::new())
        }

        fn new_task(&self) -> Task {
            unreachable!("only validated")
        }

        fn task_class(&self) -> &'static str {
            "t.Task"
        }

        fn exactly_once_support(&self, _: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
            match &self.0 {
                Ok(support) => Ok(*support),
                Err(error) => Err(ConnectError::config(error.message())),
            }
        }

        fn can_define_transaction_boundaries(
            &self,
            _: &ConfigMap,
        ) -> Result<ConnectorTransactionBoundaries> {
            Ok(match self.1 {
                true => ConnectorTransactionBoundaries::Supported,
                false => ConnectorTransactionBoundaries::Unsupported,
            })
        }
    }

    fn errors(source: &Source, worker_has_it: bool, config: &[(&str, &str)]) -> Vec<String> {
        let config: ConfigMap = config
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut values = [SUPPORT, BOUNDARY].map(|key| ConfigValue::new(key, ConfigData::Null));
        check(source, worker_has_it, &config, &mut values);
        values.into_iter().flat_map(|value| value.errors).collect()
    }

    #[test]
    fn what_is_required_has_to_be_there() {
        let required = [(SUPPORT, "Required")];
        let supported = || Source(Ok(Some(ExactlyOnceSupport::Supported)), false);
        assert!(errors(&supported(), true, &required).is_empty());
        assert!(errors(&supported(), false, &[(SUPPORT, "requested")]).is_empty());
        assert_eq!(
            errors(&supported(), false, &required),
            ["This worker does not have exactly-once source support enabled."]
        );
        for (answer, beginning) in [
            (
                Ok(Some(ExactlyOnceSupport::Unsupported)),
                "The connector does not support exactly-once semantics",
            ),
            (
                Ok(None),
                "The connector does not implement the API required",
            ),
            (
                Err(ConnectError::config("no topic")),
                "An unexpected error occurred during validation: no topic",
            ),
        ] {
            let found = errors(&Source(answer, false), true, &required);
            assert!(
                found.len() == 1 && found[0].starts_with(beginning),
                "{found:?}"
            );
        }
    }

    #[test]
    fn not_every_connector_ends_transactions() {
        let connectors = [(BOUNDARY, "CONNECTOR")];
        assert!(errors(&Source(Ok(None), true), true, &connectors).is_empty());
        assert_eq!(errors(&Source(Ok(None), false), true, &connectors).len(), 1);
        assert!(errors(&Source(Ok(None), false), true, &[(BOUNDARY, "poll")]).is_empty());
    }
}
