//! The consumer: librdkafka is the member of the group, looks up offsets and
//! commits them; records are fetched by [`crate::fetch`].

mod context;
mod place;
mod positions;
mod shared;
mod topics;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::{ClientConfig, Offset};
use async_trait::async_trait;
use tether_api::offset::TopicPartition;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::error::{failure, from_library};
use super::events::{Events, LogTarget};
use super::partitions::{check_topic, offset, with_offsets};
use crate::broker::Brokers;
use crate::fetch::{FetchSettings, Fetcher};
use crate::pattern::TopicPattern;
use crate::properties::Translation;
use crate::tokens::TokenProvider;
use crate::{
    Consumer, ConsumerEvent, KafkaError, KafkaErrorKind, Result, Subscription, TopicPartitionOffset,
};

use context::GroupContext;
use positions::{Position, Reset, absolute};
use shared::Shared;
use topics::{PatternSubscription, subscribe};

/// How often a waiting poll looks by itself. librdkafka wakes it as soon as
/// there is something, but counts the time since the last look against
/// `max.poll.interval.ms`.
const LOOK: Duration = Duration::from_secs(1);

/// How long a broker may take to say where the ends of a log are.
const SEEK_PATIENCE: Duration = Duration::from_secs(30);

/// How soon to look again whether calls that were given up have ended.
const CLOSE_LOOK: Duration = Duration::from_millis(10);

/// A consumer on librdkafka; `None` after `close`.
pub(super) struct RdConsumer {
    shared: Mutex<Option<Arc<Shared>>>,
}

impl RdConsumer {
    pub(super) fn new(
        config: &ClientConfig,
        tokens: Option<Arc<TokenProvider>>,
        translation: &Translation,
        (brokers, fetches): (Arc<dyn Brokers>, FetchSettings),
    ) -> Result<Self> {
        let context = GroupContext::new(Events::new(LogTarget::Consumer, tokens));
        let mut consumer: BaseConsumer<_> =
            config.create_with_context(context).map_err(|error| {
                from_library(
                    "Failed to construct kafka consumer",
                    &error,
                    KafkaErrorKind::Invalid,
                )
            })?;
        let wake = Arc::new(Notify::new());
        let waker = Arc::clone(&wake);
        consumer.set_nonempty_callback(move || waker.notify_one());
        let max_poll_interval = config
            .get("max.poll.interval.ms")
            .and_then(|text| text.parse().ok())
            .map_or(LOOK, Duration::from_millis);
        Ok(Self {
            shared: Mutex::new(Some(Arc::new(Shared {
                fetcher: Fetcher::new(brokers, fetches, Arc::clone(&wake)),
                consumer: Arc::new(consumer),
                state: Mutex::default(),
                wake,
                reset: Reset::of(config.get("auto.offset.reset")),
                look: LOOK.min(max_poll_interval / 3),
                exclude_internal_topics: translation.exclude_internal_topics,
                metadata_max_age: Duration::from_millis(translation.metadata_max_age_ms),
            }))),
        })
    }

