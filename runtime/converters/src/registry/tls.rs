//! How `https` registries are trusted (`schema.registry.ssl.*`): with the
//! stores that Java reads.

use reqwest::{Certificate, ClientBuilder, Identity};
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig,
};
use tether_api::{ConnectError, Result};

/// What the names of the properties begin with.
const PREFIX: &str = "schema.registry.";
const IDENTIFICATION: &str = "schema.registry.ssl.endpoint.identification.algorithm";

/// How `https` registries are trusted.
#[derive(Debug, Clone, Default)]
pub(super) struct Tls {
    /// Certificates to trust in place of the system's, in PEM form.
    roots: Option<String>,
    /// Our own key and certificates.
    identity: Option<tether_keystore::Identity>,
    /// Whether any host name will do.
    any_host: bool,
}

/// Adds the keys.
pub(super) fn define(def: &mut ConfigDef) {
    use ConfigType::{Class, List, Password, String};
    use Importance::{High, Low, Medium};
    let mut add = |name: &str, kind, importance, default: Option<&str>, doc: &'static str| {
        let key = ConfigKey::new(format!("{PREFIX}ssl.{name}"), kind)
            .importance(importance)
            .doc(doc);
        def.add(match (default, kind) {
            (Some(default), List) => key.default(ConfigData::List(
                default.split(',').map(str::to_owned).collect(),
            )),
            (Some(default), _) => key.default_string(default),
            (None, _) => key.default_null(),
        });
    };
    let location = "File with the client's private key and certificates.";
    add("keystore.location", String, High, None, location);
    let password = "Password of the key store; not for PEM.";
    add("keystore.password", Password, High, None, password);
    let types = "JKS, PKCS12 or PEM; the first two are told apart by content.";
    add("keystore.type", String, Medium, Some("JKS"), types);
    let chain = "The client's certificates, if the type is PEM.";
    add("keystore.certificate.chain", Password, High, None, chain);
    let key = "The client's private key, if the type is PEM.";
    add("keystore.key", Password, High, None, key);
    let password = "Password of the private key.";
    add("key.password", Password, High, None, password);
    let location = "File with the certificates to trust.";
    add("truststore.location", String, High, None, location);
    let password = "Password of the trust store; not for PEM.";
    add("truststore.password", Password, High, None, password);
    add("truststore.type", String, Medium, Some("JKS"), types);
    let certificates = "The certificates to trust, if the type is PEM.";
    add(
        "truststore.certificates",
        Password,
        High,
        None,
        certificates,
    );
    let identification = "How the name of the registry's host is checked; none or empty for not \
                          at all.";
    let algorithm = "endpoint.identification.algorithm";
    add(algorithm, String, Low, Some("https"), identification);
    let unused = "Without effect.";
    add("protocol", String, Medium, Some("TLSv1.3"), unused);
    let protocols = Some("TLSv1.2,TLSv1.3");
    add("enabled.protocols", List, Medium, protocols, unused);
    add("cipher.suites", List, Low, None, unused);
    add("provider", String, Medium, None, unused);
    add("keymanager.algorithm", String, Low, None, unused);
    add("trustmanager.algorithm", String, Low, None, unused);
    add("secure.random.implementation", String, Low, None, unused);
    add("engine.factory.class", Class, Low, None, unused);
}

impl Tls {
    pub(super) fn parse(config: &ParsedConfig, raw: &ConfigMap) -> Result<Self> {
        // An empty property is as good as none, as in the reference.
        let given: ConfigMap = raw
            .iter()
            .filter(|(key, value)| key.starts_with(PREFIX) && !value.trim().is_empty())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let identification = config.string(IDENTIFICATION)?;
        Ok(Self {
            roots: tether_keystore::trusted(&given, PREFIX)?,
            identity: tether_keystore::identity(&given, PREFIX)?,
            any_host: identification.is_empty() || identification == "none",
        })
    }

    /// Applies the settings to a client.
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder> {
        let unusable = |key: &str, error: reqwest::Error| {
            ConnectError::config(format!("{PREFIX}ssl.{key} is not usable")).caused_by(error)
        };
        if let Some(roots) = &self.roots {
            let roots = Certificate::from_pem_bundle(roots.as_bytes())
                .map_err(|error| unusable("truststore", error))?;
            builder = builder.tls_certs_only(roots);
        }
        if let Some(identity) = &self.identity {
            let pem = [identity.key.reveal(), &identity.chain].concat();
            let identity =
                Identity::from_pem(pem.as_bytes()).map_err(|error| unusable("keystore", error))?;
            builder = builder.identity(identity);
        }
        Ok(builder.tls_danger_accept_invalid_hostnames(self.any_host))
    }
}
