//! Sink tasks: they get records from the worker and write them to the outside.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::config::ConfigMap;
use crate::metrics::Metrics;
use crate::offset::TopicPartition;
use crate::record::SinkRecord;
use crate::{ConnectError, Result};

/// The next offset to read, by partition.
pub type Offsets = BTreeMap<TopicPartition, i64>;

/// What a sink task asked for since the worker looked last. The worker takes
/// it between two calls of the task.
#[derive(Debug, Default)]
pub struct SinkRequests {
    /// Positions to seek to.
    pub rewind: Offsets,
    /// How long to wait before a retried `put` comes again.
    pub retry_after: Option<Duration>,
    /// Commit offsets as soon as possible.
    pub commit: bool,
    /// Partitions that the task wants paused (true) or resumed (false).
    pub paused: BTreeMap<TopicPartition, bool>,
}

/// Takes records that the task could not write (KIP-610).
pub trait ErrantRecordReporter: Send + Sync {
    /// Reports a record. Its offset is not committed before the report is
    /// durable.
    ///
    /// # Errors
    /// If `errors.tolerance` does not allow the failure; the task must return
    /// the error from `put`.
    fn report(&self, record: &SinkRecord, error: &ConnectError) -> Result<()>;
}

/// What a running sink task can ask of its worker.
#[derive(Clone)]
pub struct SinkTaskContext {
    /// Fires when the task is asked to stop; `put` then returns soon.
    pub stopping: CancellationToken,
    /// Present if errors are logged or go to a dead letter queue.
    pub errant_records: Option<Arc<dyn ErrantRecordReporter>>,
    /// Where the task registers metrics of its own.
    pub metrics: Metrics,
    requests: Arc<Mutex<SinkRequests>>,
}

impl SinkTaskContext {
    /// A context with nothing requested, whose metrics nobody reads.
    pub fn new(
        stopping: CancellationToken,
        errant_records: Option<Arc<dyn ErrantRecordReporter>>,
    ) -> Self {
        Self {
            stopping,
            errant_records,
            metrics: Metrics::default(),
            requests: Arc::default(),
        }
    }

    /// The same with metrics that go here.
    #[must_use]
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Asks the worker to read on from this offset.
    pub fn rewind(&self, partition: TopicPartition, offset: i64) {
        self.lock().rewind.insert(partition, offset);
    }

    /// Sets how long the worker waits before it delivers a batch again for
    /// which `put` returned a retriable error.
    pub fn retry_after(&self, delay: Duration) {
        self.lock().retry_after = Some(delay);
    }

    /// Asks the worker to commit soon.
    pub fn request_commit(&self) {
        self.lock().commit = true;
    }

    /// Asks the worker to deliver nothing of these partitions until
    /// [`SinkTaskContext::resume`].
    pub fn pause(&self, partitions: &[TopicPartition]) {
        self.set_paused(partitions, true);
    }

    /// Asks the worker to deliver these partitions again.
    pub fn resume(&self, partitions: &[TopicPartition]) {
        self.set_paused(partitions, false);
    }

    /// Takes what was requested; for the worker.
    pub fn take_requests(&self) -> SinkRequests {
        std::mem::take(&mut *self.lock())
    }

    fn set_paused(&self, partitions: &[TopicPartition], paused: bool) {
        let mut requests = self.lock();
        for partition in partitions {
            requests.paused.insert(partition.clone(), paused);
        }
    }

    fn lock(&self) -> MutexGuard<'_, SinkRequests> {
        // The data is whole after every statement that holds the lock.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes records to a sink.
///
/// The worker calls one method at a time, in this order: `start` once; `open`,
/// `put`, `pre_commit`, `close` as partitions come and go; `stop` once. It
/// never drops a call that has not returned; on shutdown it fires
/// `context.stopping` and waits before it abandons the task.
///
/// Delivery is at least once: offsets are committed after `pre_commit` only, so
/// a crash brings records again that had been put.
#[async_trait]
pub trait SinkTask: Send {
    /// Starts with a task configuration whose variables are resolved.
    ///
    /// # Errors
    /// Any error makes the task FAILED.
    async fn start(&mut self, context: SinkTaskContext, config: ConfigMap) -> Result<()>;

    /// These partitions have been assigned.
    ///
    /// # Errors
    /// Make the task FAILED.
    async fn open(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Takes a batch, per partition in the order of offsets. Called with an
    /// empty slice while there is nothing to deliver, so that a task can flush
    /// by time.
    ///
    /// # Errors
    /// After a retriable error the same slice is delivered again, later; any
    /// other error makes the task FAILED.
    async fn put(&mut self, records: &[SinkRecord]) -> Result<()>;

    /// Takes a batch as [`SinkTask::put`] does; this is what the worker calls. A
    /// task that writes a batch while the next one comes takes the records, and
    /// may leave other memory in their place, without records, to be used
    /// again. It then says in [`SinkTask::pre_commit`] how far it got, and what
    /// has failed meanwhile with the next call.
    ///
    /// # Errors
    /// As those of `put`. The records are still there after one.
    async fn put_batch(&mut self, records: &mut Vec<SinkRecord>) -> Result<()> {
        self.put(records).await
    }

    /// Makes everything that was put durable as far as possible and returns
    /// what may be committed: the next offset to read by partition. `offsets`
    /// is what has been put. Partitions that are left out are not committed.
    ///
    /// # Errors
    /// The worker seeks back to the last committed offsets and goes on.
    async fn pre_commit(&mut self, offsets: &Offsets) -> Result<Offsets> {
        Ok(offsets.clone())
    }

    /// Whether `put` itself makes durable how far it got, and not only
    /// [`SinkTask::pre_commit`]. The worker then waits before each `put` until
    /// the dead letters of all records before are written, so that no failure
    /// is lost that such an offset passes.
    fn stores_offsets(&self) -> bool {
        false
    }

    /// These partitions are taken away. Called after their commit, or without
    /// one when they were lost.
    ///
    /// # Errors
    /// Make the task FAILED.
    async fn close(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Stops and releases everything. Also called when `start` failed.
    ///
    /// # Errors
    /// Are logged.
    async fn stop(&mut self) -> Result<()> {
        Ok(())
    }
}
