//! Any bytes as a properties file, and what it says as the configuration of a
//! worker, its REST API and connectors: parsed and validated, nothing is started.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tether_api::config::ConfigMap;
use tether_connector_postgres::config::Settings;
use tether_worker::config::WorkerConfig;
use tether_worker::config_provider::{VariableResolver, properties_file};

/// What the rest needs to be looked at.
static REQUIRED: LazyLock<ConfigMap> = LazyLock::new(|| {
    [
        ("bootstrap.servers", "h:1"),
        ("key.converter", "StringConverter"),
        ("value.converter", "StringConverter"),
        ("offset.storage.file.filename", "f"),
        ("offset.storage.topic", "o"),
        ("config.storage.topic", "c"),
        ("status.storage.topic", "s"),
        ("group.id", "g"),
        ("topic.prefix", "p"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
});

fuzz_target!(|data: &[u8]| {
    let Ok(given) = properties_file::decode(data.to_vec()) else {
        return;
    };
    let mut config = REQUIRED.clone();
    config.extend(given);
    // Variables would read files and the environment: only what needs none.
    config.retain(|key, _| !key.starts_with("config.providers"));
    if let Ok(variables) = VariableResolver::new(&config) {
        let _ = variables.time_to_live(&config);
        let _ = variables.resolved(&config);
    }
    let _ = WorkerConfig::standalone(config.clone());
    let _ = WorkerConfig::distributed(config.clone());
    let _ = Settings::parse(&config);
});
