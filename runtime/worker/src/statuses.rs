//! Writing the statuses of what runs on this worker.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tether_api::ConnectError;
use tether_storage::{ConnectorStatus, State, StatusStore, TaskId, TaskStatus};

/// Who writes statuses: this worker.
#[derive(Clone)]
pub(crate) struct StatusOrigin {
    pub(crate) statuses: Arc<dyn StatusStore>,
    pub(crate) worker_id: String,
    pub(crate) generation: Arc<AtomicI32>,
}

/// The generation of a worker that has lost its place in the group. It writes no
/// statuses: others may have been given its work, and it may not yet have read
/// theirs, which even a safe write would replace.
pub(crate) const NO_PLACE: i32 = -1;

/// Hears of the states of an instance, until it is silenced.
pub(crate) trait StateListener: Send + Sync {
    /// It is in this state now.
    fn entered(&self, state: State);

    /// It has started, and is RUNNING.
    fn started(&self);
}

/// Writes the statuses of one instance, until it is silenced.
///
/// RUNNING, PAUSED and STOPPED are plain writes; UNASSIGNED and FAILED are safe
/// ones, which lose against a later generation's write of another worker: the
/// instance may run there already (spec section 3.4).
pub(crate) struct InstanceStatuses {
    origin: StatusOrigin,
    instance: Instance,
    version: Option<String>,
    /// An abandoned instance may still run for a while, and a new one in its
    /// place. It must not be heard any more. Held while a status is written, so
    /// that silence is complete when [`InstanceStatuses::silence`] returns.
    silent: Mutex<bool>,
    /// What was written last.
    last: Mutex<Option<Written>>,
    listener: OnceLock<Arc<dyn StateListener>>,
}

/// A status that was written.
#[derive(Debug, Clone)]
struct Written {
    state: State,
    trace: Option<String>,
    safe: bool,
}

/// What the statuses are of.
enum Instance {
    Connector(String),
    Task(TaskId),
}

impl InstanceStatuses {
    /// Of a connector.
    pub(crate) fn connector(origin: StatusOrigin, name: &str, version: Option<&str>) -> Self {
        Self::new(origin, Instance::Connector(name.to_owned()), version)
    }

    /// Of a task.
    pub(crate) fn task(origin: StatusOrigin, id: &TaskId, version: Option<&str>) -> Self {
        Self::new(origin, Instance::Task(id.clone()), version)
    }

    fn new(origin: StatusOrigin, instance: Instance, version: Option<&str>) -> Self {
        Self {
            origin,
            instance,
            version: version.map(str::to_owned),
            silent: Mutex::new(false),
            last: Mutex::default(),
            listener: OnceLock::new(),
        }
    }

    /// Lets this one hear of states from now on. There is one at most.
    pub(crate) fn listen(&self, listener: Arc<dyn StateListener>) {
        // A second one would be a defect, and is not worth a panic.
        let _ = self.listener.set(listener);
    }

    /// It has started and does its work.
    pub(crate) fn running(&self) {
        if self.write(State::Running, None, false)
            && let Some(listener) = self.listener.get()
        {
            listener.started();
        }
    }

    /// It does its work again.
    pub(crate) fn resumed(&self) {
        self.write(State::Running, None, false);
    }

    /// It waits to be resumed.
    pub(crate) fn paused(&self) {
        self.write(State::Paused, None, false);
    }

    /// It is stopped; connectors only.
    pub(crate) fn stopped(&self) {
        self.write(State::Stopped, None, false);
    }

    /// It ended with an error.
    pub(crate) fn failed(&self, error: &ConnectError) {
        self.failed_with(error.trace());
    }

    /// It ended with an error of this trace.
    pub(crate) fn failed_with(&self, trace: String) {
        self.write(State::Failed, Some(trace), true);
    }

    /// It ended because it was asked to.
    pub(crate) fn unassigned(&self) {
        self.write(State::Unassigned, None, true);
    }

