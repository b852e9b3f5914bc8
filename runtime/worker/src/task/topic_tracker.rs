//! Which topics a connector uses (KIP-558).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tether_storage::{StatusStore, TaskId, TopicStatus};

/// Notes topics in the status store when a record of theirs is through.
///
/// The store is asked once per topic and batch, so that a topic that was
/// forgotten on request is noted again by the next batch.
pub(super) struct TopicTracker {
    statuses: Arc<dyn StatusStore>,
    id: TaskId,
    enabled: bool,
    /// Topics that need no more thought within this batch.
    seen: HashSet<Arc<str>>,
    /// The topic of the record before: most records go where it went.
    last: Option<Arc<str>>,
    /// Topics that are to be noted once the record of this token is
    /// acknowledged.
    awaiting: Vec<(usize, Arc<str>)>,
}

impl TopicTracker {
    /// For a task; does nothing unless `enabled` (`topic.tracking.enable`).
    pub(super) fn new(statuses: Arc<dyn StatusStore>, id: &TaskId, enabled: bool) -> Self {
        Self {
            statuses,
            id: id.clone(),
            enabled,
            seen: HashSet::new(),
            last: None,
            awaiting: Vec::new(),
        }
    }

    /// A new batch begins.
    pub(super) fn begin_batch(&mut self) {
        self.seen.clear();
        self.last = None;
    }

    /// A record was read from this topic.
    pub(super) fn used(&mut self, topic: &Arc<str>) {
        if self.is_news(topic) {
            self.note(topic.clone());
        }
    }

    /// A record is on its way to this topic.
    pub(super) fn submitted(&mut self, topic: &Arc<str>, token: usize) {
        if self.is_news(topic) {
            self.awaiting.push((token, topic.clone()));
        }
    }

    /// A record was not sent after all.
    pub(super) fn withdrawn(&mut self, token: usize) {
        if let Some(topic) = self.take(token) {
            self.seen.remove(&topic);
            self.last = None;
        }
    }

    /// A record is in Kafka.
    pub(super) fn acknowledged(&mut self, token: usize) {
        if let Some(topic) = self.take(token) {
            self.note(topic);
        }
    }

    fn is_news(&mut self, topic: &Arc<str>) -> bool {
        if !self.enabled {
            return false;
        }
        if self
            .last
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, topic))
        {
            return false;
        }
        self.last = Some(topic.clone());
        self.seen.insert(topic.clone()) && !self.statuses.has_topic(&self.id.connector, topic)
    }

    fn take(&mut self, token: usize) -> Option<Arc<str>> {
        let index = self
            .awaiting
            .iter()
            .position(|(awaited, _)| *awaited == token)?;
        Some(self.awaiting.swap_remove(index).1)
    }

    fn note(&self, topic: Arc<str>) {
        if self.statuses.has_topic(&self.id.connector, &topic) {
            return;
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.statuses.put_topic(TopicStatus {
            topic: topic.to_string(),
            connector: self.id.connector.clone(),
            task: self.id.task,
            discovered: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        });
    }
}
