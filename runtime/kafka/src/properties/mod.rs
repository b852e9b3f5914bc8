//! What Java's client properties come to here.
//!
//! Users configure clients as they configure Java's. [`produce_settings`] and
//! [`fetch_settings`] say how records are written and fetched. For the rest,
//! [`translate`] checks the values as Java does, in Java's words, and gives the
//! properties that make librdkafka behave alike: renamed, converted and limited
//! to its ranges, with Java's default where librdkafka's differs and someone
//! could notice. What has no counterpart gives a warning, never a failure.

mod cipher;
mod consumer;
mod definition;
mod jaas;
mod oauth;
mod producer;
mod security;
mod table;

use std::collections::BTreeMap;
use std::fmt;

use tether_api::config::{ConfigData, ConfigMap, ParsedConfig};

use crate::fetch::FetchSettings;
use crate::produce::ProduceSettings;
use crate::{KafkaError, KafkaErrorKind, Result};

pub use definition::definition;
pub(crate) use oauth::{ClientCredentials, TokenSource};
use table::{PROPERTIES, Rule};

/// Which of Java's clients properties are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// `KafkaProducer`.
    Producer,
    /// `KafkaConsumer`.
    Consumer,
    /// `AdminClient`.
    Admin,
}

impl ClientKind {
    /// The name for messages.
    fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Admin => "admin client",
        }
    }
}

/// What Java's properties come to.
pub struct Translation {
    /// Properties for librdkafka. Some are secrets, so they are never shown.
    pub properties: BTreeMap<&'static str, String>,
    /// What a user should know: properties without counterpart, and values
    /// that cannot be had.
    pub warnings: Vec<String>,
    /// Names that Java's client does not know either.
    pub unknown: Vec<String>,
    /// Where tokens come from, if the mechanism is OAUTHBEARER.
    pub(crate) token_source: Option<TokenSource>,
    /// Whether internal topics are kept from pattern subscriptions.
    pub(crate) exclude_internal_topics: bool,
    /// How old the list of topics may get, in milliseconds.
    pub(crate) metadata_max_age_ms: u64,
}

impl fmt::Debug for Translation {
    /// Names only; values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Translation")
            .field("properties", &self.properties.keys())
            .field("warnings", &self.warnings)
            .field("unknown", &self.unknown)
            .finish_non_exhaustive()
    }
}

/// Translates the properties of one of Java's clients.
///
/// # Errors
/// Invalid, in Java's words, if Java would refuse a value; and if security
/// settings cannot be had here, naming the property.
pub fn translate(kind: ClientKind, config: &ConfigMap) -> Result<Translation> {
    let mut translator = Translator::new(kind, config)?;
    translator.apply_table();
    translator.connection()?;
    match kind {
        ClientKind::Producer => translator.producer()?,
        ClientKind::Consumer => translator.consumer()?,
        ClientKind::Admin => translator.set("socket.timeout.ms", translator.request_timeout()),
    }
    let token_source = translator.security()?;
    Ok(Translation {
        token_source,
        exclude_internal_topics: translator.flag("exclude.internal.topics"),
        metadata_max_age_ms: translator.number("metadata.max.age.ms").unsigned_abs(),
        properties: translator.properties,
        warnings: translator.warnings,
        unknown: config
            .keys()
            .filter(|name| definition(kind).key(name).is_none() && !is_metrics_context(name))
            .cloned()
            .collect(),
    })
}

/// How a consumer with these properties fetches.
///
/// # Errors
/// Invalid, in Java's words, if Java would refuse a value.
pub(crate) fn fetch_settings(config: &ConfigMap) -> Result<FetchSettings> {
    Translator::new(ClientKind::Consumer, config).map(|translator| translator.fetches())
}

/// How a producer with these properties writes.
///
/// # Errors
/// Invalid, in Java's words, if Java would refuse a value.
pub(crate) fn produce_settings(config: &ConfigMap) -> Result<ProduceSettings> {
    Translator::new(ClientKind::Producer, config)?.writes()
}

/// Labels for metric reporters; the worker adds them for its own clients.
fn is_metrics_context(name: &str) -> bool {
    name.starts_with("metrics.context.")
}

fn invalid(message: impl Into<String>) -> KafkaError {
    KafkaError::new(KafkaErrorKind::Invalid, message)
}

/// A translation on its way.
struct Translator<'a> {
    kind: ClientKind,
    config: &'a ConfigMap,
    parsed: ParsedConfig,
    properties: BTreeMap<&'static str, String>,
    warnings: Vec<String>,
}

impl<'a> Translator<'a> {
    fn new(kind: ClientKind, config: &'a ConfigMap) -> Result<Self> {
        let parsed = definition(kind)
            .parse(config)
            .map_err(|error| invalid(error.message()))?;
        Ok(Self {
            kind,
            config,
            parsed,
            properties: BTreeMap::new(),
            warnings: Vec::new(),
        })
    }
}

