//! Connections by the client library.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode as Negotiation;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, NoTls, Socket};

use crate::error::ConnectFailure;
use crate::options::{SslMode, SslOptions};
use crate::tls::Tls;

/// A client, and the task that moves its bytes, which ends with the reason when
/// the connection does.
pub type Connected = (Client, JoinHandle<Result<(), Error>>);

/// Connects and logs in. `config` says everything but TLS. With `allow` and
/// `prefer` a login that the server refuses (SQLSTATE 28000) is tried with TLS,
/// or without, as the JDBC driver does.
///
/// # Errors
/// If TLS cannot be set up, or the server refuses or cannot be reached.
pub async fn connect(config: &Config, ssl: &SslOptions) -> Result<Connected, ConnectFailure> {
    match ssl.mode {
        SslMode::Disable => without_tls(config).await,
        SslMode::Allow => match without_tls(config).await {
            Err(failure) if is_refused(&failure) => {
                with_tls(config, ssl, Negotiation::Require).await
            }
            outcome => outcome,
        },
        SslMode::Prefer => match with_tls(config, ssl, Negotiation::Prefer).await {
            Err(failure) if is_refused(&failure) => {
                // The first refusal says more about a server that takes neither.
                without_tls(config).await.map_err(|_| failure)
            }
            outcome => outcome,
        },
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
            with_tls(config, ssl, Negotiation::Require).await
        }
    }
}

fn is_refused(failure: &ConnectFailure) -> bool {
    match failure {
        ConnectFailure::Database(error) => {
            error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
        }
        ConnectFailure::Tls(_) => false,
    }
}

async fn without_tls(config: &Config) -> Result<Connected, ConnectFailure> {
    open(config, Negotiation::Disable, NoTls).await
}

async fn with_tls(
    config: &Config,
    ssl: &SslOptions,
    negotiation: Negotiation,
) -> Result<Connected, ConnectFailure> {
    open(config, negotiation, Tls::load(ssl).await?).await
}

async fn open<T>(
    config: &Config,
    negotiation: Negotiation,
    tls: T,
) -> Result<Connected, ConnectFailure>
where
    T: MakeTlsConnect<Socket> + Send,
    T::Stream: AsyncRead + AsyncWrite + Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let mut config = config.clone();
    config.ssl_mode(negotiation);
    let (client, connection) = config.connect(tls).await?;
    Ok((client, tokio::spawn(connection)))
}
