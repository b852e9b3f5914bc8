//! PKCS#12, by OpenSSL.

use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::provider::Provider;
use openssl::x509::X509;

use super::{Entry, Store};
use crate::Result;

/// The private key of a store.
pub(super) fn identity(store: &Store<'_>, content: &[u8], password: &str) -> Result<Entry> {
    let parsed = parse(store, content, password)?;
    let (Some(key), Some(certificate)) = (parsed.pkey, parsed.cert) else {
        return Err(store.failed("it has no private key with a certificate"));
    };
    let others = parsed.ca.into_iter().flatten().collect();
    Ok(Entry {
        key,
        chain: chain(certificate, others),
    })
}

/// All certificates of a store that has no key.
pub(super) fn certificates(
    store: &Store<'_>,
    content: &[u8],
    password: Option<&str>,
) -> Result<Vec<X509>> {
    let parsed = parse(store, content, password.unwrap_or_default())?;
    // A certificate next to a private key is no anchor of trust in Java either,
    // but those who put one there mean it to be.
    let mut all: Vec<X509> = parsed.ca.into_iter().flatten().collect();
    all.extend(parsed.cert);
    Ok(all)
}

fn parse(store: &Store<'_>, content: &[u8], password: &str) -> Result<ParsedPkcs12_2> {
    let property = format!("ssl.{}.password", store.name);
    if password.contains('\0') {
        return Err(store.wrong_password(&property));
    }
    let archive = Pkcs12::from_der(content).map_err(|_| store.failed("it is damaged"))?;
    let mut parsed = archive.parse2(password);
    // Java before 17 and 8u301 seals certificates with RC2, which OpenSSL 3
    // keeps apart.
    if parsed.as_ref().is_err_and(is_unsupported) && legacy_algorithms() {
        parsed = archive.parse2(password);
    }
    parsed.map_err(|error| {
        if is_unsupported(&error) {
            store.failed(
                "it is sealed with an old algorithm that OpenSSL does not have here; write it \
                 anew with keytool -importkeystore of Java 17",
            )
        } else {
            store.wrong_password(&property)
        }
    })
}

fn is_unsupported(error: &ErrorStack) -> bool {
    error.errors().iter().any(|error| {
        error
            .reason()
            .is_some_and(|reason| reason.contains("unsupported"))
    })
}

/// Loads OpenSSL's old algorithms for the rest of the process; whether they are
/// there.
fn legacy_algorithms() -> bool {
    static LEGACY: OnceLock<Option<Provider>> = OnceLock::new();
    LEGACY
        .get_or_init(|| Provider::try_load(None, "legacy", true).ok())
        .is_some()
}

/// Puts the issuers of a certificate in their order, which PKCS#12 leaves open.
fn chain(certificate: X509, mut others: Vec<X509>) -> Vec<X509> {
    let mut chain = vec![certificate];
    while let Some(last) = chain.last() {
        let issuer = others.iter().position(|other| {
            other.issued(last) == openssl::x509::X509VerifyResult::OK && !same(other, last)
        });
        match issuer {
            Some(index) => chain.push(others.swap_remove(index)),
            None => break,
        }
    }
    chain
}

fn same(left: &X509, right: &X509) -> bool {
    matches!((left.to_der(), right.to_der()), (Ok(left), Ok(right)) if left == right)
}
