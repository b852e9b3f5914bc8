//! Subscriptions by pattern.
//!
//! librdkafka's own patterns are POSIX and match parts of names, so the list of
//! topics is matched here, each time it may have changed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ::rdkafka::consumer::{BaseConsumer, Consumer};

use super::context::GroupContext;
use crate::pattern::TopicPattern;
use crate::rdkafka::error::from_library;
use crate::{KafkaErrorKind, Result};

/// How long to wait after the list of topics could not be had.
const RETRY: Duration = Duration::from_secs(1);

/// How long a broker may take for the list.
const PATIENCE: Duration = Duration::from_secs(30);

/// Topics that only brokers and coordinators use (`Topic.INTERNAL_TOPICS`).
const INTERNAL: [&str; 3] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
];

/// A subscription by pattern.
pub(super) struct PatternSubscription {
    pub(super) pattern: TopicPattern,
    subscribed: BTreeSet<String>,
    due: Option<Instant>,
}

impl PatternSubscription {
    /// A subscription whose topics are to be looked for at once.
    pub(super) fn new(pattern: TopicPattern) -> Self {
        Self {
            pattern,
            subscribed: BTreeSet::new(),
            due: Some(Instant::now()),
        }
    }

    /// Whether it is time to look for topics. Only one look is under way.
    pub(super) fn take_due(&mut self) -> bool {
        self.due.take_if(|due| *due <= Instant::now()).is_some()
    }

    /// When the next look is due; `None` while one is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes the topics that were found, and subscribes anew if they changed.
    ///
    /// # Errors
    /// What kept the subscription from being changed.
    pub(super) fn refreshed(
        &mut self,
        consumer: &BaseConsumer<GroupContext>,
        found: Result<BTreeSet<String>>,
        max_age: Duration,
    ) -> Result<()> {
        let now = Instant::now();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.due = Some(now + RETRY);
                return Err(error);
            }
        };
        self.due = Some(now + max_age);
        if found == self.subscribed {
            return Ok(());
        }
        subscribe(consumer, found.iter().map(String::as_str))?;
        self.subscribed = found;
        Ok(())
    }
}

/// The topics of the cluster that match. Blocks.
///
/// # Errors
/// Retriable, if no broker answers.
pub(super) fn find(
    consumer: &BaseConsumer<GroupContext>,
    pattern: &TopicPattern,
    exclude_internal: bool,
) -> Result<BTreeSet<String>> {
    let metadata = consumer.fetch_metadata(None, PATIENCE).map_err(|error| {
        from_library(
            "Failed to read the list of topics",
            &error,
            KafkaErrorKind::Retriable,
        )
    })?;
    Ok(metadata
        .topics()
        .iter()
        .map(|topic| topic.name())
        .filter(|name| !(exclude_internal && INTERNAL.contains(name)) && pattern.matches(name))
        .map(str::to_owned)
        .collect())
}

/// Subscribes to exactly these topics; to none by leaving the group.
///
/// # Errors
/// Invalid, if the names are refused.
pub(super) fn subscribe<'a>(
    consumer: &BaseConsumer<GroupContext>,
    topics: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let topics: Vec<&str> = topics.collect();
    if topics.is_empty() {
        consumer.unsubscribe();
        return Ok(());
    }
    consumer
        .subscribe(&topics)
        .map_err(|error| from_library("Failed to subscribe", &error, KafkaErrorKind::Invalid))
}
