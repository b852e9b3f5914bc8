//! What the records of the status topic and this worker's own writes amount to:
//! a pure state machine (spec section 3.4; `KafkaStatusBackingStore`).
//!
//! # Faults that the topic can show
//! - **An old owner's UNASSIGNED comes after a new owner's RUNNING.** It is
//!   ignored on reading, and not written at all once the RUNNING was read
//!   ("safe" writes).
//! - **A write fails while newer ones exist**: it is given up. The newest write
//!   of a key is repeated until it is durable, or until the group has a new
//!   generation, which brings new statuses.
//! - **A connector is deleted and made again at once.** The tombstone that this
//!   worker wrote is read after statuses of the new tasks were put; it deletes
//!   them no more, for it took effect when it was put.
//! - **Records are read again from the beginning**, because the topic was made
//!   anew: they are taken as they come.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::status_bytes::{Status, StatusKey};
use crate::status_entry::StatusEntry;
use crate::{ConnectorStatus, State, TaskId, TaskStatus, TopicStatus};

/// A record of this worker's to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusWrite {
    /// Orders the writes of this worker.
    sequence: u64,
    pub(crate) key: StatusKey,
    /// `None` is a tombstone.
    pub(crate) value: Option<Bytes>,
    /// Worker and generation of a status; a topic's record has none.
    owner: Option<(String, i32)>,
    /// Not to be written over the status of a later owner.
    safe: bool,
}

/// Statuses as this worker sees them.
#[derive(Debug, Default)]
pub(crate) struct StatusState {
    entries: BTreeMap<StatusKey, StatusEntry>,
    /// Of the latest write.
    generation: i32,
    sequence: u64,
    /// The last offset that was read of each partition.
    read: HashMap<i32, i64>,
}

impl StatusState {
    /// A status is to be written; `None` if it is not to be: a safe write over
    /// the status of a later owner, or a topic that is known.
    pub(crate) fn put(&mut self, status: Status, safe: bool) -> Option<StatusWrite> {
        let key = status.key();
        let owner = status
            .owner()
            .map(|(worker_id, generation)| (worker_id.to_owned(), generation));
        let found = self.entries.get(&key).and_then(StatusEntry::visible);
        match &owner {
            Some((_, generation)) => self.generation = *generation,
            None if found.is_some() => return None,
            None => {}
        }
        if safe && !yields(found, owner.as_ref()) {
            return None;
        }
        if status.state() != Some(State::Destroyed) {
            let value = Some(status.encode());
            return Some(self.write(key, value, Some(status), owner, safe));
        }
        if let StatusKey::Connector(connector) = &key {
            for (_, entry) in tasks_of(&mut self.entries, connector) {
                entry.forget();
            }
            self.entries.retain(|_, entry| !entry.is_empty());
        }
        Some(self.write(key, None, None, owner, safe))
    }

    /// The tombstones of all topics of a connector are to be written.
    pub(crate) fn reset_topics(&mut self, connector: &str) -> Vec<StatusWrite> {
        self.topics(connector)
            .into_iter()
            .map(|status| self.write(Status::Topic(status).key(), None, None, None, false))
            .collect()
    }

    fn write(
        &mut self,
        key: StatusKey,
        value: Option<Bytes>,
        status: Option<Status>,
        owner: Option<(String, i32)>,
        safe: bool,
    ) -> StatusWrite {
        self.sequence += 1;
        self.entries
            .entry(key.clone())
            .or_default()
            .put(self.sequence, status);
        StatusWrite {
            sequence: self.sequence,
            key,
            value,
            owner,
            safe,
        }
    }

    /// A write is durable, at this offset; -1 if that is not known.
    pub(crate) fn written(&mut self, write: &StatusWrite, offset: i64) {
        self.change(&write.key, |entry| entry.written(write.sequence, offset));
    }

    /// Whether a write that failed is to be repeated; if not, it is given up.
    pub(crate) fn retries(&mut self, write: &StatusWrite) -> bool {
        let of_now = match &write.owner {
            Some((_, generation)) => *generation == self.generation,
            None => true,
        };
        let retries = of_now
            && self.entries.get(&write.key).is_some_and(|entry| {
                entry.is_current(write.sequence)
                    && (!write.safe || yields(entry.stored(), write.owner.as_ref()))
            });
        if !retries {
            self.abandon(write);
        }
        retries
    }

    /// A write is given up; what the topic has shows again.
    pub(crate) fn abandon(&mut self, write: &StatusWrite) {
        self.change(&write.key, |entry| entry.abandon(write.sequence));
    }

    /// The number of the latest write.
    pub(crate) fn latest_write(&self) -> u64 {
        self.sequence
    }

