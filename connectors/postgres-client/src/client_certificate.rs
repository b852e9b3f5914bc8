//! Our own certificate and its key, in the forms that the JDBC driver takes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use openssl::pkey::{PKey, Private};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tether_api::config::{ConfigMap, Password};

use crate::error::TlsError;
use crate::options::SslOptions;

/// Bytes that a file with a key may have.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A certificate, those of its issuers, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// The certificate that the options name, if they name one.
pub(crate) fn identity(options: &SslOptions) -> Result<Option<Identity>, TlsError> {
    let prefix = options.prefix;
    match (&options.certificate, &options.key) {
        (_, Some(key)) if is_archive(key) => archive(key, options).map(Some),
        (Some(certificate), Some(key)) => Ok(Some(Identity {
            chain: certificates(certificate, &format!("{prefix}sslcert"))?,
            key: private_key(key, options)?,
        })),
        (None, None) => Ok(None),
        _ => Err(TlsError(format!(
            "{prefix}sslcert and {prefix}sslkey have to be set both or not at all"
        ))),
    }
}

/// The certificates of a PEM file; there is one at least.
pub(crate) fn certificates(
    path: &Path,
    name: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        TlsError(format!("{name} {} cannot be read: {error}", path.display()))
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| unreadable(&error))?
        .collect();
    let certificates = certificates.map_err(|error| unreadable(&error))?;
    match certificates.is_empty() {
        true => Err(unreadable(&"it has no certificate in PEM form")),
        false => Ok(certificates),
    }
}

/// Whether the driver takes this file for PKCS#12.
fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        ending.eq_ignore_ascii_case("p12") || ending.eq_ignore_ascii_case("pfx")
    })
}

fn unreadable(path: &Path, options: &SslOptions, reason: &dyn std::fmt::Display) -> TlsError {
    let prefix = options.prefix;
    TlsError(format!(
        "{prefix}sslkey {} cannot be read: {reason}",
        path.display()
    ))
}

/// Key and certificates of a PKCS#12 archive.
fn archive(path: &Path, options: &SslOptions) -> Result<Identity, TlsError> {
    let failed = |reason: &dyn std::fmt::Display| unreadable(path, options, reason);
    let password = options.key_password.clone();
    let store = ConfigMap::from_iter([
        ("ssl.keystore.type".to_owned(), "PKCS12".to_owned()),
        (
            "ssl.keystore.location".to_owned(),
            path.display().to_string(),
        ),
        (
            "ssl.keystore.password".to_owned(),
            password
                .unwrap_or_else(|| Password::new(""))
                .reveal()
                .to_owned(),
        ),
    ]);
    let identity = tether_keystore::identity(&store, "")
        .map_err(|error| failed(&error))?
        .ok_or_else(|| failed(&"it has no key"))?;
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(identity.chain.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key.reveal().as_bytes());
    Ok(Identity {
        chain: chain.map_err(|error| failed(&error))?,
        key: key.map_err(|error| failed(&error))?,
    })
}

/// A key in PEM form, or in PKCS#8 DER form, which the JDBC driver expects.
fn private_key(path: &Path, options: &SslOptions) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = |reason: &dyn std::fmt::Display| unreadable(path, options, reason);
    let bytes = read(path).map_err(|error| failed(&error))?;
    let password = options.key_password.as_ref().map(Password::reveal);
    let decrypted = if is_encrypted_pem(&bytes) {
        let password = password.ok_or_else(|| {
            let prefix = options.prefix;
            failed(&format!(
                "it is encrypted, but {prefix}sslpassword is not set"
            ))
        })?;
        PKey::private_key_from_pem_passphrase(&bytes, password.as_bytes())
    } else if bytes.starts_with(b"-----BEGIN") {
        return PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| failed(&error));
    } else if bytes.first() != Some(&DER_SEQUENCE) {
        return Err(failed(&"it is neither PEM nor PKCS#8 DER"));
    } else if let (Err(_), Some(password)) = (PKey::private_key_from_der(&bytes), password) {
        PKey::private_key_from_pkcs8_passphrase(&bytes, password.as_bytes())
    } else {
        return Ok(PrivatePkcs8KeyDer::from(bytes).into());
    };
    let wrong = "sslpassword is wrong, or the file is damaged";
    let key: PKey<Private> = decrypted.map_err(|_| failed(&wrong))?;
    let der = key.private_key_to_pkcs8().map_err(|_| failed(&wrong))?;
    Ok(PrivatePkcs8KeyDer::from(der).into())
}

/// The first byte of everything in DER form that is a key.
const DER_SEQUENCE: u8 = 0x30;

/// Whether a PEM file says that its key is encrypted, by its label or, in the
/// form of old, by a header.
fn is_encrypted_pem(bytes: &[u8]) -> bool {
    let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    bytes.starts_with(b"-----BEGIN")
        && (has(b"-----BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED"))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST_FILE)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
