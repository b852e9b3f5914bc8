//! From the stream to the queue.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tether_api::data::{SchemaRef, Value};
use tether_api::source::CommittedOffsets;
use tether_api::{ConnectError, Result};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::idle::IdlePosition;
use super::queue::{Batch, Queue};
use super::signals::{Arrivals, Requests};
use crate::event::RECORD_BYTES;
use crate::incremental::{IncrementalSnapshots, Moment};
use crate::lsn::Lsn;
use crate::metrics::Meters;
use crate::notification::Notifications;
use crate::offset::PostgresOffset;
use crate::pgoutput::{Message, OldTuple, Relation, decode};
use crate::replication::{Event, EventStream, Failure, TextRow, XLogData};
use crate::signal::Signal;
use crate::streaming::{CapturedTable, Changes, Demand};

/// A batch is handed over once it has so many bytes.
const FULL: usize = 1024 * 1024;

/// What records can keep in memory besides their own messages, as they are
/// slices of what was read at once: the messages around them.
const READ_AT_ONCE: usize = 256 * 1024;

/// Where descriptions of tables come from: the database, or a script in tests.
pub(super) trait Tables: Send {
    /// The table that the stream describes in this transaction, and its events
    /// with this schema of source blocks. `None` if it is not captured.
    ///
    /// # Errors
    /// Retriable, if the database cannot be asked now.
    fn describe(
        &mut self,
        relation: &Relation,
        xid: Option<u32>,
        source: &SchemaRef,
    ) -> impl Future<Output = Result<Option<CapturedTable>>> + Send;

    /// The first row of a statement that reads columns of a row that this
    /// transaction has changed; `None` if there is none.
    ///
    /// # Errors
    /// If the statement fails or the database cannot be asked now.
    fn reselect(
        &mut self,
        statement: &str,
        xid: Option<u32>,
    ) -> impl Future<Output = Result<Option<TextRow>>> + Send;

    /// The oldest transaction that the slot keeps the catalog for.
    ///
    /// # Errors
    /// Retriable, if the database cannot be asked now.
    fn xmin(&mut self) -> impl Future<Output = Result<Option<i64>>> + Send;
}

/// What the heartbeats of a task do besides.
pub(super) trait HeartbeatAction: Send {
    /// A heartbeat was made.
    fn beat(&self);

    /// Returns once the action fails in a way that ends the task. Dropping the
    /// future loses nothing.
    fn failed(&mut self) -> impl Future<Output = ConnectError> + Send;
}

/// Reads a stream until the task stops or something fails.
///
/// While the queue is full nothing is read, and the server waits: only what
/// fits the queue is ever in memory, however large a transaction is. Meanwhile
/// the server is told that this side lives, and positions that have been
/// committed are confirmed.
pub(super) struct StreamLoop<'a, S, T, A, C> {
    pub(super) stream: &'a mut S,
    pub(super) tables: &'a mut T,
    pub(super) action: &'a mut A,
    pub(super) arrivals: &'a mut C,
    /// What signals ask for.
    pub(super) requests: &'a mut Requests,
    /// Takes incremental snapshots, if they can be taken.
    pub(super) incremental: Option<&'a mut IncrementalSnapshots>,
    pub(super) notifications: &'a Notifications,
    pub(super) meters: &'a Meters,
    pub(super) changes: &'a mut Changes,
    /// What is made and not yet in the queue. It outlives the loop, so that the
    /// next one goes on behind it.
    pub(super) batch: &'a mut Batch,
    pub(super) queue: &'a Queue,
    pub(super) committed: &'a mut watch::Receiver<CommittedOffsets>,
    pub(super) stopping: &'a CancellationToken,
    /// How often the slot is asked for its oldest transaction, which events then
    /// tell.
    pub(super) xmin_interval: Option<Duration>,
    /// Whether a message has come.
    pub(super) received: &'a mut bool,
    /// Says when the position moves although there is nothing to tell.
    pub(super) idle: &'a mut IdlePosition,
    /// The bytes of messages without records since the latest record.
    pub(super) passed: usize,
}

/// Why a loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The task stops.
    Stopped,
    /// Signals have asked for something that the stream is left for. Another
    /// loop goes on with it.
    Requested,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

