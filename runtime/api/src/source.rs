//! Source tasks: they read from the outside and hand records to the worker.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::config::ConfigMap;
use crate::metrics::Metrics;
use crate::offset::{OffsetMap, OffsetReader, SourceOffset};
use crate::record::SourceRecord;
use crate::transaction::TransactionContext;

/// A source partition and how far it has been read.
pub type SourcePosition = (Arc<OffsetMap>, SourceOffset);

/// The offsets of the latest successful commit: for each source partition that
/// it wrote, the position up to which everything is in Kafka and stored.
#[derive(Debug, Clone, Default)]
pub struct CommittedOffsets {
    /// Counts commits, so that a receiver can tell two apart.
    pub sequence: u64,
    /// Partition and position.
    pub offsets: Arc<[SourcePosition]>,
}

/// What a running source task knows of its worker.
#[derive(Clone)]
pub struct SourceTaskContext {
    /// Reads offsets committed by earlier runs.
    pub offsets: Arc<dyn OffsetReader>,
    /// Fires when the task is asked to stop; `poll` then returns soon.
    pub stopping: CancellationToken,
    /// Tells what has been committed. It takes the place of Java's `commit` and
    /// `commitRecord`: a task may confirm these positions to its source.
    pub committed: watch::Receiver<CommittedOffsets>,
    /// Says where transactions end; only with `transaction.boundary=connector`
    /// on a worker with exactly-once sources.
    pub transactions: Option<TransactionContext>,
    /// Where the task registers metrics of its own.
    pub metrics: Metrics,
}

/// Reads records from a source.
///
/// The worker calls one method at a time, in this order: `start` once, `poll`
/// over and over, `stop` once. It never drops a `poll` that has not returned;
/// on shutdown it fires `stopping` and waits `task.shutdown.graceful.timeout.ms`
/// before it abandons the task.
///
/// Delivery is at least once: after a crash the task starts from the last
/// committed offset, and records that were polled after it come again. On a worker
/// with exactly-once sources records and offsets are committed in one
/// transaction; a task then delivers each record exactly once if it finds the
/// same records again after an offset.
#[async_trait]
pub trait SourceTask: Send {
    /// Starts with a task configuration whose variables are resolved.
    ///
    /// # Errors
    /// Any error makes the task FAILED.
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<()>;

    /// Waits for records and returns them in order, per source partition in the
    /// order of their offsets. Returns an empty vector early when
    /// `context.stopping` fires, and may do so at any time.
    ///
    /// # Errors
    /// Retriable ones are logged and `poll` is called again; others make the
    /// task FAILED.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>>;

    /// Takes positions without a record: each holds once everything is in Kafka
    /// that the latest `poll` and the ones before it returned. Called after each
    /// `poll`. They are committed like those of records, in order behind them, so
    /// that a source which has nothing to tell can move on all the same: what
    /// KIP-910 is for, which the Java worker does not have.
    ///
    /// With exactly-once sources they are committed in a transaction like
    /// records; where the connector says when transactions end
    /// (`transaction.boundary=connector`), that is the next one that it ends.
    fn take_offsets(&mut self) -> Vec<SourcePosition> {
        Vec::new()
    }

    /// Stops and releases everything. Also called when `start` failed.
    ///
    /// # Errors
    /// Are logged.
    async fn stop(&mut self) -> Result<()> {
        Ok(())
    }
}
