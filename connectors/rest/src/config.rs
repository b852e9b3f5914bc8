//! The keys of the connector and what they mean.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::header::HeaderValue;
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Password, Validator,
};
use tether_api::{ConnectError, Result};

use crate::endpoint::Endpoint;

const ENDPOINT: &str = "rest.endpoint";
const POLL_INTERVAL: &str = "poll.interval.ms";
const TOPIC: &str = "topic";
const API_KEY: &str = "api.key";

/// The keys of `com.example.kafka.connect.RestSourceConnector`. All of them have
/// defaults.
pub(crate) fn definition() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| Arc::new(define()));
    DEFINITION.clone()
}

fn define() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::new(ENDPOINT, ConfigType::String)
                .default_string("https://jsonplaceholder.typicode.com/users")
                .validator(Validator::custom("http or https URL", |_, value| {
                    Endpoint::parse(value.text().unwrap_or_default()).map(drop)
                }))
                .importance(Importance::High)
                .doc("The URL to poll. It answers with a JSON array or object"),
        )
        .define(
            ConfigKey::new(POLL_INTERVAL, ConfigType::Int)
                .default_int(60_000)
                .validator(Validator::AtLeast(1))
                .importance(Importance::Medium)
                .doc("Milliseconds from the start of one poll to the start of the next"),
        )
        .define(
            ConfigKey::new(TOPIC, ConfigType::String)
                .default_string("rest-data")
                .validator(Validator::NonEmpty)
                .importance(Importance::High)
                .doc("The topic to write to"),
        )
        .define(
            ConfigKey::new(API_KEY, ConfigType::Password)
                .default(ConfigData::Password(Password::default()))
                .validator(Validator::custom(
                    "text for a header",
                    |_, value| match value {
                        ConfigData::Password(key) => header_value(key).map(drop),
                        _ => Ok(()),
                    },
                ))
                .importance(Importance::Low)
                .doc("Sent as the header X-API-Key, if not empty"),
        )
}

fn header_value(key: &Password) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(key.reveal())
        .map_err(|_| "It has characters that an HTTP header cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The connector's settings.
#[derive(Debug)]
pub(crate) struct RestSourceConfig {
    /// What to poll.
    pub(crate) endpoint: Endpoint,
    /// From the start of one poll to the start of the next.
    pub(crate) poll_interval: Duration,
    /// Where records go.
    pub(crate) topic: Arc<str>,
    /// The value of the header `X-API-Key`.
    pub(crate) api_key: Option<HeaderValue>,
}

impl RestSourceConfig {
    /// Reads the settings of a connector or task.
    ///
    /// # Errors
    /// Config, for the first key that is wrong.
    pub(crate) fn parse(config: &ConfigMap) -> Result<Self> {
        let parsed = definition().parse(config)?;
        let refused = |key: &str, reason| {
            ConnectError::config(format!("Invalid value for configuration {key}: {reason}"))
        };
        let api_key = parsed.password(API_KEY)?;
        Ok(Self {
            endpoint: Endpoint::parse(&parsed.string(ENDPOINT)?)
                .map_err(|reason| refused(ENDPOINT, reason))?,
            poll_interval: Duration::from_millis(parsed.int(POLL_INTERVAL)?.unsigned_abs().into()),
            topic: parsed.string(TOPIC)?.into(),
            api_key: match api_key.is_empty() {
                true => None,
                false => Some(header_value(&api_key).map_err(|reason| refused(API_KEY, reason))?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> ConfigMap {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn errors(entries: &[(&str, &str)]) -> Vec<String> {
        definition()
            .validate(&config(entries))
            .into_iter()
            .flat_map(|value| value.errors)
            .collect()
    }

    #[test]
    fn every_key_has_a_default() {
        let parsed = RestSourceConfig::parse(&ConfigMap::new()).unwrap();
        assert_eq!(
            &*parsed.endpoint.shown,
            "https://jsonplaceholder.typicode.com/users"
        );
        assert_eq!(parsed.poll_interval, Duration::from_secs(60));
        assert_eq!(&*parsed.topic, "rest-data");
        assert_eq!(parsed.api_key, None);
    }

    #[test]
    fn every_error_comes_at_once() {
        let errors = errors(&[
            (ENDPOINT, "users"),
            (POLL_INTERVAL, "0"),
            (TOPIC, ""),
            (API_KEY, "hunter2\u{1}"),
        ]);
        assert_eq!(
            errors,
            [
                "Invalid value users for configuration rest.endpoint: Not a URL: relative URL \
                 without a base",
                "Invalid value 0 for configuration poll.interval.ms: Value must be at least 1",
                "Invalid value  for configuration topic: String must be non-empty",
                "Invalid value [hidden] for configuration api.key: It has characters that an \
                 HTTP header cannot carry",
            ]
        );
    }

    #[test]
    fn the_key_does_not_print() {
        let parsed = RestSourceConfig::parse(&config(&[(API_KEY, "hunter2")])).unwrap();
        assert!(!format!("{parsed:?}").contains("hunter2"));
        assert!(parsed.api_key.is_some());
    }
}
