//! The algorithms of keys and signatures, by their Java names.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use subtle::ConstantTimeEq;
use tether_api::{ConnectError, Result};

/// A message authentication code (RFC 2104), under the name that a
/// configuration or a request gives it. Java finds algorithms by names in any
/// case, but workers compare the names as they are written.
#[derive(Clone, PartialEq, Eq)]
pub struct Algorithm {
    hash: Hash,
    name: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512To224,
    Sha512To256,
}

const ALGORITHMS: [(&str, Hash); 7] = [
    ("HmacSHA1", Hash::Sha1),
    ("HmacSHA224", Hash::Sha224),
    ("HmacSHA256", Hash::Sha256),
    ("HmacSHA384", Hash::Sha384),
    ("HmacSHA512", Hash::Sha512),
    ("HmacSHA512/224", Hash::Sha512To224),
    ("HmacSHA512/256", Hash::Sha512To256),
];

impl Algorithm {
    /// The algorithm of this name; `None`, if this worker does not have it.
    pub fn from_name(name: &str) -> Option<Self> {
        ALGORITHMS
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, hash)| Self {
                hash,
                name: name.into(),
            })
    }

    /// The names of all algorithms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALGORITHMS.into_iter().map(|(name, _)| name)
    }

    /// The name as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as Java writes it into keys.
    pub(super) fn standard_name(&self) -> &'static str {
        ALGORITHMS
            .into_iter()
            .find(|(_, hash)| *hash == self.hash)
            .map_or("", |(name, _)| name)
    }

    /// How many bytes a key has unless a configuration says otherwise: what
    /// Java's generators do.
    pub(super) fn key_bytes(&self) -> usize {
        match self.hash {
            Hash::Sha1 | Hash::Sha512 => 64,
            Hash::Sha224 | Hash::Sha512To224 => 28,
            Hash::Sha256 | Hash::Sha512To256 => 32,
            Hash::Sha384 => 48,
        }
    }

    /// How few bits a key may have.
    pub(super) fn least_key_bits(&self) -> i32 {
        match self.hash {
            Hash::Sha1 => 1,
            _ => 40,
        }
    }

    /// The code of a message.
    ///
    /// # Errors
    /// Other, if the key is not usable.
    pub(super) fn sign(&self, key: &[u8], message: &[u8]) -> Result<Vec<u8>> {
        match self.hash {
            Hash::Sha1 => sign::<Hmac<Sha1>>(key, message),
            Hash::Sha224 => sign::<Hmac<Sha224>>(key, message),
            Hash::Sha256 => sign::<Hmac<Sha256>>(key, message),
            Hash::Sha384 => sign::<Hmac<Sha384>>(key, message),
            Hash::Sha512 => sign::<Hmac<Sha512>>(key, message),
            Hash::Sha512To224 => sign::<Hmac<Sha512_224>>(key, message),
            Hash::Sha512To256 => sign::<Hmac<Sha512_256>>(key, message),
        }
    }

    /// Whether this is the code of a message. How long that takes does not tell
    /// where the two differ.
    ///
    /// # Errors
    /// Other, if the key is not usable.
    pub(super) fn verify(&self, key: &[u8], message: &[u8], code: &[u8]) -> Result<bool> {
        Ok(self.sign(key, message)?.ct_eq(code).into())
    }
}

