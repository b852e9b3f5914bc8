//! Hashes in place of texts.

use std::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use tether_api::data::Text;

use crate::values::binary::hex;

/// A hash function, by the names that Java has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashAlgorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl HashAlgorithm {
    /// The function of this name, in letters of either case.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MD5" => Self::Md5,
            "SHA" | "SHA1" | "SHA-1" => Self::Sha1,
            "SHA224" | "SHA-224" => Self::Sha224,
            "SHA256" | "SHA-256" => Self::Sha256,
            "SHA384" | "SHA-384" => Self::Sha384,
            "SHA512" | "SHA-512" => Self::Sha512,
            "SHA512/224" | "SHA-512/224" => Self::Sha512_224,
            "SHA512/256" | "SHA-512/256" => Self::Sha512_256,
            "SHA3-224" => Self::Sha3_224,
            "SHA3-256" => Self::Sha3_256,
            "SHA3-384" => Self::Sha3_384,
            "SHA3-512" => Self::Sha3_512,
            _ => return None,
        })
    }

    /// The digits of the hash of these parts, one after the other.
    fn digest(self, parts: &[&[u8]]) -> String {
        match self {
            Self::Md5 => digits::<Md5>(parts),
            Self::Sha1 => digits::<Sha1>(parts),
            Self::Sha224 => digits::<Sha224>(parts),
            Self::Sha256 => digits::<Sha256>(parts),
            Self::Sha384 => digits::<Sha384>(parts),
            Self::Sha512 => digits::<Sha512>(parts),
            Self::Sha512_224 => digits::<Sha512_224>(parts),
            Self::Sha512_256 => digits::<Sha512_256>(parts),
            Self::Sha3_224 => digits::<Sha3_224>(parts),
            Self::Sha3_256 => digits::<Sha3_256>(parts),
            Self::Sha3_384 => digits::<Sha3_384>(parts),
            Self::Sha3_512 => digits::<Sha3_512>(parts),
        }
    }
}

fn digits<D: sha2::Digest>(parts: &[&[u8]]) -> String {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    hex(&digest.finalize())
}

/// How a text is hashed.
#[derive(Clone)]
pub(in crate::values) struct SaltedHash {
    algorithm: HashAlgorithm,
    salt: Text,
    /// Whether the bytes of the text itself are hashed, not those of a Java
    /// object.
    plain: bool,
    longest: Option<usize>,
}

/// The salt is a secret.
impl fmt::Debug for SaltedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltedHash")
            .field("algorithm", &self.algorithm)
            .field("plain", &self.plain)
            .finish_non_exhaustive()
    }
}

/// What a serialized Java object begins with.
const STREAM_HEADER: [u8; 4] = [0xAC, 0xED, 0x00, 0x05];
/// What a serialized `String` begins with, up to 65535 bytes and beyond.
const STRING: u8 = 0x74;
const LONG_STRING: u8 = 0x7C;

impl SaltedHash {
    /// Hashes the bytes of texts (`column.mask.hash.v2.…`) if `plain`, else
    /// texts as Java serializes them (`column.mask.hash.…`).
    pub(super) fn new(algorithm: HashAlgorithm, salt: &str, plain: bool) -> Self {
        Self {
            algorithm,
            salt: salt.into(),
            plain,
            longest: None,
        }
    }

    /// Hashes no longer than so many digits: the length of the column.
    pub(super) fn cut_to(self, longest: Option<usize>) -> Self {
        Self { longest, ..self }
    }

    /// The digits that take the place of a text.
    pub(super) fn of(&self, text: &str) -> Text {
        let salt = self.salt.as_bytes();
        let mut hash = if self.plain {
            self.algorithm.digest(&[salt, text.as_bytes()])
        } else {
            self.algorithm.digest(&[salt, &serialized(text)])
        };
        if let Some(longest) = self.longest {
            hash.truncate(longest);
        }
        hash.into()
    }
}

/// A Java `String` as `ObjectOutputStream` writes it: its length and modified
/// UTF-8, in which each unit of UTF-16 is on its own and NUL is two bytes.
fn serialized(text: &str) -> Vec<u8> {
    let mut units = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match unit {
            0x0001..=0x007F => units.push(unit as u8),
            0x0000 | 0x0080..=0x07FF => {
                units.push(0xC0 | (unit >> 6) as u8);
                units.push(0x80 | (unit & 0x3F) as u8);
            }
            0x0800.. => {
                units.push(0xE0 | (unit >> 12) as u8);
                units.push(0x80 | (unit >> 6 & 0x3F) as u8);
                units.push(0x80 | (unit & 0x3F) as u8);
            }
        }
    }
    let mut bytes = STREAM_HEADER.to_vec();
    match u16::try_from(units.len()) {
        Ok(length) => {
            bytes.push(STRING);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(LONG_STRING);
            bytes.extend((units.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(units);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_serialized_as_java_does() {
        let bytes = [0xAC, 0xED, 0, 5, 0x74, 0, 3, b'a', 0xC3, 0xA4];
        assert_eq!(serialized("aä"), bytes);
        let surrogates = [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80];
        assert_eq!(serialized("😀")[7..], surrogates);
        assert_eq!(serialized("\0")[7..], [0xC0, 0x80]);
    }

    #[test]
    fn hashes_are_cut_to_the_column() {
        let hash = SaltedHash::new(HashAlgorithm::Sha256, "", true);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.of("abc"), abc);
        assert_eq!(hash.clone().cut_to(Some(20)).of("abc"), abc[..20]);
        assert_eq!(HashAlgorithm::of("sha-256"), Some(HashAlgorithm::Sha256));
        assert_eq!(HashAlgorithm::of("crc"), None);
    }
}
