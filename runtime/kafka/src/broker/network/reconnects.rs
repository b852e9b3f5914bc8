//! How long to wait before and for a connection to a broker that could not be
//! reached before (`ClusterConnectionStates`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::settings::Address;
use crate::broker::Growing;

/// What is known of brokers that could not be reached.
pub(super) struct Reconnects {
    /// `reconnect.backoff.ms`, `reconnect.backoff.max.ms`.
    pub(super) backoff: Growing,
    /// `socket.connection.setup.timeout.ms`, `…max.ms`.
    pub(super) setup: Growing,
    failures: Mutex<HashMap<Address, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    in_a_row: u32,
    /// When the next attempt may begin.
    next: Instant,
}

impl Reconnects {
    pub(super) fn new(backoff: Growing, setup: Growing) -> Self {
        Self {
            backoff,
            setup,
            failures: Mutex::default(),
        }
    }

    /// When the next attempt may begin; `None` if at once.
    pub(super) fn next(&self, broker: &Address) -> Option<Instant> {
        self.lock().get(broker).map(|failures| failures.next)
    }

    /// How long an attempt may take.
    pub(super) fn setup_timeout(&self, broker: &Address) -> Duration {
        let failures = self.lock().get(broker).map_or(0, |known| known.in_a_row);
        self.setup.random_after(failures)
    }

    pub(super) fn failed(&self, broker: &Address) {
        let mut failures = self.lock();
        let in_a_row = failures.get(broker).map_or(0, |known| known.in_a_row);
        let failed = Failures {
            in_a_row: in_a_row.saturating_add(1),
            next: Instant::now() + self.backoff.random_after(in_a_row),
        };
        failures.insert(broker.clone(), failed);
    }

    pub(super) fn succeeded(&self, broker: &Address) {
        self.lock().remove(broker);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Address, Failures>> {
        // Every statement under the lock leaves the map whole.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
