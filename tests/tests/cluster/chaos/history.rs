//! Who ran what, one after the other, by the topic of statuses.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tether_tests::topics::Topics;

use super::faults::{Field, GROUP, Struck};

/// Somebody runs something.
struct Running {
    worker: String,
    since: i64,
}

/// Checks that nothing began to run on a worker while it ran on another, unless a fault has hit that one
/// since: a worker that is frozen or cut off cannot say that it has stopped, nor always know that it
/// must.
pub(super) fn check(field: &Field) -> Result<()> {
    let mut running: HashMap<String, Running> = HashMap::new();
    let mut records = Topics::new(field.bootstrap()).records(&format!("{GROUP}-status"))?;
    // What a worker wrote while the broker was away for it comes late.
    records.sort_by_key(|record| record.timestamp);
    for record in records {
        let key = record.key_text();
        if !key.starts_with("status-task-") && !key.starts_with("status-connector-") {
            continue;
        }
        let at = record.timestamp.context("a status without a time")?;
        let status: Value = match &record.value {
            Some(value) => serde_json::from_slice(value)?,
            None => Value::Null,
        };
        let Some(worker) = status["worker_id"].as_str() else {
            running.remove(&key);
            continue;
        };
        if status["state"] != "RUNNING" {
            running.retain(|known, running| *known != key || running.worker != worker);
            continue;
        }
        if let Some(before) = running.get(&key)
            && before.worker != worker
        {
            let excused = field
                .faults()
                .iter()
                .any(|struck| excuses(struck, before, at));
            ensure!(
                excused,
                "{key} began to run on {worker} at {at} while it ran on {} since {}",
                before.worker,
                before.since
            );
        }
        let worker = worker.to_owned();
        running.insert(key, Running { worker, since: at });
    }
    Ok(())
}

fn excuses(struck: &Struck, before: &Running, at: i64) -> bool {
    let hit = struck
        .worker
        .as_ref()
        .is_none_or(|worker| *worker == before.worker);
    hit && struck.began <= at && struck.ended >= before.since
}
