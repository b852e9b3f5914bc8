//! What a member needs to know before it joins.

use std::time::Duration;

use crate::protocol::Protocol;

/// How a worker is a member of its group.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// The group (`group.id`).
    pub group_id: String,
    /// The name for the broker's logs (`client.id`).
    pub client_id: String,
    /// Where other workers reach this one's REST API.
    pub url: String,
    /// What the member can agree on at best (`connect.protocol`).
    pub protocol: Protocol,
    /// After so long without a heartbeat, the broker takes the member for dead
    /// (`session.timeout.ms`).
    pub session_timeout: Duration,
    /// How often the member says that it is alive (`heartbeat.interval.ms`).
    pub heartbeat_interval: Duration,
    /// How long a round waits for members (`rebalance.timeout.ms`).
    pub rebalance_timeout: Duration,
    /// How long a leader waits for members that went away
    /// (`scheduled.rebalance.max.delay.ms`).
    pub max_delay: Duration,
    /// The wait before the second attempt (`retry.backoff.ms`).
    pub retry_backoff: Duration,
    /// The longest wait between attempts (`retry.backoff.max.ms`).
    pub retry_backoff_max: Duration,
    /// How long an answer may take (`request.timeout.ms`).
    pub request_timeout: Duration,
}
