//! The store of source offsets (`OffsetBackingStore`): bytes to bytes.

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::Result;

/// A key and its value; `None` deletes the entry.
pub type OffsetEntry = (Bytes, Option<Bytes>);

/// Stores source offsets by the bytes of their keys. What the bytes are is the
/// business of [`crate::offset_bytes`].
#[async_trait]
pub trait OffsetStore: Send + Sync {
    /// Reads everything there is.
    ///
    /// # Errors
    /// If the store cannot be opened or must not be used as it is.
    async fn start(&self) -> Result<()>;

    /// Ends reading.
    async fn stop(&self);

    /// The values of these keys, in their order, as of the present end of the
    /// store.
    ///
    /// # Errors
    /// Retriable, if the store cannot be read now.
    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>>;

    /// All entries whose key is one of this connector.
    ///
    /// # Errors
    /// Retriable, if the store cannot be read now.
    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>>;

    /// Writes entries in order. Returns once all are durable; after
    /// an error some may be.
    ///
    /// # Errors
    /// Retriable, if the store cannot be written now.
    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()>;
}
