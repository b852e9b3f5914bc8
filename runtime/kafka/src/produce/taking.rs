//! Taking records: each goes into the open batch of its partition, as far as
//! there is memory.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::batch::Batch;
use super::errors::writing;
use super::outcomes::Outcomes;
use super::partitioner;
use super::settings::ProduceSettings;
use super::state::State;
use super::topics::{Place, Waiting};
use crate::records::largest_size;
use crate::{KafkaError, KafkaErrorKind, OutgoingRecord};

/// The clocks, read once for many records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) at: Instant,
    timestamp: i64,
}

impl Now {
    pub(super) fn read() -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            at: Instant::now(),
            timestamp: time.map_or(0, |time| {
                i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
            }),
        }
    }
}

impl State {
    /// Takes a record. Returns whether the task has to look.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn take(
        &mut self,
        record: &OutgoingRecord<'_>,
        token: usize,
        now: Now,
        settings: &ProduceSettings,
    ) -> Result<bool, KafkaError> {
        let invalid = |what: String| KafkaError::new(KafkaErrorKind::Invalid, what);
        let timestamp = record.timestamp.unwrap_or(now.timestamp);
        if timestamp < 0 {
            return Err(invalid(format!(
                "Invalid timestamp: {timestamp}. Timestamp should always be non-negative or null."
            )));
        }
        let size = largest_size(record);
        if size > settings.max_request_size {
            return Err(invalid(format!(
                "{}: the message is {size} bytes when serialized which is larger than {}, which \
                 is the value of the max.request.size configuration.",
                writing(record.topic),
                settings.max_request_size
            )));
        }
        if size > settings.buffer_memory {
            return Err(invalid(format!(
                "{}: the message is {size} bytes when serialized which is larger than the total \
                 memory buffer you have configured with the buffer.memory configuration.",
                writing(record.topic)
            )));
        }
        if self.used + size > settings.buffer_memory {
            self.starved = true;
            return Err(KafkaError::new(
                KafkaErrorKind::QueueFull,
                "The producer's queue is full",
            ));
        }
        let topic = self.topics.place(record.topic)?;
        let looks = match self.choose(topic, record, now.at, settings)? {
            Some(partition) => {
                let place = Place { topic, partition };
                self.append(place, record, (size, timestamp, token), now.at, settings)
            }
            None => {
                let waiting = Waiting::new(record, timestamp, token, now.at, size);
                self.wait(topic, waiting)
            }
        };
        self.outstanding += 1;
        Ok(looks)
    }

    fn wait(&mut self, topic: usize, waiting: Waiting) -> bool {
        let Some(known) = self.topics.get_mut(topic) else {
            return false;
        };
        self.used += waiting.charged;
        let first = known.waiting.is_empty();
        known.waiting.push_back(waiting);
        if first {
            self.unknown.push(topic);
        }
        first
    }

    /// The partition of a record; `None` if those of the topic are not known.
    fn choose(
        &mut self,
        topic: usize,
        record: &OutgoingRecord<'_>,
        now: Instant,
        settings: &ProduceSettings,
    ) -> Result<Option<usize>, KafkaError> {
        let Some(topic) = self.topics.get_mut(topic) else {
            return Ok(None);
        };
        if let Some(partition) = record.partition {
            let Ok(place) = usize::try_from(partition) else {
                return Err(KafkaError::new(
                    KafkaErrorKind::Invalid,
                    format!(
                        "Invalid partition: {partition}. Partition number should always be \
                         non-negative or null."
                    ),
                ));
            };
            if topic.count > 0 && place >= topic.count {
                self.look_again = true;
                return Err(KafkaError::new(
                    KafkaErrorKind::NotFound,
                    format!(
                        "{}: it has no partition {partition}, only {}",
                        writing(&topic.name),
                        topic.count
                    ),
                ));
            }
            return Ok((topic.count > 0).then_some(place));
        }
        if topic.count == 0 {
            return Ok(None);
        }
        Ok(Some(match record.key {
            Some(key) if !settings.ignore_keys => partitioner::of_key(key, topic.count),
            _ => {
                let partitions = &topic.partitions;
                topic.sticky.partition(topic.count, now, |at| {
                    partitions
                        .get(at)
                        .is_some_and(|known| known.leader.is_some())
                })
            }
        }))
    }

    /// Appends a record to the open batch of its partition. Returns whether the
    /// task has to look.
    fn append(
        &mut self,
        place: Place,
        record: &OutgoingRecord<'_>,
        (size, timestamp, token): (usize, i64, usize),
        now: Instant,
        settings: &ProduceSettings,
    ) -> bool {
        let Some(partition) = self.topics.partition_mut(place) else {
            return false;
        };
        let mut looks = false;
        if let Some(open) = &partition.open
            && open.filling.len() + size > settings.batch_size
        {
            partition.close();
            looks = true;
        }
        let batch = partition.open.get_or_insert_with(|| {
            partition.batches += 1;
            let buffer = self.buffers.pop().unwrap_or_default();
            let batch = Batch::new(buffer, now, partition.batches);
            self.used += batch.charged;
            // Unless the task looks before this batch is due.
            looks |= self
                .next_look
                .is_none_or(|next| next > now + settings.linger);
            batch
        });
        let before = batch.filling.len();
        batch.filling.push(record, timestamp);
        batch.tokens.push(token);
        let taken = batch.filling.len() - before;
        batch.charged += taken;
        self.used += taken;
        if !partition.active {
            partition.active = true;
            self.active.push(place);
        }
        looks
    }

    /// Places the records that have waited for the partitions of a topic.
    pub(super) fn place_waiting(
        &mut self,
        topic: usize,
        settings: &ProduceSettings,
        outcomes: &mut Outcomes,
    ) {
        let Some(known) = self.topics.get_mut(topic).filter(|known| known.count > 0) else {
            return;
        };
        let name = Arc::clone(&known.name);
        for waiting in std::mem::take(&mut known.waiting) {
            self.used -= waiting.charged;
            let (now, token) = (Instant::now(), waiting.token);
            let placed = waiting.with(&name, |record| {
                let partition = self.choose(topic, record, now, settings)?.unwrap_or(0);
                let place = Place { topic, partition };
                self.append(
                    place,
                    record,
                    (waiting.charged, waiting.timestamp, token),
                    waiting.since,
                    settings,
                );
                Ok(())
            });
            if let Err(error) = placed {
                outcomes.tokens_failed(vec![token], error);
            }
        }
    }
}
