//! Writing records over connections of its own to the leaders of partitions.
//!
//! Whoever sends has each record coded straight into the open batch of its
//! partition, under a lock and in memory that serves batch after batch. A task
//! in the background sends a batch when it is full or `linger.ms` have passed
//! and its broker can take a request, and tells the handler of whole batches.
//! All batches together take at most `buffer.memory` bytes.
//!
//! # What holds
//!
//! - Every record that was taken is reported once: as written when the leader
//!   says so (`acks`), as failed when it will not be sent again. A process that
//!   is killed reports nothing; what it had not heard of may be written or not.
//! - Records of a partition are written in the order in which they were taken.
//!   Without idempotence one batch of a partition is under way at a time, so
//!   that none passes another one that has to be sent again. It may be written
//!   twice: an answer that is lost says nothing.
//! - With idempotence, none is written twice or out of turn as long as the
//!   producer lives, whatever brokers do: a batch keeps its producer, epoch and
//!   sequence until its outcome is known, the leader takes a sequence once and
//!   in turn, and its followers know it too. A batch that is given up without
//!   an outcome leaves a gap, see [`topics::Gap`]; what follows is written in a
//!   new epoch, after what was sent before has an outcome of its own.
//! - In transactions, see [`transacting`].

mod answers;
mod batch;
mod coordinator;
mod errors;
mod identity;
mod metadata;
mod node;
mod outcomes;
mod partitioner;
mod requests;
mod sending;
mod settings;
mod state;
mod taking;
mod task;
mod topics;
mod transacting;
mod transaction;
mod writing;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::broker::Brokers;
use crate::{
    DeliveryHandler, KafkaError, KafkaErrorKind, OutgoingRecord, Producer, Refusal, Result,
    TransactionalProducer,
};
use outcomes::Outcomes;
pub(crate) use settings::ProduceSettings;
use state::State;
use taking::Now;
use task::SendTask;
use transaction::{Call, Progress};

/// Under which name a producer logs, Java's.
const LOG: &str = "org.apache.kafka.clients.producer";

/// A producer.
pub(crate) struct NetworkProducer {
    shared: Arc<Shared>,
    /// The task, until it is started.
    task: Mutex<Option<SendTask>>,
    started: OnceLock<()>,
}

/// What the producer and the task share.
struct Shared {
    state: Mutex<State>,
    settings: ProduceSettings,
    deliveries: Arc<dyn DeliveryHandler>,
    /// Tells the task that there may be something to do.
    changed: Notify,
    /// Tells callers that something may have come to its end.
    progressed: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the state and tells outcomes, in this order: a handler may do
    /// what it likes.
    fn tell(&self, state: MutexGuard<'_, State>, outcomes: Outcomes) {
        drop(state);
        if outcomes.is_empty() {
            return;
        }
        let count = outcomes.tell(&*self.deliveries);
        let mut state = self.state();
        state.outstanding = state.outstanding.saturating_sub(count);
        let drained = state.outstanding == 0;
        drop(state);
        if drained {
            self.progressed.notify_waiters();
            self.changed.notify_one();
        }
    }
}

