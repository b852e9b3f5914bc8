//! Offsets in memory (`MemoryOffsetBackingStore`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::Result;

use crate::offset_index::OffsetIndex;
use crate::{OffsetEntry, OffsetStore};

/// An offset store that lasts as long as the process.
#[derive(Default)]
pub struct MemoryOffsetStore {
    entries: Mutex<OffsetIndex>,
}

impl MemoryOffsetStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, OffsetIndex> {
        // No code that can panic runs while the lock is held.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl OffsetStore for MemoryOffsetStore {
    async fn start(&self) -> Result<()> {
        Ok(())
    }

    async fn stop(&self) {}

    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        Ok(self.lock().get(keys))
    }

    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
        Ok(self.lock().connector_entries(connector))
    }

    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        let mut index = self.lock();
        for (key, value) in entries {
            index.set(key, value);
        }
        Ok(())
    }
}