impl<S: EventStream, T: Tables, A: HeartbeatAction, C: Arrivals> StreamLoop<'_, S, T, A, C> {
    /// Returns when the task stops, or signals ask for something that needs
    /// the stream to wait. Then everything that was made is in the queue.
    ///
    /// # Errors
    /// Retriable, if another stream may go on where this one ended.
    pub(super) async fn run(mut self) -> Result<Ended> {
        let mut next_xmin = self.xmin_interval.map(|_| Instant::now());
        loop {
            if let (Some(next), Some(interval)) = (&mut next_xmin, self.xmin_interval)
                && Instant::now() >= *next
            {
                let xmin = tokio::select! {
                    xmin = self.tables.xmin() => xmin?,
                    failure = self.stream.keep_alive() => return Err(failure.into()),
                };
                self.changes.set_xmin(xmin);
                *next = Instant::now() + interval;
            }
            while !self.requests.any()
                && let Some(event) = self.stream.next()?
            {
                let next = match event {
                    Event::XLogData(data) => self.message(data).await?,
                    Event::KeepAlive(sign) => self.quiet(sign.wal_end).await?,
                };
                if next == Next::Stop {
                    return Ok(Ended::Stopped);
                }
                if self.is_full() && self.hand_over().await? == Next::Stop {
                    return Ok(Ended::Stopped);
                }
            }
            if self.hand_over().await? == Next::Stop {
                return Ok(Ended::Stopped);
            }
            if self.requests.any() {
                return Ok(Ended::Requested);
            }
            if self.is_due(Moment::Idle) && !self.stopping.is_cancelled() {
                self.go_on().await?;
                continue;
            }
            if self.wait().await? == Next::Stop {
                return Ok(Ended::Stopped);
            }
        }
    }

    /// Waits for more of the stream, or anything else to do.
    async fn wait(&mut self) -> Result<Next> {
        let heartbeat = at(self.changes.next_heartbeat());
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => return Ok(Next::Stop),
            changed = self.committed.changed() => self.confirm(changed.is_ok()),
            error = self.action.failed() => return Err(error),
            () = heartbeat => {
                self.changes.heartbeat(&mut self.batch.records)?;
                self.idle.told(self.changes.offset());
                self.act();
            }
            signal = self.arrivals.next() => self.signal(&signal).await?,
            filled = self.stream.fill() => filled?,
        }
        Ok(Next::GoOn)
    }

    /// Puts the batch into the queue once there is space.
    async fn hand_over(&mut self) -> Result<Next> {
        self.meters.add(self.changes.tally(), &self.batch.records);
        while !self.queue.try_put(self.batch) {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Ok(Next::Stop),
                changed = self.committed.changed() => self.confirm(changed.is_ok()),
                () = self.queue.space() => {}
                failure = self.stream.keep_alive() => return Err(failure.into()),
            }
        }
        Ok(Next::GoOn)
    }

    async fn message(&mut self, data: XLogData) -> Result<Next> {
        *self.received = true;
        let lsn = data.wal_start;
        let mut length = data.payload.len();
        let message = decode(data.payload).map_err(|error| {
            ConnectError::other(format!("The stream cannot be read at {lsn}")).caused_by(error)
        })?;
        let values = values(&message);
        let commits = matches!(message, Message::Commit { .. });
        let moment = match commits {
            true => Moment::Committed,
            false => Moment::Other,
        };
        let before = self.batch.records.len();
        let mut demand = self
            .changes
            .process(lsn, message, &mut self.batch.records)?;
        let mut broken = None;
        while let Some(demanded) = demand.take() {
            match demanded {
                Demand::Table(relation) => self.describe(relation).await?,
                Demand::Signal(signal) => {
                    let executed = self.signal(&signal).await;
                    self.changes.signalled(&mut self.batch.records)?;
                    executed?;
                }
                Demand::Reselect(statement) => {
                    let Some(answer) = self.reselect(&statement, &mut broken).await else {
                        return Ok(Next::Stop);
                    };
                    if let Ok(Some(row)) = &answer {
                        length += row.iter().flatten().map(String::len).sum::<usize>();
                    }
                    let records = &mut self.batch.records;
                    demand = self.changes.reselected(answer, records)?;
                }
            }
        }
        let records = self.batch.records.len() - before;
        self.count(length, values, records);
        if records > 0 {
            self.idle.told(self.changes.offset());
        }
        self.act();
        // The change is processed, and another stream begins behind it.
        if let Some(failure) = broken {
            return Err(failure.into());
        }
        if self.is_due(moment) {
            self.go_on().await?;
        }
        match commits && self.idle.is_due(lsn) {
            true => self.rest(lsn).await,
            false => Ok(Next::GoOn),
        }
    }

    /// A sign of life came: all that ended up to here has been processed.
    async fn quiet(&mut self, end: Lsn) -> Result<Next> {
        match self.idle.is_due(end) || self.idle.is_overdue(end, Instant::now()) {
            true => self.rest(end).await,
            false => Ok(Next::GoOn),
        }
    }

    /// Sends the position up to here on its way without a record.
    async fn rest(&mut self, end: Lsn) -> Result<Next> {
        let Some(offset) = self.changes.rest(end) else {
            return Ok(Next::GoOn);
        };
        self.idle.told(self.changes.offset());
        let partition = self.changes.records().partition().clone();
        self.batch.end = Some((partition, Some(Arc::new(offset))));
        self.hand_over().await
    }

    /// Reads columns anew; `None` if the task stops. If the stream breaks
    /// meanwhile, `broken` says so: its change is finished nevertheless, as it
    /// counts as processed.
    async fn reselect(
        &mut self,
        statement: &str,
        broken: &mut Option<Failure>,
    ) -> Option<Result<Option<TextRow>>> {
        let mut answer = std::pin::pin!(self.tables.reselect(statement, self.changes.xid()));
        loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return None,
                answer = &mut answer => return Some(answer),
                failure = self.stream.keep_alive(), if broken.is_none() => {
                    *broken = Some(failure);
                }
            }
        }
    }

    async fn describe(&mut self, relation: Relation) -> Result<()> {
        let source = self.changes.records().source_schema().clone();
        let table = tokio::select! {
            table = self.tables.describe(&relation, self.changes.xid(), &source) => table?,
            failure = self.stream.keep_alive() => return Err(failure.into()),
        };
        let id = table.as_ref().map(|table| &table.schema.table().id);
        self.meters.streaming.captures(id);
        self.changes.put_table(relation.oid, table);
        Ok(())
    }

    /// Executes a signal at the position of the latest message.
    async fn signal(&mut self, signal: &Signal) -> Result<()> {
        let Some(request) = self.requests.execute(signal, self.changes.offset()) else {
            return Ok(());
        };
        let Some(incremental) = &mut self.incremental else {
            tracing::warn!(
                "Action {} failed. The signal '{}' may not have been processed: incremental \
                 snapshots need signal.data.collection, or read.only",
                signal.kind,
                signal.id
            );
            return Ok(());
        };
        tokio::select! {
            performed = incremental.perform(request, self.changes, &mut self.batch.records) => performed?,
            failure = self.stream.keep_alive() => return Err(failure.into()),
        }
        self.told()
    }

    /// Whether an incremental snapshot goes on at a moment of the stream.
    fn is_due(&self, moment: Moment) -> bool {
        let incremental = self.incremental.as_ref();
        incremental.is_some_and(|incremental| incremental.is_due(moment, self.changes))
    }

    async fn go_on(&mut self) -> Result<()> {
        if let Some(incremental) = &mut self.incremental {
            tokio::select! {
                went_on = incremental.go_on(self.changes, &mut self.batch.records) => went_on?,
                failure = self.stream.keep_alive() => return Err(failure.into()),
            }
        }
        self.told()
    }

    /// Counts what an incremental snapshot made, and tells how far it is.
    fn told(&mut self) -> Result<()> {
        self.batch.bytes += self.changes.take_window_bytes();
        match &mut self.incremental {
            Some(incremental) => incremental.tell(
                self.notifications,
                self.changes.offset(),
                &mut self.batch.records,
            ),
            None => Ok(()),
        }
    }

    /// Counts the memory of a message. The ones without records count as far as
    /// the next record keeps them in memory.
    fn count(&mut self, length: usize, values: usize, records: usize) {
        if records == 0 {
            self.passed += length;
            return;
        }
        let kept = std::mem::take(&mut self.passed).min(READ_AT_ONCE);
        self.batch.bytes += kept + length + values * size_of::<Value>() + records * RECORD_BYTES;
    }

    fn is_full(&self) -> bool {
        let Batch { records, bytes, .. } = &self.batch;
        records.len() >= self.queue.limits().batch || *bytes >= FULL
    }

    fn act(&mut self) {
        if self.changes.take_beaten() {
            self.action.beat();
        }
    }

    /// Tells the server what is committed, and therefore needed no more.
    fn confirm(&mut self, is_open: bool) {
        if !is_open {
            // The worker is gone, which ends the task next.
            self.stopping.cancel();
            return;
        }
        let committed = self.committed.borrow_and_update().clone();
        let partition = self.changes.records().partition();
        if let Some(position) = committed_position(&committed, partition) {
            self.stream.confirm(position);
        }
    }
}

/// Up to where the server need not keep anything, by what is committed of this
/// partition.
fn committed_position(
    committed: &CommittedOffsets,
    partition: &tether_api::offset::OffsetMap,
) -> Option<Lsn> {
    let (_, offset) = committed
        .offsets
        .iter()
        .find(|(found, _)| **found == *partition)?;
    match PostgresOffset::load(&offset.as_deref()?.to_map()) {
        Ok(offset) => offset.confirmable(),
        Err(error) => {
            tracing::warn!(%error, "A committed position is not confirmed");
            None
        }
    }
}

/// How many values the rows of a message have.
fn values(message: &Message) -> usize {
    match message {
        Message::Insert { new, .. } => new.0.len(),
        Message::Update { old, new, .. } => {
            let old = old.as_ref().map_or(0, |old| match old {
                OldTuple::Key(old) | OldTuple::Full(old) => old.0.len(),
            });
            old + new.0.len()
        }
        Message::Delete {
            old: OldTuple::Key(old) | OldTuple::Full(old),
            ..
        } => old.0.len(),
        _ => 0,
    }
}

/// Sleeps until then, or for ever.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