impl NetworkProducer {
    /// A producer that reports to this handler. Connects to nothing yet.
    pub(crate) fn new(
        brokers: Arc<dyn Brokers>,
        settings: ProduceSettings,
        deliveries: Arc<dyn DeliveryHandler>,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(&settings)),
            settings,
            deliveries,
            changed: Notify::new(),
            progressed: Notify::new(),
        });
        Self {
            task: Mutex::new(Some(SendTask::new(Arc::clone(&shared), brokers))),
            shared,
            started: OnceLock::new(),
        }
    }

    /// Begins to send, on the runtime of the caller, unless that has begun.
    ///
    /// # Errors
    /// Fatal, if there is no runtime.
    fn start(&self) -> Result<()> {
        if self.started.get().is_some() {
            return Ok(());
        }
        let runtime = Handle::try_current().map_err(|_| {
            KafkaError::new(
                KafkaErrorKind::Fatal,
                "A producer has to be used within a runtime first",
            )
        })?;
        self.started.get_or_init(|| {
            let task = self
                .task
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(task) = task {
                runtime.spawn(task.run());
            }
        });
        Ok(())
    }

    /// Waits until something has an outcome, at most so long.
    ///
    /// # Errors
    /// Retriable after `timeout`, that of the brokers if they do not let this
    /// client in, and those of `look`.
    async fn until<T>(
        &self,
        doing: &str,
        timeout: Duration,
        mut look: impl FnMut(&mut State) -> Result<Option<T>>,
    ) -> Result<T> {
        self.start()?;
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let progressed = self.shared.progressed.notified();
            tokio::pin!(progressed);
            // Enlisted before the look, so that no change goes unseen.
            progressed.as_mut().enable();
            let refusal = {
                let mut state = self.shared.state();
                if let Some(found) = look(&mut state)? {
                    return Ok(found);
                }
                state.refusal().or_else(|| state.ended())
            };
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
            self.shared.changed.notify_one();
            let Some(deadline) = deadline else {
                progressed.await;
                continue;
            };
            timeout_at(deadline, progressed).await.map_err(|_| {
                KafkaError::new(
                    KafkaErrorKind::Retriable,
                    format!("{doing}: no outcome within {} ms", timeout.as_millis()),
                )
            })?;
        }
    }

    async fn call(&self, call: Call, timeout: Duration) -> Result<()> {
        self.until(call.doing(), timeout, |state| {
            if let Some(fatal) = &state.fatal {
                let message = format!("{}: {fatal}", call.doing());
                return Err(KafkaError::new(fatal.kind, message));
            }
            let Some(transaction) = &mut state.transaction else {
                return Err(crate::transactions::no_transactional_id());
            };
            Ok(match transaction.call(call)? {
                Progress::Done => Some(()),
                Progress::Waits => None,
            })
        })
        .await
    }
}

#[async_trait]
impl Producer for NetworkProducer {
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> Result<()> {
        self.send_run(&[(*record, token)])
            .map_err(|refusal| refusal.error)
    }

    fn send_run(&self, run: &[(OutgoingRecord<'_>, usize)]) -> std::result::Result<(), Refusal> {
        let refused = |error| Refusal { taken: 0, error };
        self.start().map_err(refused)?;
        let now = Now::read();
        let mut state = self.shared.state();
        if let Some(error) = state.refuses() {
            return Err(refused(error));
        }
        let (mut looks, mut outcome) = (false, Ok(()));
        for (taken, (record, token)) in run.iter().enumerate() {
            match state.take(record, *token, now, &self.shared.settings) {
                Ok(more) => looks |= more,
                Err(error) => {
                    looks = true;
                    outcome = Err(Refusal { taken, error });
                    break;
                }
            }
        }
        drop(state);
        if looks {
            self.shared.changed.notify_one();
        }
        outcome
    }

    async fn flush(&self, timeout: Duration) -> Result<()> {
        let _flushing = Flushing::new(&self.shared);
        self.until("Records are still queued", timeout, |state| {
            Ok((state.outstanding == 0).then_some(()))
        })
        .await
    }

    fn purge(&self) {
        self.shared.state().purging = true;
        self.shared.changed.notify_one();
    }
}

/// While it is there, nothing waits for `linger.ms`.
struct Flushing<'a>(&'a Shared);

impl<'a> Flushing<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.state().flushing += 1;
        Self(shared)
    }
}

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        self.0.state().flushing -= 1;
    }
}

#[async_trait]
impl TransactionalProducer for NetworkProducer {
    async fn init_transactions(&self, timeout: Duration) -> Result<()> {
        self.call(Call::Init, timeout).await
    }

    fn begin_transaction(&self) -> Result<()> {
        let mut state = self.shared.state();
        if let Some(fatal) = &state.fatal {
            let message = format!("Failed to begin a transaction: {fatal}");
            return Err(KafkaError::new(fatal.kind, message));
        }
        match &mut state.transaction {
            Some(transaction) => transaction.begin(),
            None => Err(crate::transactions::no_transactional_id()),
        }
    }

    async fn commit_transaction(&self, timeout: Duration) -> Result<()> {
        self.call(Call::Commit, timeout).await
    }

    async fn abort_transaction(&self, timeout: Duration) -> Result<()> {
        self.call(Call::Abort, timeout).await
    }
}

impl Drop for NetworkProducer {
    fn drop(&mut self) {
        // The task reports what is left as failed, and ends. If it was never
        // started, nothing was taken.
        self.shared.state().closed = true;
        self.shared.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
