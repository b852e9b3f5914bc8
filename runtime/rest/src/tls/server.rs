//! How https listeners prove who they are, and whom they ask to.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tether_api::{ConnectError, Result};
use tokio_rustls::TlsAcceptor;

use super::{CLIENT_AUTH, PROTOCOLS, TlsConfig};

impl TlsConfig {
    /// Loads keys and certificates.
    ///
    /// # Errors
    /// Config, if a store can't be read or settings contradict each other.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor> {
        let identity =
            tether_keystore::identity(&self.properties, &self.prefix)?.ok_or_else(|| {
                let prefix = &self.prefix;
                ConnectError::config(format!(
                    "An https listener needs a private key and a certificate: set \
                     {prefix}ssl.keystore.location, or {prefix}ssl.keystore.key and \
                     {prefix}ssl.keystore.certificate.chain"
                ))
            })?;
        let (key, chain) = self.key_and_chain(&identity)?;
        let provider = Arc::new(self.provider()?);
        let verifier = self.client_verifier(&provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| self.unusable(PROTOCOLS, error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| self.unusable("ssl.keystore", error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn client_verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>> {
        let wish = self.parsed.string(CLIENT_AUTH)?;
        if wish == "none" {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let prefix = &self.prefix;
        let trusted = tether_keystore::trusted(&self.properties, prefix)?.ok_or_else(|| {
            ConnectError::config(format!(
                "{prefix}{CLIENT_AUTH}={wish} needs the certificates that clients are checked \
                     against: set {prefix}ssl.truststore.location or \
                     {prefix}ssl.truststore.certificates"
            ))
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates("ssl.truststore", &trusted)? {
            roots
                .add(certificate)
                .map_err(|error| self.unusable("ssl.truststore", error))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let verifier = if wish == "requested" {
            verifier.allow_unauthenticated()
        } else {
            verifier
        };
        verifier
            .build()
            .map_err(|error| self.unusable("ssl.truststore", error))
    }
}
