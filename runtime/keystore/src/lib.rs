//! Key and trust stores as Java's `ssl.*` properties name them: JKS, PKCS12
//! and PEM, turned into PEM in memory (`DefaultSslEngineFactory`).
//!
//! Kafka clients use it, and so do https listeners and clients of schema
//! registries, whose properties have a prefix.

mod jks;
mod pem;
mod pkcs12;

use std::fmt;
use std::fs::File;
use std::io::Read;

use openssl::ec::EcKey;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use tether_api::ConnectError;
use tether_api::config::{ConfigMap, Password};

/// Why a store cannot be used, with the name of the property and without
/// secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeystoreError(String);

impl From<KeystoreError> for ConnectError {
    fn from(error: KeystoreError) -> Self {
        Self::config(error.0)
    }
}

type Result<T> = std::result::Result<T, KeystoreError>;

/// Bytes that a store may have. The trust store of a JVM has some 200 KB.
const LARGEST_STORE: u64 = 16 * 1024 * 1024;

/// A private key and its certificates.
#[derive(Clone)]
pub struct Identity {
    /// The key in PKCS#8 as PEM, without a password.
    pub key: Password,
    /// The certificate of the key followed by those of its issuers, as PEM.
    pub chain: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Loads the key store that `<prefix>ssl.keystore.location`, or
/// `<prefix>ssl.keystore.key` and `.certificate.chain`, name; `None` if they
/// name none.
///
/// # Errors
/// With the name of the property: the file cannot be read, is damaged
/// or too large, has no key; the password is wrong; properties contradict each
/// other (in Java's words).
pub fn identity(config: &ConfigMap, prefix: &str) -> Result<Option<Identity>> {
    let store = Store::of(config, prefix, "keystore");
    let key_password = store.secret("ssl.key.password");
    let (key, chain) = (
        store.secret("ssl.keystore.key"),
        store.secret("ssl.keystore.certificate.chain"),
    );
    if key.is_some() || chain.is_some() {
        return store.identity_from_text(key, chain, key_password).map(Some);
    }
    let Some(content) = store.read("key store")? else {
        return Ok(None);
    };
    let entry = match store.format(&content)? {
        Format::Pem => pem::identity(&store, &content, key_password)?,
        Format::Jks => {
            let password = store.required_password("key store")?;
            jks::identity(&store, &content, password, key_password.unwrap_or(password))?
        }
        Format::Pkcs12 => {
            pkcs12::identity(&store, &content, store.required_password("key store")?)?
        }
    };
    entry.into_identity(&store).map(Some)
}

/// Loads the certificates to trust, as PEM, from
/// `<prefix>ssl.truststore.location` or `<prefix>ssl.truststore.certificates`;
/// `None` if these are not set.
///
/// # Errors
/// As for [`identity`].
pub fn trusted(config: &ConfigMap, prefix: &str) -> Result<Option<String>> {
    let store = Store::of(config, prefix, "truststore");
    if let Some(text) = store.secret("ssl.truststore.certificates") {
        return store.trusted_from_text(text).map(Some);
    }
    let Some(content) = store.read("trust store")? else {
        return Ok(None);
    };
    let certificates = match store.format(&content)? {
        Format::Pem => {
            if store.password.is_some() {
                return Err(invalid(
                    "SSL trust store password cannot be specified for PEM format.",
                ));
            }
            pem::certificates(&store, &content)?
        }
        Format::Jks => jks::certificates(&store, &content, store.password)?,
        Format::Pkcs12 => pkcs12::certificates(&store, &content, store.password)?,
    };
    if certificates.is_empty() {
        return Err(store.failed("it has no certificates"));
    }
    store.certificates_to_pem(&certificates).map(Some)
}

/// The certificates that Java trusts where there is a key store and no trust
/// store, as PEM: the one of the key, and of a JKS store those that stand in it
/// by themselves. `None` if there is no key store.
///
/// # Errors
/// As for [`identity`].
pub fn trusted_with_key(config: &ConfigMap, prefix: &str) -> Result<Option<String>> {
    let Some(identity) = identity(config, prefix)? else {
        return Ok(None);
    };
    let store = Store::of(config, prefix, "keystore");
    let chain = X509::stack_from_pem(identity.chain.as_bytes())
        .map_err(|_| store.failed("it has a certificate that is not usable"))?;
    let mut trusted: Vec<X509> = chain.into_iter().take(1).collect();
    if let Some(content) = store.read("key store")?
        && store.format(&content)? == Format::Jks
    {
        trusted.extend(jks::certificates(&store, &content, store.password)?);
    }
    store.certificates_to_pem(&trusted).map(Some)
}

/// A key with its certificates, the key's own first.
struct Entry {
    key: PKey<Private>,
    chain: Vec<X509>,
}

impl Entry {
    fn into_identity(self, store: &Store<'_>) -> Result<Identity> {
        let pem = with_public_part(self.key)
            .and_then(|key| key.private_key_to_pem_pkcs8())
            .map_err(|_| store.failed("its private key is not usable"))?;
        let key =
            String::from_utf8(pem).map_err(|_| store.failed("its private key is not usable"))?;
        Ok(Identity {
            key: Password::new(key),
            chain: store.certificates_to_pem(&self.chain)?,
        })
    }
}

/// Java leaves the public part out of keys on elliptic curves, and not every
/// library of TLS works it out.
fn with_public_part(key: PKey<Private>) -> std::result::Result<PKey<Private>, ErrorStack> {
    let Ok(curve) = key.ec_key() else {
        return Ok(key);
    };
    let (private, public) = (curve.private_key(), curve.public_key());
    PKey::from_ec_key(EcKey::from_private_components(
        curve.group(),
        private,
        public,
    )?)
}

/// What the content of a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jks,
    Pkcs12,
    Pem,
}