    fn shared(&self) -> Result<Arc<Shared>> {
        self.lock().clone().ok_or_else(|| {
            KafkaError::new(
                KafkaErrorKind::Fatal,
                "This consumer has already been closed.",
            )
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Shared>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call that blocks where it may.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared()?;
        tokio::task::spawn_blocking(move || call(&shared))
            .await
            .unwrap_or_else(|_| {
                Err(KafkaError::new(
                    KafkaErrorKind::Fatal,
                    "The call was given up",
                ))
            })
    }
}

/// What callers write as an offset, for each partition.
fn offsets_of(entries: &[TopicPartitionOffset]) -> Vec<(TopicPartition, Offset)> {
    entries
        .iter()
        .map(|entry| (entry.partition.clone(), offset(entry.offset)))
        .collect()
}

#[async_trait]
impl Consumer for RdConsumer {
    fn subscribe(&self, subscription: &Subscription) -> Result<()> {
        let shared = self.shared()?;
        let mut state = shared.state();
        state.in_group = true;
        match subscription {
            Subscription::Pattern(expression) => {
                state.pattern = Some(PatternSubscription::new(TopicPattern::new(expression)?));
                Ok(())
            }
            Subscription::Topics(names) => {
                state.pattern = None;
                for name in names {
                    check_topic(name)?;
                    // librdkafka would take it for a regular expression.
                    if name.starts_with('^') {
                        return Err(KafkaError::new(
                            KafkaErrorKind::Invalid,
                            format!("Topic name is invalid: {name}"),
                        ));
                    }
                }
                subscribe(&shared.consumer, names.iter().map(String::as_str))
            }
        }
    }

    fn assign(&self, partitions: &[TopicPartitionOffset]) -> Result<()> {
        let shared = self.shared()?;
        for entry in partitions {
            check_topic(&entry.partition.topic)?;
        }
        let mut state = shared.state();
        for partition in state.assignment.partitions() {
            shared.fetcher.remove(&partition);
            state.assignment.remove(&partition);
        }
        state.in_group = false;
        for (partition, offset) in offsets_of(partitions) {
            shared.read(&mut state, partition, Position::of(offset));
        }
        Ok(())
    }

    async fn poll(&self, timeout: Duration, max_records: usize) -> Result<ConsumerEvent> {
        let shared = self.shared()?;
        shared.fetcher.start()?;
        let deadline = Instant::now() + timeout;
        loop {
            shared.refresh_topics();
            shared.place_soon()?;
            if let Some(event) = shared.take_event(max_records)? {
                return Ok(event);
            }
            if Instant::now() >= deadline {
                return Ok(ConsumerEvent::Records(Vec::new()));
            }
            let until = deadline.min(shared.next_look());
            // Woken or not, there may be something.
            let _ = timeout_at(until, shared.wake.notified()).await;
        }
    }

    fn accept_assignment(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.shared()?.accept(partitions, true)
    }

    fn accept_revocation(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.shared()?.accept(partitions, false)
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        self.shared()
            .map(|shared| shared.state().assignment.partitions())
            .unwrap_or_default()
    }

    async fn positions(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        let partitions = partitions.to_vec();
        self.shared()?.state().assignment.check(&partitions)?;
        self.blocking(move |shared| {
            shared.place(timeout)?;
            let at = |partition: &TopicPartition| match shared.fetcher.position(partition) {
                Some(offset) => Ok(TopicPartitionOffset {
                    partition: partition.clone(),
                    offset,
                }),
                None => Err(failure(
                    &format!("Failed to read the offsets of partition {partition}"),
                    RDKafkaErrorCode::UnknownPartition,
                )),
            };
            partitions.iter().map(at).collect()
        })
        .await
    }

    async fn seek(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        let partitions = offsets.iter().map(|entry| &entry.partition);
        self.shared()?.state().assignment.check(partitions)?;
        let offsets = offsets_of(offsets);
        self.blocking(move |shared| {
            for entry in absolute(&shared.consumer, &offsets, SEEK_PATIENCE)? {
                shared.fetcher.seek(&entry.partition, entry.offset);
            }
            Ok(())
        })
        .await
    }

    fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        let shared = self.shared()?;
        shared.state().assignment.check(partitions)?;
        shared.fetcher.pause(partitions);
        Ok(())
    }

    fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        let shared = self.shared()?;
        shared.state().assignment.check(partitions)?;
        shared.fetcher.resume(partitions);
        Ok(())
    }

    async fn commit(&self, offsets: &[TopicPartitionOffset]) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let doing = "Offset commit cannot be completed";
        let list = with_offsets(
            offsets
                .iter()
                .map(|entry| (&entry.partition, Offset::Offset(entry.offset))),
        )?;
        let shared = self.shared()?;
        {
            let state = shared.state();
            if state.in_group {
                let partitions = offsets.iter().map(|entry| &entry.partition);
                state.assignment.check_owned(partitions)?;
                if shared.consumer.assignment_lost() {
                    return Err(failure(doing, RDKafkaErrorCode::AssignmentLost));
                }
            }
        }
        self.blocking(move |shared| {
            shared
                .consumer
                .commit(&list, CommitMode::Sync)
                .map_err(|error| from_library(doing, &error, KafkaErrorKind::Retriable))
        })
        .await
    }

    async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        let entries: Vec<_> = partitions
            .iter()
            .map(|partition| (partition.clone(), Offset::End))
            .collect();
        self.blocking(move |shared| absolute(&shared.consumer, &entries, timeout))
            .await
    }

    fn known_end_offset(&self, partition: &TopicPartition) -> Option<i64> {
        self.shared().ok()?.fetcher.end_offset(partition)
    }

    async fn close(&self) {
        let Some(shared) = self.lock().take() else {
            return;
        };
        shared.prepare_close();
        // Calls that were given up may still have a share for a while.
        while Arc::strong_count(&shared) > 1 {
            sleep(CLOSE_LOOK).await;
        }
        // The end of the consumer leaves the group, and blocks until it has.
        let _ = tokio::task::spawn_blocking(move || drop(shared)).await;
    }
}

impl Drop for RdConsumer {
    fn drop(&mut self) {
        let Some(shared) = self.lock().take() else {
            return;
        };
        shared.prepare_close();
        // The end of the consumer blocks until it has left the group. Without a
        // thread for it, it has to happen here.
        let _ = std::thread::Builder::new()
            .name("kafka-close".to_owned())
            .spawn(move || drop(shared));
    }
}
