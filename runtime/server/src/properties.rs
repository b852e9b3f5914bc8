//! Where a worker's properties come from, and the variables in them.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tether_api::ConnectError;
use tether_api::config::ConfigMap;
use tether_rest::RestConfig;
use tether_worker::config::WorkerConfig;
use tether_worker::config_provider::{Redaction, Resolved, VariableResolver, properties_file};
use tether_worker::plugins::Plugins;

/// The properties of a worker and what resolves the variables of its
/// connectors.
pub(crate) struct WorkerProperties {
    /// The properties, variables resolved.
    pub(crate) properties: ConfigMap,
    /// The worker's config providers.
    pub(crate) variables: Arc<VariableResolver>,
    /// Keeps the values of variables out of messages.
    redaction: Redaction,
}

/// A worker's configuration, checked as far as it can be without Kafka.
pub(crate) struct Configs {
    /// That of the worker itself.
    pub(crate) worker: WorkerConfig,
    /// That of its REST API.
    pub(crate) rest: RestConfig,
}

impl WorkerProperties {
    /// From a properties file.
    ///
    /// # Errors
    /// If the file cannot be read or a config provider is wrong.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        let raw = properties_file::read(path)
            .with_context(|| format!("Could not read the worker properties {}", path.display()))?;
        Self::resolve(&raw)
    }

    /// Resolves the variables of these properties.
    ///
    /// # Errors
    /// If a config provider is wrong or cannot read its path.
    pub(crate) fn resolve(raw: &ConfigMap) -> Result<Self> {
        let variables = VariableResolver::new(raw)?;
        let Resolved { config, redaction } = variables.resolved(raw)?;
        Ok(Self {
            properties: config,
            variables: Arc::new(variables),
            redaction,
        })
    }

    /// An error without the values of variables.
    pub(crate) fn redacted(&self, error: anyhow::Error) -> anyhow::Error {
        match self.redaction.text(&format!("{error:#}")) {
            Cow::Borrowed(_) => error,
            Cow::Owned(text) => anyhow::Error::msg(text),
        }
    }

    /// Reads the configuration with `read`, which is one of
    /// [`WorkerConfig::distributed`] and [`WorkerConfig::standalone`].
    ///
    /// # Errors
    /// The first property that is missing or wrong, or names a converter that
    /// does not exist.
    pub(crate) fn configs(
        &self,
        plugins: &Plugins,
        read: impl FnOnce(ConfigMap) -> Result<WorkerConfig, ConnectError>,
    ) -> Result<Configs> {
        let java_options = std::env::var("KAFKA_OPTS").ok();
        let read = || {
            let worker = read(self.properties.clone())?;
            worker.check_converters(plugins)?;
            let rest = RestConfig::new(&self.properties, java_options.as_deref())?;
            Ok(Configs { worker, rest })
        };
        read()
            .map_err(|error| self.redaction.error(error))
            .context("The worker's configuration is wrong")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins;

    fn refusal(extra: &[(&str, &str)]) -> String {
        let json = "org.apache.kafka.connect.json.JsonConverter";
        let raw = [
            ("bootstrap.servers", "k:9092"),
            ("key.converter", json),
            ("value.converter", json),
            ("offset.storage.file.filename", "f"),
            ("config.providers", "env"),
            ("config.providers.env.class", "EnvVarConfigProvider"),
        ]
        .iter()
        .chain(extra)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
        let properties = WorkerProperties::resolve(&raw).expect("resolves");
        match properties.configs(&plugins::all(), WorkerConfig::standalone) {
            Ok(_) => String::new(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn everything_is_checked_before_kafka_is_needed() {
        assert_eq!(refusal(&[]), "");
        for (key, value, message) in [
            ("listeners", "x", "Listener doesn't have the right format"),
            (
                "value.converter",
                "x.Y",
                "for configuration value.converter: Class x.Y could not",
            ),
            ("header.converter", "x.Y", "SimpleHeaderConverter"),
        ] {
            let refusal = refusal(&[(key, value)]);
            assert!(refusal.contains(message), "{refusal}");
        }
    }

    #[test]
    fn values_of_variables_are_not_shown() {
        let path = std::env::var("PATH").expect("a path");
        let refusal = refusal(&[("offset.flush.interval.ms", "${env:PATH}")]);
        assert!(
            refusal.contains("Invalid value ${env:PATH} for"),
            "{refusal}"
        );
        assert!(!refusal.contains(&path), "{refusal}");
    }
}
