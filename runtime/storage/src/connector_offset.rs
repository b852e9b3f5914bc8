//! The offsets of one source connector in a topic of its own
//! (`ConnectorOffsetBackingStore`, `offsets.storage.topic`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::Result;
use tokio::sync::{Mutex as AsyncMutex, Notify, OnceCell};

use crate::{OffsetEntry, OffsetStore};

/// A connector's own store with the worker's behind it.
///
/// What the own store has counts; the worker's is asked for the rest, so that a
/// connector that is given a topic of its own goes on where it was. Offsets are
/// stored when the own store has them. The worker's gets copies as well as it can
/// be had, so that a connector can give up its topic again.
///
/// Deletions go to the worker's store first, and fail with it: an offset that is
/// deleted in the own store only would come back from there.
pub struct ConnectorOffsetStore {
    own: Arc<dyn OffsetStore>,
    started: OnceCell<()>,
    worker: Option<Copies>,
}

impl ConnectorOffsetStore {
    /// A store that reads its topic when it is first used. `worker` is running,
    /// and `None` if it is on the same topic. Has to be called within a tokio
    /// runtime.
    pub fn new(own: Arc<dyn OffsetStore>, worker: Option<Arc<dyn OffsetStore>>) -> Self {
        Self {
            own,
            started: OnceCell::new(),
            worker: worker.map(Copies::new),
        }
    }

    /// Deletes in the worker's store what these entries delete: what has to be
    /// done before they are written to the connector's own topic.
    ///
    /// # Errors
    /// Those of the worker's store.
    pub async fn delete_copies(&self, entries: &[OffsetEntry]) -> Result<()> {
        let deleted: Vec<OffsetEntry> = entries
            .iter()
            .filter(|(_, value)| value.is_none())
            .cloned()
            .collect();
        match &self.worker {
            Some(copies) if !deleted.is_empty() => copies.delete(deleted).await,
            _ => Ok(()),
        }
    }

    /// Copies to the worker's store, in the background, what these entries set:
    /// what is to be done once the connector's own topic has them.
    pub fn copy(&self, entries: Vec<OffsetEntry>) {
        if let Some(copies) = &self.worker {
            copies.queue(entries);
        }
    }

    async fn ready(&self) -> Result<&dyn OffsetStore> {
        self.started
            .get_or_try_init(|| self.own.start())
            .await
            .map(|()| &*self.own)
    }
}

#[async_trait]
impl OffsetStore for ConnectorOffsetStore {
    async fn start(&self) -> Result<()> {
        self.ready().await.map(drop)
    }

    async fn stop(&self) {
        self.own.stop().await;
    }

    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        let own = self.ready().await?.get(keys).await?;
        let Some(copies) = &self.worker else {
            return Ok(own);
        };
        let missing: Vec<Bytes> = keys
            .iter()
            .zip(&own)
            .filter(|(_, value)| value.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        if missing.is_empty() {
            return Ok(own);
        }
        let mut found = copies.shared.store.get(&missing).await?.into_iter();
        Ok(own
            .into_iter()
            .map(|value| value.or_else(|| found.next().flatten()))
            .collect())
    }

    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
        let own = self.ready().await?.connector_entries(connector).await?;
        let Some(copies) = &self.worker else {
            return Ok(own);
        };
        let behind = copies.shared.store.connector_entries(connector).await?;
        let all: BTreeMap<Bytes, Bytes> = behind.into_iter().chain(own).collect();
        Ok(all.into_iter().collect())
    }

    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        let own = self.ready().await?;
        self.delete_copies(&entries).await?;
        own.set(entries.clone()).await?;
        self.copy(entries);
        Ok(())
    }
}

/// Writes copies to the worker's store, one group after the other. While it is
/// away, only the newest copy of each entry waits.
struct Copies {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn OffsetStore>,
    waiting: Mutex<BTreeMap<Bytes, Bytes>>,
    changed: Notify,
    over: AtomicBool,
    /// Held during a write, so that a deletion comes after older copies.
    writing: AsyncMutex<()>,
}

impl Copies {
    fn new(store: Arc<dyn OffsetStore>) -> Self {
        let shared = Arc::new(Shared {
            store,
            waiting: Mutex::default(),
            changed: Notify::new(),
            over: AtomicBool::new(false),
            writing: AsyncMutex::default(),
        });
        tokio::spawn(write(Arc::clone(&shared)));
        Self { shared }
    }

