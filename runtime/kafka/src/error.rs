//! Errors of Kafka clients.

use tether_api::{ConnectError, ErrorKind};

/// What an error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KafkaErrorKind {
    /// The producer's queue is full; wait for deliveries and send again.
    QueueFull,
    /// The call may succeed later: brokers down, leader moving, timeout.
    Retriable,
    /// The topic, partition or group does not exist.
    NotFound,
    /// The topic exists already.
    AlreadyExists,
    /// The client may not do this, or is not who it says.
    NotAuthorized,
    /// Another producer with the same transactional id took over, or the group
    /// moved on without this member.
    Fenced,
    /// The transaction can only be aborted; the producer can begin another one.
    Abortable,
    /// The broker does not know the request.
    Unsupported,
    /// The record, a property or another argument is refused; a record that is
    /// too large, say.
    Invalid,
    /// The group still has members.
    GroupNotEmpty,
    /// Everything else.
    Fatal,
}

/// An error of a Kafka client.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct KafkaError {
    /// What it means for the caller.
    pub kind: KafkaErrorKind,
    /// What happened, for a person; without secrets.
    pub message: String,
}

impl KafkaError {
    /// An error of this kind.
    pub fn new(kind: KafkaErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

impl From<KafkaError> for ConnectError {
    fn from(error: KafkaError) -> Self {
        let kind = match error.kind {
            KafkaErrorKind::QueueFull | KafkaErrorKind::Retriable => ErrorKind::Retriable,
            KafkaErrorKind::NotFound => ErrorKind::NotFound,
            KafkaErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error.message)
    }
}
