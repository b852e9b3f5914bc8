//! What a configuration meets on the server, before anything is created there:
//! whether it can be connected to, and what will go wrong or be regretted later.

mod connection;
mod finding;
mod publication;
mod server;
mod tables;

use std::time::Duration;

use tether_api::config::{ConfigMap, ConfigValue};

use self::finding::Finding;
use crate::config::Settings;
use crate::replication::{Failure, Session};

/// The key that says what is wrong with the connection.
const HOSTNAME: &str = "database.hostname";

/// How long is looked for things to warn of.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks a configuration: its keys, and if they are right by themselves also
/// what they meet on the server. May take `connection.validation.timeout.ms`
/// and some seconds.
pub async fn validate(config: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = crate::config::validate(config);
    if values.iter().all(|value| value.errors.is_empty()) {
        check(config, &mut values).await;
    }
    values
}

/// Connects, and adds to the values what is found.
async fn check(config: &ConfigMap, values: &mut [ConfigValue]) {
    let outcome = match Settings::read(config) {
        Ok(settings) => match connection::open(&settings.connection).await {
            Ok(session) => Ok((settings, session)),
            Err(message) => Err(message),
        },
        Err(error) => Err(format!(
            "Error while validating connector config: {}",
            error.message()
        )),
    };
    let findings = match outcome {
        Ok((settings, session)) => {
            tracing::info!(
                "Successfully tested connection for {}:{} with user '{}'",
                settings.connection.host,
                settings.connection.port,
                settings.connection.user
            );
            find(&settings, &session).await
        }
        Err(message) => {
            if let Some(value) = values.iter_mut().find(|value| value.name == HOSTNAME) {
                value.error(message);
            }
            return;
        }
    };
    for Finding { key, message } in findings {
        tracing::warn!("{key}: {message}");
        if let Some(value) = values.iter_mut().find(|value| value.name == key) {
            value.warn(message);
        }
    }
}

/// Looks for things to warn of. What cannot be asked is left out: a
/// configuration that works must not fail here.
async fn find(settings: &Settings, session: &Session) -> Vec<Finding> {
    let search = async {
        let mut findings = Vec::new();
        for part in [
            server::findings(settings, session).await,
            publication::findings(settings, session).await,
            tables::findings(settings, session).await,
        ] {
            match part {
                Ok(part) => findings.extend(part),
                Err(failure) => tracing::debug!("a check before the start failed: {failure}"),
            }
        }
        findings
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .unwrap_or_default()
}

/// What a check finds.
type Findings = Result<Vec<Finding>, Failure>;
