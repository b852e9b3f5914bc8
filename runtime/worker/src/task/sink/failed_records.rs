//! What a sink task does with records that its converters or transformations
//! cannot process.

use std::sync::Arc;

use tether_api::Result;
use tether_api::record::TimestampType;
use tether_kafka::ConsumedRecord;

use super::dead_letters::SinkDeadLetters;
use crate::task::error_handling::{Attempts, ErrorHandling, Failure, RecordName, Retry, Verdict};

/// The error handling of a sink task.
#[derive(Clone)]
pub(super) struct FailedRecords {
    errors: ErrorHandling,
    dead_letters: Option<Arc<SinkDeadLetters>>,
}

impl FailedRecords {
    pub(super) fn new(errors: ErrorHandling, dead_letters: Option<Arc<SinkDeadLetters>>) -> Self {
        Self {
            errors,
            dead_letters,
        }
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
        record: &ConsumedRecord,
    ) -> Result<Verdict> {
        match self.errors.retry(attempts, &failure).await {
            Retry::Again => return Ok(Verdict::Again),
            Retry::Stopped => return Ok(Verdict::Stopped),
            Retry::GiveUp => {}
        }
        let failure = self.errors.redact(failure);
        let name = name(record);
        self.errors.report(&failure, &name);
        if let Some(letters) = &self.dead_letters
            && !letters.send(record, &failure).await
        {
            return Ok(Verdict::Stopped);
        }
        self.errors.skip(failure, &name)?;
        Ok(Verdict::Skip)
    }
}

/// How texts name a record.
fn name(record: &ConsumedRecord) -> RecordName {
    let ConsumedRecord {
        topic,
        partition,
        offset,
        timestamp_type,
        ..
    } = record;
    named(
        topic,
        *partition,
        *offset,
        record.timestamp,
        *timestamp_type,
    )
}

/// How texts name the record with this position and time.
pub(super) fn named(
    topic: &str,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    timestamp_type: TimestampType,
) -> RecordName {
    let time = match timestamp_type {
        TimestampType::NoTimestampType => String::new(),
        kind => format!(
            ", timestamp={}, timestampType={}",
            timestamp.unwrap_or(-1),
            kind.name()
        ),
    };
    let position = format!("topic='{topic}', partition={partition}, offset={offset}");
    RecordName {
        logged: format!(", where consumed record is {{{position}{time}}}"),
        position,
    }
}
