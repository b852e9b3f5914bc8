//! Asking which brokers lead the partitions, when that is due.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tether_api::offset::TopicPartition;
use tokio::time::Instant;

use super::partitions::{Leader, Partitions};
use super::{FetchSettings, LOG, State};
use crate::broker::messages::{
    ClusterMetadata, INVALID_TOPIC_EXCEPTION, Metadata, TOPIC_AUTHORIZATION_FAILED, TopicMetadata,
};
use crate::broker::{BrokerError, Brokers, Growing, ask};
use crate::{KafkaError, KafkaErrorKind};

/// When leaders are asked for.
pub(super) struct Leaders {
    backoff: Growing,
    max_age: Duration,
    /// When the last answer came, or did not.
    last: Option<Instant>,
    under_way: bool,
    /// Whether a leader is not the one that is known.
    moved: bool,
    /// How often in a row a leader was still missing.
    failures: u32,
}

impl Leaders {
    pub(super) fn new(settings: &FetchSettings) -> Self {
        Self {
            backoff: settings.backoff,
            max_age: settings.metadata_max_age,
            last: None,
            under_way: false,
            moved: false,
            failures: 0,
        }
    }

    /// One of them is not the one that is known.
    pub(super) fn ask_soon(&mut self) {
        self.moved = true;
    }

    /// When to ask next; `None` if not before something changes.
    pub(super) fn due(&self, partitions: &Partitions, now: Instant) -> Option<Instant> {
        if self.under_way || partitions.is_empty() {
            return None;
        }
        let Some(last) = self.last else {
            return Some(now);
        };
        let missing = || !partitions.iter().all(|(_, known)| known.has_leader());
        Some(match self.moved || missing() {
            // The first attempt is made at once.
            true if self.failures == 0 => now,
            true => last + self.backoff.after(self.failures - 1),
            false => last + self.max_age,
        })
    }

    /// Asks any broker.
    pub(super) fn ask(
        &mut self,
        partitions: &Partitions,
        brokers: Arc<dyn Brokers>,
        timeout: Duration,
    ) -> impl Future<Output = Result<ClusterMetadata, BrokerError>> + Send + use<> {
        self.under_way = true;
        self.moved = false;
        let topics: BTreeSet<_> = partitions
            .iter()
            .map(|(partition, _)| partition.topic.clone())
            .collect();
        async move {
            let mut connection = brokers.any().await?;
            let metadata = Metadata {
                topics: topics.into_iter().collect(),
                may_create: false,
            };
            ask(&mut *connection, &metadata, timeout).await
        }
    }

    /// Takes the leaders that a broker knows.
    pub(super) fn answered(&mut self, metadata: &ClusterMetadata, state: &mut State) {
        let is_alive = |node| metadata.brokers.iter().any(|broker| broker.node == node);
        state.partitions.keep_replicas(is_alive);
        for topic in &metadata.topics {
            match topic.error {
                0 => set_leaders(topic, is_alive, &mut state.partitions),
                TOPIC_AUTHORIZATION_FAILED => {
                    state.error = Some(KafkaError::new(
                        KafkaErrorKind::NotAuthorized,
                        format!("Not authorized to access topics: [{}]", topic.name),
                    ));
                }
                INVALID_TOPIC_EXCEPTION => {
                    state.error = Some(KafkaError::new(
                        KafkaErrorKind::Invalid,
                        format!("Topic name is invalid: {}", topic.name),
                    ));
                }
                _ => {}
            }
        }
        let missing: Vec<&TopicPartition> = state
            .partitions
            .iter()
            .filter(|(_, known)| !known.has_leader())
            .map(|(partition, _)| partition)
            .collect();
        match missing.first() {
            None => self.ended(false),
            Some(first) => {
                if self.failures == 0 {
                    tracing::warn!(
                        target: LOG,
                        partitions = missing.len(),
                        first = %first,
                        "Partitions have no leader; asking again until they have"
                    );
                }
                self.ended(true);
            }
        }
    }

    /// No broker has answered. The reason is told once.
    pub(super) fn failed(&mut self, error: &BrokerError) {
        match self.failures {
            0 => {
                tracing::warn!(target: LOG, %error, "Leaders could not be looked up; trying again")
            }
            _ => tracing::debug!(target: LOG, %error, "Leaders could not be looked up again"),
        }
        self.moved = true;
        self.ended(true);
    }

    fn ended(&mut self, failed: bool) {
        self.under_way = false;
        self.last = Some(Instant::now());
        self.failures = match failed {
            true => self.failures.saturating_add(1),
            false => 0,
        };
    }
}

fn set_leaders(topic: &TopicMetadata, is_alive: impl Fn(i32) -> bool, partitions: &mut Partitions) {
    let name: Arc<str> = topic.name.as_str().into();
    for partition in topic
        .partitions
        .iter()
        .filter(|known| is_alive(known.leader))
    {
        let key = TopicPartition::new(name.clone(), partition.partition);
        if let Some(known) = partitions.get_mut(&key) {
            known.set_leader(Leader {
                node: partition.leader,
                epoch: partition.leader_epoch,
            });
        }
    }
}
