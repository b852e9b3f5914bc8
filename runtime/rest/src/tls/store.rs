//! Key stores and trust stores: PEM, as text or in files, and the stores of
//! Java.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tether_api::config::ParsedConfig;
use tether_api::{ConnectError, Result};

/// A private key and the certificates that vouch for it.
pub(super) struct Identity {
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) chain: Vec<CertificateDer<'static>>,
}

/// The worker's own key and certificates.
///
/// # Errors
/// Config, if there are none or they can't be read.
pub(super) fn identity(config: &ParsedConfig) -> Result<Identity> {
    if let Some(key) = config.optional_password("ssl.keystore.key") {
        let chain = config
            .optional_password("ssl.keystore.certificate.chain")
            .ok_or_else(|| {
                ConnectError::config(
                    "ssl.keystore.key needs ssl.keystore.certificate.chain beside it",
                )
            })?;
        return identity_from_pem(key.reveal(), chain.reveal(), "ssl.keystore.key");
    }
    let location = config
        .optional_string("ssl.keystore.location")
        .ok_or_else(|| {
            ConnectError::config(
                "An https listener needs a private key and a certificate; set \
                 ssl.keystore.location or ssl.keystore.key and ssl.keystore.certificate.chain",
            )
        })?;
    let bytes = read(&location, "ssl.keystore.location")?;
    match pem(&bytes) {
        Some(text) => identity_from_pem(text, text, &location),
        None => Err(unreadable(&location)),
    }
}

/// The certificates that clients' are checked against; none if no store is
/// set.
///
/// # Errors
/// Config, if the store can't be read.
pub(super) fn trusted(config: &ParsedConfig) -> Result<Vec<CertificateDer<'static>>> {
    if let Some(text) = config.optional_password("ssl.truststore.certificates") {
        return certificates(text.reveal(), "ssl.truststore.certificates");
    }
    let Some(location) = config.optional_string("ssl.truststore.location") else {
        return Ok(Vec::new());
    };
    let bytes = read(&location, "ssl.truststore.location")?;
    match pem(&bytes) {
        Some(text) => certificates(text, &location),
        None => Err(unreadable(&location)),
    }
}

fn unreadable(location: &str) -> ConnectError {
    ConnectError::config(format!("{location} is no store of keys or certificates"))
}

fn read(location: &str, key: &str) -> Result<Vec<u8>> {
    std::fs::read(location).map_err(|error| {
        ConnectError::config(format!(
            "Invalid value {location} for configuration {key}: the file can't be read"
        ))
        .caused_by(error)
    })
}

/// The text of a store in PEM, whatever type it is said to have.
fn pem(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains("-----BEGIN "))
}

fn identity_from_pem(key: &str, chain: &str, place: &str) -> Result<Identity> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| {
        ConnectError::config(format!("{place} has no private key that can be read"))
            .caused_by(error)
    })?;
    let chain = certificates(chain, place)?;
    if chain.is_empty() {
        return Err(ConnectError::config(format!("{place} has no certificate")));
    }
    Ok(Identity { key, chain })
}

fn certificates(text: &str, place: &str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| {
            ConnectError::config(format!("{place} has a certificate that can't be read"))
                .caused_by(error)
        })
}
