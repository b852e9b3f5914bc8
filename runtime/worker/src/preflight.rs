//! What has to be sure before an exactly-once source task starts (KIP-618).

use async_trait::async_trait;
use tether_api::Result;

/// The herder's part in the start of one task. A herder of a group asks its
/// leader.
#[async_trait]
pub trait Preflight: Send + Sync {
    /// Makes sure that no producer of an earlier set of tasks writes any more.
    /// Returns at once if that is done already for the present set.
    ///
    /// # Errors
    /// If a producer may still write, or if there is a newer set of tasks.
    async fn fence_zombies(&self) -> Result<()>;

    /// Reads the config topic to its end and makes sure that the task is one of
    /// the present set, and of this worker.
    ///
    /// # Errors
    /// If it is not, in the reference's words.
    async fn verify(&self) -> Result<()>;
}
