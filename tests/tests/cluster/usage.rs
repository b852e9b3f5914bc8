//! What clients do, at every worker of a group.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_tests::eventually::eventually;
use tether_tests::numbered_lines::append;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;

use super::group::Shares;

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
/// Lines of a connector's file.
const LINES: u64 = 10;

/// The configuration of a source that reads a file.
pub(super) fn file_source(file: &Path, topic: &str) -> Value {
    json!({
        "connector.class": "FileStreamSource", "tasks.max": "1",
        "file": file, "topic": topic, "value.converter": STRING,
    })
}

/// Goes through the life of a connector of this name, each step at another worker, beginning with the
/// first, and looks at the outcome at all of them.
pub(super) fn live_everywhere(
    rests: &[RestClient],
    topics: &Topics,
    folder: &Path,
    name: &str,
) -> Result<()> {
    let mut turns = rests.iter().cycle();
    let mut next = || turns.next().expect("a worker");
    let path = format!("/connectors/{name}");
    topics.create(name, 1)?;
    let file = folder.join(name);
    append(&file, 1, LINES)?;

    let config = file_source(&file, name);
    next().create(name, &config)?;
    everywhere(rests, name, "RUNNING[RUNNING]")?;
    let again = json!({"name": name, "config": config});
    next().expect(409, "POST", "/connectors", Some(&again))?;
    let mut changed = config.clone();
    changed["batch.size"] = json!("7");
    next().expect(200, "PUT", &format!("{path}/config"), Some(&changed))?;
    let patch = json!({"batch.size": null});
    next().expect(200, "PATCH", &format!("{path}/config"), Some(&patch))?;
    for rest in rests {
        eventually("the configuration is everywhere", || {
            let mut stored = rest.get(&format!("{path}/config"))?;
            stored.as_object_mut().map(|stored| stored.remove("name"));
            ensure!(stored == config, "{stored}");
            Ok(())
        })?;
    }
    everywhere(rests, name, "RUNNING[RUNNING]")?;
    next().put(name, "pause")?;
    everywhere(rests, name, "PAUSED[PAUSED]")?;
    next().put(name, "resume")?;
    everywhere(rests, name, "RUNNING[RUNNING]")?;

    // Restarts at every worker: one of them is the owner, the others have to ask it or the leader.
    for rest in rests {
        rest.expect(204, "POST", &format!("{path}/restart"), None)?;
        rest.expect(204, "POST", &format!("{path}/tasks/0/restart"), None)?;
        everywhere(rests, name, "RUNNING[RUNNING]")?;
    }
    // These happen later, and would end a restart of the connector that is waited for.
    rests.iter().try_for_each(|rest| rest.restart(name))?;
    everywhere(rests, name, "RUNNING[RUNNING]")?;
    arrived(topics, name, LINES)?;
    next().put(name, "stop")?;
    everywhere(rests, name, "STOPPED[]")?;
    let offsets = format!("{path}/offsets");
    let mut stored = next().get(&offsets)?;
    stored["offsets"][0]["offset"]["position"] = json!(0);
    next().expect(200, "PATCH", &offsets, Some(&stored))?;
    for rest in rests {
        ensure!(rest.get(&offsets)? == stored, "{}", rest.get(&offsets)?);
    }
    next().put(name, "resume")?;
    everywhere(rests, name, "RUNNING[RUNNING]")?;
    arrived(topics, name, 2 * LINES)?;

    next().expect(204, "DELETE", &path, None)?;
    for rest in rests {
        eventually(&format!("{name} is deleted everywhere"), || {
            ensure!(rest.send("GET", &path, "")?.status == 404, "it is there");
            let status = rest.send("GET", &format!("{path}/status"), "")?;
            ensure!(status.status == 404, "it has the status {}", status.body);
            Ok(())
        })?;
        rest.expect(404, "DELETE", &path, None)?;
    }
    Ok(())
}

/// Waits until every worker says that these are the states.
fn everywhere(rests: &[RestClient], name: &str, states: &str) -> Result<()> {
    rests
        .iter()
        .try_for_each(|rest| rest.wait_for(name, states))
}

fn arrived(topics: &Topics, topic: &str, records: u64) -> Result<()> {
    eventually(&format!("{records} records in {topic}"), || {
        let found = topics.records(topic)?.len();
        ensure!(u64::try_from(found)? == records, "{found} records");
        Ok(())
    })
}

/// Waits until all workers tell the same about who runs what.
pub(super) fn wait_agreement(rests: &[RestClient]) -> Result<Shares> {
    eventually("all workers tell the same", || {
        let shares = Shares::of(&rests[0])?;
        for rest in &rests[1..] {
            let other = Shares::of(rest)?;
            ensure!(other == shares, "{other:?} and {shares:?}");
        }
        Ok(shares)
    })
}
