//! How a producer wants to write.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::Growing;
use crate::records::Codec;

/// What a producer's properties say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProduceSettings {
    /// `acks`; -1 for all.
    pub(crate) acks: i16,
    /// `batch.size`.
    pub(crate) batch_size: usize,
    /// `linger.ms`.
    pub(crate) linger: Duration,
    /// `max.request.size`.
    pub(crate) max_request_size: usize,
    /// `buffer.memory`.
    pub(crate) buffer_memory: usize,
    /// `compression.type` and the level of it.
    pub(crate) codec: Codec,
    /// `request.timeout.ms`.
    pub(crate) request_timeout: Duration,
    /// `delivery.timeout.ms`.
    pub(crate) delivery_timeout: Duration,
    /// How long a record waits for what is known of its topic: `max.block.ms`,
    /// but no longer than `delivery.timeout.ms`.
    pub(crate) topic_timeout: Duration,
    /// `retries`.
    pub(crate) retries: u32,
    /// `retry.backoff.ms` and `retry.backoff.max.ms`.
    pub(crate) backoff: Growing,
    /// `max.in.flight.requests.per.connection`.
    pub(crate) max_in_flight: usize,
    /// `enable.idempotence`, as far as other properties allow it.
    pub(crate) idempotent: bool,
    /// `partitioner.ignore.keys`.
    pub(crate) ignore_keys: bool,
    /// `metadata.max.age.ms`.
    pub(crate) metadata_max_age: Duration,
    /// `connections.max.idle.ms`.
    pub(crate) max_idle: Duration,
    /// `transactional.id`.
    pub(crate) transactional_id: Option<Arc<str>>,
    /// `transaction.timeout.ms`.
    pub(crate) transaction_timeout: Duration,
}

impl ProduceSettings {
    /// How many batches of a partition may be under way. More than one could
    /// change places if the first has to be sent again, unless brokers know
    /// their order.
    pub(super) fn partition_in_flight(&self) -> usize {
        match self.idempotent {
            true => self.max_in_flight,
            false => 1,
        }
    }

    pub(super) fn request_timeout_ms(&self) -> i32 {
        i32::try_from(self.request_timeout.as_millis()).unwrap_or(i32::MAX)
    }
}