    fn queue(&self, entries: Vec<OffsetEntry>) {
        self.shared.waiting().extend(
            entries
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        self.shared.changed.notify_one();
    }

    async fn delete(&self, deleted: Vec<OffsetEntry>) -> Result<()> {
        let _writing = self.shared.writing.lock().await;
        {
            let mut waiting = self.shared.waiting();
            for (key, _) in &deleted {
                waiting.remove(key);
            }
        }
        self.shared.store.set(deleted).await
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // What waits is still written.
        self.shared.over.store(true, Ordering::Release);
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Bytes, Bytes>> {
        // No code that can panic runs while the lock is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits; false if nothing does.
    async fn write_waiting(&self) -> bool {
        let _writing = self.writing.lock().await;
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.is_empty() {
            return false;
        }
        let entries = waiting
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        if let Err(error) = self.store.set(entries).await {
            tracing::warn!(%error, "Failed to write offsets to secondary backing store");
        }
        true
    }
}

async fn write(shared: Arc<Shared>) {
    loop {
        let over = shared.over.load(Ordering::Acquire);
        if shared.write_waiting().await {
            continue;
        }
        if over {
            return;
        }
        shared.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryOffsetStore;

    struct Fixture {
        own: Arc<MemoryOffsetStore>,
        worker: Arc<MemoryOffsetStore>,
        store: ConnectorOffsetStore,
    }

    fn fixture() -> Fixture {
        let own = Arc::new(MemoryOffsetStore::new());
        let worker = Arc::new(MemoryOffsetStore::new());
        Fixture {
            store: ConnectorOffsetStore::new(own.clone(), Some(worker.clone())),
            own,
            worker,
        }
    }

    fn key(partition: u32) -> Bytes {
        Bytes::from(format!("[\"c\",{{\"p\":{partition}}}]"))
    }

    fn entry(partition: u32, value: Option<&'static str>) -> OffsetEntry {
        (key(partition), value.map(Bytes::from))
    }

    async fn get(store: &dyn OffsetStore, partition: u32) -> Option<Bytes> {
        store.get(&[key(partition)]).await.unwrap().remove(0)
    }

    /// Waits until copies are written.
    async fn copied(store: &ConnectorOffsetStore) {
        while store.worker.as_ref().unwrap().shared.write_waiting().await {}
    }

    #[tokio::test]
    async fn the_own_store_counts_and_the_workers_fills_the_gaps() {
        let Fixture { own, worker, store } = fixture();
        let behind = vec![entry(1, Some("old")), entry(2, Some("kept"))];
        worker.set(behind).await.unwrap();
        own.set(vec![entry(1, Some("new")), entry(3, Some("own"))])
            .await
            .unwrap();
        let keys = [key(0), key(1), key(2), key(3)];
        let found = store.get(&keys).await.unwrap();
        assert_eq!(
            found,
            [
                None,
                Some("new".into()),
                Some("kept".into()),
                Some("own".into())
            ]
        );
        let entries = store.connector_entries("c").await.unwrap();
        let values: Vec<&[u8]> = entries.iter().map(|(_, value)| &**value).collect();
        assert_eq!(values, [&b"new"[..], b"kept", b"own"]);
    }

    #[tokio::test]
    async fn offsets_are_copied_and_deletions_come_first() {
        let Fixture { own, worker, store } = fixture();
        store.set(vec![entry(1, Some("a"))]).await.unwrap();
        copied(&store).await;
        assert_eq!(get(worker.as_ref(), 1).await, Some("a".into()));
        store
            .set(vec![entry(1, None), entry(2, Some("b"))])
            .await
            .unwrap();
        assert_eq!(get(worker.as_ref(), 1).await, None);
        assert_eq!(get(own.as_ref(), 1).await, None);
        assert_eq!(get(&store, 1).await, None);
        copied(&store).await;
        assert_eq!(get(worker.as_ref(), 2).await, Some("b".into()));
    }

    /// A store that cannot be written.
    struct Away(MemoryOffsetStore);

    #[async_trait]
    impl OffsetStore for Away {
        async fn start(&self) -> Result<()> {
            Ok(())
        }

        async fn stop(&self) {}

        async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
            self.0.get(keys).await
        }

        async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
            self.0.connector_entries(connector).await
        }

        async fn set(&self, _entries: Vec<OffsetEntry>) -> Result<()> {
            Err(tether_api::ConnectError::retriable("away"))
        }
    }

    #[tokio::test]
    async fn without_the_workers_store_offsets_are_stored_but_not_deleted() {
        let own = Arc::new(MemoryOffsetStore::new());
        let away = Arc::new(Away(MemoryOffsetStore::new()));
        let store = ConnectorOffsetStore::new(own.clone(), Some(away));
        store.set(vec![entry(1, Some("a"))]).await.unwrap();
        copied(&store).await;
        assert!(store.set(vec![entry(1, None)]).await.is_err());
        assert_eq!(get(own.as_ref(), 1).await, Some("a".into()));
    }
}
