//! Asking which partitions topics have and which brokers lead them, when that is
//! due.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::LOG;
use super::errors::{failure, writing};
use super::outcomes::Outcomes;
use super::settings::ProduceSettings;
use super::state::State;
use super::topics::{Partition, Topic};
use crate::broker::messages::{
    ClusterMetadata, INVALID_TOPIC_EXCEPTION, Metadata, TOPIC_AUTHORIZATION_FAILED, TopicMetadata,
};
use crate::broker::{BrokerError, Brokers, ask};

/// When metadata is asked for.
#[derive(Default)]
pub(super) struct Knowledge {
    /// When the last answer came, or did not.
    last: Option<Instant>,
    under_way: bool,
    /// Whether something is not as it is known.
    outdated: bool,
    /// How often in a row something was still missing.
    failures: u32,
}

impl Knowledge {
    /// Something is not as it is known.
    pub(super) fn ask_soon(&mut self) {
        self.outdated = true;
    }

    /// When to ask next; `None` if not before something changes.
    pub(super) fn due(
        &self,
        state: &State,
        settings: &ProduceSettings,
        now: Instant,
    ) -> Option<Instant> {
        if self.under_way || state.topics.iter().next().is_none() {
            return None;
        }
        let Some(last) = self.last else {
            return Some(now);
        };
        Some(match self.outdated || !state.unknown.is_empty() {
            // The first attempt is made at once, but none right after another.
            true => last + settings.backoff.after(self.failures.saturating_sub(1)),
            false => last + settings.metadata_max_age,
        })
    }

    /// Asks any broker.
    pub(super) fn ask(
        &mut self,
        state: &State,
        brokers: Arc<dyn Brokers>,
        settings: &ProduceSettings,
    ) -> impl Future<Output = Result<ClusterMetadata, BrokerError>> + Send + use<> {
        self.under_way = true;
        self.outdated = false;
        let metadata = Metadata {
            topics: state
                .topics
                .iter()
                .map(|topic| topic.name.clone())
                .collect(),
            may_create: true,
        };
        let timeout = settings.request_timeout;
        async move {
            let mut connection = brokers.any().await?;
            ask(&mut *connection, &metadata, timeout).await
        }
    }

    /// Takes what a broker knows.
    pub(super) fn answered(
        &mut self,
        metadata: &ClusterMetadata,
        state: &mut State,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
    ) {
        let is_alive = |node| metadata.brokers.iter().any(|broker| broker.node == node);
        for told in &metadata.topics {
            let Some(place) = state.topics.find(&told.name) else {
                continue;
            };
            let Some(topic) = state.topics.get_mut(place) else {
                continue;
            };
            if told.error == 0 && !told.partitions.is_empty() {
                set_partitions(topic, told, is_alive);
                state.place_waiting(place, settings, outcomes);
                continue;
            }
            let error = failure(&writing(&told.name), told.error, None);
            if matches!(
                told.error,
                TOPIC_AUTHORIZATION_FAILED | INVALID_TOPIC_EXCEPTION
            ) {
                if let Some(transaction) = &mut state.transaction {
                    transaction.fail(&error);
                }
                state.fail_waiting(place, &error, outcomes, |_| true);
            } else if let Some(topic) = state.topics.get_mut(place) {
                topic.error = Some(error);
            }
        }
        let topics = &state.topics;
        state.unknown.retain(|place| {
            let topic = topics.get(*place);
            topic.is_some_and(|topic| !topic.waiting.is_empty())
        });
        let leaderless = state.active.iter().find(|place| {
            let partition = state.topics.partition(**place);
            partition.is_some_and(|partition| partition.leader.is_none())
        });
        if let Some(place) = leaderless
            && self.failures == 0
        {
            let topic = state.topics.get(place.topic);
            tracing::warn!(
                target: LOG,
                topic = topic.map_or("", |topic| &topic.name),
                partition = place.partition,
                "A partition has no leader; asking again until it has"
            );
        }
        let missing = leaderless.is_some() || !state.unknown.is_empty();
        self.outdated |= leaderless.is_some();
        self.ended(missing);
    }

    /// No broker has answered. The reason is told once.
    pub(super) fn failed(&mut self, error: &BrokerError) {
        match self.failures {
            0 => {
                tracing::warn!(target: LOG, %error, "Leaders could not be looked up; trying again")
            }
            _ => tracing::debug!(target: LOG, %error, "Leaders could not be looked up again"),
        }
        self.outdated = true;
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

fn set_partitions(topic: &mut Topic, told: &TopicMetadata, is_alive: impl Fn(i32) -> bool) {
    // Partitions are numbered from 0 without a gap.
    let count = told.partitions.len();
    topic.count = count;
    topic.error = None;
    if topic.partitions.len() < count {
        topic.partitions.resize_with(count, Partition::default);
    }
    for partition in &told.partitions {
        let known = usize::try_from(partition.partition)
            .ok()
            .and_then(|number| topic.partitions.get_mut(number));
        if let Some(known) = known {
            known.leader = Some(partition.leader).filter(|leader| is_alive(*leader));
        }
    }
}
