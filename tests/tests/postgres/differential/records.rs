//! What both connectors of all variants have written, read as it comes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use tether_tests::topics::Record;

use super::variant::Owner;

const TIMEOUT: Duration = Duration::from_secs(30);
/// How long is waited for a record.
const POLL: Duration = Duration::from_millis(50);
/// How often it is looked for new topics, which there are many of.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const MARKER: &[u8] = b" is reached";

/// Reads all topics of one run of the test.
pub(super) struct Reader {
    consumer: BaseConsumer,
    /// Asks where topics end: on the other one's connection it would wait behind every fetch.
    asking: BaseConsumer,
    token: String,
    /// When it was looked for new topics.
    looked: Option<Instant>,
    /// The next offset of each partition.
    next: BTreeMap<(String, i32), i64>,
    /// Records of each topic in the order of their partitions' offsets.
    records: BTreeMap<String, Vec<Record>>,
    /// The last step whose marker has come from each connector.
    reached: BTreeMap<Owner, u32>,
}

impl Reader {
    /// Reads topics whose names hold this token.
    pub(super) fn new(bootstrap: &str, token: &str) -> Result<Self> {
        let asking = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .create()?;
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", "tests")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .create()?;
        Ok(Self {
            consumer,
            asking,
            token: token.to_owned(),
            looked: None,
            next: BTreeMap::new(),
            records: BTreeMap::new(),
            reached: BTreeMap::new(),
        })
    }

    /// The last step whose marker has come from a connector.
    pub(super) fn reached(&self, owner: Owner) -> Option<u32> {
        self.reached.get(&owner).copied()
    }

    /// Topics of a connector with the number of their records.
    pub(super) fn counts(&self, owner: Owner) -> Vec<(String, usize)> {
        let records = self.records.iter();
        records
            .filter(|(topic, _)| Owner::of_topic(topic, &self.token) == Some(owner))
            .map(|(topic, records)| (topic.replace(&owner.prefix(&self.token), ""), records.len()))
            .collect()
    }

    /// Topics of a connector and their records.
    pub(super) fn topics(&self, owner: Owner) -> impl Iterator<Item = (&String, &Vec<Record>)> {
        self.records
            .iter()
            .filter(move |(topic, _)| Owner::of_topic(topic, &self.token) == Some(owner))
    }

    /// Names of all topics.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Looks for new topics and reads for a moment.
    pub(super) fn advance(&mut self) -> Result<()> {
        if self
            .looked
            .is_none_or(|looked| looked.elapsed() > LOOK_EVERY)
        {
            self.assign()?;
        }
        while let Some(polled) = self.consumer.poll(POLL) {
            // An error is a topic that is not quite there yet.
            let Ok(message) = polled else { continue };
            let headers = message.headers().into_iter().flat_map(Headers::iter);
            let record = Record {
                partition: message.partition(),
                offset: message.offset(),
                timestamp: message.timestamp().to_millis(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: headers
                    .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                    .collect(),
            };
            let topic = message.topic().to_owned();
            if let (Some(owner), Some(step)) = (
                Owner::of_topic(&topic, &self.token),
                record.value.as_deref().and_then(marked_step),
            ) {
                let reached = self.reached.entry(owner).or_default();
                *reached = step.max(*reached);
            }
            let next = self.next.entry((topic.clone(), record.partition));
            *next.or_default() = record.offset + 1;
            self.records.entry(topic).or_default().push(record);
        }
        Ok(())
    }

    /// Reads everything that is there now.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.assign()?;
        let mut all = TopicPartitionList::with_capacity(self.next.len());
        for (topic, partition) in self.next.keys() {
            all.add_partition_offset(topic, *partition, Offset::End)?;
        }
        let ends = self.asking.offsets_for_times(all, TIMEOUT)?;
        let mut ends_by_place = BTreeMap::new();
        for end in ends.elements() {
            let offset = end.offset().to_raw().context("no offset")?;
            ends_by_place.insert((end.topic().to_owned(), end.partition()), offset);
        }
        tether_tests::eventually::eventually("all topics are read", || {
            self.advance()?;
            for (place, end) in &ends_by_place {
                let next = self.next.get(place).context("not assigned")?;
                ensure!(next >= end, "{place:?} is at {next} of {end}");
            }
            Ok(())
        })
    }

    fn assign(&mut self) -> Result<()> {
        self.looked = Some(Instant::now());
        let metadata = self.asking.fetch_metadata(None, TIMEOUT)?;
        let mut added = TopicPartitionList::new();
        for topic in metadata.topics() {
            if !topic.name().contains(&self.token) {
                continue;
            }
            for partition in topic.partitions() {
                let place = (topic.name().to_owned(), partition.id());
                if let Entry::Vacant(next) = self.next.entry(place) {
                    let (topic, partition) = next.key();
                    added.add_partition_offset(topic, *partition, Offset::Beginning)?;
                    next.insert(0);
                }
            }
            self.records.entry(topic.name().to_owned()).or_default();
        }
        if added.count() > 0 {
            self.consumer.incremental_assign(&added)?;
        }
        Ok(())
    }
}

/// The step whose marker is in a value: the number before [`MARKER`].
fn marked_step(value: &[u8]) -> Option<u32> {
    let end = value
        .windows(MARKER.len())
        .position(|window| window == MARKER)?;
    let digits = value.get(..end)?;
    let begin = digits.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
    std::str::from_utf8(&digits[begin..]).ok()?.parse().ok()
}

#[test]
fn markers_are_found() {
    assert_eq!(marked_step(br#"{"marker":"step 12 is reached"}"#), Some(12));
    assert_eq!(marked_step(b"is reached"), None);
}
