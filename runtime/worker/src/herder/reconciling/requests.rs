//! Requests that change a connector take turns.

use std::time::Duration;

use tether_storage::ConnectorLocks;
use tokio::sync::{OwnedMutexGuard, RwLock, RwLockReadGuard};

/// Lets the requests that change a connector go one at a time. Those for
/// different connectors do not wait for each other: one may take as long as the
/// connector or a broker does.
#[derive(Default)]
pub(super) struct Requests {
    /// Shared by the requests under way, and closed by the end of the herder.
    gate: RwLock<()>,
    /// The locks of connectors that are being changed.
    connectors: ConnectorLocks,
}

/// The right to change a connector, as long as it is kept.
pub(super) struct Turn<'a> {
    _gate: RwLockReadGuard<'a, ()>,
    _connector: OwnedMutexGuard<()>,
}

impl Requests {
    /// Waits for the turn to change a connector.
    pub(super) async fn turn(&self, connector: &str) -> Turn<'_> {
        let gate = self.gate.read().await;
        Turn {
            _gate: gate,
            _connector: self.connectors.lock(connector).await,
        }
    }

    /// Waits until no request is under way; false if that takes too long.
    pub(super) async fn ended(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.gate.write())
            .await
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn each_connector_has_its_own_turn() {
        let requests = Requests::default();
        let a = requests.turn("a").await;
        let b = requests.turn("b").await;
        assert!(requests.turn("a").now_or_never().is_none());
        drop(a);
        assert!(requests.turn("a").now_or_never().is_some());
        assert!(!requests.ended(Duration::ZERO).await);
        drop(b);
        assert!(requests.ended(Duration::ZERO).await);
    }
}
