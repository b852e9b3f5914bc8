//! Which requests are running, so that a shutdown which doesn't wait for them
//! can name them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The requests that are running.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<Requests>>);

#[derive(Default)]
struct Requests {
    next: u64,
    running: BTreeMap<u64, String>,
}

/// Stands for a running request; dropping it ends the request.
pub(crate) struct Entry {
    requests: InFlight,
    number: u64,
}

impl InFlight {
    /// Notes that a request runs, under the name that a shutdown tells.
    pub(crate) fn enter(&self, name: String) -> Entry {
        let mut requests = self.lock();
        let number = requests.next;
        requests.next += 1;
        requests.running.insert(number, name);
        Entry {
            requests: self.clone(),
            number,
        }
    }

    /// The requests that are running, oldest first.
    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().running.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.requests.lock().running.remove(&self.number);
    }
}
