//! How a consumer wants to fetch.

use std::time::Duration;

use crate::broker::Growing;
use crate::records::ReadOptions;

/// What a consumer's properties say about fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchSettings {
    /// `fetch.max.wait.ms`.
    pub(crate) max_wait_ms: i32,
    /// `fetch.min.bytes`.
    pub(crate) min_bytes: i32,
    /// `fetch.max.bytes`.
    pub(crate) max_bytes: i32,
    /// `max.partition.fetch.bytes`.
    pub(crate) max_partition_bytes: i32,
    /// `isolation.level` and `check.crcs`.
    pub(crate) read: ReadOptions,
    /// `client.rack`.
    pub(crate) rack: String,
    /// Whether a partition may be read from another offset than the next one if
    /// the broker does not have that: `auto.offset.reset` is not `none`.
    pub(crate) may_reset: bool,
    /// `request.timeout.ms`.
    pub(crate) request_timeout: Duration,
    /// `retry.backoff.ms` and `retry.backoff.max.ms`.
    pub(crate) backoff: Growing,
    /// `connections.max.idle.ms`: a connection that has been idle for so long
    /// may be closed already.
    pub(crate) max_idle: Duration,
    /// `metadata.max.age.ms`.
    pub(crate) metadata_max_age: Duration,
}

impl FetchSettings {
    /// How long a broker may take for an answer to a fetch.
    pub(super) fn answer_timeout(&self) -> Duration {
        let waits = u64::try_from(self.max_wait_ms).unwrap_or(0);
        self.request_timeout + Duration::from_millis(waits)
    }
}
