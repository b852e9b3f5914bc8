//! Java's own key store format, version 1 and 2
//! (`sun.security.provider.JavaKeyStore`).

use openssl::pkey::PKey;
use openssl::sha::{Sha1, sha1};
use openssl::x509::X509;

use super::{Entry, Store};
use crate::Result;

/// Tags of entries.
const PRIVATE_KEY: u32 = 1;
const TRUSTED_CERTIFICATE: u32 = 2;

/// What the digest at the end is seasoned with.
const WHITENER: &[u8] = b"Mighty Aphrodite";

const DIGEST: usize = 20;

/// `1.3.6.1.4.1.42.2.17.1.1`, Sun's protection of private keys, in DER.
const KEY_PROTECTOR: &[u8] = &[
    0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01,
];

/// The first private key of a store.
pub(super) fn identity(
    store: &Store<'_>,
    content: &[u8],
    password: &str,
    key_password: &str,
) -> Result<Entry> {
    check(store, content, password)?;
    for entry in entries(store, content)? {
        let JksEntry::Key { protected, chain } = entry else {
            continue;
        };
        let plain = unprotect(protected, key_password).ok_or_else(|| {
            let given = store.secret("ssl.key.password").is_some();
            store.wrong_password(if given {
                "ssl.key.password"
            } else {
                "ssl.keystore.password"
            })
        })?;
        let key = PKey::private_key_from_pkcs8(&plain)
            .map_err(|_| store.failed("its private key is not usable"))?;
        return Ok(Entry {
            key,
            chain: certificates_from(store, &chain)?,
        });
    }
    Err(store.failed("it has no private key"))
}

/// All trusted certificates of a store. Without a password, nothing checks that
/// the store is whole, as in Java.
pub(super) fn certificates(
    store: &Store<'_>,
    content: &[u8],
    password: Option<&str>,
) -> Result<Vec<X509>> {
    if let Some(password) = password {
        check(store, content, password)?;
    }
    let trusted: Vec<&[u8]> = entries(store, content)?
        .into_iter()
        .filter_map(|entry| match entry {
            JksEntry::Certificate(der) => Some(der),
            JksEntry::Key { .. } => None,
        })
        .collect();
    certificates_from(store, &trusted)
}

enum JksEntry<'a> {
    Key {
        protected: &'a [u8],
        chain: Vec<&'a [u8]>,
    },
    Certificate(&'a [u8]),
}

fn certificates_from(store: &Store<'_>, all: &[&[u8]]) -> Result<Vec<X509>> {
    all.iter()
        .map(|der| {
            X509::from_der(der).map_err(|_| store.failed("it has a certificate that is not usable"))
        })
        .collect()
}

/// Passwords are hashed as UTF-16.
fn password_bytes(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn check(store: &Store<'_>, content: &[u8], password: &str) -> Result<()> {
    let whole = content
        .split_last_chunk::<DIGEST>()
        .is_some_and(|(body, digest)| {
            let mut hasher = Sha1::new();
            hasher.update(&password_bytes(password));
            hasher.update(WHITENER);
            hasher.update(body);
            openssl::memcmp::eq(&hasher.finish(), digest)
        });
    if whole {
        return Ok(());
    }
    Err(store.wrong_password(&format!("ssl.{}.password", store.name)))
}

fn entries<'a>(store: &Store<'_>, content: &'a [u8]) -> Result<Vec<JksEntry<'a>>> {
    let body = content
        .split_last_chunk::<DIGEST>()
        .map_or(content, |(body, _)| body);
    read_entries(&mut Reader(body)).ok_or_else(|| store.failed("it is damaged"))
}

/// `None` where the bytes end too early or make no sense. Every entry that is
/// kept has taken at least its tag from the content, so memory is bounded by
/// the file's size.
fn read_entries<'a>(reader: &mut Reader<'a>) -> Option<Vec<JksEntry<'a>>> {
    let _magic = reader.number()?;
    let version = reader.number().filter(|version| matches!(version, 1 | 2))?;
    let count = reader.number()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let tag = reader.number()?;
        let _alias = reader.text()?;
        let _created = reader.take(8)?;
        entries.push(match tag {
            PRIVATE_KEY => {
                let protected = reader.block()?;
                let length = reader.number()?;
                let mut chain = Vec::new();
                for _ in 0..length {
                    chain.push(reader.certificate(version)?);
                }
                JksEntry::Key { protected, chain }
            }
            TRUSTED_CERTIFICATE => JksEntry::Certificate(reader.certificate(version)?),
            _ => return None,
        });
    }
    Some(entries)
}

/// Takes big-endian values off a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        self.take(usize::from(u16::from_be_bytes(*head)))
    }

    fn certificate(&mut self, version: u32) -> Option<&'a [u8]> {
        if version == 2 {
            let _kind = self.text()?;
        }
        self.block()
    }
}

/// Undoes `sun.security.provider.KeyProtector`: the key is mixed with a chain
/// of hashes that starts at a salt, and a hash of the plain key follows.
fn unprotect(info: &[u8], password: &str) -> Option<Vec<u8>> {
    let data = protected_data(info)?;
    let (salt, rest) = data.split_first_chunk::<DIGEST>()?;
    let (sealed, expected) = rest.split_last_chunk::<DIGEST>()?;
    let password = password_bytes(password);
    let mut plain = Vec::with_capacity(sealed.len());
    let mut digest = *salt;
    for chunk in sealed.chunks(DIGEST) {
        digest = sha1(&[password.as_slice(), &digest].concat());
        plain.extend(chunk.iter().zip(digest).map(|(byte, mask)| byte ^ mask));
    }
    let actual = sha1(&[password.as_slice(), &plain].concat());
    openssl::memcmp::eq(&actual, expected).then_some(plain)
}

/// The octets of an `EncryptedPrivateKeyInfo` whose algorithm is Sun's.
fn protected_data(info: &[u8]) -> Option<&[u8]> {
    let (inner, _) = der_value(info, 0x30)?;
    let (algorithm, rest) = der_value(inner, 0x30)?;
    let (octets, _) = der_value(rest, 0x04)?;
    algorithm.starts_with(KEY_PROTECTOR).then_some(octets)
}

/// The value of a DER element with this tag, and what follows it.
fn der_value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (head, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if head.len() > 4 {
            return None;
        }
        let length = head
            .iter()
            .fold(0u64, |length, byte| length << 8 | u64::from(*byte));
        (usize::try_from(length).ok()?, rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigMap;

    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let config = ConfigMap::new();
            let store = Store::of(&config, "", "keystore");
            let _ = certificates(&store, &bytes, None);
            let _ = identity(&store, &bytes, "secret", "secret");
            let _ = unprotect(&bytes, "secret");
        }

        #[test]
        fn any_entries_are_read_or_refused(
            version in 0u32..4,
            count in proptest::num::u32::ANY,
            tag in 0u32..4,
            rest in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        ) {
            let mut bytes = Vec::new();
            for number in [0xfeed_feed, version, count, tag] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            bytes.extend_from_slice(&rest);
            read_entries(&mut Reader(&bytes));
        }
    }
}
