//! Errors of connections to brokers.

use std::ops::RangeInclusive;

use super::bytes::BytesError;
use super::messages::Request;

/// What an error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrokerErrorKind {
    /// There is no connection, or it broke, or the answer did not come in time.
    /// Another attempt may succeed.
    Unreachable,
    /// The broker does not let this client in, or this client does not trust the
    /// broker: the settings have to change.
    Refused,
    /// The broker does not know the request, or answers what cannot be read.
    Incompatible,
}

/// Why a broker could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BrokerError {
    /// What it means for the caller.
    pub kind: BrokerErrorKind,
    /// What happened, for a person; without secrets.
    pub message: String,
}

impl BrokerError {
    /// An error of this kind.
    pub fn new(kind: BrokerErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// There is no version of this kind of request that both sides know.
    pub(crate) fn no_version_of<R: Request>() -> Self {
        Self::no_common_version(R::KEY, &R::VERSIONS)
    }

    /// There is no version of a kind of request that both sides know.
    pub(super) fn no_common_version(key: i16, ours: &RangeInclusive<i16>) -> Self {
        let (first, last) = (ours.start(), ours.end());
        Self::new(
            BrokerErrorKind::Incompatible,
            format!(
                "The broker does not understand requests of kind {key} in versions {first} to \
                 {last}; Kafka 2.1 or later is needed"
            ),
        )
    }
}

impl From<BytesError> for BrokerError {
    fn from(error: BytesError) -> Self {
        Self::new(
            BrokerErrorKind::Incompatible,
            format!("A message is not as Kafka's protocol has it: {error}"),
        )
    }
}
