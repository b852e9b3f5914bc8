//! The headers that tell what failed
//! (`DeadLetterQueueReporter.populateContextHeaders`).

use tether_storage::TaskId;

use super::Letter;
use crate::dead_letter_headers as names;

/// Where a record came from.
#[derive(Debug, Clone)]
pub(in crate::task) enum Origin<'a> {
    /// From Kafka, for a sink.
    Kafka {
        topic: &'a str,
        partition: i32,
        offset: i64,
    },
    /// From a source connector, which meant it for this topic. The others are
    /// JSON.
    Source {
        topic: &'a str,
        partition: String,
        offset: String,
    },
}

/// The headers of a letter, in the order of the reference.
pub(super) fn of(id: &TaskId, letter: &Letter<'_>) -> Vec<(&'static str, String)> {
    let failure = letter.failure;
    let mut headers = Vec::with_capacity(10);
    match &letter.origin {
        Origin::Kafka {
            topic,
            partition,
            offset,
        } => {
            headers.push((names::TOPIC, (*topic).to_owned()));
            headers.push((names::PARTITION, partition.to_string()));
            headers.push((names::OFFSET, offset.to_string()));
        }
        Origin::Source {
            topic,
            partition,
            offset,
        } => {
            headers.push((names::TOPIC, (*topic).to_owned()));
            headers.push((names::SOURCE_PARTITION, partition.clone()));
            headers.push((names::SOURCE_OFFSET, offset.clone()));
        }
    }
    let error = &failure.error;
    headers.extend([
        (names::CONNECTOR, id.connector.to_string()),
        (names::TASK, id.task.to_string()),
        (names::STAGE, failure.stage.name().to_owned()),
        (names::CLASS, failure.class.to_owned()),
        (names::EXCEPTION, error.java_class().to_owned()),
        (names::MESSAGE, error.message().to_owned()),
        (names::TRACE, error.trace()),
    ]);
    headers
}
