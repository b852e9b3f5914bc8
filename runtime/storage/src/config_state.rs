//! What the records of the config topic amount to: a pure state machine
//! (spec section 3.2; `KafkaConfigBackingStore`, `ClusterConfigState`).
//!
//! # Faults that the topic can show
//! - **A leader died between task records and commit.** Its task records wait
//!   as deferred ones and change nothing. The next commit is preceded by a full
//!   new set, which replaces them.
//! - **A task record is gone.** Compaction keeps a task's newest record only,
//!   so an old commit can be left with an incomplete set before it. The
//!   connector is then inconsistent: it has no tasks until a complete commit.
//! - **A commit appears twice.** The producer is not idempotent, so a broker
//!   that dies after appending and before answering leads to a second copy.
//!   Nothing is deferred then, and the tasks are those of the first copy. (The
//!   reference takes the connector for inconsistent in this case.) Twins of
//!   other records say the same again.
//! - **A commit of a deleted connector is left**, the connector's records being
//!   compacted away: it is ignored, together with the task records before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tether_api::config::ConfigMap;

use crate::config_bytes::ConfigRecord;
use crate::{ConfigSnapshot, ConfigUpdate, ConnectorEntry, SessionKey, TargetState, TaskId};

/// The records that were read so far, in effect.
#[derive(Debug)]
pub(crate) struct ConfigState {
    offset: i64,
    connectors: BTreeMap<String, Arc<ConnectorEntry>>,
    /// Also of connectors that are not known yet: an initial state is written
    /// before the connector.
    target_states: HashMap<String, TargetState>,
    deferred: HashMap<String, BTreeMap<u32, ConfigMap>>,
    // These three outlive a connector, as in the reference.
    generations: HashMap<String, u64>,
    task_counts: HashMap<String, u32>,
    pending_fencing: HashSet<String>,
    session_key: Option<SessionKey>,
    /// The present snapshot, if it was asked for since the last record.
    snapshot: Option<Arc<ConfigSnapshot>>,
}

impl Default for ConfigState {
    fn default() -> Self {
        Self {
            offset: -1,
            connectors: BTreeMap::new(),
            target_states: HashMap::new(),
            deferred: HashMap::new(),
            generations: HashMap::new(),
            task_counts: HashMap::new(),
            pending_fencing: HashSet::new(),
            session_key: None,
            snapshot: None,
        }
    }
}

impl ConfigState {
    /// The present state. It is put together once per change.
    pub(crate) fn snapshot(&mut self) -> Arc<ConfigSnapshot> {
        let snapshot = self.snapshot.get_or_insert_with(|| {
            Arc::new(ConfigSnapshot {
                offset: self.offset,
                connectors: self.connectors.clone(),
                session_key: self.session_key.clone(),
            })
        });
        snapshot.clone()
    }

    /// The offset of the next record.
    pub(crate) fn offset(&self) -> i64 {
        self.offset
    }

    /// Passes over a record that is not part of the state.
    pub(crate) fn skip(&mut self, offset: i64) {
        self.offset = offset + 1;
        self.snapshot = None;
    }

    /// Takes the record at this offset in. Returns what changed for those who
    /// have read everything before.
    pub(crate) fn apply(&mut self, offset: i64, record: ConfigRecord) -> Option<ConfigUpdate> {
        self.skip(offset);
        match record {
            ConfigRecord::Connector(name, Some(config)) => Some(self.configure(name, config)),
            ConfigRecord::Connector(name, None) => {
                self.remove(&name);
                Some(ConfigUpdate::ConnectorRemoved(name))
            }
            ConfigRecord::TargetState(name, Some(state)) => self.set_target(name, state),
            ConfigRecord::TargetState(name, None) => {
                self.reset_target(&name);
                None
            }
            ConfigRecord::Task(id, config) => {
                let TaskId { connector, task } = id;
                self.deferred
                    .entry(connector)
                    .or_default()
                    .insert(task, config);
                None
            }
            ConfigRecord::Commit(name, count) => self.commit(name, count),
            ConfigRecord::Restart(request) => Some(ConfigUpdate::Restart(request)),
            ConfigRecord::TaskCount(name, count) => {
                self.pending_fencing.remove(&name);
                if let Some(entry) = self.entry(&name) {
                    entry.task_count_record = Some(count);
                    entry.pending_fencing = false;
                }
                self.task_counts.insert(name, count);
                None
            }
            ConfigRecord::SessionKey(key) => {
                self.session_key = Some(key);
                Some(ConfigUpdate::SessionKey)
            }
            ConfigRecord::LoggerLevel(logger, level) => {
                Some(ConfigUpdate::LoggerLevel { logger, level })
            }
        }
    }

