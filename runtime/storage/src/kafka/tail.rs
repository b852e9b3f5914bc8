//! The reading half of a log: one consumer of all partitions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tether_api::{ConnectError, Result};
use tether_kafka::{
    Admin, Clients, ConsumedRecord, Consumer, ConsumerEvent, KafkaError, KafkaErrorKind,
    TopicPartitionOffset,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::acknowledgements::Acknowledgements;
use super::log::{Consumed, LogParts, by_partition};
use super::topic;

/// The offset that stands for the beginning of a partition.
const BEGINNING: i64 = -2;
const POLL_TIMEOUT: Duration = Duration::from_millis(500);
/// The same while somebody waits for the end of the topic: a transaction's marker
/// is no record that would end a poll.
const AWAITED_POLL_TIMEOUT: Duration = Duration::from_millis(20);
const MAX_RECORDS: usize = 500;
/// How long one look-up of offsets may take.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a start goes on without getting further, and how often it tries.
const START_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const START_BACKOFF: Duration = Duration::from_secs(10);
/// The first wait; it doubles up to [`START_BACKOFF`]. The leaders of a topic
/// that was just created know of it a moment later.
const START_MIN_BACKOFF: Duration = Duration::from_millis(20);
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// How often to look for partitions that were added.
const PARTITIONS_INTERVAL: Duration = Duration::from_secs(5 * 60);
const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// How far a log has been read.
pub(crate) struct Progress {
    /// The offset of the next record of each partition.
    next: watch::Sender<Vec<i64>>,
    consumer: Mutex<Arc<dyn Consumer>>,
}

impl Progress {
    /// Waits until all records before these offsets have been read.
    pub(crate) async fn reach(&self, ends: &[i64]) {
        // It cannot fail: the sender is `self`.
        let _ = self
            .next
            .subscribe()
            .wait_for(|next| is_at(next, ends))
            .await;
    }

    /// The number of partitions that are read.
    pub(crate) fn partitions(&self) -> i32 {
        i32::try_from(self.next.borrow().len()).unwrap_or(i32::MAX)
    }

    /// The consumer that reads at present. Others than the tail only look up
    /// end offsets.
    pub(crate) fn consumer(&self) -> Arc<dyn Consumer> {
        // No code that can panic runs while the lock is held.
        self.consumer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn replace_consumer(&self, consumer: Arc<dyn Consumer>) -> Arc<dyn Consumer> {
        let mut current = self.consumer.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, consumer)
    }

    fn is_awaited(&self) -> bool {
        self.next.receiver_count() > 0
    }
}

/// Whether everything before the ends is read. The beginning of an empty
/// partition is its end.
fn is_at(next: &[i64], ends: &[i64]) -> bool {
    ends.iter()
        .enumerate()
        .all(|(index, end)| next.get(index).copied().unwrap_or(0).max(0) >= *end)
}

/// Reads a topic to its end, and then for ever.
pub(crate) struct Tail {
    clients: Arc<dyn Clients>,
    admin: Arc<dyn Admin>,
    topic: Arc<str>,
    properties: ConfigMap,
    consumed: Consumed,
    acknowledgements: Arc<Acknowledgements>,
    progress: Arc<Progress>,
    backoff: Duration,
    look_for_partitions: Instant,
}

impl Tail {
    /// A consumer at the beginning of these many partitions.
    ///
    /// # Errors
    /// If there is something wrong with the properties.
    pub(crate) fn new(
        parts: &LogParts,
        acknowledgements: Arc<Acknowledgements>,
        partitions: i32,
    ) -> Result<Self> {
        let properties = parts.consumer.clone();
        let consumer = parts.clients.consumer(&properties)?;
        let next = vec![BEGINNING; usize::try_from(partitions).unwrap_or(0)];
        let tail = Self {
            clients: parts.clients.clone(),
            admin: parts.admin.clone(),
            topic: Arc::from(parts.topic.name.as_str()),
            properties,
            consumed: parts.consumed.clone(),
            acknowledgements,
            progress: Arc::new(Progress {
                next: watch::Sender::new(next),
                consumer: Mutex::new(consumer),
            }),
            backoff: MIN_BACKOFF,
            look_for_partitions: Instant::now() + PARTITIONS_INTERVAL,
        };
        tail.assign()?;
        Ok(tail)
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Reads everything that is in the topic now.
    ///
    /// # Errors
    /// If nothing could be read for 15 minutes, or never will.
    pub(crate) async fn catch_up(&mut self) -> Result<()> {
        let ends = self.ends_at_start().await?;
        let mut log = Instant::now() + LOG_INTERVAL;
        let mut deadline = Instant::now() + START_TIMEOUT;
        while !is_at(&self.progress.next.borrow(), &ends) {
            let before = self.progress.next.borrow().clone();
            match self
                .progress
                .consumer()
                .poll(POLL_TIMEOUT, MAX_RECORDS)
                .await
            {
                Ok(event) => self.take(event, true).await,
                Err(error) if error.kind == KafkaErrorKind::Retriable => {
                    self.recover(&error).await;
                }
                Err(error) => return Err(error.into()),
            }
            let now = Instant::now();
            if *self.progress.next.borrow() != before {
                deadline = now + START_TIMEOUT;
            }
            if now >= log {
                log = now + LOG_INTERVAL;
                let next = self.progress.next.borrow().clone();
                tracing::info!(topic = %self.topic, ?next, ?ends, "still reading to the end");
            }
            if now >= deadline {
                return Err(ConnectError::other(format!(
                    "Could not read topic '{}' to its end: nothing arrived for {} minutes",
                    self.topic,
                    START_TIMEOUT.as_secs() / 60
                )));
            }
        }
        Ok(())
    }

    async fn ends_at_start(&self) -> Result<Vec<i64>> {
        let deadline = Instant::now() + START_TIMEOUT;
        let partitions = self.partitions();
        let mut backoff = START_MIN_BACKOFF;
        loop {
            let error = match self.admin.end_offsets(&partitions, LOOK_UP_TIMEOUT).await {
                Ok(found) => return Ok(by_partition(self.progress.partitions(), &found)),
                Err(error) if error.kind == KafkaErrorKind::Retriable => error,
                Err(error) => return Err(error.into()),
            };
            if Instant::now() + backoff >= deadline {
                return Err(ConnectError::other(format!(
                    "Fail to list offsets for topic partitions: the end of topic '{}' could not be looked up for \
                     {} minutes",
                    self.topic,
                    START_TIMEOUT.as_secs() / 60
                ))
                .caused_by(error));
            }
            if backoff >= START_BACKOFF {
                tracing::warn!(topic = %self.topic, %error, "cannot look up the topic's end");
            }
            sleep(backoff).await;
            backoff = (backoff * 2).min(START_BACKOFF);
        }
    }

    /// Reads until it is told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let reading = async {
            loop {
                let timeout = if self.progress.is_awaited() {
                    AWAITED_POLL_TIMEOUT
                } else {
                    POLL_TIMEOUT
                };
                match self.progress.consumer().poll(timeout, MAX_RECORDS).await {
                    Ok(event) => {
                        self.backoff = MIN_BACKOFF;
                        self.take(event, self.progress.is_awaited()).await;
                    }
                    Err(error) => self.recover(&error).await,
                }
                self.follow_partitions().await;
            }
        };
        tokio::select! {
            () = reading => {}
            () = stop.cancelled() => {}
        }
        self.progress.consumer().close().await;
    }

    /// Takes records in. Without any the positions tell, if somebody waits,
    /// whether the rest of the topic has none: a transaction's marker, say.
    async fn take(&self, event: ConsumerEvent, awaited: bool) {
        let records = match event {
            ConsumerEvent::Records(records) => records,
            // Not without a group.
            ConsumerEvent::Assigned(_) | ConsumerEvent::Revoked(_) | ConsumerEvent::Lost(_) => {
                return;
            }
        };
        if records.is_empty() {
            if awaited {
                self.ask_positions().await;
            }
            return;
        }
        let mut next = self.progress.next.borrow().clone();
        for record in records {
            self.note(&mut next, &record);
            (self.consumed)(record);
        }
        self.progress.next.send_replace(next);
    }

    fn note(&self, next: &mut [i64], record: &ConsumedRecord) {
        let slot = usize::try_from(record.partition)
            .ok()
            .and_then(|index| next.get_mut(index));
        let Some(slot) = slot else {
            return;
        };
        if record.offset < *slot {
            tracing::warn!(
                topic = %self.topic,
                partition = record.partition,
                expected = *slot,
                found = record.offset,
                "records come again from an earlier offset; was the topic made anew?"
            );
        }
        *slot = record.offset + 1;
    }

    async fn ask_positions(&self) {
        let count = self.progress.partitions();
        let consumer = self.progress.consumer();
        match consumer
            .positions(&self.partitions(), LOOK_UP_TIMEOUT)
            .await
        {
            Ok(found) => self.progress.next.send_modify(|next| {
                let positions = by_partition(count, &found);
                for (slot, position) in next.iter_mut().zip(positions) {
                    *slot = position.max(*slot);
                }
            }),
            Err(error) => {
                tracing::debug!(topic = %self.topic, %error, "cannot look up positions");
            }
        }
    }

    /// After an error: waits, and replaces a consumer that will not recover.
    async fn recover(&mut self, error: &KafkaError) {
        tracing::warn!(topic = %self.topic, %error, "cannot read the topic, retrying");
        sleep(self.backoff).await;
        self.backoff = (self.backoff * 2).min(MAX_BACKOFF);
        if error.kind == KafkaErrorKind::Retriable {
            return;
        }
        match self.clients.consumer(&self.properties) {
            Ok(consumer) => {
                let old = self.progress.replace_consumer(consumer);
                old.close().await;
                if let Err(error) = self.assign() {
                    tracing::error!(topic = %self.topic, %error, "cannot assign partitions");
                }
            }
            Err(error) => {
                tracing::error!(topic = %self.topic, %error, "cannot make a new consumer");
            }
        }
    }

    /// Reads partitions that were added to the topic.
    async fn follow_partitions(&mut self) {
        let known = self.progress.partitions();
        let now = Instant::now();
        if now < self.look_for_partitions && self.acknowledgements.highest_partition() < known {
            return;
        }
        self.look_for_partitions = now + PARTITIONS_INTERVAL;
        let count = match topic::count_partitions(self.admin.as_ref(), &self.topic).await {
            Ok(Some(count)) if count > known => count,
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(topic = %self.topic, %error, "cannot look for new partitions");
                return;
            }
        };
        tracing::info!(topic = %self.topic, known, count, "the topic has new partitions");
        let mut next = self.progress.next.borrow().clone();
        next.resize(usize::try_from(count).unwrap_or(0), BEGINNING);
        self.progress.next.send_replace(next);
        if let Err(error) = self.assign() {
            tracing::error!(topic = %self.topic, %error, "cannot assign partitions");
        }
    }

    /// Reads all partitions from where they were left.
    fn assign(&self) -> Result<()> {
        let offsets: Vec<TopicPartitionOffset> = self
            .partitions()
            .into_iter()
            .zip(self.progress.next.borrow().iter())
            .map(|(partition, offset)| TopicPartitionOffset {
                partition,
                offset: *offset,
            })
            .collect();
        Ok(self.progress.consumer().assign(&offsets)?)
    }

    fn partitions(&self) -> Vec<TopicPartition> {
        (0..self.progress.partitions())
            .map(|partition| TopicPartition::new(self.topic.clone(), partition))
            .collect()
    }
}
