//! PEM as Java reads it: the line breaks of a block may be any white space, so
//! that a block fits in one line of a properties file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::{Entry, Store, invalid};
use crate::Result;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The private key and all certificates of a text.
pub(super) fn identity(
    store: &Store<'_>,
    content: &[u8],
    key_password: Option<&str>,
) -> Result<Entry> {
    let blocks = blocks(store, content)?;
    let block = blocks
        .iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
        .ok_or_else(|| invalid("No matching PRIVATE KEY entries in PEM file"))?;
    Ok(Entry {
        key: key(store, block, key_password)?,
        chain: certificates_of(store, &blocks)?,
    })
}

/// All certificates of a text.
pub(super) fn certificates(store: &Store<'_>, content: &[u8]) -> Result<Vec<X509>> {
    certificates_of(store, &blocks(store, content)?)
}

struct Block<'a> {
    label: &'a str,
    der: Vec<u8>,
}

fn key(store: &Store<'_>, block: &Block<'_>, password: Option<&str>) -> Result<PKey<Private>> {
    if block.label.starts_with("ENCRYPTED") {
        let password = password.ok_or_else(|| {
            store.failed(&format!(
                "its private key is encrypted, but {}ssl.key.password is not set",
                store.prefix
            ))
        })?;
        return PKey::private_key_from_pkcs8_passphrase(&block.der, password.as_bytes())
            .map_err(|_| store.wrong_password("ssl.key.password"));
    }
    PKey::private_key_from_der(&block.der)
        .map_err(|_| store.failed("its private key is not usable"))
}

fn certificates_of(store: &Store<'_>, blocks: &[Block<'_>]) -> Result<Vec<X509>> {
    let certificates = blocks
        .iter()
        .filter(|block| block.label.ends_with("CERTIFICATE"))
        .map(|block| {
            X509::from_der(&block.der)
                .map_err(|_| store.failed("it has a certificate that is not usable"))
        })
        .collect::<Result<Vec<_>>>()?;
    if certificates.is_empty() {
        return Err(invalid("No matching CERTIFICATE entries in PEM file"));
    }
    Ok(certificates)
}

fn blocks<'a>(store: &Store<'_>, content: &'a [u8]) -> Result<Vec<Block<'a>>> {
    let damaged = || store.failed("it is not PEM, or damaged");
    let mut rest = std::str::from_utf8(content).map_err(|_| damaged())?;
    let mut blocks = Vec::new();
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or_else(damaged)?;
        let (body, after) = after.split_once(END).ok_or_else(damaged)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| damaged())?;
        blocks.push(Block { label, der });
        rest = after;
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigMap;

    use super::*;

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in "(-----BEGIN (ENCRYPTED PRIVATE KEY|CERTIFICATE|.{0,5})-----|-----END |[A-Za-z0-9+/= ]{0,20}|.){0,12}",
        ) {
            let config = ConfigMap::new();
            let store = Store::of(&config, "", "keystore");
            let _ = certificates(&store, text.as_bytes());
            let _ = identity(&store, text.as_bytes(), Some("secret"));
        }
    }
}
