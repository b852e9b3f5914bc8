//! The headers that tell what failed
//! (`DeadLetterQueueReporter.populateContextHeaders`).

use tether_storage::TaskId;

use super::Letter;

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
            headers.push(("__connect.errors.topic", (*topic).to_owned()));
            headers.push(("__connect.errors.partition", partition.to_string()));
            headers.push(("__connect.errors.offset", offset.to_string()));
        }
        Origin::Source {
            topic,
            partition,
            offset,
        } => {
            headers.push(("__connect.errors.topic", (*topic).to_owned()));
            headers.push(("__connect.errors.source.partition", partition.clone()));
            headers.push(("__connect.errors.source.offset", offset.clone()));
        }
    }
    let error = &failure.error;
    headers.extend([
        ("__connect.errors.connector.name", id.connector.to_string()),
        ("__connect.errors.task.id", id.task.to_string()),
        ("__connect.errors.stage", failure.stage.name().to_owned()),
        ("__connect.errors.class.name", failure.class.to_owned()),
        (
            "__connect.errors.exception.class.name",
            error.java_class().to_owned(),
        ),
        (
            "__connect.errors.exception.message",
            error.message().to_owned(),
        ),
        ("__connect.errors.exception.stacktrace", error.trace()),
    ]);
    headers
}
