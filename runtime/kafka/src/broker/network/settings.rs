//! What a worker's properties say about connections.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tether_api::config::{ConfigData, ConfigMap, ParsedConfig, Password};

use super::sasl::Credentials;
use super::sasl::scram::{Hash, Login};
use super::tls::{self, Tls, TlsSettings};
use crate::broker::Growing;
use crate::properties::{ClientKind, Translation, definition, translate};
use crate::tokens::TokenProviders;
use crate::{KafkaError, KafkaErrorKind, Result};

/// How long a broker may take where a worker's `request.timeout.ms` does not
/// say it (`DistributedConfig`).
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Address {
    /// Of a text that was checked to be one; brackets are those of IPv6.
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        Some(Self {
            host: bare.unwrap_or(host).to_owned(),
            port: port.parse().ok()?,
        })
    }
}

/// The sizes of a socket's buffers in bytes; `None` or 0 for the system's.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Buffers {
    pub(super) receive: Option<u32>,
    pub(super) send: Option<u32>,
}

/// What properties come to.
pub(super) struct Settings {
    pub(super) servers: Vec<Address>,
    pub(super) client_id: String,
    pub(super) request_timeout: Duration,
    pub(super) backoff: Growing,
    pub(super) setup: Growing,
    pub(super) buffers: Buffers,
    pub(super) tls: Option<Tls>,
    pub(super) credentials: Option<Arc<Credentials>>,
}

impl Settings {
    /// Reads the properties, which are those of a client of this kind, and loads
    /// keys and certificates.
    pub(super) fn new(
        kind: ClientKind,
        properties: &ConfigMap,
        tokens: &TokenProviders,
    ) -> Result<Self> {
        // Whoever makes the other clients of the same properties warns about
        // them.
        let translation = translate(kind, properties)?;
        let parsed = definition(kind)
            .parse(properties)
            .map_err(|error| invalid(error.message()))?;
        let text = |name: &str| translation.properties.get(name).cloned();
        let growing = |first: &str, longest: &str| Growing {
            first: milliseconds(&parsed, first),
            longest: milliseconds(&parsed, longest),
        };
        let protocol = text("security.protocol").unwrap_or_default();
        Ok(Self {
            servers: text("bootstrap.servers")
                .unwrap_or_default()
                .split(',')
                .filter_map(Address::parse)
                .collect(),
            client_id: text("client.id").unwrap_or_default(),
            request_timeout: match kind {
                ClientKind::Admin if !properties.contains_key("request.timeout.ms") => {
                    REQUEST_TIMEOUT
                }
                _ => milliseconds(&parsed, "request.timeout.ms"),
            },
            buffers: Buffers {
                receive: text("socket.receive.buffer.bytes").and_then(|bytes| bytes.parse().ok()),
                send: text("socket.send.buffer.bytes").and_then(|bytes| bytes.parse().ok()),
            },
            backoff: growing("reconnect.backoff.ms", "reconnect.backoff.max.ms"),
            setup: growing(
                "socket.connection.setup.timeout.ms",
                "socket.connection.setup.timeout.max.ms",
            ),
            tls: match protocol.ends_with("ssl") {
                true => Some(new_tls(&translation, &parsed)?),
                false => None,
            },
            credentials: credentials(&translation, tokens)?.map(Arc::new),
        })
    }
}

fn new_tls(translation: &Translation, parsed: &ParsedConfig) -> Result<Tls> {
    let text = |name: &str| translation.properties.get(name).cloned();
    let enabled = "ssl.enabled.protocols";
    let names = match parsed.get(enabled) {
        Some(ConfigData::List(names)) => names.as_slice(),
        _ => &[],
    };
    let versions: Vec<_> = names.iter().filter_map(|name| tls::version(name)).collect();
    if versions.is_empty() && !names.is_empty() {
        return Err(invalid(format!(
            "Invalid value {} for configuration {enabled}: none of them is supported",
            names.join(",")
        )));
    }
    let key = text("ssl.key.pem").map(Password::new);
    Tls::new(&TlsSettings {
        trusted: text("ssl.ca.pem"),
        identity: key.zip(text("ssl.certificate.pem")),
        check_name: text("ssl.endpoint.identification.algorithm").as_deref() != Some("none"),
        versions,
        cipher_suites: text("ssl.cipher.suites"),
    })
    .map_err(|error| invalid(format!("The ssl.* properties are not usable: {error}")))
}

fn credentials(translation: &Translation, tokens: &TokenProviders) -> Result<Option<Credentials>> {
    let text = |name: &str| translation.properties.get(name).cloned();
    let source = translation.token_source.as_ref();
    if let Some(tokens) = tokens.provider(source)? {
        return Ok(Some(Credentials::OauthBearer(tokens)));
    }
    let Some(mechanism) = text("sasl.mechanism") else {
        return Ok(None);
    };
    let username = text("sasl.username").unwrap_or_default();
    let password = Password::new(text("sasl.password").unwrap_or_default());
    let hash = match mechanism.as_str() {
        "SCRAM-SHA-256" => Hash::Sha256,
        "SCRAM-SHA-512" => Hash::Sha512,
        _ => return Ok(Some(Credentials::Plain { username, password })),
    };
    Ok(Some(Credentials::Scram(Arc::new(Login {
        hash,
        username,
        password,
    }))))
}

fn milliseconds(parsed: &ParsedConfig, name: &str) -> Duration {
    let number = match parsed.get(name) {
        Some(ConfigData::Int(value)) => i64::from(*value),
        Some(ConfigData::Long(value)) => *value,
        _ => 0,
    };
    Duration::from_millis(u64::try_from(number).unwrap_or(0))
}

fn invalid(message: impl Into<String>) -> KafkaError {
    KafkaError::new(KafkaErrorKind::Invalid, message)
}
