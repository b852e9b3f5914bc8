//! From messages to records.

use std::sync::Arc;
use std::time::Instant;

use tether_api::data::{Bytes, Text, Value};
use tether_api::offset::OffsetMap;
use tether_api::record::SourceRecord;
use tether_api::{ConnectError, Result};

use super::heartbeat::HeartbeatTimer;
use super::progress::Progress;
use super::relations::{CapturedTable, Relations};
use super::reselect::{Reselection, Rows, Turn, Waiting};
use super::resume::Begin;
use crate::config::{BinaryMode, ProcessingFailure};
use crate::event::{Change, EventPosition, Operation, Origin, Records, SnapshotMarker};
use crate::incremental::{Entries, Window};
use crate::lsn::Lsn;
use crate::metrics::Tally;
use crate::offset::{MessageType, PostgresOffset};
use crate::pgoutput::{Message, OldTuple, Relation, Tuple};
use crate::signal::{Signal, signal_of};
use crate::values::Phase;

/// After how many changes of which none made a record a warning is due.
const GROWING_LOG: u32 = 10_000;

/// What the stream is processed with.
pub struct ChangeSettings {
    /// Whether an update that changes no captured column is left out.
    pub skip_unchanged: bool,
    /// What becomes of a change that cannot be made an event.
    pub failure: ProcessingFailure,
    /// When heartbeats are due, if there are any.
    pub heartbeat: Option<HeartbeatTimer>,
    /// Whether a logical message of this prefix is captured.
    pub captures_message: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// What the content of logical messages becomes.
    pub message_content: BinaryMode,
    /// Which changes of the signal table are signals.
    pub signals: RowSignals,
    /// Which columns are read anew, if any are.
    pub reselection: Option<Reselection>,
}

/// Which changes of the signal table are signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSignals {
    /// None: the channel is not enabled.
    None,
    /// New rows.
    Inserted,
    /// New rows, and deleted ones, which close windows.
    InsertedAndDeleted,
}

/// What has to be done before the next message is processed.
#[derive(Debug)]
pub enum Demand {
    /// A table is described and has to be [put](Changes::put_table).
    Table(Relation),
    /// A signal has to be executed, and then the change that it is made an
    /// event by [`Changes::signalled`].
    Signal(Signal),
    /// Columns of a row have to be read with this statement, and then the
    /// change made an event by [`Changes::reselected`].
    Reselect(String),
}

/// Makes records of the messages of a stream.
pub struct Changes {
    progress: Progress,
    records: Records,
    relations: Relations,
    settings: ChangeSettings,
    /// Changes since the latest record.
    filtered: u32,
    /// Whether a heartbeat was made whose action is still to be done.
    beaten: bool,
    /// The change that is a signal, until the signal is executed.
    signalled: Option<(Arc<CapturedTable>, Change)>,
    /// The change that waits for columns.
    waiting: Option<Waiting>,
    /// The rows of an incremental snapshot that wait.
    window: Window,
    /// About how much memory its records hold, until that is asked for.
    window_bytes: usize,
}

impl Changes {
    /// Goes on at this progress.
    pub fn new(progress: Progress, records: Records, settings: ChangeSettings) -> Self {
        Self {
            progress,
            records,
            relations: Relations::default(),
            settings,
            filtered: 0,
            beaten: false,
            signalled: None,
            waiting: None,
            window: Window::default(),
            window_bytes: 0,
        }
    }

    /// Makes records.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The same, for records beside the stream.
    pub fn records_mut(&mut self) -> &mut Records {
        &mut self.records
    }

    /// The events that were made.
    pub fn tally(&mut self) -> &mut Tally {
        self.records.tally()
    }

    /// The position of the latest message.
    pub fn offset(&self) -> &PostgresOffset {
        self.progress.offset()
    }

    /// Where to ask the server to begin.
    pub fn start(&self) -> Option<Lsn> {
        self.progress.start()
    }

