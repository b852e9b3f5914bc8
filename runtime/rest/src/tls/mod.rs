//! https: `listeners.https.*` and `admin.listeners.https.*`, or where none of
//! those is set, `ssl.*`. The first also count for requests to other workers.

mod client;
mod server;

use std::fmt;

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, ParsedConfig, Validator, with_prefix,
};
use tether_api::{ConnectError, Result};
use tether_keystore::Identity;

const PROTOCOLS: &str = "ssl.enabled.protocols";
const CIPHER_SUITES: &str = "ssl.cipher.suites";
const CLIENT_AUTH: &str = "ssl.client.auth";
const IDENTIFICATION: &str = "ssl.endpoint.identification.algorithm";

/// The settings of https. Keys and certificates are only loaded if there is such
/// a listener or another worker has one.
#[derive(Clone)]
pub struct TlsConfig {
    /// The prefix of the properties that count; empty if it's `ssl.*`.
    prefix: String,
    parsed: ParsedConfig,
    /// All properties of the worker, secrets among them.
    properties: ConfigMap,
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl TlsConfig {
    /// Reads the properties with this prefix, or if there is none, those that
    /// begin with `ssl.` (`AbstractConfig.valuesWithPrefixAllOrNothing`).
    ///
    /// # Errors
    /// Config, for the first property that is wrong.
    pub fn new(properties: &ConfigMap, prefix: &str) -> Result<Self> {
        let prefixed = with_prefix(properties, prefix);
        let (prefix, used) = if prefixed.is_empty() {
            ("", properties)
        } else {
            (prefix, &prefixed)
        };
        Ok(Self {
            parsed: Self::config_def().parse(used)?,
            prefix: prefix.to_owned(),
            properties: properties.clone(),
        })
    }

    /// The keys without prefix, but for those of key and trust stores.
    fn config_def() -> ConfigDef {
        ConfigDef::new()
            .define(
                ConfigKey::new(PROTOCOLS, ConfigType::List).default_list(&["TLSv1.2", "TLSv1.3"]),
            )
            .define(ConfigKey::new(CIPHER_SUITES, ConfigType::List).default_null())
            .define(
                ConfigKey::new(CLIENT_AUTH, ConfigType::String)
                    .default_string("none")
                    .validator(Validator::OneOf(&["required", "requested", "none"])),
            )
            .define(ConfigKey::new(IDENTIFICATION, ConfigType::String).default_string("https"))
    }

    /// The private key and the certificates of a key store.
    fn key_and_chain(
        &self,
        identity: &Identity,
    ) -> Result<(PrivateKeyDer<'static>, Vec<CertificateDer<'static>>)> {
        let key = PrivateKeyDer::from_pem_slice(identity.key.reveal().as_bytes())
            .map_err(|error| self.unusable("ssl.keystore", error))?;
        Ok((key, self.certificates("ssl.keystore", &identity.chain)?))
    }

    fn certificates(&self, store: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>> {
        CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| self.unusable(store, error))
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>> {
        let wanted = self.parsed.list(PROTOCOLS)?;
        let mut versions = Vec::new();
        for name in &wanted {
            match name.as_str() {
                "TLSv1.2" => versions.push(&TLS12),
                "TLSv1.3" => versions.push(&TLS13),
                other => tracing::warn!(
                    protocol = other,
                    "Ignoring a protocol of {}{PROTOCOLS} that this worker doesn't have",
                    self.prefix
                ),
            }
        }
        if versions.is_empty() {
            return Err(self.none_supported(PROTOCOLS, &wanted));
        }
        Ok(versions)
    }

    /// The cryptography, limited to the suites that a user wants.
    fn provider(&self) -> Result<CryptoProvider> {
        let mut provider = ring::default_provider();
        if let Some(ConfigData::List(wanted)) = self.parsed.get(CIPHER_SUITES) {
            provider.cipher_suites.retain(|suite| {
                // rustls alone puts the version into the names of TLS 1.3.
                let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
                wanted.contains(&name)
            });
            if provider.cipher_suites.is_empty() {
                return Err(self.none_supported(CIPHER_SUITES, wanted));
            }
        }
        Ok(provider)
    }

    fn none_supported(&self, key: &str, wanted: &[String]) -> ConnectError {
        ConnectError::config(format!(
            "Invalid value {} for configuration {}{key}: none of them is supported",
            wanted.join(","),
            self.prefix
        ))
    }

    fn unusable(
        &self,
        key: &str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> ConnectError {
        ConnectError::config(format!("{}{key} is not usable", self.prefix)).caused_by(error)
    }
}
