//! How `https` registries are trusted (`schema.registry.ssl.*`), in PEM form.

use std::fs;
use std::path::Path;

use reqwest::{Certificate, ClientBuilder, Identity};
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig};
use tether_api::{ConnectError, Result};

const TRUSTSTORE_LOCATION: &str = "schema.registry.ssl.truststore.location";
const TRUSTSTORE_CERTIFICATES: &str = "schema.registry.ssl.truststore.certificates";
const KEYSTORE_LOCATION: &str = "schema.registry.ssl.keystore.location";
const KEYSTORE_CHAIN: &str = "schema.registry.ssl.keystore.certificate.chain";
const KEYSTORE_KEY: &str = "schema.registry.ssl.keystore.key";
const IDENTIFICATION: &str = "schema.registry.ssl.endpoint.identification.algorithm";

/// How `https` registries are trusted.
#[derive(Debug, Clone, Default)]
pub(super) struct Tls {
    /// Certificates to trust in place of the system's, in PEM form.
    roots: Option<Vec<u8>>,
    /// Our own certificate and key, in PEM form.
    identity: Option<Vec<u8>>,
    /// Whether any host name will do.
    any_host: bool,
}

/// Adds the keys.
pub(super) fn define(def: &mut ConfigDef) {
    let key = |name: &str, kind, doc: &'static str| {
        ConfigKey::new(name, kind)
            .default_null()
            .importance(Importance::High)
            .doc(doc)
    };
    def.add(key(
        TRUSTSTORE_LOCATION,
        ConfigType::String,
        "File with the certificates to trust, in PEM form.",
    ));
    def.add(key(
        TRUSTSTORE_CERTIFICATES,
        ConfigType::Password,
        "The certificates to trust, in PEM form.",
    ));
    def.add(key(
        KEYSTORE_LOCATION,
        ConfigType::String,
        "File with the client's private key and certificates, in PEM form.",
    ));
    def.add(key(
        KEYSTORE_CHAIN,
        ConfigType::Password,
        "The client's certificates, in PEM form.",
    ));
    def.add(key(
        KEYSTORE_KEY,
        ConfigType::Password,
        "The client's private key, in PEM form.",
    ));
    def.add(
        ConfigKey::new(IDENTIFICATION, ConfigType::String)
            .default_string("https")
            .importance(Importance::Low)
            .doc("How the name of the registry's host is checked; empty for not at all."),
    );
}

impl Tls {
    pub(super) fn parse(config: &ParsedConfig) -> Result<Self> {
        let inline = |key| {
            let text = config.optional_password(key);
            text.map(|text| text.reveal().as_bytes().to_vec())
        };
        let file = |key| config.optional_string(key).map(|path| read_pem(key, &path));
        let roots = match inline(TRUSTSTORE_CERTIFICATES) {
            Some(roots) => Some(roots),
            None => file(TRUSTSTORE_LOCATION).transpose()?,
        };
        let identity = match (inline(KEYSTORE_KEY), inline(KEYSTORE_CHAIN)) {
            (Some(key), Some(chain)) => Some([key, vec![b'\n'], chain].concat()),
            (None, None) => file(KEYSTORE_LOCATION).transpose()?,
            _ => {
                return Err(ConnectError::config(format!(
                    "{KEYSTORE_KEY} and {KEYSTORE_CHAIN} must be given together"
                )));
            }
        };
        Ok(Self {
            roots,
            identity,
            any_host: config.string(IDENTIFICATION)?.is_empty(),
        })
    }

    /// Applies the settings to a client.
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder> {
        let unusable = |key: &str, error: reqwest::Error| {
            ConnectError::config(format!("{key} has no usable PEM content")).caused_by(error)
        };
        if let Some(roots) = &self.roots {
            let roots = Certificate::from_pem_bundle(roots)
                .map_err(|error| unusable("schema.registry.ssl.truststore", error))?;
            builder = builder.tls_certs_only(roots);
        }
        if let Some(identity) = &self.identity {
            let identity = Identity::from_pem(identity)
                .map_err(|error| unusable("schema.registry.ssl.keystore", error))?;
            builder = builder.identity(identity);
        }
        Ok(builder.tls_danger_accept_invalid_hostnames(self.any_host))
    }
}

fn read_pem(key: &str, path: &str) -> Result<Vec<u8>> {
    let content = fs::read(Path::new(path)).map_err(|error| {
        ConnectError::config(format!("{key}: cannot read {path}")).caused_by(error)
    })?;
    let marker = b"-----BEGIN ";
    if content.windows(marker.len()).any(|window| window == marker) {
        return Ok(content);
    }
    Err(ConnectError::config(format!(
        "{key}: {path} is not in PEM form; convert it with keytool and openssl"
    )))
}
