//! Verifies requests of other workers.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tether_api::Result;
use tether_storage::SessionKey;

use super::Algorithm;
use crate::herder::{InternalRequest, answered};

/// As Java reads it: padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Verifies requests with the key of the group
/// (`DistributedHerder.requestNotSignedProperly`).
#[derive(Debug, Clone)]
pub struct Verifier {
    permitted: Vec<String>,
}

impl Verifier {
    /// A verifier that takes these algorithms
    /// (`inter.worker.verification.algorithms`).
    pub fn new(permitted: Vec<String>) -> Self {
        Self { permitted }
    }

    /// Whether a request was signed with this key, which is `None` as long as
    /// the worker has read none.
    ///
    /// # Errors
    /// With status 400, what is wrong about the signature, in the words of the
    /// reference; with 503, that there is no key yet; with 403, that the
    /// signature is not the right one.
    pub fn verify(&self, request: &InternalRequest, key: Option<&SessionKey>) -> Result<()> {
        let (Some(signature), Some(algorithm)) = (&request.signature, &request.algorithm) else {
            return Err(answered(400, "Internal request missing required signature"));
        };
        let Some(algorithm) = Algorithm::from_name(algorithm) else {
            return Err(answered(
                400,
                format!("Algorithm {algorithm} not available"),
            ));
        };
        let signature = BASE64
            .decode(signature)
            .map_err(|_| answered(400, "The signature of an internal request is not base64"))?;
        if !self.permitted.iter().any(|name| name == algorithm.name()) {
            return Err(answered(400, self.not_permitted(&algorithm)));
        }
        let Some(key) = key else {
            return Err(answered(
                503,
                "This worker is still starting up and has not been able to read a session key \
                 from the config topic yet",
            ));
        };
        if algorithm.verify(&key.key, &request.body, &signature)? {
            Ok(())
        } else {
            Err(answered(
                403,
                "Internal request contained invalid signature.",
            ))
        }
    }

    fn not_permitted(&self, algorithm: &Algorithm) -> String {
        format!(
            "This worker does not support the '{}' key signing algorithm used by other workers. \
             This worker is currently configured to use: [{}]. Check that all workers' \
             configuration files permit the same set of signature algorithms, and correct any \
             misconfigured worker and restart it.",
            algorithm.name(),
            self.permitted.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::herder::status_of;
    use crate::session::Signer;

    fn key(secret: &[u8]) -> SessionKey {
        SessionKey {
            key: Arc::from(secret),
            algorithm: "HmacSHA256".to_owned(),
            created: 0,
        }
    }

    fn signed(algorithm: &str, secret: &[u8], body: &'static [u8]) -> InternalRequest {
        let algorithm = Algorithm::from_name(algorithm).unwrap();
        let signer = Signer::new(key(secret), algorithm);
        InternalRequest {
            signature: Some(signer.sign(body).unwrap()),
            algorithm: Some(signer.algorithm().to_owned()),
            body: Bytes::from_static(body),
        }
    }

    fn verifier(permitted: &[&str]) -> Verifier {
        Verifier::new(permitted.iter().map(|name| (*name).to_owned()).collect())
    }

    fn refusal(
        permitted: &[&str],
        request: &InternalRequest,
        key: Option<&SessionKey>,
    ) -> (u16, String) {
        let error = verifier(permitted).verify(request, key).unwrap_err();
        let status = status_of(&error).unwrap();
        assert_eq!(i32::from(status.status), status.error_code);
        (status.status, error.message().to_owned())
    }

    #[test]
    fn a_request_of_the_group_is_taken() {
        let permitted = ["HmacSHA1", "HmacSHA256", "HmacSHA512"];
        for algorithm in permitted {
            for body in [b"[{}]".as_slice(), b""] {
                let request = signed(algorithm, b"secret", body);
                let verified = verifier(&permitted).verify(&request, Some(&key(b"secret")));
                assert!(verified.is_ok(), "{algorithm}");
            }
        }
        let mut request = signed("HmacSHA256", b"secret", b"");
        request.signature = request
            .signature
            .map(|text| text.trim_end_matches('=').to_owned());
        let verified = verifier(&permitted).verify(&request, Some(&key(b"secret")));
        assert!(verified.is_ok(), "Java needs no padding");
    }

    #[test]
    fn refusals_come_in_the_order_and_words_of_the_reference() {
        let own = key(b"secret");
        let missing = "Internal request missing required signature";
        let good = signed("HmacSHA1", b"secret", b"[]");
        // Nothing else is right about these either.
        let request = InternalRequest {
            algorithm: None,
            ..good.clone()
        };
        assert_eq!(refusal(&[], &request, None), (400, missing.to_owned()));
        let request = InternalRequest {
            signature: None,
            ..good.clone()
        };
        assert_eq!(refusal(&[], &request, None), (400, missing.to_owned()));
        let request = InternalRequest {
            algorithm: Some("Foo".to_owned()),
            signature: Some("*".to_owned()),
            ..good.clone()
        };
        let unknown = "Algorithm Foo not available".to_owned();
        assert_eq!(refusal(&["Foo"], &request, None), (400, unknown));
        let request = InternalRequest {
            signature: Some("*".to_owned()),
            ..good.clone()
        };
        let malformed = "The signature of an internal request is not base64".to_owned();
        assert_eq!(refusal(&[], &request, None), (400, malformed));
        let not_permitted = "This worker does not support the 'HmacSHA1' key signing algorithm \
             used by other workers. This worker is currently configured to use: [HmacSHA256, \
             HmacSHA512]. Check that all workers' configuration files permit the same set of \
             signature algorithms, and correct any misconfigured worker and restart it.";
        assert_eq!(
            refusal(&["HmacSHA256", "HmacSHA512"], &good, None),
            (400, not_permitted.to_owned())
        );
        let starting = "This worker is still starting up and has not been able to read a session \
             key from the config topic yet";
        assert_eq!(
            refusal(&["HmacSHA1"], &good, None),
            (503, starting.to_owned())
        );
        let invalid = (
            403,
            "Internal request contained invalid signature.".to_owned(),
        );
        assert_eq!(refusal(&["HmacSHA1"], &good, Some(&key(b"other"))), invalid);
        let request = InternalRequest {
            body: Bytes::from_static(b"[ ]"),
            ..good.clone()
        };
        assert_eq!(refusal(&["HmacSHA1"], &request, Some(&own)), invalid);
        let request = InternalRequest {
            signature: Some(String::new()),
            ..good
        };
        assert_eq!(refusal(&["HmacSHA1"], &request, Some(&own)), invalid);
    }

    proptest! {
        #[test]
        fn nothing_but_the_signature_is_taken(
            signature in ".{0,40}",
            algorithm in "HmacSHA(1|224|256|384|512)(/256)?|.{0,8}",
            body in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let request = InternalRequest {
                signature: Some(signature),
                algorithm: Some(algorithm.clone()),
                body: Bytes::from(body),
            };
            let verifier = Verifier::new(vec![algorithm]);
            prop_assert!(verifier.verify(&request, Some(&key(b"secret"))).is_err());
        }
    }
}