fn sign<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let mut mac = M::new_from_slice(key)
        .map_err(|error| ConnectError::other("The session key is not usable").caused_by(error))?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().to_vec())
}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    /// The codes that Java computes: of a body with a key of 32 bytes, of no
    /// bytes with the same, and of the body with a key that is longer than a
    /// block.
    const CODES: [(&str, [&str; 3]); 7] = [
        (
            "HmacSHA1",
            [
                "NQ5yeDZFTCvtBsv98idzpmAzZPM=",
                "tFmyocn8L2aMZQn2kH1B8iCfUHw=",
                "f+BzUg3/k7wNcDlqskzEAXmKSRY=",
            ],
        ),
        (
            "HmacSHA224",
            [
                "37S2X1psxYKP4Te387bQn+26b+ucw55jWd6+RA==",
                "KnQw+Tu1RW0VXGVAY8cHSqcMAZNqbA5TqflAfw==",
                "/fgP1RdfqBDhaRM+Qda0lq44BSlst7LxH+BETA==",
            ],
        ),
        (
            "HmacSHA256",
            [
                "WF6ByM5RIClj5b8ijpz2uAWHU8EKjeUa1noylTL8UVw=",
                "04tCCW2A9F+Ca0Sp1WB95ySWpBXT9KGoyI47udqNwcs=",
                "KprkusQnWabzVhwQDo3cFFxfmEbjTUKH54Xi0oFWw0I=",
            ],
        ),
        (
            "HmacSHA384",
            [
                "MSvY1lpkul9wzIozEnHhMki9yrXm/0xgVJR+D33nUt1wjKtUrDFE4UMWf3ZTgvwc",
                "j4aDrvJXVhW+CRu2zaRLsQPI/H9o3Qh5gk/6wkbo8sp0ccYF1T9plBxRtHVJFoIW",
                "ph6Ym0sqddjjGTUyZpgg4soIprX07yWpLBlZD3MwiAA6aBzT1H4sXNXVGVC3TJTC",
            ],
        ),
        (
            "HmacSHA512",
            [
                "+5gypRk83en4y6puPcWJ3HvrJQpKVRNBfnSlwHptBgoYO6JL7G39duI0BK6lV9bhLoyTJPY2LjsZMgqnbrSApA==",
                "sEpw9F6VKZaAYPACY0TV9NpZ8cPOIoJF9rsIjXuKqfyPXzwqSAJ+SDON4PvsfZ2P7ZY64zPSucVwTi6Vhk7Hiw==",
                "FN1s824cbadfqK+t6duQdPOhYN6UNaIhzjLNBduztClWBzyv5b6XCi5CmLzIfAxsLt44XaQmMdr7sUPogJOzVA==",
            ],
        ),
        (
            "HmacSHA512/224",
            [
                "p41JbbP7sln/kA1ajYMt9eTQP6bkmxIiQmqYKQ==",
                "Tsjo9l0eDwogl68sh7kHv4kdhFLFuUURrx2xqQ==",
                "GSUdlYIXMYN/VpSgZwrnMgkzekoO2dyLMpKZPQ==",
            ],
        ),
        (
            "HmacSHA512/256",
            [
                "Nfpz0PMxbvg3fFiUyR1rwGiFN5eMVJT8Cmr3pJMDevA=",
                "YtBpYt0sQRSgfQse8W3yfMXy2cgPwkboqe97m3xZqsw=",
                "I09Zf9YqA1uY5A/VRtvYXsXHmLZ9CGrhGjHcZliTq00=",
            ],
        ),
    ];

    #[test]
    fn codes_are_those_of_java() {
        let key: Vec<u8> = (0..32).collect();
        let body = r#"[{"name":"c","task.class":"Té"}]"#.as_bytes();
        assert!(CODES.iter().map(|(name, _)| *name).eq(Algorithm::names()));
        for (name, [of_body, of_nothing, with_long_key]) in CODES {
            let algorithm = Algorithm::from_name(name).unwrap();
            for (key, message, code) in [
                (&*key, body, of_body),
                (&*key, b"".as_slice(), of_nothing),
                (&[0; 200], body, with_long_key),
            ] {
                let code = BASE64.decode(code).unwrap();
                assert_eq!(algorithm.sign(key, message).unwrap(), code, "{name}");
                assert!(algorithm.verify(key, message, &code).unwrap());
                assert!(!algorithm.verify(key, b"other", &code).unwrap());
                assert!(!algorithm.verify(key, message, &code[1..]).unwrap());
                assert!(!algorithm.verify(key, message, b"").unwrap());
            }
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        let algorithm = Algorithm::from_name("hmacsha512/256").unwrap();
        assert_eq!(algorithm.name(), "hmacsha512/256");
        assert_eq!(algorithm.standard_name(), "HmacSHA512/256");
        for name in ["", "HmacMD5", "HmacSHA256 ", "AES"] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
