//! What a source task does with records that its transformations or converters
//! cannot process, and with those that Kafka refuses.

use std::sync::Arc;

use tether_api::Result;
use tether_api::offset::{OffsetMap, SourceOffset};
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_kafka::KafkaError;

use super::dead_letters::SourceDeadLetters;
use super::offset_committer::OffsetCommitter;
use super::readable_json::readable_map;
use crate::task::error_handling::{
    Attempts, ErrorHandling, Failure, RecordName, Retry, Stage, Verdict,
};

/// The most bytes of a source partition or offset in a text.
const MAX_MAP: usize = 4 * 1024;

/// What the reference names where Kafka refuses a record.
const SOURCE_TASK: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";

/// The error handling of a source task.
#[derive(Clone)]
pub(super) struct SourceErrors {
    errors: ErrorHandling,
    dead_letters: Option<Arc<SourceDeadLetters>>,
}

/// A record that could not be processed.
pub(super) struct Refused {
    /// As the connector gave it, if [`SourceErrors::need_originals`]; else it is
    /// good for its topic only.
    pub(super) record: ConnectRecord,
    pub(super) partition: Arc<OffsetMap>,
    pub(super) offset: SourceOffset,
}

impl SourceErrors {
    pub(super) fn new(errors: ErrorHandling, dead_letters: Option<Arc<SourceDeadLetters>>) -> Self {
        Self {
            errors,
            dead_letters,
        }
    }

    /// Whether a record may be needed as it was before the transformations.
    pub(super) fn need_originals(&self) -> bool {
        self.errors.retries() || self.dead_letters.is_some()
    }

    /// Whether records that cannot be processed have dead letters.
    pub(super) fn writes_letters(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// Whether records that Kafka refuses are passed over.
    pub(super) fn pass_over_refused(&self) -> bool {
        self.errors.is_tolerant()
    }

    /// What becomes of a record after this failure. One that is passed over has
    /// been logged and handed to the dead letter queue, as far as the connector
    /// wants that.
    ///
    /// # Errors
    /// Other, if the failure ends the task. Its record has been reported too.
    pub(super) async fn handle(
        &self,
        failure: Failure,
        attempts: &mut Attempts,
        refused: &Refused,
        committer: &OffsetCommitter,
    ) -> Result<Verdict> {
        match self.errors.retry(attempts, &failure).await {
            Retry::Again => return Ok(Verdict::Again),
            Retry::Stopped => return Ok(Verdict::Stopped),
            Retry::GiveUp => {}
        }
        let failure = self.errors.redact(failure);
        let name = refused.name();
        self.errors.report(&failure, &name);
        if let Some(letters) = &self.dead_letters {
            let moves_offset = self.errors.is_tolerant();
            let sent = letters.send(refused, &failure, moves_offset, committer);
            if !sent.await? {
                return Ok(Verdict::Stopped);
            }
        }
        self.errors.skip(failure, &name)?;
        Ok(Verdict::Skip)
    }

    /// Counts and logs a record that Kafka refused and that is passed over.
    pub(super) fn passed_over(
        &self,
        origin: Option<(&Arc<OffsetMap>, &SourceOffset)>,
        error: KafkaError,
    ) {
        let failure = Failure::new(Stage::KafkaProduce, SOURCE_TASK, error.into());
        let logged = match origin {
            Some((partition, offset)) => {
                format!(", where source record is = {}", source(partition, offset))
            }
            None => String::new(),
        };
        let name = RecordName {
            position: String::new(),
            logged,
        };
        self.errors.metrics().record_failed();
        self.errors.report(&self.errors.redact(failure), &name);
    }
}

impl Refused {
    /// The record again, for another attempt from the first transformation on.
    pub(super) fn into_source_record(self) -> SourceRecord {
        SourceRecord {
            record: self.record,
            source_partition: self.partition,
            source_offset: self.offset,
        }
    }

    /// The source partition as JSON.
    pub(super) fn partition_json(&self) -> String {
        readable_map(&self.partition, MAX_MAP)
    }

    /// The source offset as JSON.
    pub(super) fn offset_json(&self) -> String {
        offset_json(&self.offset)
    }

    fn name(&self) -> RecordName {
        let ConnectRecord {
            topic,
            partition,
            timestamp,
            ..
        } = &self.record;
        let text = |number: Option<String>| number.unwrap_or_else(|| "null".to_owned());
        let source = source(&self.partition, &self.offset);
        RecordName {
            position: format!(
                "for topic '{topic}', source partition {}, source offset {}",
                self.partition_json(),
                self.offset_json()
            ),
            logged: format!(
                ", where source record is = {source} ConnectRecord{{topic='{topic}', kafkaPartition={}, \
                 timestamp={}}}",
                text(partition.map(|partition| partition.to_string())),
                text(timestamp.map(|timestamp| timestamp.to_string())),
            ),
        }
    }
}

fn source(partition: &OffsetMap, offset: &SourceOffset) -> String {
    format!(
        "SourceRecord{{sourcePartition={}, sourceOffset={}}}",
        readable_map(partition, MAX_MAP),
        offset_json(offset)
    )
}

fn offset_json(offset: &SourceOffset) -> String {
    offset.as_deref().map_or_else(
        || "null".to_owned(),
        |offset| readable_map(&offset.to_map(), MAX_MAP),
    )
}