/// A store as the properties describe it.
struct Store<'a> {
    config: &'a ConfigMap,
    prefix: &'a str,
    /// `keystore` or `truststore`, as it stands in the property names.
    name: &'static str,
    kind: &'a str,
    location: Option<&'a str>,
    password: Option<&'a str>,
}

impl<'a> Store<'a> {
    fn of(config: &'a ConfigMap, prefix: &'a str, name: &'static str) -> Self {
        let get = |suffix: &str| {
            config
                .get(&format!("{prefix}ssl.{name}.{suffix}"))
                .map(|text| text.trim())
        };
        Self {
            config,
            prefix,
            name,
            kind: get("type").unwrap_or("JKS"),
            location: get("location").filter(|location| !location.is_empty()),
            password: get("password"),
        }
    }

    fn secret(&self, name: &str) -> Option<&'a str> {
        self.config
            .get(&format!("{}{name}", self.prefix))
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// The full name of one of the store's properties.
    fn property(&self, suffix: &str) -> String {
        format!("{}ssl.{}.{suffix}", self.prefix, self.name)
    }

    fn is_pem(&self) -> bool {
        self.kind.eq_ignore_ascii_case("PEM")
    }

    fn identity_from_text(
        &self,
        key: Option<&str>,
        chain: Option<&str>,
        key_password: Option<&str>,
    ) -> Result<Identity> {
        let (key, chain) = match (key, chain) {
            _ if !self.is_pem() => {
                return Err(invalid(format!(
                    "SSL private key can be specified only for PEM, but key store type is {}.",
                    self.kind
                )));
            }
            (Some(key), Some(chain)) => (key, chain),
            (Some(_), None) => {
                return Err(invalid(
                    "SSL private key is specified, but certificate chain is not specified.",
                ));
            }
            (None, _) => {
                return Err(invalid(
                    "SSL certificate chain is specified, but private key is not specified",
                ));
            }
        };
        if self.location.is_some() {
            return Err(invalid(
                "Both SSL key store location and separate private key are specified.",
            ));
        }
        if self.password.is_some() {
            return Err(invalid(
                "SSL key store password cannot be specified for PEM format.",
            ));
        }
        let text = format!("{key}\n{chain}");
        pem::identity(self, text.as_bytes(), key_password)?.into_identity(self)
    }

