//! How far incremental snapshots are, which offsets store (the reference's
//! `AbstractIncrementalSnapshotContext`).

use std::collections::VecDeque;

use tether_api::data::{Text, Value};

use super::collection::{self, DataCollection};
use super::key::{self, Key};
use crate::table::TableId;

const COLLECTIONS: &str = "incremental_snapshot_collections";
const CORRELATION_ID: &str = "incremental_snapshot_correlation_id";
const PRIMARY_KEY: &str = "incremental_snapshot_primary_key";
const MAXIMUM_KEY: &str = "incremental_snapshot_maximum_key";

/// The entries of an offset that tell of incremental snapshots.
pub type Entries = Vec<(Text, Value)>;

/// Which tables wait, and how far the first one has been read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub(super) collections: VecDeque<DataCollection>,
    /// The signal that asked for the latest of them.
    pub(super) correlation_id: Option<String>,
    /// The key behind which the next chunk begins; `None` at the table's begin.
    pub(super) chunk_end: Option<Key>,
    /// The key of the latest row that was made an event.
    pub(super) last_sent: Option<Key>,
    /// The largest key of the table when its snapshot began.
    pub(super) maximum: Option<Key>,
}

/// Stored entries that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "Failed to deserialize '{entry}' with value '{value}': {reason}. The incremental snapshot that \
     it tells of cannot be taken up again; without the entries 'incremental_snapshot_…' the \
     connector goes on without it"
)]
pub struct StateError {
    entry: &'static str,
    value: String,
    reason: String,
}

/// How much of a wrong entry an error shows, in characters.
const SHOWN: usize = 200;

impl State {
    /// Reads stored entries; nothing is under way without them.
    ///
    /// # Errors
    /// If they are not what a release of the reference, or this one, stores.
    pub fn load(entries: &[(Text, Value)]) -> Result<Self, StateError> {
        let text = |name: &str| {
            let found = entries.iter().find(|(entry, _)| **entry == *name);
            found.and_then(|(_, value)| value.as_str())
        };
        let Some(collections) = text(COLLECTIONS) else {
            return Ok(Self::default());
        };
        let wrong = |entry, reason: String| StateError {
            entry,
            value: text(entry)
                .unwrap_or_default()
                .chars()
                .take(SHOWN)
                .collect(),
            reason,
        };
        let key = |entry| match text(entry) {
            None => Ok(None),
            Some(digits) => key::load(digits).map_err(|error| wrong(entry, error.to_string())),
        };
        let last_sent = key(PRIMARY_KEY)?;
        Ok(Self {
            collections: collection::load(collections)
                .map_err(|reason| wrong(COLLECTIONS, reason))?
                .into(),
            correlation_id: text(CORRELATION_ID).map(str::to_owned),
            chunk_end: last_sent.clone(),
            last_sent,
            maximum: key(MAXIMUM_KEY)?,
        })
    }

    /// What an offset stores; nothing, if no snapshot is under way.
    pub(super) fn entries(&self) -> Entries {
        if !self.is_running() {
            return Entries::new();
        }
        let text = |name, value: String| (Text::from_static(name), Value::String(value.into()));
        vec![
            text(PRIMARY_KEY, key::store(self.last_sent.as_ref())),
            text(MAXIMUM_KEY, key::store(self.maximum.as_ref())),
            text(COLLECTIONS, collection::store(self.collections.iter())),
            (
                Text::from_static(CORRELATION_ID),
                self.correlation_id.as_deref().into(),
            ),
        ]
    }

    /// Whether tables wait.
    pub(super) fn is_running(&self) -> bool {
        !self.collections.is_empty()
    }

    /// The table that is read.
    pub(super) fn current(&self) -> Option<&DataCollection> {
        self.collections.front()
    }

    /// The table that is read is done with.
    pub(super) fn next_collection(&mut self) {
        self.collections.pop_front();
        self.chunk_end = None;
        self.last_sent = None;
        self.maximum = None;
    }

    /// The tables that wait, and the one that is read.
    pub(super) fn tables(&self) -> impl Iterator<Item = &TableId> {
        self.collections.iter().map(|collection| &collection.id)
    }

    /// Leaves a table out. Whether it was waiting.
    pub(super) fn remove(&mut self, id: &TableId) -> bool {
        let length = self.collections.len();
        self.collections.retain(|collection| collection.id != *id);
        self.collections.len() < length
    }

    /// Goes back behind the latest row that was made an event: what was read
    /// since is read anew.
    pub(super) fn revert(&mut self) {
        self.chunk_end = self.last_sent.clone();
    }

    /// The names of the tables, as notifications list them.
    pub(super) fn names(&self) -> String {
        names(self.tables())
    }
}

/// Names of tables, as notifications list them.
pub(super) fn names<'a>(ids: impl Iterator<Item = &'a TableId>) -> String {
    let names: Vec<String> = ids.map(TableId::to_string).collect();
    names.join(",")
}

/// The entry that changes with each row: the key of a row that was made an
/// event.
pub(super) fn sent(entries: &mut Entries, key: &Key) {
    let entry = entries.iter_mut().find(|(name, _)| **name == *PRIMARY_KEY);
    if let Some((_, value)) = entry {
        *value = Value::String(key::store(Some(key)).into());
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::KeyValue;
    use super::*;

    fn running() -> State {
        let key = |number| Some(vec![KeyValue::Integer(number)]);
        State {
            collections: VecDeque::from([DataCollection {
                id: TableId::new("public", "inc"),
                condition: None,
                surrogate_key: None,
            }]),
            correlation_id: Some("ad-hoc".to_owned()),
            chunk_end: key(10),
            last_sent: key(10),
            maximum: key(99),
        }
    }

    #[test]
    fn what_is_stored_is_taken_up_again() {
        let mut state = running();
        assert_eq!(State::load(&state.entries()).ok(), Some(state.clone()));
        let mut entries = state.entries();
        sent(&mut entries, &vec![KeyValue::Integer(11)]);
        state.chunk_end = Some(vec![KeyValue::Integer(11)]);
        state.last_sent = state.chunk_end.clone();
        assert_eq!(State::load(&entries).ok(), Some(state.clone()));
        state.next_collection();
        assert!(state.entries().is_empty());
        assert_eq!(State::load(&[]).ok(), Some(State::default()));
    }

    /// A row that is not sent yet is read again.
    #[test]
    fn chunks_that_were_not_sent_are_read_again() {
        let mut state = running();
        state.chunk_end = Some(vec![KeyValue::Integer(20)]);
        let loaded = State::load(&state.entries()).unwrap_or_default();
        assert_eq!(loaded.chunk_end, state.last_sent);
        state.revert();
        assert_eq!(state.chunk_end, loaded.chunk_end);
    }

    #[test]
    fn wrong_entries_say_which() {
        let mut entries = running().entries();
        entries[1].1 = "aced".into();
        let error = State::load(&entries).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        let expected = "Failed to deserialize 'incremental_snapshot_maximum_key' with value \
                        'aced': it does not begin like a serialized object";
        assert!(error.starts_with(expected), "{error}");
    }
}