    /// A connector's entry for changes. Snapshots keep the old one.
    fn entry(&mut self, name: &str) -> Option<&mut ConnectorEntry> {
        self.connectors.get_mut(name).map(Arc::make_mut)
    }

    fn configure(&mut self, name: String, config: ConfigMap) -> ConfigUpdate {
        match self.entry(&name) {
            Some(entry) => entry.config = config,
            None => {
                let target_state = *self.target_states.entry(name.clone()).or_default();
                let entry = ConnectorEntry {
                    config,
                    target_state,
                    task_generation: self.generations.get(&name).copied(),
                    task_count_record: self.task_counts.get(&name).copied(),
                    pending_fencing: self.pending_fencing.contains(&name),
                    ..ConnectorEntry::default()
                };
                self.connectors.insert(name.clone(), Arc::new(entry));
            }
        }
        ConfigUpdate::ConnectorConfig(name)
    }

    /// Forgets a connector. Its target state has a tombstone of its own.
    fn remove(&mut self, name: &str) {
        self.connectors.remove(name);
        self.deferred.remove(name);
    }

    fn set_target(&mut self, name: String, state: TargetState) -> Option<ConfigUpdate> {
        let before = self.target_states.insert(name.clone(), state);
        self.entry(&name)?.target_state = state;
        (before != Some(state)).then_some(ConfigUpdate::TargetState(name))
    }

    /// A removed target state is announced by the removal of the connector.
    fn reset_target(&mut self, name: &str) {
        self.target_states.remove(name);
        if let Some(entry) = self.entry(name) {
            entry.target_state = TargetState::default();
            self.target_states
                .insert(name.to_owned(), TargetState::default());
        }
    }

    fn commit(&mut self, name: String, count: u32) -> Option<ConfigUpdate> {
        let Some(entry) = self.connectors.get_mut(&name).map(Arc::make_mut) else {
            self.remove(&name);
            return None;
        };
        let known = self.deferred.contains_key(&name);
        let mut deferred = self
            .deferred
            .get_mut(&name)
            .map(std::mem::take)
            .unwrap_or_default();
        let tasks = count as usize;
        let repeated =
            deferred.is_empty() && !entry.inconsistent && count > 0 && entry.tasks.len() == tasks;
        // With 0 to n-1 present the n smallest numbers are exactly these.
        let complete = deferred.keys().copied().take(tasks).eq(0..count);
        if complete {
            // Numbers from n on are left over from a time with more tasks.
            drop(deferred.split_off(&count));
            entry.tasks = deferred;
            if known {
                let generation = self
                    .generations
                    .entry(name.clone())
                    .and_modify(|generation| *generation += 1)
                    .or_default();
                entry.task_generation = Some(*generation);
            }
            entry.inconsistent = false;
            entry.applied_config = Some(entry.config.clone());
        } else if repeated {
            tracing::debug!(connector = name, "task configurations committed again");
        } else {
            tracing::warn!(
                connector = name,
                tasks,
                "the set of task configurations is incomplete, probably because compaction \
                 removed some; the connector has no tasks until they are written again"
            );
            entry.tasks.clear();
            entry.inconsistent = true;
        }
        entry.task_count = tasks;
        entry.pending_fencing = true;
        self.pending_fencing.insert(name.clone());
        Some(ConfigUpdate::Tasks(name))
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
