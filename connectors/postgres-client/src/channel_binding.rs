//! What binds a login to its TLS stream (RFC 5929, `tls-server-end-point`).

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::X509;

/// The digest of a server's certificate in DER form that a login with
/// SCRAM-SHA-256-PLUS is bound to. `None` if the certificate is signed in a way
/// that tells no digest, such as with Ed25519.
pub fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let certificate = X509::from_der(certificate).ok()?;
    let algorithm = certificate.signature_algorithm().object().nid();
    let digest = match algorithm.signature_algorithms()?.digest {
        Nid::UNDEF => return None,
        // Too weak; the RFC has SHA-256 in their place.
        Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
        digest => MessageDigest::from_nid(digest)?,
    };
    Some(certificate.digest(digest).ok()?.to_vec())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_digest_is_that_of_the_signature() {
        let length = |algorithm| end_point(&certificate(algorithm)).map(|digest| digest.len());
        assert_eq!(length(&rcgen::PKCS_ECDSA_P256_SHA256), Some(32));
        assert_eq!(length(&rcgen::PKCS_ECDSA_P384_SHA384), Some(48));
        assert_eq!(length(&rcgen::PKCS_ED25519), None);
        assert_eq!(end_point(b"no certificate"), None);
    }
}
