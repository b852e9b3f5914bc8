//! TLS by rustls, with ring.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

use crate::client_certificate::identity;
use crate::error::TlsError;
use crate::options::SslOptions;
use crate::server_certificate;
use crate::stream::Stream;

/// Makes TLS streams to servers.
#[derive(Clone, Debug)]
pub struct Tls(pub(crate) Arc<ClientConfig>);

impl Tls {
    /// Reads the certificate files. Blocks.
    ///
    /// # Errors
    /// If a file cannot be read or has not the content it should have.
    pub fn new(options: &SslOptions) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError(format!("TLS cannot be set up: {error}")))?;
        let verifier = server_certificate::verifier(options, provider)?;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match identity(options)? {
            Some(identity) => builder
                .with_client_auth_cert(identity.chain, identity.key)
                .map_err(|error| {
                    let prefix = options.prefix;
                    TlsError(format!(
                        "{prefix}sslcert and {prefix}sslkey cannot be used: {error}"
                    ))
                })?,
            None => builder.with_no_client_auth(),
        };
        Ok(Self(Arc::new(config)))
    }

    /// The same on a thread that may block.
    ///
    /// # Errors
    /// As [`Tls::new`].
    pub async fn load(options: &SslOptions) -> Result<Self, TlsError> {
        let options = options.clone();
        tokio::task::spawn_blocking(move || Self::new(&options))
            .await
            .unwrap_or_else(|error| Err(TlsError(format!("TLS setup failed: {error}"))))
    }

    /// Makes a TLS stream to a host, whose name or address this is.
    ///
    /// # Errors
    /// If the name is none, or the server cannot be talked to or trusted.
    pub async fn stream<S>(&self, host: &str, stream: S) -> io::Result<Stream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connect = MakeTlsConnect::<S>::make_tls_connect(&mut self.clone(), host)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        connect.connect(stream).await
    }
}
