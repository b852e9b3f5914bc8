//! What brokers' errors mean for records.

use crate::broker::messages::*;
use crate::{KafkaError, KafkaErrorKind};

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cure {
    /// Send it again.
    Again,
    /// Send it again to the leader, which is another broker.
    FindLeader,
    /// None.
    None,
}

/// What to do about a batch that is not written for this error
/// (`RetriableException`, `InvalidMetadataException`).
pub(super) fn cure(error: ErrorCode) -> Cure {
    match error {
        UNKNOWN_TOPIC_OR_PARTITION
        | LEADER_NOT_AVAILABLE
        | NOT_LEADER_OR_FOLLOWER
        | REPLICA_NOT_AVAILABLE
        | NETWORK_EXCEPTION
        | KAFKA_STORAGE_ERROR
        | FENCED_LEADER_EPOCH
        | UNKNOWN_LEADER_EPOCH => Cure::FindLeader,
        CORRUPT_MESSAGE
        | REQUEST_TIMED_OUT
        | COORDINATOR_LOAD_IN_PROGRESS
        | COORDINATOR_NOT_AVAILABLE
        | NOT_COORDINATOR
        | NOT_ENOUGH_REPLICAS
        | NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | CONCURRENT_TRANSACTIONS => Cure::Again,
        _ => Cure::None,
    }
}

/// The error of something that failed with this one.
pub(super) fn failure(doing: &str, error: ErrorCode, message: Option<&str>) -> KafkaError {
    let (kind, text) = meaning(error);
    let text = message.unwrap_or(text);
    KafkaError::new(kind, format!("{doing}: {text} (error {error})"))
}

/// Kafka's own words, mostly (`Errors`).
fn meaning(error: ErrorCode) -> (KafkaErrorKind, &'static str) {
    use KafkaErrorKind::{Abortable, Fatal, Fenced, Invalid, NotAuthorized, NotFound, Retriable};
    match error {
        UNKNOWN_TOPIC_OR_PARTITION => (NotFound, "This server does not host this topic-partition"),
        TOPIC_AUTHORIZATION_FAILED => (NotAuthorized, "Topic authorization failed"),
        CLUSTER_AUTHORIZATION_FAILED => (NotAuthorized, "Cluster authorization failed"),
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED => {
            (NotAuthorized, "The transactional id authorization failed")
        }
        INVALID_TOPIC_EXCEPTION => (
            Invalid,
            "The request attempted to perform an operation on an invalid topic",
        ),
        MESSAGE_TOO_LARGE => (
            Invalid,
            "The request included a message larger than the max message size the server will accept",
        ),
        RECORD_LIST_TOO_LARGE => (
            Invalid,
            "The request included message batch larger than the configured segment size on the \
             server",
        ),
        INVALID_RECORD => (
            Invalid,
            "This record has failed the validation on the broker and hence be rejected",
        ),
        INVALID_TIMESTAMP => (
            Invalid,
            "The timestamp of the message is out of acceptable range",
        ),
        POLICY_VIOLATION => (
            Invalid,
            "Request parameters do not satisfy the configured policy",
        ),
        INVALID_REQUIRED_ACKS => (
            Invalid,
            "Produce request specified an invalid value for required acks",
        ),
        INVALID_TRANSACTION_TIMEOUT => (
            Invalid,
            "The transaction timeout is larger than the maximum value allowed by the broker (as \
             configured by transaction.max.timeout.ms)",
        ),
        UNSUPPORTED_COMPRESSION_TYPE => (
            Invalid,
            "The requesting client does not support the compression type of given partition",
        ),
        UNSUPPORTED_FOR_MESSAGE_FORMAT => (
            KafkaErrorKind::Unsupported,
            "The message format version on the broker does not support the request",
        ),
        PRODUCER_FENCED | INVALID_PRODUCER_EPOCH => (
            Fenced,
            "There is a newer producer with the same transactionalId which fences the current one",
        ),
        TRANSACTION_ABORTABLE => (
            Abortable,
            "The server encountered an error with the transaction. The client can abort the \
             transaction to continue using this transactional ID",
        ),
        OUT_OF_ORDER_SEQUENCE_NUMBER => {
            (Fatal, "The broker received an out of order sequence number")
        }
        UNKNOWN_PRODUCER_ID => (
            Fatal,
            "The broker does not know this producer any more, so that nobody can tell which of \
             its records are written",
        ),
        INVALID_TXN_STATE => (
            Fatal,
            "The producer attempted a transactional operation in an invalid state",
        ),
        INVALID_PRODUCER_ID_MAPPING => (
            Fatal,
            "The producer attempted to use a producer id which is not currently assigned to its \
             transactional id",
        ),
        NETWORK_EXCEPTION => (
            Retriable,
            "The server disconnected before a response was received",
        ),
        REQUEST_TIMED_OUT => (Retriable, "The request timed out"),
        NOT_ENOUGH_REPLICAS => (
            Retriable,
            "Messages are rejected since there are fewer in-sync replicas than required",
        ),
        NOT_ENOUGH_REPLICAS_AFTER_APPEND => (
            Retriable,
            "Messages are written to the log, but to fewer in-sync replicas than required",
        ),
        error if cure(error) != Cure::None => (Retriable, "The broker is not ready for it"),
        UNKNOWN_SERVER_ERROR => (
            Fatal,
            "The server experienced an unexpected error when processing the request",
        ),
        _ => (Fatal, "The broker refuses it"),
    }
}

/// What did not become of a record.
pub(super) fn writing(topic: &str) -> String {
    format!("Failed to write a record to topic {topic}")
}
