//! What commands other than workers take from a worker's configuration.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tether_api::config::ConfigMap;
use tether_worker::config::WorkerConfig;
use tether_worker::config_provider::VariableResolver;

use crate::environment;
use crate::properties::WorkerProperties;

/// What counts where nothing else is given.
const DEFAULTS: [(&str, &str); 4] = [
    ("bootstrap.servers", "localhost:9092"),
    (
        "key.converter",
        "org.apache.kafka.connect.json.JsonConverter",
    ),
    (
        "value.converter",
        "org.apache.kafka.connect.json.JsonConverter",
    ),
    ("offset.storage.file.filename", "unused"),
];

/// A worker's configuration and its config providers; nothing runs.
pub(crate) struct WorkerSetting {
    pub(crate) worker: WorkerConfig,
    pub(crate) variables: Arc<VariableResolver>,
}

impl WorkerSetting {
    /// That of a worker's properties file, else of the environment;
    /// `overrides` come last.
    ///
    /// # Errors
    /// If the file cannot be read or a property is wrong.
    pub(crate) fn read(file: Option<&Path>, overrides: &[(&str, &str)]) -> Result<Self> {
        let mut properties = match file {
            Some(path) => WorkerProperties::from_file(path)?,
            None => WorkerProperties::resolve(&environment::worker_properties())?,
        };
        // Only a worker that shares its work has a group.
        let read: fn(ConfigMap) -> tether_api::Result<WorkerConfig> =
            if properties.properties.contains_key("group.id") {
                WorkerConfig::distributed
            } else {
                WorkerConfig::standalone
            };
        for (key, value) in overrides {
            let entry = ((*key).to_owned(), (*value).to_owned());
            properties.properties.extend([entry]);
        }
        for (key, value) in DEFAULTS {
            properties
                .properties
                .entry(key.to_owned())
                .or_insert_with(|| value.to_owned());
        }
        let configs = properties.configs(&crate::plugins::all(), read)?;
        Ok(Self {
            worker: configs.worker,
            variables: properties.variables,
        })
    }
}
