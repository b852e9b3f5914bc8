//! How this worker trusts others, and proves to them who it is
//! (`SSLUtils.createClientSideSslContextFactory`).

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tether_api::Result;

use super::{IDENTIFICATION, PROTOCOLS, TlsConfig};

impl TlsConfig {
    /// Loads keys and certificates for requests to other workers.
    ///
    /// # Errors
    /// Config, if a store can't be read or settings contradict each other.
    pub(crate) fn client(&self) -> Result<ClientConfig> {
        let provider = Arc::new(self.provider()?);
        let verifier = PeerVerifier {
            trust: self.trust()?,
            any_host: self.parsed.string(IDENTIFICATION)?.is_empty(),
            provider: Arc::clone(&provider),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| self.unusable(PROTOCOLS, error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        match tether_keystore::identity(&self.properties, &self.prefix)? {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => {
                let (key, chain) = self.key_and_chain(&identity)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| self.unusable("ssl.keystore", error))
            }
        }
    }

    /// Whom to trust: the trust store, or without one what the key store says,
    /// or without either what the system does.
    fn trust(&self) -> Result<Trust> {
        let stores = [
            (
                "ssl.truststore",
                tether_keystore::trusted(&self.properties, &self.prefix)?,
            ),
            (
                "ssl.keystore",
                tether_keystore::trusted_with_key(&self.properties, &self.prefix)?,
            ),
        ];
        let Some((store, pem)) = stores
            .into_iter()
            .find_map(|(store, pem)| Some((store, pem?)))
        else {
            return Ok(Trust::system());
        };
        let certificates = self.certificates(store, &pem)?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots
                .add(certificate.clone())
                .map_err(|error| self.unusable(store, error))?;
        }
        Ok(Trust {
            roots,
            certificates,
        })
    }
}

/// Which certificates are good: those that lead to one of the roots, and as in
/// Java these themselves, so that workers may share a certificate that nobody
/// else signed.
struct Trust {
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in found.errors {
            tracing::warn!(%error, "A certificate of the system is not usable");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        Self {
            roots,
            certificates: Vec::new(),
        }
    }
}

/// Verifies the certificates of other workers.
struct PeerVerifier {
    trust: Trust,
    /// Whether any host name will do.
    any_host: bool,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for PeerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerVerifier")
            .field("any_host", &self.any_host)
            .finish_non_exhaustive()
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        if !self
            .trust
            .certificates
            .iter()
            .any(|trusted| trusted == certificate)
        {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &self.trust.roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        if !self.any_host {
            verify_server_name(&parsed, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
