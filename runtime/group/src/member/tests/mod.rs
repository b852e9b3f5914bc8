mod chaos;
mod cluster;
mod coordinator;
mod faults;
mod rounds;
mod worker;

use std::time::Duration;

use tokio::time;

use super::*;
use crate::protocol::Protocol;

/// The reference's defaults, but for the wait for members that went away.
pub(super) fn settings() -> GroupSettings {
    GroupSettings {
        group_id: "workers".to_owned(),
        client_id: "worker".to_owned(),
        url: "http://w:8083".to_owned(),
        protocol: Protocol::Sessioned,
        session_timeout: Duration::from_secs(10),
        heartbeat_interval: Duration::from_secs(3),
        rebalance_timeout: Duration::from_secs(60),
        max_delay: Duration::ZERO,
        retry_backoff: Duration::from_millis(100),
        retry_backoff_max: Duration::from_secs(1),
        request_timeout: Duration::from_secs(40),
    }
}

/// Waits until the coordinator has answered so many more heartbeats of these workers.
async fn hear(workers: &[&worker::Worker], heartbeats: u64) {
    let heard = |worker: &&worker::Worker| worker.member.facts().heartbeat_times.count;
    let before: Vec<u64> = workers.iter().map(heard).collect();
    eventually("heartbeats are answered", || {
        let mut now = workers.iter().map(heard).zip(&before);
        now.all(|(now, before)| now >= before + heartbeats)
    })
    .await;
}

/// Waits until the clock, which is paused, has gone on by `time`, and makes sure that
/// nothing comes before.
async fn silent(events: &mut mpsc::UnboundedReceiver<GroupEvent>, time: Duration) {
    if let Ok(event) = time::timeout(time, events.recv()).await {
        panic!("{event:?} where nothing is due");
    }
}

/// Waits until this is so. The clock is paused, so that the wait takes no time.
async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: did not come to be");
}
