//! Taking what leaders answer.

use tether_api::offset::TopicPartition;
use tokio::time::Instant;

use super::chunks::Chunk;
use super::node::Asked;
use super::{FetchSettings, LOG, OutOfRange, State};
use crate::broker::messages::{
    EpochEnd, ErrorCode, FENCED_LEADER_EPOCH, Fetched, FetchedPartition, KAFKA_STORAGE_ERROR,
    LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, OFFSET_NOT_AVAILABLE, OFFSET_OUT_OF_RANGE,
    REPLICA_NOT_AVAILABLE, TOPIC_AUTHORIZATION_FAILED, UNKNOWN_LEADER_EPOCH, UNKNOWN_SERVER_ERROR,
    UNKNOWN_TOPIC_OR_PARTITION,
};
use crate::records::{Batches, RecordReader};
use crate::{KafkaError, KafkaErrorKind};

/// What an answer comes to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Whether a leader was not the one that was asked.
    pub(super) leaders_moved: bool,
}

impl State {
    /// Takes records.
    pub(super) fn take_fetched(
        &mut self,
        fetched: Fetched,
        asked: &[Asked],
        settings: &FetchSettings,
    ) -> Taken {
        let mut taken = Taken::default();
        if fetched.error != 0 {
            for asked in asked {
                taken.leaders_moved |= self.take_error(fetched.error, asked, settings);
            }
        }
        // Brokers answer in the order of the request.
        let mut expected = 0;
        for topic in fetched.topics {
            for partition in topic.partitions {
                let is_it = |asked: &Asked| {
                    asked.0.partition == partition.partition && *asked.0.topic == *topic.name
                };
                let found = match asked.get(expected).filter(|asked| is_it(asked)) {
                    Some(_) => Some(expected),
                    None => asked.iter().position(is_it),
                };
                // Nobody asked for others.
                let Some(index) = found else { continue };
                expected = index + 1;
                taken.leaders_moved |= self.take_partition(partition, &asked[index], settings);
            }
        }
        taken
    }

    /// Takes what there is of a partition. Returns whether its leader has moved.
    fn take_partition(
        &mut self,
        fetched: FetchedPartition,
        asked: &Asked,
        settings: &FetchSettings,
    ) -> bool {
        let (partition, offset) = asked;
        let Some(known) = self.partitions.get_mut(partition) else {
            return false;
        };
        // It was sought, or the same came from another broker already.
        if known.next_offset() != Some(*offset) {
            return false;
        }
        if fetched.error != 0 {
            return self.take_error(fetched.error, asked, settings);
        }
        known.fetched(match settings.read.read_committed {
            true => fetched.last_stable_offset,
            false => fetched.high_watermark,
        });
        if let Some(node) = fetched.preferred_replica {
            known.prefer(node, Instant::now() + settings.metadata_max_age);
        }
        if fetched.records.is_empty() {
            return false;
        }
        let whole = Batches::new(fetched.records).map_err(|damage| damage.to_string());
        let batches = whole.and_then(|batches| match batches.next_offset {
            Some(next) if next > *offset => Ok((batches, next)),
            // The next fetch would bring the same.
            _ => Err("the answer has bytes, but no batch that goes on".to_owned()),
        });
        match batches {
            Ok((batches, next_offset)) => {
                known.advance(next_offset, batches.leader_epoch);
                let bytes = batches.len();
                let reader = RecordReader::new(
                    partition.clone(),
                    *offset,
                    batches,
                    fetched.aborted,
                    settings.read,
                );
                self.chunks
                    .push(Chunk::new(partition.clone(), reader, bytes));
            }
            Err(damage) => {
                known.failed(settings.backoff);
                self.error = Some(corrupt(asked, &damage));
            }
        }
        false
    }

