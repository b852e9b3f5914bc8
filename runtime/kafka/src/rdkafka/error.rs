//! librdkafka's errors in our words.

use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};

use crate::{KafkaError, KafkaErrorKind};

/// What an error code means for the caller.
pub(super) fn kind_of(code: Code) -> KafkaErrorKind {
    match code {
        Code::QueueFull => KafkaErrorKind::QueueFull,
        Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownGroup
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopicId
        | Code::GroupIdNotFound
        | Code::ResourceNotFound => KafkaErrorKind::NotFound,
        Code::TopicAlreadyExists => KafkaErrorKind::AlreadyExists,
        Code::Authentication
        | Code::SSL
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::DelegationTokenAuthorizationFailed
        | Code::SaslAuthenticationFailed
        | Code::UnsupportedSASLMechanism
        | Code::IllegalSASLState
        | Code::SecurityDisabled => KafkaErrorKind::NotAuthorized,
        Code::Fenced
        | Code::AssignmentLost
        | Code::IllegalGeneration
        | Code::UnknownMemberId
        | Code::RebalanceInProgress
        | Code::FencedInstanceId
        | Code::FencedMemberEpoch
        | Code::StaleMemberEpoch
        | Code::InvalidProducerEpoch
        | Code::ProducerFenced => KafkaErrorKind::Fenced,
        Code::UnsupportedVersion
        | Code::UnsupportedFeature
        | Code::UnsupportedForMessageFormat
        | Code::NotImplemented => KafkaErrorKind::Unsupported,
        Code::NonEmptyGroup | Code::GroupSubscribedToTopic => KafkaErrorKind::GroupNotEmpty,
        code if is_retriable(code) => KafkaErrorKind::Retriable,
        code if is_refusal(code) => KafkaErrorKind::Invalid,
        _ => KafkaErrorKind::Fatal,
    }
}

/// Errors that pass: brokers down, leaders and coordinators on the move.
fn is_retriable(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::WaitingForCoordinator
            | Code::WaitCache
            | Code::InProgress
            | Code::PreviousInProgress
            | Code::Retry
            | Code::State
            | Code::Outdated
            | Code::BrokerDestroy
            | Code::DestroyBroker
            | Code::NodeUpdate
            | Code::PollExceeded
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::RequestTimedOut
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::NotController
            | Code::ConcurrentTransactions
            | Code::KafkaStorageError
            | Code::FetchSessionIdNotFound
            | Code::InvalidFetchSessionEpoch
            | Code::ListenerNotFound
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::PreferredLeaderNotAvailable
            | Code::EligibleLeadersNotAvailable
            | Code::UnstableOffsetCommit
            | Code::ThrottlingQuotaExceeded
            | Code::ReassignmentInProgress
            | Code::RebootstrapRequired
    )
}

/// Errors that say that a record or an argument is refused.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::OffsetMetadataTooLarge
            | Code::InvalidTopic
            | Code::InvalidRequiredAcks
            | Code::InvalidGroupId
            | Code::InconsistentGroupProtocol
            | Code::InvalidSessionTimeout
            | Code::InvalidCommitOffsetSize
            | Code::InvalidTimestamp
            | Code::InvalidPartitions
            | Code::InvalidReplicationFactor
            | Code::InvalidReplicaAssignment
            | Code::InvalidConfig
            | Code::InvalidRequest
            | Code::PolicyViolation
            | Code::InvalidTransactionTimeout
            | Code::UnsupportedCompressionType
            | Code::InvalidRecord
            | Code::UnsupportedAssignor
    )
}

/// An error of this code while doing something.
pub(super) fn failure(doing: &str, code: Code) -> KafkaError {
    KafkaError::new(kind_of(code), format!("{doing}: {code}"))
}

/// An error of the client library while doing something. Where the library
/// gives text in place of a code, the kind is `otherwise`.
pub(super) fn from_library(doing: &str, error: &RdError, otherwise: KafkaErrorKind) -> KafkaError {
    match (error, error.rdkafka_error_code()) {
        // The library's text would show the value, which may be a secret.
        (RdError::ClientConfig(_, _, name, _), _) => KafkaError::new(
            KafkaErrorKind::Invalid,
            format!("{doing}: the value for {name} is refused"),
        ),
        (RdError::Nul(_), _) => KafkaError::new(
            KafkaErrorKind::Invalid,
            format!("{doing}: a name has a character of code 0"),
        ),
        (_, Some(code)) => failure(doing, code),
        (
            RdError::ClientCreation(text)
            | RdError::AdminOpCreation(text)
            | RdError::PauseResume(text)
            | RdError::Seek(text)
            | RdError::Subscription(text),
            None,
        ) => KafkaError::new(otherwise, format!("{doing}: {text}")),
        (error, None) => KafkaError::new(otherwise, format!("{doing}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_kinds_that_loops_act_on() {
        for (code, kind) in [
            (Code::QueueFull, KafkaErrorKind::QueueFull),
            (Code::RebalanceInProgress, KafkaErrorKind::Fenced),
            (Code::IllegalGeneration, KafkaErrorKind::Fenced),
            (Code::UnknownMemberId, KafkaErrorKind::Fenced),
            (Code::MessageSizeTooLarge, KafkaErrorKind::Invalid),
            (Code::NotCoordinator, KafkaErrorKind::Retriable),
            (Code::TopicAlreadyExists, KafkaErrorKind::AlreadyExists),
            (Code::NonEmptyGroup, KafkaErrorKind::GroupNotEmpty),
            (Code::OutOfOrderSequenceNumber, KafkaErrorKind::Fatal),
        ] {
            assert_eq!(kind_of(code), kind, "{code:?}");
        }
    }

    #[test]
    fn values_of_properties_stay_hidden() {
        let mut config = ::rdkafka::ClientConfig::new();
        config.set("security.protocol", "hunter2");
        let error = config.create_native_config().err().unwrap();
        let error = from_library("Failed", &error, KafkaErrorKind::Invalid);
        assert_eq!(
            error.message,
            "Failed: the value for security.protocol is refused"
        );
    }
}
