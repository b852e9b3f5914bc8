//! Reads stored offsets, also those that older releases of the reference wrote.

use tether_api::data::{Text, Value};
use tether_api::offset::OffsetMap;

use super::transaction::{COUNT_PREFIX, TRANSACTION_ID};
use super::{
    EVENTS_AT_LSN, INCREMENTAL_PREFIX, LAST_SNAPSHOT_RECORD, LSN, LSN_COMMIT, LSN_PROC,
    MESSAGE_TYPE, MessageType, PostgresOffset, SENT_ROWS, SNAPSHOT, SNAPSHOT_COMPLETED,
    SnapshotKind, SnapshotProgress, TS_USEC, TX_ID, XMIN,
};
use crate::lsn::Lsn;

/// An offset that no release wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored offset cannot be read: {entry} is {found}, not {expected}")]
pub struct LoadOffsetError {
    entry: String,
    found: String,
    expected: &'static str,
}

impl PostgresOffset {
    /// Reads a stored offset. Entries of other names are left out. A missing
    /// `lsn_commit` is read as `lsn_proc`, and a completed snapshot as none,
    /// since the stream follows it.
    ///
    /// # Errors
    /// If an entry is not of its type, or is a name that is not known.
    pub fn load(map: &OffsetMap) -> Result<Self, LoadOffsetError> {
        let entries = Entries(map);
        let lsn_proc = entries.lsn(LSN_PROC)?;
        let mut offset = Self {
            lsn: entries.lsn(LSN)?,
            lsn_proc,
            lsn_commit: entries.lsn(LSN_COMMIT)?.or(lsn_proc),
            tx_id: match entries.number(TX_ID)? {
                Some(id) => Some(
                    u32::try_from(id)
                        .map_err(|_| entries.wrong(TX_ID, "the number of a transaction"))?,
                ),
                None => None,
            },
            xmin: entries.number(XMIN)?,
            ts_usec: Some(entries.number(TS_USEC)?.unwrap_or(0)),
            message_type: entries.name(MESSAGE_TYPE, MessageType::parse)?,
            events_at_lsn: entries
                .number(EVENTS_AT_LSN)?
                .and_then(|events| u32::try_from(events).ok())
                .unwrap_or(0),
            snapshot: entries.snapshot()?,
            ..Self::default()
        };
        if offset.snapshot.is_some() {
            offset.sent_rows = entries.name(SENT_ROWS, |text| Some(Text::from(text)))?;
        }
        for (name, value) in map.iter() {
            if &**name == TRANSACTION_ID {
                if let Some(id) = entries.name(TRANSACTION_ID, |id| Some(Text::from(id)))? {
                    offset.transaction.restore_id(id);
                }
            } else if name.starts_with(COUNT_PREFIX) {
                let events = entries.number(name)?.unwrap_or(0);
                offset.transaction.restore(name.clone(), events);
            } else if name.starts_with(INCREMENTAL_PREFIX) {
                offset.incremental.push((name.clone(), value.clone()));
            }
        }
        offset.transaction.restored();
        Ok(offset)
    }
}

struct Entries<'a>(&'a OffsetMap);

impl Entries<'_> {
    fn get(&self, entry: &str) -> Option<&Value> {
        self.0.get(entry).filter(|value| !value.is_null())
    }

    fn number(&self, entry: &str) -> Result<Option<i64>, LoadOffsetError> {
        let number = |value: &Value| {
            value
                .as_i64()
                .ok_or_else(|| self.wrong(entry, "a whole number"))
        };
        self.get(entry).map(number).transpose()
    }

    fn lsn(&self, entry: &str) -> Result<Option<Lsn>, LoadOffsetError> {
        Ok(self.number(entry)?.map(Lsn::from_long))
    }

    fn name<T>(
        &self,
        entry: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, LoadOffsetError> {
        let name = |value: &Value| {
            value
                .as_str()
                .and_then(&parse)
                .ok_or_else(|| self.wrong(entry, "a known name"))
        };
        self.get(entry).map(name).transpose()
    }

    /// Newer releases write a boolean, some older ones its text.
    fn flag(&self, entry: &str) -> bool {
        match self.get(entry) {
            Some(Value::Boolean(flag)) => *flag,
            Some(Value::String(text)) => &**text == "true",
            _ => false,
        }
    }

    fn snapshot(&self) -> Result<Option<SnapshotProgress>, LoadOffsetError> {
        let kind = match self.get(SNAPSHOT) {
            // Before kinds had names, all snapshots were initial ones.
            _ if self.flag(SNAPSHOT) => Some(SnapshotKind::Initial),
            Some(Value::Boolean(_)) => None,
            _ => self.name(SNAPSHOT, SnapshotKind::parse)?,
        };
        let completed = self.flag(SNAPSHOT_COMPLETED) || self.flag(LAST_SNAPSHOT_RECORD);
        // An incremental one goes on in the stream, and has entries of its own.
        let holds_stream = |kind: &SnapshotKind| !completed && *kind != SnapshotKind::Incremental;
        Ok(kind.filter(holds_stream).map(SnapshotProgress::begun))
    }

    fn wrong(&self, entry: &str, expected: &'static str) -> LoadOffsetError {
        let found = self.get(entry).map(Value::to_string).unwrap_or_default();
        LoadOffsetError {
            entry: entry.chars().take(100).collect(),
            found: found.chars().take(100).collect(),
            expected,
        }
    }
}
