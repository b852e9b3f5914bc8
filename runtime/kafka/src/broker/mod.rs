//! Connections to brokers for requests that a client library keeps to itself,
//! such as those of a member of a group of workers.
//!
//! [`messages`] has the requests, [`Brokers`] and [`BrokerConnection`] say how
//! they get to a broker.

pub mod bytes;
mod error;
mod growing;
pub mod messages;
mod network;

use std::time::Duration;

use ::bytes::Bytes;
use async_trait::async_trait;
use tokio::time::Instant;

pub use error::{BrokerError, BrokerErrorKind};
pub(crate) use growing::Growing;
pub use network::NetworkBrokers;
#[cfg(feature = "fuzzing")]
pub(crate) use network::{fuzz_answers, fuzz_scram};

use messages::{Request, SupportedVersions};

/// Reaches the brokers of one cluster.
#[async_trait]
pub trait Brokers: Send + Sync {
    /// A connection to any of the bootstrap servers, which are tried in turn.
    ///
    /// # Errors
    /// Why none of them could be reached; each is named.
    async fn any(&self) -> Result<Box<dyn BrokerConnection>, BrokerError>;

    /// A connection to this broker.
    ///
    /// # Errors
    /// Why it could not be reached, or refuses this client.
    async fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn BrokerConnection>, BrokerError>;
}

/// A connection to one broker, for one request at a time.
///
/// It is broken, and every later call fails, once a call fails or is dropped
/// before its answer came.
#[async_trait]
pub trait BrokerConnection: Send {
    /// The versions of requests that the broker understands.
    fn versions(&self) -> &SupportedVersions;

    /// Sends the body of a request of this kind and version, and returns the
    /// body of the answer.
    ///
    /// # Errors
    /// Unreachable, if the answer does not come within this time or the
    /// connection is broken; Incompatible, if the answer is too large or to
    /// another request.
    async fn call(
        &mut self,
        key: i16,
        version: i16,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Bytes, BrokerError>;

    /// Both directions by themselves, so that several requests can be under way
    /// at a time.
    ///
    /// # Errors
    /// Unreachable, if the connection is broken; Incompatible, if it is of a kind
    /// that takes one request at a time.
    fn split(self: Box<Self>) -> Result<Split, BrokerError> {
        Err(BrokerError::new(
            BrokerErrorKind::Incompatible,
            "This connection takes one request at a time",
        ))
    }
}

/// A connection in two halves.
pub struct Split {
    /// Where requests go.
    pub requests: Box<dyn Requests>,
    /// Where their answers come, in the same order.
    pub answers: Box<dyn Answers>,
    /// When the broker wants to know again who this client is (KIP-368). Whoever
    /// has the halves lets the requests under way end before, and opens another
    /// connection.
    pub renew_at: Option<Instant>,
}

/// The half of a connection that requests go into.
#[async_trait]
pub trait Requests: Send {
    /// The versions of requests that the broker understands.
    fn versions(&self) -> &SupportedVersions;

    /// Sends a request of this kind and version with this number, which its
    /// answer has too. Its body is what the parts have. The connection is broken
    /// if the call fails or is dropped.
    ///
    /// # Errors
    /// Unreachable, if the connection is broken.
    async fn send(
        &mut self,
        key: i16,
        version: i16,
        id: i32,
        body: &[Bytes],
    ) -> Result<(), BrokerError>;
}

/// The half of a connection that answers come out of.
#[async_trait]
pub trait Answers: Send {
    /// Waits for the next answer; returns its number and body. The connection is
    /// broken if the call fails or is dropped.
    ///
    /// # Errors
    /// Unreachable, if the connection is broken; Incompatible, if the answer is
    /// too large.
    async fn next(&mut self) -> Result<(i32, Bytes), BrokerError>;
}

/// Sends a request in the latest version that both sides know.
///
/// # Errors
/// As [`BrokerConnection::call`] has them; Incompatible also if there is no such
/// version, or the request cannot be written or the answer not be read.
pub async fn ask<R: Request + Sync>(
    connection: &mut dyn BrokerConnection,
    request: &R,
    timeout: Duration,
) -> Result<R::Response, BrokerError> {
    let version = connection
        .versions()
        .latest::<R>()
        .ok_or_else(|| BrokerError::no_common_version(R::KEY, &R::VERSIONS))?;
    let mut body = Vec::new();
    request.encode(version, &mut body)?;
    let answer = connection.call(R::KEY, version, &body, timeout).await?;
    Ok(messages::decode_body::<R>(version, &answer)?)
}
