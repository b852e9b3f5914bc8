//! The topics of one producer, their partitions, and what waits there.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::batch::Batch;
use super::partitioner::Sticky;
use crate::broker::messages::ProducerIdentity;
use crate::{KafkaError, KafkaErrorKind, OutgoingRecord};

/// The longest name of a topic.
const LONGEST_NAME: usize = 249;

/// Which partition of which topic, by their places in [`Topics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) topic: usize,
    pub(super) partition: usize,
}

/// All topics that records were sent to. None is ever forgotten: brokers
/// remember the sequences of its partitions.
#[derive(Default)]
pub(super) struct Topics {
    all: Vec<Topic>,
    by_name: HashMap<Arc<str>, usize>,
    /// The topic of the record before: mostly the right one.
    last: usize,
}

/// A topic.
pub(super) struct Topic {
    pub(super) name: Arc<str>,
    /// How many partitions it has; 0 until that is known.
    pub(super) count: usize,
    /// Those that are known. There may be more of them than the topic has now.
    pub(super) partitions: Vec<Partition>,
    pub(super) sticky: Sticky,
    /// Records that wait for the partitions to be known.
    pub(super) waiting: VecDeque<Waiting>,
    /// Why the partitions are not known.
    pub(super) error: Option<KafkaError>,
}

/// A key or a value; `None` is null.
type Part = Option<Box<[u8]>>;

/// A record of a topic whose partitions are not known.
pub(super) struct Waiting {
    partition: Option<i32>,
    key: Part,
    value: Part,
    headers: Vec<(Box<str>, Part)>,
    pub(super) timestamp: i64,
    pub(super) token: usize,
    pub(super) since: Instant,
    pub(super) charged: usize,
}

/// A partition.
#[derive(Default)]
pub(super) struct Partition {
    pub(super) leader: Option<i32>,
    /// The batch that records are appended to.
    pub(super) open: Option<Batch>,
    /// Batches before that one, the oldest first.
    pub(super) queue: VecDeque<Batch>,
    /// How many batches are under way.
    pub(super) in_flight: usize,
    /// Whether it is among those that have something to send.
    pub(super) active: bool,
    /// How many batches were begun.
    pub(super) batches: u64,
    /// When the next attempt may be made.
    pub(super) not_before: Option<Instant>,
    /// Whose sequences these are.
    pub(super) producer: Option<ProducerIdentity>,
    /// The sequence of the next batch that has none.
    pub(super) next_sequence: i32,
    /// Whether the broker has taken a batch of that producer.
    pub(super) proven: bool,
    /// Whether a batch is missing among those that have sequences.
    pub(super) gap: Gap,
    /// Whether it belongs to the open transaction.
    pub(super) in_transaction: InTransaction,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    #[default]
    No,
    /// A batch was given up that the broker may have or not. Those that follow
    /// and were sent are sent again as they were: the broker tells.
    Possible,
    /// The broker does not have it, so that it takes nothing that follows.
    Certain,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTransaction {
    #[default]
    No,
    Asked,
    Yes,
}

impl Waiting {
    pub(super) fn new(
        record: &OutgoingRecord<'_>,
        timestamp: i64,
        token: usize,
        since: Instant,
        charged: usize,
    ) -> Self {
        Self {
            partition: record.partition,
            key: record.key.map(Into::into),
            value: record.value.map(Into::into),
            headers: record
                .headers
                .iter()
                .map(|(name, value)| ((*name).into(), value.map(Into::into)))
                .collect(),
            timestamp,
            token,
            since,
            charged,
        }
    }

    /// Lends the record.
    pub(super) fn with<T>(&self, topic: &str, use_it: impl FnOnce(&OutgoingRecord<'_>) -> T) -> T {
        let headers: Vec<(&str, Option<&[u8]>)> = self
            .headers
            .iter()
            .map(|(name, value)| (&**name, value.as_deref()))
            .collect();
        use_it(&OutgoingRecord {
            topic,
            partition: self.partition,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            timestamp: Some(self.timestamp),
            headers: &headers,
        })
    }
}

impl Partition {
    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none() && self.queue.is_empty()
    }

    /// Nothing more is appended to the open batch.
    pub(super) fn close(&mut self) {
        self.queue.extend(self.open.take());
    }

    /// Puts a batch back among those that wait, before those that came later.
    pub(super) fn put_back(&mut self, batch: Batch) {
        let behind = |queued: &Batch| queued.order >= batch.order;
        let at = self.queue.iter().position(behind);
        self.queue.insert(at.unwrap_or(self.queue.len()), batch);
    }
}

impl Topics {
    /// The place of a topic, which is known from now on.
    ///
    /// # Errors
    /// Invalid, if no topic can have this name.
    pub(super) fn place(&mut self, name: &str) -> Result<usize, KafkaError> {
        if let Some(topic) = self.all.get(self.last)
            && *topic.name == *name
        {
            return Ok(self.last);
        }
        self.last = match self.by_name.get(name) {
            Some(place) => *place,
            None => self.add(name)?,
        };
        Ok(self.last)
    }

    #[cold]
    fn add(&mut self, name: &str) -> Result<usize, KafkaError> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if name.len() > LONGEST_NAME
            || matches!(name, "" | "." | "..")
            || !name.bytes().all(is_good)
        {
            return Err(KafkaError::new(
                KafkaErrorKind::Invalid,
                format!("Invalid topics: [{}]", name.escape_debug()),
            ));
        }
        let name: Arc<str> = name.into();
        self.all.push(Topic {
            name: Arc::clone(&name),
            count: 0,
            partitions: Vec::new(),
            sticky: Sticky::default(),
            waiting: VecDeque::new(),
            error: None,
        });
        let place = self.all.len() - 1;
        self.by_name.insert(name, place);
        Ok(place)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.all.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, topic: usize) -> Option<&Topic> {
        self.all.get(topic)
    }

    pub(super) fn get_mut(&mut self, topic: usize) -> Option<&mut Topic> {
        self.all.get_mut(topic)
    }

    pub(super) fn partition(&self, place: Place) -> Option<&Partition> {
        self.all.get(place.topic)?.partitions.get(place.partition)
    }

    pub(super) fn partition_mut(&mut self, place: Place) -> Option<&mut Partition> {
        self.all
            .get_mut(place.topic)?
            .partitions
            .get_mut(place.partition)
    }
}
