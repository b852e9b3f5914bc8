//! The slot: dropped, kept moving by heartbeats, and given up by the server.

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::scene::{Scene, value};

const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";

fn scene() -> Result<Scene> {
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")?;
    Ok(scene)
}

/// Waits until a query has this answer.
fn wait_value(scene: &Scene, query: &str, expected: &str) -> Result<()> {
    eventually(query, || {
        let now = scene.value(query)?;
        ensure!(now == expected, "it is {now}\n{}", scene.worker.log());
        Ok(())
    })
}

#[test]
fn a_slot_may_be_dropped_with_an_orderly_stop() -> Result<()> {
    let _turn = turns::take();
    let scene = scene()?;
    scene.capture(&json!({"slot.drop.on.stop": "true", "snapshot.mode": "initial"}))?;
    scene.sql("INSERT INTO t VALUES (2)")?;
    scene.wait_records("public.t", 2)?;
    let rest = scene.worker.rest();
    rest.put(&scene.name, "stop")?;
    wait_value(&scene, SLOTS, "0")?;
    // The offset is of a slot that is gone.
    rest.put(&scene.name, "resume")?;
    let trace = rest.wait_for_failure(&scene.name)?;
    ensure!(trace.contains("no longer available"), "{trace}");
    Ok(())
}

#[test]
fn a_heartbeat_executes_its_statement() -> Result<()> {
    let _turn = turns::take();
    let scene = scene()?;
    scene.sql("CREATE TABLE beats (id int PRIMARY KEY, n int); INSERT INTO beats VALUES (1, 0)")?;
    scene.capture(&json!({
        "heartbeat.interval.ms": "100",
        "heartbeat.action.query": "UPDATE beats SET n = n + 1",
        "errors.max.retries": "0",
    }))?;
    let records = scene.wait_records("public.beats", 3)?;
    for (index, record) in records.iter().enumerate() {
        let value = value(record)?;
        assert_eq!(value["after"]["n"], index + 1, "{value}");
    }
    scene.sql("DROP TABLE beats")?;
    let trace = scene.worker.rest().wait_for_failure(&scene.name)?;
    ensure!(trace.contains("beats"), "{trace}");
    Ok(())
}

#[test]
fn a_slot_that_the_server_has_given_up_needs_a_snapshot() -> Result<()> {
    let _turn = turns::take();
    let scene = scene()?;
    scene.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")?;
    scene.sql("SELECT pg_reload_conf()")?;
    scene.capture(&json!({"snapshot.mode": "initial"}))?;
    scene.wait_records("public.t", 1)?;
    let rest = scene.worker.rest();
    rest.put(&scene.name, "stop")?;
    wait_value(
        &scene,
        "SELECT count(*) FROM pg_replication_slots WHERE active",
        "0",
    )?;
    scene.sql("INSERT INTO t VALUES (2)")?;
    eventually("the server gives up the slot", || {
        // A file of the log is filled and looked at.
        for statement in [
            "SELECT pg_switch_wal()",
            "CREATE TABLE filler AS SELECT 1",
            "DROP TABLE filler",
            "CHECKPOINT",
        ] {
            scene.sql(statement)?;
        }
        let status = scene.value("SELECT wal_status FROM pg_replication_slots")?;
        ensure!(status == "lost", "it is {status}");
        Ok(())
    })?;
    rest.put(&scene.name, "resume")?;
    let trace = rest.wait_for_failure(&scene.name)?;
    ensure!(
        trace.contains("max_slot_wal_keep_size") || trace.contains("no longer available"),
        "{trace}"
    );
    let config = scene.config(&json!({"snapshot.mode": "when_needed"}));
    let path = format!("/connectors/{}/config", scene.name);
    let answer = rest.send("PUT", &path, &config.to_string())?;
    ensure!(answer.status == 200, "{answer:?}");
    scene.wait_streaming()?;
    scene.sql("INSERT INTO t VALUES (3)")?;
    // A row of the first snapshot, both of the second one, and a change.
    let records = scene.wait_records("public.t", 4)?;
    let seen: Result<Vec<_>> = records
        .iter()
        .map(|record| {
            let value = value(record)?;
            Ok(json!([value["op"], value["after"]["id"]]))
        })
        .collect();
    assert_eq!(
        seen?,
        [
            json!(["r", 1]),
            json!(["r", 1]),
            json!(["r", 2]),
            json!(["c", 3])
        ]
    );
    Ok(())
}

#[test]
fn an_offset_that_the_log_does_not_reach_is_noticed() -> Result<()> {
    let _turn = turns::take();
    let scene = scene()?;
    scene.capture(&json!({"snapshot.mode": "initial"}))?;
    scene.wait_records("public.t", 1)?;
    let rest = scene.worker.rest();
    rest.put(&scene.name, "stop")?;
    rest.wait_for(&scene.name, "STOPPED[]")?;
    // That of a server whose log was longer.
    let ahead = 1_u64 << 50;
    let offset = json!({"offsets": [{
        "partition": {"server": scene.name},
        "offset": {"lsn": ahead, "lsn_proc": ahead, "lsn_commit": ahead, "messageType": "COMMIT",
            "txId": 7, "ts_usec": 1},
    }]});
    let path = format!("/connectors/{}/offsets", scene.name);
    let answer = rest.send("PATCH", &path, &offset.to_string())?;
    ensure!(answer.status == 200, "{answer:?}");
    rest.put(&scene.name, "resume")?;
    let trace = rest.wait_for_failure(&scene.name)?;
    ensure!(trace.contains("the log of the server ends at"), "{trace}");
    Ok(())
}
