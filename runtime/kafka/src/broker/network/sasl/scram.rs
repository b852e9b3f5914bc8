//! The client of SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677), as
//! Kafka has it (`ScramSaslClient`): without channel binding, and names and
//! passwords go as they are (`ScramFormatter.normalize` changes nothing).

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};
use tether_api::config::Password;

/// How often a password may be hashed. Below the first number passwords are
/// too easily found by trying (`ScramMechanism.minIterations`); above the last
/// a server keeps its client busy.
const ITERATIONS: RangeInclusive<u32> = 4096..=1_000_000;

/// Base64 of `n,,`: no channel binding.
const NO_BINDING: &str = "biws";

/// The hash function of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    pub(crate) fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        self.hmac().digest_algorithm()
    }

    /// `Hi` of RFC 5802.
    fn salted(self, password: &Password, salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        let mut salted = vec![0; self.digest().output_len()];
        let password = password.reveal().as_bytes();
        pbkdf2::derive(algorithm, iterations, salt, password, &mut salted);
        salted
    }
}

/// What a server does wrong, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ScramError(String);

fn wrong(what: impl Into<String>) -> ScramError {
    ScramError(what.into())
}

/// Who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) hash: Hash,
    pub(crate) username: String,
    pub(crate) password: Password,
}

impl Login {
    /// The client's first message without the part on channel binding.
    fn first_bare(&self, nonce: &str) -> String {
        let name = self.username.replace('=', "=3D").replace(',', "=2C");
        format!("n={name},r={nonce}")
    }

    /// The client's first message.
    pub(crate) fn first(&self, nonce: &str) -> String {
        format!("n,,{}", self.first_bare(nonce))
    }

    /// Answers the server's first message with the proof that the client knows
    /// the password. Hashes it thousands of times, so it may take a second.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub(crate) fn respond(
        &self,
        nonce: &str,
        server_first: &[u8],
    ) -> Result<(String, ServerProof), ScramError> {
        let text = text(server_first)?;
        let challenge = Challenge::parse(text, nonce)?;
        let salted = self
            .hash
            .salted(&self.password, &challenge.salt, challenge.iterations);
        let key = |salted: &[u8]| hmac::Key::new(self.hash.hmac(), salted);
        let salted = key(&salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = digest::digest(self.hash.digest(), client_key.as_ref());
        let without_proof = format!("c={NO_BINDING},r={}", challenge.nonce);
        let messages = format!("{},{text},{without_proof}", self.first_bare(nonce));
        let signature = hmac::sign(&key(stored_key.as_ref()), messages.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = hmac::sign(&salted, b"Server Key");
        Ok((
            format!("{without_proof},p={}", STANDARD.encode(proof)),
            ServerProof {
                key: key(server_key.as_ref()),
                messages,
            },
        ))
    }
}

/// What the server has to prove: that it knows the password too.
pub(crate) struct ServerProof {
    key: hmac::Key,
    messages: String,
}

impl ServerProof {
    /// Checks the server's last message.
    ///
    /// # Errors
    /// If the server refuses, or does not prove that it knows the password.
    pub(crate) fn check(&self, server_final: &[u8]) -> Result<(), ScramError> {
        let text = text(server_final)?;
        if let Some(reason) = text.strip_prefix("e=") {
            let reason: String = reason.chars().take(100).collect();
            return Err(wrong(format!("the server refuses: {reason}")));
        }
        let signature = text
            .strip_prefix("v=")
            .and_then(|rest| rest.split(',').next())
            .and_then(|signature| STANDARD.decode(signature).ok())
            .ok_or_else(|| wrong("the server's last message is not one of SCRAM"))?;
        hmac::verify(&self.key, self.messages.as_bytes(), &signature)
            .map_err(|_| wrong("the server does not prove that it knows the password"))
    }
}

fn text(bytes: &[u8]) -> Result<&str, ScramError> {
    std::str::from_utf8(bytes).map_err(|_| wrong("a message of the server is not UTF-8"))
}

/// The server's first message.
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: NonZeroU32,
}