    /// Takes an error of a partition. Returns whether its leader has moved.
    fn take_error(&mut self, error: ErrorCode, asked: &Asked, settings: &FetchSettings) -> bool {
        let (partition, offset) = asked;
        let Some(known) = self.partitions.get_mut(partition) else {
            return false;
        };
        if error == OFFSET_OUT_OF_RANGE {
            // A follower may lag behind, or not have what the leader still has.
            if !known.leave_replica() {
                self.out_of_range(asked, settings);
            }
            return false;
        }
        let first = known.failed(settings.backoff);
        match error {
            NOT_LEADER_OR_FOLLOWER
            | UNKNOWN_TOPIC_OR_PARTITION
            | LEADER_NOT_AVAILABLE
            | REPLICA_NOT_AVAILABLE
            | FENCED_LEADER_EPOCH
            | UNKNOWN_LEADER_EPOCH
            | KAFKA_STORAGE_ERROR
            | OFFSET_NOT_AVAILABLE => {
                if first {
                    tracing::info!(
                        target: LOG,
                        %partition,
                        error,
                        "The leader of a partition does not serve it; looking for it"
                    );
                }
                known.forget_leader();
                return true;
            }
            UNKNOWN_SERVER_ERROR => {
                tracing::warn!(
                    target: LOG,
                    %partition,
                    offset,
                    "The broker met an unknown error when it was to be fetched from"
                );
            }
            TOPIC_AUTHORIZATION_FAILED => {
                self.error = Some(KafkaError::new(
                    KafkaErrorKind::NotAuthorized,
                    format!("Not authorized to access topics: [{}]", partition.topic),
                ));
            }
            error => {
                let damage = format!("the broker answers with error {error}");
                self.error = Some(corrupt(asked, &damage));
            }
        }
        false
    }

    /// Takes where the records of former leaders end. Where that is before the
    /// next fetch, the new leader does not have what came from the old one, and
    /// has others in its place, or will: reading goes on where both part.
    pub(super) fn take_epoch_ends(
        &mut self,
        ends: &[EpochEnd],
        asked: &[Asked],
        settings: &FetchSettings,
    ) -> Taken {
        let mut taken = Taken::default();
        for end in ends {
            let found = asked.iter().find(|(partition, _)| {
                partition.partition == end.partition && *partition.topic == *end.topic
            });
            let Some(found @ (partition, offset)) = found else {
                continue;
            };
            let Some(known) = self.partitions.get_mut(partition) else {
                continue;
            };
            if known.next_offset() != Some(*offset) {
                continue;
            }
            if end.error != 0 {
                taken.leaders_moved |= self.take_error(end.error, found, settings);
                continue;
            }
            if end.end_offset < 0 || end.epoch < 0 {
                self.out_of_range(found, settings);
            } else if end.end_offset < *offset {
                self.truncated(found, end.end_offset, settings);
            } else {
                known.checked();
            }
        }
        taken
    }

    /// The broker does not have the next offset.
    fn out_of_range(&mut self, asked: &Asked, settings: &FetchSettings) {
        let (partition, offset) = asked.clone();
        if settings.may_reset {
            self.partitions.displace(&partition);
            self.out_of_range.push(OutOfRange { partition, offset });
            return;
        }
        let what = format!(
            "Fetch position {offset} is out of range for partition {partition}, and \
             auto.offset.reset is none"
        );
        self.cannot_go_on(&partition, what, settings);
    }

    /// The consumer has to hear of it, again and again if it goes on.
    fn cannot_go_on(&mut self, partition: &TopicPartition, what: String, settings: &FetchSettings) {
        if let Some(known) = self.partitions.get_mut(partition) {
            known.failed(settings.backoff);
        }
        self.error = Some(KafkaError::new(KafkaErrorKind::Fatal, what));
    }

    fn truncated(&mut self, asked: &Asked, end_offset: i64, settings: &FetchSettings) {
        let (partition, offset) = asked;
        let what = format!(
            "Partition {partition} was truncated: its new leader has other records from offset \
             {end_offset} on, where those of the old one were read to {offset}"
        );
        if !settings.may_reset {
            self.cannot_go_on(partition, what, settings);
            return;
        }
        tracing::warn!(target: LOG, "{what}; going on from there");
        // What was not returned yet is gone from the log.
        let position = self.chunks.position(partition).unwrap_or(*offset);
        self.chunks.drop_of(partition);
        self.partitions.seek(partition, end_offset.min(position));
    }

    /// Other leaders may be in charge of what was asked for.
    pub(super) fn forget_leaders(&mut self, asked: &[Asked]) {
        for (partition, _) in asked {
            if let Some(known) = self.partitions.get_mut(partition) {
                known.forget_leader();
            }
        }
    }
}

fn corrupt((partition, offset): &Asked, what: &str) -> KafkaError {
    KafkaError::new(
        KafkaErrorKind::Fatal,
        format!(
            "Encountered corrupt message when fetching offset {offset} for topic-partition \
             {partition}: {what}"
        ),
    )
}
