//! The position that is stored with each record (specification, section 12.1):
//! what the reference's `PostgresOffsetContext` writes and reads.

mod load;
mod snapshot;
mod stream;
mod transaction;

use std::borrow::Cow;

use tether_api::data::{Text, Value};
use tether_api::offset::{Offset, OffsetMap};

use crate::lsn::Lsn;

pub use load::LoadOffsetError;
pub use snapshot::{SnapshotKind, SnapshotProgress};
pub use stream::StreamOffset;
pub use transaction::TransactionProgress;

/// What kind of message a position is of, as offsets name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MessageType {
    Begin,
    Commit,
    Insert,
    Update,
    Delete,
    Truncate,
    Message,
}

impl MessageType {
    const ALL: [Self; 7] = [
        Self::Begin,
        Self::Commit,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Truncate,
        Self::Message,
    ];

    /// The name in offsets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Truncate => "TRUNCATE",
            Self::Message => "MESSAGE",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How far the source has been read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PostgresOffset {
    /// Where the latest message stands.
    pub lsn: Option<Lsn>,
    /// Where the latest message stands that was processed completely; absent
    /// in the snapshot.
    pub lsn_proc: Option<Lsn>,
    /// Where the latest transaction, or message outside of one, ended; absent
    /// until one was seen.
    pub lsn_commit: Option<Lsn>,
    /// The number of the transaction; absent for a message outside of one.
    pub tx_id: Option<u32>,
    /// The oldest transaction that the slot keeps the catalog for.
    pub xmin: Option<i64>,
    /// When the transaction was committed, in microseconds since 1970.
    pub ts_usec: Option<i64>,
    /// What the latest message was; absent in the snapshot.
    pub message_type: Option<MessageType>,
    /// How many changes at `lsn` have been processed. Rows that one statement
    /// inserted together (`COPY`) have one position, so that alone does not say
    /// where to go on. Written from 2 on, under the name that 3.7 of the
    /// reference gives it.
    pub events_at_lsn: u32,
    /// How far the snapshot is, until the stream begins.
    pub snapshot: Option<SnapshotProgress>,
    /// Which rows of the snapshot have been sent, if that is stored
    /// (`tether.snapshot.resume`). The reference does not read the entry.
    pub sent_rows: Option<Text>,
    /// The transaction under way, with transaction metadata.
    pub transaction: TransactionProgress,
    /// The entries of an incremental snapshot, kept as they are.
    pub incremental: Vec<(Text, Value)>,
}

const LSN: &str = "lsn";
const LSN_PROC: &str = "lsn_proc";
const LSN_COMMIT: &str = "lsn_commit";
const EVENTS_AT_LSN: &str = "lsn_events_processed";
const TX_ID: &str = "txId";
const XMIN: &str = "xmin";
const TS_USEC: &str = "ts_usec";
const MESSAGE_TYPE: &str = "messageType";
const SNAPSHOT: &str = "snapshot";
const SNAPSHOT_COMPLETED: &str = "snapshot_completed";
const LAST_SNAPSHOT_RECORD: &str = "last_snapshot_record";
const SENT_ROWS: &str = "tether_snapshot_sent_rows";
const INCREMENTAL_PREFIX: &str = "incremental_snapshot_";

impl PostgresOffset {
    /// The source partition of everything that a connector with this
    /// `topic.prefix` reads.
    pub fn partition(topic_prefix: &str) -> OffsetMap {
        OffsetMap::new().with("server", topic_prefix)
    }

    /// Where to ask the server to begin: at the latest message that was
    /// processed completely.
    pub fn start(&self) -> Option<Lsn> {
        self.lsn_proc.or(self.lsn)
    }

    /// Up to where the server need not keep anything once this offset is
    /// committed. `None` in the snapshot.
    pub fn confirmable(&self) -> Option<Lsn> {
        self.lsn_commit.or(self.lsn_proc)
    }

    /// `{lsn_proc=1, …}`, as the reference prints it.
    pub fn text(&self) -> String {
        let map = self.to_map();
        let entries = map.iter().map(|(name, value)| format!("{name}={value}"));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
    }

    /// As it is stored. The order of the base entries is that of the
    /// reference's hash map.
    pub fn to_map(&self) -> OffsetMap {
        let mut entries = Vec::with_capacity(8 + self.transaction.len() + self.incremental.len());
        let mut put = |name: &'static str, value: Option<Value>| {
            if let Some(value) = value {
                entries.push((Text::from_static(name), value));
            }
        };
        let lsn = |lsn: Option<Lsn>| lsn.map(|lsn| Value::Int64(lsn.as_long()));
        let snapshot = self.snapshot.as_ref();
        let flag = |flag: fn(&SnapshotProgress) -> bool| {
            snapshot.map(|progress| Value::Boolean(flag(progress)))
        };
        put(LSN_PROC, lsn(self.lsn_proc));
        if self.events_at_lsn > 1 {
            put(EVENTS_AT_LSN, Some(Value::Int64(self.events_at_lsn.into())));
        }
        put(XMIN, self.xmin.map(Value::Int64));
        put(LAST_SNAPSHOT_RECORD, flag(|progress| progress.last_record));
        let message_type = self.message_type.map(MessageType::name);
        put(
            MESSAGE_TYPE,
            message_type.map(|name| Value::String(Text::from_static(name))),
        );
        put(LSN_COMMIT, lsn(self.lsn_commit));
        put(LSN, lsn(self.lsn));
        put(TX_ID, self.tx_id.map(|id| Value::Int64(id.into())));
        put(TS_USEC, self.ts_usec.map(Value::Int64));
        put(
            SNAPSHOT,
            snapshot.map(|progress| Value::String(Text::from_static(progress.kind.name()))),
        );
        put(SNAPSHOT_COMPLETED, flag(|progress| progress.completed));
        let sent_rows = self.sent_rows.clone().filter(|_| snapshot.is_some());
        put(SENT_ROWS, sent_rows.map(Value::String));
        if snapshot.is_none_or(|progress| progress.kind == SnapshotKind::Incremental) {
            self.transaction.store(&mut entries);
            entries.extend(self.incremental.iter().cloned());
        }
        OffsetMap::from_distinct(entries)
    }
}

impl Offset for PostgresOffset {
    fn to_map(&self) -> Cow<'_, OffsetMap> {
        Cow::Owned(self.to_map())
    }
}

#[cfg(test)]
mod tests;
