//! https listeners: `listeners.https.*` and `admin.listeners.https.*`, or where
//! none of those is set, `ssl.*`.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, ParsedConfig, Validator, with_prefix,
};
use tether_api::{ConnectError, Result};
use tokio_rustls::TlsAcceptor;

const PROTOCOLS: &str = "ssl.enabled.protocols";
const CIPHER_SUITES: &str = "ssl.cipher.suites";
const CLIENT_AUTH: &str = "ssl.client.auth";

/// The settings of https listeners. Keys and certificates are only loaded if
/// there is such a listener.
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
    }

    /// Loads keys and certificates.
    ///
    /// # Errors
    /// Config, if a store can't be read or settings contradict each other.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor> {
        let identity =
            tether_keystore::identity(&self.properties, &self.prefix)?.ok_or_else(|| {
                let prefix = &self.prefix;
                ConnectError::config(format!(
                    "An https listener needs a private key and a certificate: set \
                     {prefix}ssl.keystore.location, or {prefix}ssl.keystore.key and \
                     {prefix}ssl.keystore.certificate.chain"
                ))
            })?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.reveal().as_bytes())
            .map_err(|error| self.unusable("ssl.keystore", error))?;
        let chain = self.certificates("ssl.keystore", &identity.chain)?;
        let provider = Arc::new(self.provider()?);
        let verifier = self.client_verifier(&provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| self.unusable(PROTOCOLS, error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| self.unusable("ssl.keystore", error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn client_verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>> {
        let wish = self.parsed.string(CLIENT_AUTH)?;
        if wish == "none" {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let prefix = &self.prefix;
        let trusted = tether_keystore::trusted(&self.properties, prefix)?.ok_or_else(|| {
            ConnectError::config(format!(
                "{prefix}{CLIENT_AUTH}={wish} needs the certificates that clients are checked \
                     against: set {prefix}ssl.truststore.location or \
                     {prefix}ssl.truststore.certificates"
            ))
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates("ssl.truststore", &trusted)? {
            roots
                .add(certificate)
                .map_err(|error| self.unusable("ssl.truststore", error))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let verifier = if wish == "requested" {
            verifier.allow_unauthenticated()
        } else {
            verifier
        };
        verifier
            .build()
            .map_err(|error| self.unusable("ssl.truststore", error))
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
