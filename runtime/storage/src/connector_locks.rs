//! A lock for each connector.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// Lets work on one connector go one at a time, while that on others goes on.
#[derive(Debug, Default)]
pub struct ConnectorLocks(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl ConnectorLocks {
    /// Waits for this connector's lock, which is held until the guard is
    /// dropped.
    pub async fn lock(&self, connector: &str) -> OwnedMutexGuard<()> {
        self.of(connector).lock_owned().await
    }

    fn of(&self, connector: &str) -> Arc<tokio::sync::Mutex<()>> {
        // The map is whole after every statement that holds the lock.
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(connector).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(connector.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn each_connector_has_its_own_lock() {
        let locks = ConnectorLocks::default();
        let a = locks.lock("a").await;
        let _b = locks.lock("b").await;
        assert!(timeout(Duration::ZERO, locks.lock("a")).await.is_err());
        drop(a);
        assert!(timeout(Duration::ZERO, locks.lock("a")).await.is_ok());
    }
}