    /// The stream was interrupted and begins again at [`Self::start`].
    pub fn reconnected(&mut self) {
        self.progress.reconnected();
        self.window.reconnected();
        self.relations.clear();
    }

    /// A table was described; `None` if it is not captured.
    pub fn put_table(&mut self, oid: u32, table: Option<CapturedTable>) {
        if let Some(table) = &table {
            self.window.describe(table);
        }
        self.relations.put(oid, table.map(Arc::new));
    }

    /// The number of the transaction under way.
    pub fn xid(&self) -> Option<u32> {
        self.progress.xid()
    }

    /// Sets the oldest transaction that the slot keeps the catalog for.
    pub fn set_xmin(&mut self, xmin: Option<i64>) {
        self.progress.set_xmin(xmin);
    }

    /// The rows of an incremental snapshot that wait.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The same, to fill, open and close it.
    pub fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }

    /// The server has sent whatever ended before `end`, and all of it has been
    /// processed. Returns the offset that says so, unless a transaction or a
    /// chunk of an incremental snapshot is under way.
    pub fn rest(&mut self, end: Lsn) -> Option<OffsetMap> {
        let moves = !self.window.waits() && self.progress.rest(end);
        moves.then(|| self.progress.offset().to_map())
    }

    /// Closes the window and appends the records of the rows that are left.
    ///
    /// # Errors
    /// None that a configuration can cause.
    pub fn send_window(&mut self, out: &mut Vec<SourceRecord>) -> Result<()> {
        let (offset, origin) = self.progress.parts();
        self.window_bytes += self.window.send(&mut self.records, offset, origin, out)?;
        Ok(())
    }

    /// About how much memory the records of windows hold that were made since
    /// the last call.
    pub fn take_window_bytes(&mut self) -> usize {
        std::mem::take(&mut self.window_bytes)
    }

    /// Sets what is stored of an incremental snapshot with the records to come.
    pub fn set_incremental(&mut self, entries: Entries) {
        self.progress.parts().0.incremental = entries;
    }

    /// Processes a message whose `XLogData` begins at `lsn` and appends its
    /// records. Returns what has to be done before the next message.
    ///
    /// # Errors
    /// If a change cannot be made an event and the configuration does not say
    /// to leave it out. The message names the table and the position.
    pub fn process(
        &mut self,
        lsn: Lsn,
        message: Message,
        out: &mut Vec<SourceRecord>,
    ) -> Result<Option<Demand>> {
        match message {
            Message::Begin {
                final_lsn,
                commit_time,
                xid,
            } => {
                // The rows go before the transaction, and the position stays there.
                if self.window.begin(xid) {
                    self.send_window(out)?;
                }
                if self.progress.begin(lsn, final_lsn, commit_time, xid) == Begin::New {
                    self.records.begin(self.progress.parts().0, out)?;
                }
            }
            Message::Commit { commit_time, .. } => {
                if self.progress.commit(lsn, commit_time) {
                    self.heartbeat(out)?;
                    self.records.end(self.progress.parts().0, out)?;
                }
            }
            Message::Origin { lsn, name } => self.progress.origin(Origin {
                name: text(name)?,
                lsn,
            }),
            Message::Relation(relation) => return Ok(Some(Demand::Table(relation))),
            Message::Type { .. } => {}
            Message::Insert { relation, new } => {
                return self.row(lsn, MessageType::Insert, relation, None, Some(new), out);
            }
            Message::Update { relation, old, new } => {
                return self.row(lsn, MessageType::Update, relation, old, Some(new), out);
            }
            Message::Delete { relation, old } => {
                return self.row(lsn, MessageType::Delete, relation, Some(old), None, out);
            }
            Message::Truncate { relations } => self.truncate(lsn, &relations, out)?,
            Message::Logical {
                transactional,
                prefix,
                content,
                ..
            } => self.logical(lsn, transactional, prefix, content, out)?,
        }
        Ok(None)
    }

    /// Appends a heartbeat if one is due.
    ///
    /// # Errors
    /// None that a configuration can cause.
    pub fn heartbeat(&mut self, out: &mut Vec<SourceRecord>) -> Result<()> {
        let timer = self.settings.heartbeat.as_mut();
        if timer.is_some_and(|timer| timer.is_due(Instant::now())) {
            self.records.heartbeat(self.progress.offset(), out)?;
            self.beaten = true;
        }
        Ok(())
    }

    /// When a heartbeat is due next, if there are any.
    pub fn next_heartbeat(&self) -> Option<Instant> {
        self.settings.heartbeat.as_ref().map(HeartbeatTimer::next)
    }

    /// Whether a heartbeat was made since the last call.
    pub fn take_beaten(&mut self) -> bool {
        std::mem::take(&mut self.beaten)
    }

    fn row(
        &mut self,
        lsn: Lsn,
        kind: MessageType,
        relation: u32,
        old: Option<OldTuple>,
        new: Option<Tuple>,
        out: &mut Vec<SourceRecord>,
    ) -> Result<Option<Demand>> {
        if !self.progress.change(lsn, kind, true) {
            return Ok(None);
        }
        let length = out.len();
        if let Some(table) = self.relations.get(relation)? {
            let old = old.map(|old| match old {
                OldTuple::Key(tuple) | OldTuple::Full(tuple) => tuple,
            });
            if self.window.is_open() {
                let old = old.as_ref().map(|old| old.0.as_slice());
                let new = new.as_ref().map(|new| new.0.as_slice());
                self.window.change(&table, old, new);
            }
            let made = match self.event(&table, kind, old.as_ref(), new.as_ref()) {
                Ok(Some(change)) if table.is_signal_table => {
                    if let Some(signal) = self.signal(&change) {
                        self.signalled = Some((table, change));
                        return Ok(Some(Demand::Signal(signal)));
                    }
                    self.change(&table, change, out)
                }
                Ok(Some(change)) => match (&mut self.settings.reselection, new) {
                    (Some(reselection), Some(new)) if !skips(&self.records, &change) => {
                        let turn = reselection.begin(table, change, Rows { new, old });
                        match self.take_turn(turn, out) {
                            Ok(Some(demand)) => return Ok(Some(demand)),
                            Ok(None) => Ok(()),
                            Err(error) => Err(error),
                        }
                    }
                    _ => self.change(&table, change, out),
                },
                Ok(None) => {
                    self.records.tally().unchanged();
                    Ok(())
                }
                Err(error) => match self.old_key(&table, old.as_ref(), new.as_ref()) {
                    Some(change) => self.change(&table, change, out).and(Err(error)),
                    None => Err(error),
                },
            };
            self.settle(made)?;
        } else {
            self.records.tally().filtered(kind);
        }
        self.processed(out.len() > length);
        self.heartbeat(out)?;
        Ok(None)
    }

    /// Goes on with the change that waits for columns, which have been read.
    /// `answer` has a text for each of them, `None` for null; it is `None`
    /// itself if the row is gone. Returns what has to be done next, as
    /// [`Self::process`] does.
    ///
    /// # Errors
    /// As [`Self::process`].
    pub fn reselected(
        &mut self,
        answer: Result<Option<Vec<Option<String>>>>,
        out: &mut Vec<SourceRecord>,
    ) -> Result<Option<Demand>> {
        let length = out.len();
        let (Some(reselection), Some(waiting)) =
            (&mut self.settings.reselection, self.waiting.take())
        else {
            return Ok(None);
        };
        let turn = reselection.answered(waiting, answer);
        let made = match self.take_turn(turn, out) {
            Ok(Some(demand)) => return Ok(Some(demand)),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        self.settle(made)?;
        self.processed(out.len() > length);
        self.heartbeat(out)?;
        Ok(None)
    }

    /// Keeps a change that waits for columns, or makes an event of it.
    fn take_turn(&mut self, turn: Turn, out: &mut Vec<SourceRecord>) -> Result<Option<Demand>> {
        match turn {
            Turn::Waits(waiting, statement) => {
                self.waiting = Some(waiting);
                Ok(Some(Demand::Reselect(statement)))
            }
            Turn::Done(table, change) => self.change(&table, change, out).map(|()| None),
            Turn::Failed(table, change, error) => {
                if let Change::KeyChange {
                    old_key,
                    new_key,
                    before,
                    ..
                } = change
                {
                    let gone = Change::KeyGone {
                        old_key,
                        new_key,
                        before,
                    };
                    self.change(&table, gone, out)?;
                }
                Err(error)
            }
        }
    }

    fn signal(&self, change: &Change) -> Option<Signal> {
        match self.settings.signals {
            RowSignals::None => None,
            RowSignals::Inserted => signal_of(change, false),
            RowSignals::InsertedAndDeleted => signal_of(change, true),
        }
    }

    /// Appends the records of the change that was a signal, which has been
    /// executed, or never will be: the position is behind it.
    ///
    /// # Errors
    /// As [`Self::process`].
    pub fn signalled(&mut self, out: &mut Vec<SourceRecord>) -> Result<()> {
        let length = out.len();
        if let Some((table, change)) = self.signalled.take() {
            let made = self.change(&table, change, out);
            self.settle(made)?;
        }
        self.processed(out.len() > length);
        self.heartbeat(out)
    }

    /// What happened to the row; `None` if there is no event of it.
    fn event(
        &self,
        table: &CapturedTable,
        kind: MessageType,
        old: Option<&Tuple>,
        new: Option<&Tuple>,
    ) -> Result<Option<Change>> {
        const PHASE: Phase = Phase::Streaming;
        let schema = &table.schema;
        let old = old.map(|old| old.0.as_slice());
        Ok(Some(match (old, new) {
            (None, None) => return Ok(None),
            (Some(old), None) => Change::Delete {
                key: schema.key(old, None, PHASE)?,
                before: schema.value(old, None, PHASE)?,
            },
            (None, Some(new)) => {
                let key = schema.key(&new.0, None, PHASE)?;
                let row = schema.value(&new.0, None, PHASE)?;
                match kind {
                    MessageType::Insert => Change::Create { key, row },
                    _ => Change::Update {
                        key,
                        before: Value::Null,
                        after: row,
                    },
                }
            }
            (Some(old), Some(new)) => {
                let before = schema.value(old, None, PHASE)?;
                let after = schema.value(&new.0, Some(old), PHASE)?;
                if self.settings.skip_unchanged && before == after {
                    return Ok(None);
                }
                let new_key = schema.key(&new.0, Some(old), PHASE)?;
                let old_key = schema.key(old, None, PHASE)?;
                match old_key == new_key {
                    true => Change::Update {
                        key: new_key,
                        before,
                        after,
                    },
                    false => Change::KeyChange {
                        old_key,
                        new_key,
                        before,
                        after,
                    },
                }
            }
        }))
    }

    /// What of a change that failed has an event all the same: that a row has
    /// left its key.
    #[cold]
    fn old_key(
        &self,
        table: &CapturedTable,
        old: Option<&Tuple>,
        new: Option<&Tuple>,
    ) -> Option<Change> {
        let schema = &table.schema;
        let (old, new) = (old?.0.as_slice(), new?.0.as_slice());
        let before = schema.value(old, None, Phase::Streaming).ok()?;
        let new_key = schema.key(new, Some(old), Phase::Streaming).ok()?;
        let old_key = schema.key(old, None, Phase::Streaming).ok()?;
        (old_key != new_key).then_some(Change::KeyGone {
            old_key,
            new_key,
            before,
        })
    }

    fn change(
        &mut self,
        table: &CapturedTable,
        change: Change,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        let (offset, origin) = self.progress.parts();
        let mut position = EventPosition {
            offset,
            origin,
            marker: SnapshotMarker::False,
        };
        self.records
            .change(&table.events, change, &mut position, out)
    }

    fn truncate(&mut self, lsn: Lsn, relations: &[u32], out: &mut Vec<SourceRecord>) -> Result<()> {
        if self.window.is_open() {
            for relation in relations {
                if let Some(table) = self.relations.get(*relation)? {
                    self.window.truncate(&table.schema.table().id);
                }
            }
        }
        if self.records.skips(Operation::Truncate) {
            return Ok(());
        }
        let mut tables = Vec::with_capacity(relations.len());
        for relation in relations {
            tables.extend(self.relations.get(*relation)?);
        }
        for (index, table) in tables.iter().enumerate() {
            let last = index + 1 == tables.len();
            if self.progress.change(lsn, MessageType::Truncate, last) {
                let made = self.change(table, Change::Truncate, out);
                self.settle(made)?;
                self.processed(true);
                self.heartbeat(out)?;
            }
        }
        Ok(())
    }

    fn logical(
        &mut self,
        lsn: Lsn,
        transactional: bool,
        prefix: Bytes,
        content: Bytes,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        if !self.progress.message(lsn, transactional) {
            return Ok(());
        }
        if !transactional {
            self.heartbeat(out)?;
        }
        let prefix = text(prefix)?;
        if !(self.settings.captures_message)(&prefix) {
            return Ok(());
        }
        let content = self.settings.message_content.value(content);
        let (offset, origin) = self.progress.parts();
        let mut position = EventPosition {
            offset,
            origin,
            marker: SnapshotMarker::False,
        };
        self.records.message(prefix, content, &mut position, out)?;
        self.processed(true);
        Ok(())
    }

    /// Does what the configuration says of a change that failed.
    fn settle(&self, made: Result<()>) -> Result<()> {
        let Err(error) = made else {
            return Ok(());
        };
        let offset = self.progress.offset().text();
        match self.settings.failure {
            ProcessingFailure::Fail => {
                let message = format!("Error while processing event at offset {offset}");
                Err(ConnectError::other(message).caused_by(error))
            }
            ProcessingFailure::Warn => {
                tracing::warn!(error = %error, "Error while processing event at offset {offset}");
                Ok(())
            }
            ProcessingFailure::Skip | ProcessingFailure::Ignore => {
                tracing::debug!(error = %error, "Error while processing event at offset {offset}");
                Ok(())
            }
        }
    }

    /// Warns if the server has to keep its log because no record carries a
    /// position.
    fn processed(&mut self, made: bool) {
        if made {
            self.filtered = 0;
            return;
        }
        self.filtered += 1;
        if self.filtered > GROWING_LOG && self.settings.heartbeat.is_none() {
            tracing::warn!(
                "Received {} events which were all filtered out, so no offset could be committed. \
                 This prevents the replication slot from acknowledging the processed WAL offsets, \
                 causing a growing backlog of non-removeable WAL segments on the database server. \
                 Consider to either adjust your filter configuration or enable heartbeat events \
                 (via the heartbeat.interval.ms option) to avoid this situation.",
                self.filtered
            );
            self.filtered = 0;
        }
    }
}

/// Whether the configuration leaves out the events of such a change, so that
/// nothing need be read for them.
fn skips(records: &Records, change: &Change) -> bool {
    match change {
        Change::Create { .. } => records.skips(Operation::Create),
        Change::Update { .. } | Change::KeyChange { .. } => records.skips(Operation::Update),
        _ => false,
    }
}

fn text(bytes: Bytes) -> Result<Text> {
    Text::try_from(bytes).map_err(|_| {
        ConnectError::other("The stream has a name that is not UTF-8, although it was asked for")
    })
}

#[cfg(test)]
mod tests;