impl<'a> Challenge<'a> {
    fn parse(text: &'a str, client_nonce: &str) -> Result<Self, ScramError> {
        let mut parts = text.split(',');
        // Extensions may follow; one that has to be understood would stand first.
        let mut next = |name: &str| parts.next().and_then(|part| part.strip_prefix(name));
        let (Some(nonce), Some(salt), Some(iterations)) = (next("r="), next("s="), next("i="))
        else {
            return Err(wrong("the server's first message is not one of SCRAM"));
        };
        if nonce.len() <= client_nonce.len() || !nonce.starts_with(client_nonce) {
            return Err(wrong("the server's nonce does not begin with the client's"));
        }
        let salt = STANDARD
            .decode(salt)
            .ok()
            .filter(|salt| !salt.is_empty())
            .ok_or_else(|| wrong("the server's salt is not in base64"))?;
        let iterations = iterations
            .parse()
            .ok()
            .filter(|iterations: &NonZeroU32| ITERATIONS.contains(&iterations.get()))
            .ok_or_else(|| {
                let (least, most) = (ITERATIONS.start(), ITERATIONS.end());
                wrong(format!(
                    "the server wants the password hashed {:.20} times; {least} to {most} are \
                     allowed",
                    iterations
                ))
            })?;
        Ok(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

/// Reads a server's first message.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(text) = text(bytes) {
        let _ = Challenge::parse(text, "n");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                                s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn login(hash: Hash, username: &str) -> Login {
        Login {
            hash,
            username: username.to_owned(),
            password: Password::new("pencil"),
        }
    }

    fn refusal(server_first: &str) -> String {
        let login = login(Hash::Sha256, "user");
        let outcome = login.respond(NONCE, server_first.as_bytes());
        outcome.err().unwrap().to_string()
    }

    /// The example of RFC 7677.
    #[test]
    fn a_login_is_that_of_the_rfc() {
        let login = login(Hash::Sha256, "user");
        assert_eq!(login.first(NONCE), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (last, proof) = login.respond(NONCE, SERVER_FIRST.as_bytes()).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let server_final = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        proof.check(server_final).unwrap();
    }

    #[test]
    fn a_server_has_to_know_the_password() {
        let (_, proof) = login(Hash::Sha512, "user")
            .respond(NONCE, SERVER_FIRST.as_bytes())
            .unwrap();
        let error = |server_final: &[u8]| proof.check(server_final).unwrap_err().to_string();
        let unproven = "the server does not prove that it knows the password";
        assert_eq!(
            error(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
            unproven
        );
        assert_eq!(error(b"v="), unproven);
        assert_eq!(error(b"e=other-error"), "the server refuses: other-error");
        assert_eq!(error(b"x"), "the server's last message is not one of SCRAM");
    }

    #[test]
    fn what_weakens_a_login_is_refused() {
        let changed = |from: &str, to: &str| refusal(&SERVER_FIRST.replace(from, to));
        let iterations = "the server wants the password hashed";
        assert!(changed("i=4096", "i=4095").starts_with(iterations));
        assert!(changed("i=4096", "i=1000001").starts_with(iterations));
        let nonce = "the server's nonce does not begin with the client's";
        assert_eq!(changed("r=rO", "r=xO"), nonce);
        assert_eq!(changed("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""), nonce);
        assert_eq!(
            changed("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
            "the server's salt is not in base64"
        );
        let unknown = "the server's first message is not one of SCRAM";
        assert_eq!(changed("r=", "m=x,r="), unknown);
    }

    #[test]
    fn names_have_no_signs_of_messages() {
        let first = login(Hash::Sha256, "a=b,c").first("x");
        assert_eq!(first, "n,,n=a=3Db=2Cc,r=x");
    }

    /// Made once, as it takes a while.
    static PROOF: LazyLock<ServerProof> = LazyLock::new(|| {
        let login = login(Hash::Sha256, "user");
        login.respond(NONCE, SERVER_FIRST.as_bytes()).unwrap().1
    });

    proptest! {
        #[test]
        fn any_message_is_answered_or_refused(
            text in "(r=x[a-z]{0,3},)?(s=[A-Za-z=]{0,5},)?(i=[0-9]{1,3})?.{0,10}",
            bytes: Vec<u8>,
        ) {
            let login = login(Hash::Sha256, "user");
            let _ = login.respond("x", text.as_bytes());
            let _ = login.respond("x", &bytes);
            prop_assert!(PROOF.check(text.as_bytes()).is_err());
            prop_assert!(PROOF.check(&bytes).is_err());
        }
    }
}
