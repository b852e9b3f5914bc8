//! What the worker writes a connector's offsets through
//! (`OffsetStorageWriter`).

use std::borrow::Borrow;
use std::sync::Arc;

use tether_api::Result;
use tether_api::offset::{OffsetMap, SourceOffset};

use crate::{OffsetEntry, OffsetStore, PartitionKeys, offset_bytes};

/// Writes the offsets of one connector to a store. What is to be written, and
/// when to try again, is the caller's business.
pub struct OffsetWriter {
    store: Arc<dyn OffsetStore>,
    keys: Arc<PartitionKeys>,
}

impl OffsetWriter {
    /// Writes the offsets of these keys' connector.
    pub fn new(store: Arc<dyn OffsetStore>, keys: Arc<PartitionKeys>) -> Self {
        Self { store, keys }
    }

    /// The entries that store these partitions' offsets, in order. An offset
    /// that is `None` deletes the stored one.
    ///
    /// # Errors
    /// Data, with the reference's text, if a value of a partition or an offset
    /// is not primitive. That does not change before the source moves on.
    pub fn entries<P, I>(&self, offsets: I) -> Result<Vec<OffsetEntry>>
    where
        P: Borrow<(Arc<OffsetMap>, SourceOffset)>,
        I: IntoIterator<Item = P>,
    {
        offsets
            .into_iter()
            .map(|pair| {
                let (partition, offset) = pair.borrow();
                let value = offset
                    .as_deref()
                    .map(|offset| offset_bytes::value(&offset.to_map()))
                    .transpose()?;
                Ok((self.keys.key(partition)?, value))
            })
            .collect()
    }

    /// Stores these partitions' offsets and returns once all are durable.
    ///
    /// # Errors
    /// As [`Self::entries`], before anything is written; retriable, if the store
    /// cannot be written now.
    pub async fn write<P, I>(&self, offsets: I) -> Result<()>
    where
        P: Borrow<(Arc<OffsetMap>, SourceOffset)>,
        I: IntoIterator<Item = P>,
    {
        let entries = self.entries(offsets)?;
        self.store.set(entries).await
    }
}
