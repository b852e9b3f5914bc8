//! Requests of one worker of a group to another (spec section 1.9; KIP-507).

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::Result;
use tether_api::config::ConfigMap;

use crate::session::Signer;

/// The header with the signature of a request, in base64.
pub const SIGNATURE_HEADER: &str = "X-Connect-Authorization";

/// The header with the algorithm of the signature.
pub const ALGORITHM_HEADER: &str = "X-Connect-Request-Signature-Algorithm";

/// What proves that a request comes from a worker of the group.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct InternalRequest {
    /// The content of [`SIGNATURE_HEADER`].
    pub signature: Option<String>,
    /// The content of [`ALGORITHM_HEADER`].
    pub algorithm: Option<String>,
    /// The body as it came, which is what was signed.
    pub body: Bytes,
}

impl fmt::Debug for InternalRequest {
    /// Shows neither signature nor body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalRequest")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Asks other workers of the group, with signed requests. An error has the
/// status of the answer if there was one ([`super::status_of`]).
#[async_trait]
pub trait Peers: Send + Sync {
    /// Gives task configurations to the leader (`POST
    /// /connectors/{connector}/tasks`). `leader` is its URL. Without a signer
    /// the request is not signed: the group speaks a protocol without keys, or
    /// no key is known yet.
    ///
    /// # Errors
    /// The leader's answer; other, if it cannot be reached.
    async fn put_task_configs(
        &self,
        leader: &str,
        connector: &str,
        configs: &[ConfigMap],
        signer: Option<&Signer>,
    ) -> Result<()>;

    /// Has the leader fence zombie producers of source tasks (`PUT
    /// /connectors/{connector}/fence`).
    ///
    /// # Errors
    /// As above.
    async fn fence_zombies(
        &self,
        leader: &str,
        connector: &str,
        signer: Option<&Signer>,
    ) -> Result<()>;
}