    /// Whether a write up to this number is neither durable nor given up.
    pub(crate) fn is_writing(&self, up_to: u64) -> bool {
        self.entries
            .values()
            .filter_map(StatusEntry::pending)
            .any(|sequence| sequence <= up_to)
    }

    /// Takes a record of the topic in.
    pub(crate) fn read(
        &mut self,
        partition: i32,
        offset: i64,
        key: StatusKey,
        status: Option<Status>,
    ) {
        if self.read.insert(partition, offset) > Some(offset) {
            self.entries.values_mut().for_each(StatusEntry::rewind);
        }
        let entry = self.entries.entry(key.clone()).or_default();
        if is_outdated(status.as_ref(), entry.stored()) {
            return;
        }
        if status.is_none() && entry.is_foreign(offset) {
            entry.overtake();
            if let StatusKey::Connector(connector) = &key {
                for (_, entry) in tasks_of(&mut self.entries, connector) {
                    entry.overtake();
                }
                self.entries
                    .retain(|found, entry| *found == key || !entry.is_empty());
            }
        }
        self.change(&key, |entry| entry.read(offset, status));
    }

    /// Changes an entry that exists, and drops it if nothing is left.
    fn change(&mut self, key: &StatusKey, change: impl FnOnce(&mut StatusEntry)) {
        if let Some(entry) = self.entries.get_mut(key) {
            change(entry);
            if entry.is_empty() {
                self.entries.remove(key);
            }
        }
    }

    pub(crate) fn connector(&self, name: &str) -> Option<ConnectorStatus> {
        match self.visible(&StatusKey::Connector(name.to_owned()))? {
            Status::Connector(status) => Some(status.clone()),
            _ => None,
        }
    }

    pub(crate) fn connectors(&self) -> Vec<String> {
        self.entries
            .iter()
            .map_while(|(key, entry)| match key {
                StatusKey::Connector(name) => Some((name, entry)),
                _ => None,
            })
            .filter(|(_, entry)| entry.visible().is_some())
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(crate) fn task(&self, id: &TaskId) -> Option<TaskStatus> {
        match self.visible(&StatusKey::Task(id.clone()))? {
            Status::Task(status) => Some(status.clone()),
            _ => None,
        }
    }

    pub(crate) fn tasks(&self, connector: &str) -> Vec<TaskStatus> {
        self.entries
            .range(StatusKey::Task(TaskId::new(connector, 0))..)
            .take_while(|(key, _)| is_task_of(key, connector))
            .filter_map(|(_, entry)| match entry.visible()? {
                Status::Task(status) => Some(status.clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn has_topic(&self, connector: &str, topic: &str) -> bool {
        let key = StatusKey::Topic {
            connector: connector.to_owned(),
            topic: topic.to_owned(),
        };
        self.visible(&key).is_some()
    }

    pub(crate) fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        let first = StatusKey::Topic {
            connector: connector.to_owned(),
            topic: String::new(),
        };
        self.entries
            .range(first..)
            .take_while(|(key, _)| {
                matches!(key, StatusKey::Topic { connector: name, .. } if name == connector)
            })
            .filter_map(|(_, entry)| match entry.visible()? {
                Status::Topic(status) => Some(status.clone()),
                _ => None,
            })
            .collect()
    }

    fn visible(&self, key: &StatusKey) -> Option<&Status> {
        self.entries.get(key)?.visible()
    }
}

/// Whether a status may be replaced by this owner's: not if another worker
/// wrote it in a later generation.
fn yields(found: Option<&Status>, owner: Option<&(String, i32)>) -> bool {
    match (found.and_then(Status::owner), owner) {
        (Some((worker_id, generation)), Some(owner)) => {
            worker_id == owner.0 || generation <= owner.1
        }
        _ => true,
    }
}

/// Whether a task's status that was read is an old owner's farewell, which came
/// after the new owner's RUNNING.
fn is_outdated(new: Option<&Status>, stored: Option<&Status>) -> bool {
    match (new, stored) {
        (Some(Status::Task(new)), Some(Status::Task(stored))) => {
            new.state == State::Unassigned
                && stored.state == State::Running
                && stored.generation >= new.generation
        }
        _ => false,
    }
}

fn is_task_of(key: &StatusKey, connector: &str) -> bool {
    matches!(key, StatusKey::Task(id) if id.connector == connector)
}

fn tasks_of<'a>(
    entries: &'a mut BTreeMap<StatusKey, StatusEntry>,
    connector: &'a str,
) -> impl Iterator<Item = (&'a StatusKey, &'a mut StatusEntry)> {
    entries
        .range_mut(StatusKey::Task(TaskId::new(connector, 0))..)
        .take_while(move |(key, _)| is_task_of(key, connector))
}

#[cfg(test)]
mod tests;
