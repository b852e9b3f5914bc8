//! https listeners: `listeners.https.*` and `admin.listeners.https.*`, or where
//! none of those is set, `ssl.*`.

mod store;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tether_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ParsedConfig, Validator, with_prefix,
};
use tether_api::{ConnectError, Result};
use tokio_rustls::TlsAcceptor;

/// The settings of https listeners. They are checked when they are read, files
/// only if there is such a listener.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    parsed: ParsedConfig,
}

impl TlsConfig {
    /// Reads the properties with this prefix, or if there is none, those that
    /// begin with `ssl.` (`AbstractConfig.valuesWithPrefixAllOrNothing`).
    ///
    /// # Errors
    /// Config, for the first property that is wrong.
    pub fn new(properties: &ConfigMap, prefix: &str) -> Result<Self> {
        let prefixed = with_prefix(properties, prefix);
        let used = if prefixed.is_empty() {
            properties
        } else {
            &prefixed
        };
        Ok(Self {
            parsed: Self::config_def().parse(used)?,
        })
    }

    /// The keys, without prefix.
    pub fn config_def() -> ConfigDef {
        let text = |name: &'static str| ConfigKey::new(name, ConfigType::String);
        let secret = |name: &'static str| ConfigKey::new(name, ConfigType::Password).default_null();
        let list = |name: &'static str| ConfigKey::new(name, ConfigType::List);
        ConfigDef::new()
            .define(text("ssl.keystore.type").default_string("JKS"))
            .define(text("ssl.keystore.location").default_null())
            .define(secret("ssl.keystore.password"))
            .define(secret("ssl.key.password"))
            .define(secret("ssl.keystore.key"))
            .define(secret("ssl.keystore.certificate.chain"))
            .define(text("ssl.truststore.type").default_string("JKS"))
            .define(text("ssl.truststore.location").default_null())
            .define(secret("ssl.truststore.password"))
            .define(secret("ssl.truststore.certificates"))
            .define(list("ssl.enabled.protocols").default_list(&["TLSv1.2", "TLSv1.3"]))
            .define(list("ssl.cipher.suites").default_null())
            .define(
                text("ssl.client.auth")
                    .default_string("none")
                    .validator(Validator::OneOf(&["required", "requested", "none"])),
            )
    }

    /// Loads keys and certificates.
    ///
    /// # Errors
    /// Config, if a store can't be read or settings contradict each other.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor> {
        let provider = Arc::new(self.provider()?);
        let identity = store::identity(&self.parsed)?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| invalid("ssl.enabled.protocols", error))?
            .with_client_cert_verifier(self.client_verifier(provider)?)
            .with_single_cert(identity.chain, identity.key)
            .map_err(|error| invalid("ssl.keystore.location", error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn client_verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>> {
        let wish = self.parsed.string("ssl.client.auth")?;
        if wish == "none" {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let mut roots = RootCertStore::empty();
        for certificate in store::trusted(&self.parsed)? {
            roots
                .add(certificate)
                .map_err(|error| invalid("ssl.truststore.location", error))?;
        }
        if roots.is_empty() {
            return Err(ConnectError::config(format!(
                "ssl.client.auth={wish} needs the certificates that clients are checked against; \
                 set ssl.truststore.location or ssl.truststore.certificates"
            )));
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = if wish == "requested" {
            verifier.allow_unauthenticated()
        } else {
            verifier
        };
        verifier
            .build()
            .map_err(|error| invalid("ssl.truststore.location", error))
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>> {
        let wanted = self.parsed.list("ssl.enabled.protocols")?;
        let mut versions = Vec::new();
        for name in &wanted {
            match name.as_str() {
                "TLSv1.2" => versions.push(&TLS12),
                "TLSv1.3" => versions.push(&TLS13),
                other => tracing::warn!(
                    protocol = other,
                    "Ignoring a protocol of ssl.enabled.protocols that this worker doesn't have"
                ),
            }
        }
        if versions.is_empty() {
            return Err(ConnectError::config(format!(
                "Invalid value {} for configuration ssl.enabled.protocols: none of them is \
                 supported; use TLSv1.2 or TLSv1.3",
                wanted.join(",")
            )));
        }
        Ok(versions)
    }

    /// The cryptography, limited to the suites that a user wants.
    fn provider(&self) -> Result<CryptoProvider> {
        let mut provider = ring::default_provider();
        if let Some(tether_api::config::ConfigData::List(wanted)) =
            self.parsed.get("ssl.cipher.suites")
        {
            provider.cipher_suites.retain(|suite| {
                // rustls alone puts the version into the names of TLS 1.3.
                let name = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
                wanted.contains(&name)
            });
            if provider.cipher_suites.is_empty() {
                return Err(ConnectError::config(format!(
                    "Invalid value {} for configuration ssl.cipher.suites: none of them is \
                     supported",
                    wanted.join(",")
                )));
            }
        }
        Ok(provider)
    }
}

fn invalid(key: &str, error: impl std::error::Error + Send + Sync + 'static) -> ConnectError {
    ConnectError::config(format!("Invalid value for configuration {key}")).caused_by(error)
}