impl Translator<'_> {
    fn apply_table(&mut self) {
        let kind = self.kind;
        for property in PROPERTIES.iter().filter(|entry| entry.is_of(kind)) {
            let given = self.is_set(property.name);
            if !given && !property.with_default {
                continue;
            }
            match property.rule {
                Rule::Pass(name) => {
                    if let Some(text) = self.text(property.name).filter(|text| !text.is_empty()) {
                        self.set(name, text);
                    }
                }
                Rule::Number(name, lowest, highest) => {
                    let number = self.number(property.name).clamp(lowest, highest);
                    self.set(name, number);
                }
                Rule::Missing if given && !self.is_default(property.name) => {
                    self.no_counterpart(property.name);
                }
                Rule::Missing | Rule::Own | Rule::Meaningless => {}
            }
        }
    }

    /// What all clients share.
    fn connection(&mut self) -> Result<()> {
        let servers = self.servers()?;
        self.set("bootstrap.servers", servers);
        let client_id = self.text("client.id").filter(|id| !id.is_empty());
        self.set(
            "client.id",
            client_id.unwrap_or_else(|| "tether".to_owned()),
        );
        // Java asks again after this time; librdkafka forgets a topic after the
        // second one, which has to be longer.
        let age = self.number("metadata.max.age.ms").clamp(10, 3_600_000);
        self.set("topic.metadata.refresh.interval.ms", age);
        self.set("metadata.max.age.ms", age * 3);
        if let Some(strategy) = self.text("metadata.recovery.strategy") {
            self.set("metadata.recovery.strategy", strategy.to_lowercase());
        }
        for (first, longest) in [
            ("reconnect.backoff.ms", "reconnect.backoff.max.ms"),
            ("retry.backoff.ms", "retry.backoff.max.ms"),
        ] {
            self.at_least(longest, first);
        }
        // Java's sockets have it always.
        self.set("socket.keepalive.enable", true);
        Ok(())
    }

    /// Checks the addresses as `ClientUtils.parseAndValidateAddresses` does,
    /// and leaves out the protocol that may stand before them.
    fn servers(&self) -> Result<String> {
        let Some(ConfigData::List(servers)) = self.parsed.get("bootstrap.servers") else {
            return Ok(String::new());
        };
        let servers: Vec<&str> = servers
            .iter()
            .map(String::as_str)
            .filter(|server| !server.is_empty())
            .collect();
        if servers.is_empty() {
            return Err(invalid(
                "Configuration 'bootstrap.servers' must not be empty. Valid values include: any \
                 non-empty value",
            ));
        }
        let mut addresses = Vec::with_capacity(servers.len());
        for server in servers {
            let address = server
                .split_once("://")
                .map_or(server, |(_, address)| address);
            let valid = address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            });
            if !valid {
                return Err(invalid(format!(
                    "Invalid url in bootstrap.servers: {server}"
                )));
            }
            addresses.push(address);
        }
        Ok(addresses.join(","))
    }

    /// `request.timeout.ms` in librdkafka's range.
    fn request_timeout(&self) -> i64 {
        self.number("request.timeout.ms").clamp(10, 300_000)
    }

    fn set(&mut self, name: &'static str, value: impl ToString) {
        self.properties.insert(name, value.to_string());
    }

    /// Raises a number to another one, where librdkafka wants it no smaller.
    fn at_least(&mut self, name: &'static str, other: &str) {
        let number = |name: &str| self.properties.get(name)?.parse::<i64>().ok();
        if let (Some(present), Some(least)) = (number(name), number(other)) {
            self.set(name, present.max(least));
        }
    }

    fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    fn no_counterpart(&mut self, name: &str) {
        self.warn(format!(
            "The {} property {name} has no counterpart here and is ignored",
            self.kind.name()
        ));
    }

    fn is_set(&self, name: &str) -> bool {
        self.config.contains_key(name)
    }

    fn is_default(&self, name: &str) -> bool {
        let default = definition(self.kind)
            .key(name)
            .and_then(|key| key.default.as_ref());
        self.parsed.get(name) == default
    }

    /// A value as text; `None` if it is null or a secret.
    fn text(&self, name: &str) -> Option<String> {
        match self.parsed.get(name)? {
            ConfigData::Password(_) => None,
            value => value.configured(),
        }
    }

    /// A secret as text, for librdkafka only.
    fn secret(&self, name: &str) -> Option<String> {
        self.parsed
            .optional_password(name)
            .map(|password| password.reveal().to_owned())
    }

    fn number(&self, name: &str) -> i64 {
        match self.parsed.get(name) {
            Some(ConfigData::Int(value)) => i64::from(*value),
            Some(ConfigData::Short(value)) => i64::from(*value),
            Some(ConfigData::Long(value)) => *value,
            _ => 0,
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.parsed.get(name), Some(ConfigData::Boolean(true)))
    }
}

#[cfg(test)]
mod tests;