    fn trusted_from_text(&self, text: &str) -> Result<String> {
        if !self.is_pem() {
            return Err(invalid(format!(
                "SSL trust store certificates can be specified only for PEM, but trust store \
                 type is {}.",
                self.kind
            )));
        }
        if self.location.is_some() {
            return Err(invalid(
                "Both SSL trust store location and separate trust certificates are specified.",
            ));
        }
        if self.password.is_some() {
            return Err(invalid(
                "SSL trust store password cannot be specified for PEM format.",
            ));
        }
        let certificates = pem::certificates(self, text.as_bytes())?;
        self.certificates_to_pem(&certificates)
    }

    /// The content of the store's file; `None` if no file is named.
    fn read(&self, what: &str) -> Result<Option<Vec<u8>>> {
        let Some(location) = self.location else {
            if self.password.is_some() {
                return Err(invalid(format!(
                    "SSL {what} is not specified, but {what} password is specified."
                )));
            }
            return Ok(None);
        };
        let unreadable =
            |error: std::io::Error| self.failed(&format!("it cannot be read: {error}"));
        let mut content = Vec::new();
        File::open(location)
            .and_then(|file| file.take(LARGEST_STORE + 1).read_to_end(&mut content))
            .map_err(unreadable)?;
        if content.len() as u64 > LARGEST_STORE {
            return Err(self.failed(&format!("it has more than {LARGEST_STORE} bytes")));
        }
        Ok(Some(content))
    }

    /// Java tells JKS and PKCS12 apart by content, whichever of the two the
    /// type names.
    fn format(&self, content: &[u8]) -> Result<Format> {
        let kind = self.kind.to_ascii_uppercase();
        match kind.as_str() {
            "PEM" => Ok(Format::Pem),
            "JKS" | "PKCS12" | "P12" | "PFX" => match content {
                [0xfe, 0xed, 0xfe, 0xed, ..] => Ok(Format::Jks),
                [0xce, 0xce, 0xce, 0xce, ..] => Err(self.failed(
                    "it is of type JCEKS; convert it with keytool -importkeystore \
                     -deststoretype PKCS12",
                )),
                _ => Ok(Format::Pkcs12),
            },
            _ => Err(self.failed("this type is not known; use PKCS12, JKS or PEM")),
        }
    }

    fn required_password(&self, what: &str) -> Result<&'a str> {
        self.password.ok_or_else(|| {
            invalid(format!(
                "SSL {what} is specified, but {what} password is not specified."
            ))
        })
    }

    fn certificates_to_pem(&self, certificates: &[X509]) -> Result<String> {
        let mut text = String::new();
        for certificate in certificates {
            let pem = certificate
                .to_pem()
                .ok()
                .and_then(|pem| String::from_utf8(pem).ok())
                .ok_or_else(|| self.failed("it has a certificate that is not usable"))?;
            text.push_str(&pem);
        }
        Ok(text)
    }

    /// A store that cannot be loaded. The reason tells no secret.
    fn failed(&self, reason: &str) -> KeystoreError {
        let location = self.location.unwrap_or("(given as text)");
        invalid(format!(
            "Failed to load SSL {} {location} of type {}: {reason} (see {})",
            self.name,
            self.kind,
            self.property("location")
        ))
    }

    fn wrong_password(&self, property: &str) -> KeystoreError {
        self.failed(&format!(
            "the password in {}{property} is wrong, or the file is damaged",
            self.prefix
        ))
    }
}

fn invalid(message: impl Into<String>) -> KeystoreError {
    KeystoreError(message.into())
}

#[cfg(test)]
mod tests;
