//! Kafka's numbers for what went wrong with partitions (`Errors`).

use super::ErrorCode;

pub(crate) const UNKNOWN_SERVER_ERROR: ErrorCode = -1;
pub(crate) const OFFSET_OUT_OF_RANGE: ErrorCode = 1;
pub(crate) const UNKNOWN_TOPIC_OR_PARTITION: ErrorCode = 3;
pub(crate) const LEADER_NOT_AVAILABLE: ErrorCode = 5;
pub(crate) const NOT_LEADER_OR_FOLLOWER: ErrorCode = 6;
pub(crate) const REPLICA_NOT_AVAILABLE: ErrorCode = 9;
pub(crate) const INVALID_TOPIC_EXCEPTION: ErrorCode = 17;
pub(crate) const TOPIC_AUTHORIZATION_FAILED: ErrorCode = 29;
pub(crate) const KAFKA_STORAGE_ERROR: ErrorCode = 56;
pub(crate) const FENCED_LEADER_EPOCH: ErrorCode = 74;
pub(crate) const UNKNOWN_LEADER_EPOCH: ErrorCode = 75;
pub(crate) const OFFSET_NOT_AVAILABLE: ErrorCode = 78;
