//! Scripted faults.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{KafkaError, Result};

/// What can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Operation {
    CreateProducer,
    CreateConsumer,
    CreateAdmin,
    /// [`crate::Producer::send`]; [`Fault::Reject`] fails the call, all other
    /// faults concern the acknowledgement.
    Send,
    Flush,
    InitTransactions,
    BeginTransaction,
    CommitTransaction,
    AbortTransaction,
    Subscribe,
    /// [`crate::Consumer::poll`]; every fault comes before the event is taken.
    Poll,
    AcceptAssignment,
    AcceptRevocation,
    Positions,
    Seek,
    Commit,
    EndOffsets,
    ClusterId,
    Topics,
    CreateTopic,
    TopicConfig,
    Group,
    GroupOffsets,
    AlterGroupOffsets,
    DeleteGroupOffsets,
    DeleteGroup,
}

/// What becomes of one call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It works.
    Pass,
    /// It fails and has no effect. A record is not taken.
    Reject(KafkaError),
    /// It has its effect, but the answer is this error: a lost reply. A record
    /// is written and reported as failed.
    FailAfter(KafkaError),
    /// It has its effect; the answer waits until it is released.
    Hold,
    /// It fails without effect although it was taken: such a record is reported
    /// as failed and never written.
    Lose(KafkaError),
    /// It waits this long before it has its effect.
    Slow(Duration),
}

/// How a held call ends.
pub(super) type Release = Result<()>;

type Held = Box<dyn FnOnce(Release) + Send>;

#[derive(Default)]
struct Script {
    queue: VecDeque<Fault>,
    always: Option<Fault>,
    held: VecDeque<Held>,
}

/// The faults of every operation.
#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<HashMap<Operation, Script>>>);

impl Faults {
    pub(super) fn script(&self, operation: Operation, faults: impl IntoIterator<Item = Fault>) {
        self.lock()
            .entry(operation)
            .or_default()
            .queue
            .extend(faults);
    }

    pub(super) fn always(&self, operation: Operation, fault: Fault) {
        self.lock().entry(operation).or_default().always = Some(fault);
    }

    pub(super) fn clear(&self, operation: Operation) {
        if let Some(script) = self.lock().get_mut(&operation) {
            script.queue.clear();
            script.always = None;
        }
    }

    pub(super) fn next(&self, operation: Operation) -> Fault {
        self.lock()
            .get_mut(&operation)
            .and_then(|script| script.queue.pop_front().or_else(|| script.always.clone()))
            .unwrap_or(Fault::Pass)
    }

    pub(super) fn held(&self, operation: Operation) -> usize {
        self.lock()
            .get(&operation)
            .map_or(0, |script| script.held.len())
    }

    /// Runs `then` at the release.
    pub(super) fn hold_then(
        &self,
        operation: Operation,
        then: impl FnOnce(Release) + Send + 'static,
    ) {
        self.lock()
            .entry(operation)
            .or_default()
            .held
            .push_back(Box::new(then));
    }

    /// Waits for the release.
    pub(super) fn hold(&self, operation: Operation) -> impl Future<Output = Release> + use<> {
        let (release, released) = oneshot::channel();
        self.hold_then(operation, move |result| {
            // The waiting call may have been cancelled.
            let _ = release.send(result);
        });
        async move { released.await.unwrap_or(Ok(())) }
    }

    pub(super) fn release(&self, operation: Operation, at_most: usize, result: &Release) {
        let held: Vec<Held> = match self.lock().get_mut(&operation) {
            Some(script) => {
                let count = script.held.len().min(at_most);
                script.held.drain(..count).collect()
            }
            None => return,
        };
        for release in held {
            release(result.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Operation, Script>> {
        // No code that can panic runs while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
