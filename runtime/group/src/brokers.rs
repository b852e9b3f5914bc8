//! The seam to the brokers of one cluster, behind which connections are made:
//! over the network, or in memory for tests.

use std::time::Duration;

use async_trait::async_trait;

/// Reaches the brokers of one cluster.
#[async_trait]
pub trait Brokers: Send + Sync {
    /// A connection to any of the bootstrap servers, tried in turn.
    ///
    /// # Errors
    /// If none of them can be reached.
    async fn any(&self) -> Result<Box<dyn BrokerConnection>, BrokerError>;

    /// A connection to this broker.
    ///
    /// # Errors
    /// If it cannot be reached.
    async fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn BrokerConnection>, BrokerError>;
}

/// A connection to a broker, which carries one request at a time. It is broken,
/// so that every later call fails, once a call fails or is dropped before its
/// answer came.
#[async_trait]
pub trait BrokerConnection: Send {
    /// Sends the body of a request of this kind and version, and returns the body
    /// of the answer; headers are the connection's. Answers are bounded.
    ///
    /// # Errors
    /// If no answer came in time, or the connection is broken.
    async fn call(
        &mut self,
        key: i16,
        version: i16,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Vec<u8>, BrokerError>;
}

/// What an error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrokerErrorKind {
    /// There is no connection, or it broke, or the answer did not come in time.
    /// Another attempt may succeed.
    Unreachable,
    /// The broker does not let this client in, or this client does not trust the
    /// broker: the settings have to change.
    Refused,
    /// The broker does not know the request, or answers what cannot be read.
    Incompatible,
}

/// Why a broker could not be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct BrokerError {
    /// What it means for the caller.
    pub kind: BrokerErrorKind,
    /// What happened, for a person; without secrets.
    pub message: String,
}

impl BrokerError {
    /// An error of this kind.
    pub fn new(kind: BrokerErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}
