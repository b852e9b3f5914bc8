//! A configuration state that many look at, and the stream of its updates.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::config_bytes::ConfigRecord;
use crate::config_state::ConfigState;
use crate::{ConfigSnapshot, ConfigUpdate};

/// What the readers of a configuration store share.
pub(crate) struct ConfigView {
    state: Mutex<Viewed>,
    updates: mpsc::UnboundedSender<ConfigUpdate>,
    receiver: Mutex<Option<mpsc::UnboundedReceiver<ConfigUpdate>>>,
}

#[derive(Default)]
struct Viewed {
    config: ConfigState,
    /// Everything that was there at the start has been read.
    caught_up: bool,
}

impl Default for ConfigView {
    fn default() -> Self {
        let (updates, receiver) = mpsc::unbounded_channel();
        Self {
            state: Mutex::default(),
            updates,
            receiver: Mutex::new(Some(receiver)),
        }
    }
}

impl ConfigView {
    /// From now on updates are sent. What was read before are old news: a
    /// restart that was asked for before this worker started is not for it.
    pub(crate) fn caught_up(&self) {
        self.lock().caught_up = true;
    }

    /// Takes a record in.
    pub(crate) fn apply(&self, offset: i64, record: ConfigRecord) {
        let mut state = self.lock();
        let update = state.config.apply(offset, record);
        if let Some(update) = update
            && state.caught_up
        {
            // Sent under the lock, so that updates keep the order of records.
            // It fails when nobody listens any more.
            let _ = self.updates.send(update);
        }
    }

    /// Takes a record in that follows the last one.
    pub(crate) fn append(&self, record: ConfigRecord) {
        let offset = self.lock().config.offset().max(0);
        self.apply(offset, record);
    }

    /// Passes over a record that is not part of the state.
    pub(crate) fn skip(&self, offset: i64) {
        self.lock().config.skip(offset);
    }

    pub(crate) fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.lock().config.snapshot()
    }

    pub(crate) fn take_updates(&self) -> Option<mpsc::UnboundedReceiver<ConfigUpdate>> {
        self.receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn lock(&self) -> MutexGuard<'_, Viewed> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
