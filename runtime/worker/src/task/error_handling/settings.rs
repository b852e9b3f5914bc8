//! The keys `errors.*` of a connector, and which clients dead letters need.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_storage::TaskId;

use crate::client_properties::ClientProperties;
use crate::source_dead_letters;

/// What to do with records that cannot be processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorSettings {
    /// `errors.tolerance=all`: they are passed over.
    pub(super) tolerant: bool,
    /// `errors.retry.timeout`; `None` is for ever.
    pub(super) retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`.
    pub(super) max_retry_delay: Duration,
    /// `errors.log.enable`.
    pub(super) log: bool,
    /// `errors.log.include.messages`.
    pub(super) log_records: bool,
}

impl ErrorSettings {
    /// Reads a connector's configuration.
    ///
    /// # Errors
    /// Config, if a value is wrong.
    pub(super) fn new(connector: &ConfigMap) -> Result<Self> {
        let timeout: i64 = number(connector, "errors.retry.timeout", "LONG")?.unwrap_or(0);
        if timeout < -1 {
            return Err(invalid(
                timeout,
                "errors.retry.timeout",
                "Value must be at least -1",
            ));
        }
        let delay: i64 = number(connector, "errors.retry.delay.max.ms", "LONG")?.unwrap_or(60_000);
        let delay = u64::try_from(delay).map_err(|_| {
            invalid(
                delay,
                "errors.retry.delay.max.ms",
                "Value must be at least 0",
            )
        })?;
        Ok(Self {
            tolerant: tolerance(connector)?,
            retry_timeout: u64::try_from(timeout).ok().map(Duration::from_millis),
            max_retry_delay: Duration::from_millis(delay),
            log: boolean(connector, "errors.log.enable")?,
            log_records: boolean(connector, "errors.log.include.messages")?,
        })
    }
}

/// Where dead letters go, and the properties of the clients that take them
/// there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::task) struct DeadLetterSettings {
    pub(super) topic: String,
    /// Of the topic, if it has to be created.
    pub(super) replication_factor: i16,
    pub(super) context_headers: bool,
    pub(super) producer: ConfigMap,
    pub(super) admin: ConfigMap,
}

impl DeadLetterSettings {
    /// Of a sink; `None` if it has no dead letter queue.
    ///
    /// # Errors
    /// Config, if a value is wrong; other, if the policy forbids one of the
    /// connector's overrides.
    pub(in crate::task) fn for_sink(
        id: &TaskId,
        connector: &ConfigMap,
        clients: &ClientProperties<'_>,
    ) -> Result<Option<Self>> {
        let context_headers = boolean(connector, "errors.deadletterqueue.context.headers.enable")?;
        let prefix = "errors.deadletterqueue.";
        Self::new(prefix, 3, context_headers, id, connector, clients)
    }

    /// Of a source; `None` if it has no dead letter queue. Its letters always
    /// carry the context headers: without them they would say nothing.
    ///
    /// # Errors
    /// As [`DeadLetterSettings::for_sink`].
    pub(in crate::task) fn for_source(
        id: &TaskId,
        connector: &ConfigMap,
        clients: &ClientProperties<'_>,
    ) -> Result<Option<Self>> {
        Self::new(
            source_dead_letters::PREFIX,
            -1,
            true,
            id,
            connector,
            clients,
        )
    }

    fn new(
        prefix: &str,
        default_factor: i16,
        context_headers: bool,
        id: &TaskId,
        connector: &ConfigMap,
        clients: &ClientProperties<'_>,
    ) -> Result<Option<Self>> {
        let topic = connector
            .get(&format!("{prefix}topic.name"))
            .map_or("", |topic| topic.trim());
        if topic.is_empty() {
            return Ok(None);
        }
        let factor = format!("{prefix}topic.replication.factor");
        Ok(Some(Self {
            topic: topic.to_owned(),
            replication_factor: number(connector, &factor, "SHORT")?.unwrap_or(default_factor),
            context_headers,
            producer: clients.dead_letter_producer(id, connector)?,
            admin: clients.dead_letter_admin(id, connector)?,
        }))
    }
}

/// Whether errors are tolerated.
fn tolerance(connector: &ConfigMap) -> Result<bool> {
    let key = "errors.tolerance";
    let word = connector.get(key).map_or("none", |word| word.trim());
    if word.eq_ignore_ascii_case("all") {
        Ok(true)
    } else if word.eq_ignore_ascii_case("none") {
        Ok(false)
    } else {
        Err(invalid(word, key, "String must be one of: none, all"))
    }
}

fn number<T: FromStr>(connector: &ConfigMap, key: &str, kind: &str) -> Result<Option<T>> {
    connector
        .get(key)
        .map(|text| {
            text.trim()
                .parse()
                .map_err(|_| invalid(text, key, &format!("Not a number of type {kind}")))
        })
        .transpose()
}

fn boolean(connector: &ConfigMap, key: &str) -> Result<bool> {
    match connector.get(key).map(|text| text.trim()) {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => Err(invalid(
            text,
            key,
            "Expected value to be either true or false",
        )),
    }
}

fn invalid(value: impl Display, key: &str, why: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {value} for configuration {key}: {why}"
    ))
}