    /// Writes the last status again if another worker has written one since, of an
    /// earlier generation: it came late, or its worker did not know yet that it
    /// had lost the instance.
    pub(crate) fn insist(&self) {
        let silent = self.silent();
        if *silent {
            return;
        }
        let statuses = &self.origin.statuses;
        let found = match &self.instance {
            Instance::Connector(connector) => statuses
                .connector(connector)
                .map(|status| (status.worker_id, status.generation)),
            Instance::Task(id) => statuses
                .task(id)
                .map(|status| (status.worker_id, status.generation)),
        };
        let own = self.origin.generation.load(Ordering::Acquire);
        let is_foreign = found.is_some_and(|(worker, generation)| {
            worker != self.origin.worker_id && generation < own
        });
        if !is_foreign {
            return;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Written { state, trace, safe }) = last.clone()
            && state != State::Unassigned
        {
            self.put(state, trace, safe);
        }
    }

    /// Writes nothing any more.
    pub(crate) fn silence(&self) {
        *self.silent() = true;
    }

    /// Writes a status; false if the instance is silent.
    fn write(&self, state: State, trace: Option<String>, safe: bool) -> bool {
        let silent = self.silent();
        if *silent {
            return false;
        }
        if let Some(listener) = self.listener.get() {
            listener.entered(state);
        }
        let written = Written {
            state,
            trace: trace.clone(),
            safe,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
        self.put(state, trace, safe);
        true
    }

    fn put(&self, state: State, trace: Option<String>, safe: bool) {
        let statuses = &self.origin.statuses;
        let worker_id = self.origin.worker_id.clone();
        let generation = self.origin.generation.load(Ordering::Acquire);
        if generation == NO_PLACE {
            return;
        }
        let version = self.version.clone();
        match &self.instance {
            Instance::Connector(connector) => {
                let status = ConnectorStatus {
                    connector: connector.clone(),
                    state,
                    trace,
                    worker_id,
                    generation,
                    version,
                };
                if safe {
                    statuses.put_connector_safe(status);
                } else {
                    statuses.put_connector(status);
                }
            }
            Instance::Task(id) => {
                let status = TaskStatus {
                    id: id.clone(),
                    state,
                    trace,
                    worker_id,
                    generation,
                    version,
                };
                if safe {
                    statuses.put_task_safe(status);
                } else {
                    statuses.put_task(status);
                }
            }
        }
    }

    fn silent(&self) -> MutexGuard<'_, bool> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tether_storage::MemoryStatusStore;

    use super::*;

    #[test]
    fn the_owner_insists_against_those_before_it() {
        let store = Arc::new(MemoryStatusStore::default());
        let generation = Arc::new(AtomicI32::new(3));
        let of = |worker: &str, generation: &Arc<AtomicI32>| {
            let origin = StatusOrigin {
                statuses: store.clone(),
                worker_id: worker.to_owned(),
                generation: generation.clone(),
            };
            InstanceStatuses::connector(origin, "c", None)
        };
        let owner = || {
            let status = store.connector("c").unwrap();
            (status.worker_id, status.state, status.generation)
        };
        let own = of("a", &generation);
        own.insist();
        assert_eq!(store.connector("c"), None);
        own.paused();
        of("b", &Arc::new(AtomicI32::new(2))).running();
        own.insist();
        assert_eq!(owner(), ("a".to_owned(), State::Paused, 3));
        of("b", &Arc::new(AtomicI32::new(4))).running();
        own.insist();
        assert_eq!(owner().0, "b", "it has a later generation");
        generation.store(5, Ordering::Release);
        own.unassigned();
        of("b", &Arc::new(AtomicI32::new(4))).running();
        own.insist();
        assert_eq!(owner().0, "b", "the owner has ended");
    }

    #[test]
    fn a_silenced_instance_writes_nothing() {
        let store = Arc::new(MemoryStatusStore::default());
        let origin = StatusOrigin {
            statuses: store.clone(),
            worker_id: "w:8083".to_owned(),
            generation: Arc::new(AtomicI32::new(3)),
        };
        let id = TaskId::new("c", 0);
        let statuses = InstanceStatuses::task(origin, &id, Some("1"));
        statuses.running();
        statuses.silence();
        statuses.unassigned();
        statuses.failed(&ConnectError::other("late"));
        assert_eq!(
            store.task(&id),
            Some(TaskStatus {
                id,
                state: State::Running,
                trace: None,
                worker_id: "w:8083".to_owned(),
                generation: 3,
                version: Some("1".to_owned()),
            })
        );
    }
}
