//! Why there is no connection.

/// TLS that cannot be set up: an option or a file is wrong. Names the option,
/// and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub(crate) String);

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailure {
    /// TLS cannot be set up, which trying again does not change.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server refused, or could not be reached.
    #[error(transparent)]
    Database(#[from] tokio_postgres::Error),
}
