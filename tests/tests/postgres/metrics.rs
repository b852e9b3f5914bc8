//! What a task tells of itself, after some work of which it is known what it comes to.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tether_metrics::prometheus::reader;
use tether_services::{http, shared};
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::scene::Scene;

/// Rows before the connector, in two tables that are captured and one that is not.
const BEFORE: &str = "CREATE TABLE t (id int PRIMARY KEY, text text); \
    ALTER TABLE t REPLICA IDENTITY FULL; \
    CREATE TABLE u (id int PRIMARY KEY); \
    CREATE TABLE other (id int PRIMARY KEY); \
    INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
    INSERT INTO other VALUES (1)";

/// Changes, each in a transaction of its own unless there are several in a line.
const WORK: [&str; 8] = [
    "BEGIN; INSERT INTO t VALUES (4, 'd'); INSERT INTO u VALUES (1); COMMIT",
    "UPDATE t SET text = 'e' WHERE id = 1",
    // No change: it is left out.
    "UPDATE t SET text = text WHERE id = 1",
    // A deletion and a creation.
    "UPDATE t SET id = 5 WHERE id = 2",
    "DELETE FROM t WHERE id = 3",
    "INSERT INTO other VALUES (2), (3)",
    "BEGIN; UPDATE other SET id = 4 WHERE id = 2; DELETE FROM other WHERE id = 3; COMMIT",
    "INSERT INTO u VALUES (2)",
];

/// What that comes to, by context and attribute; with the name of a table, the number of that.
const EXPECTED: [(&str, f64); 29] = [
    ("snapshot NumberOfErroneousEvents", 0.0),
    ("snapshot NumberOfEventsFiltered", 0.0),
    ("snapshot QueueRemainingCapacity", 4000.0),
    ("snapshot QueueTotalCapacity", 4000.0),
    ("snapshot RemainingTableCount", 0.0),
    ("snapshot RowsScanned public.t", 3.0),
    ("snapshot RowsScanned public.u", 0.0),
    ("snapshot SnapshotAborted", 0.0),
    ("snapshot SnapshotCompleted", 1.0),
    ("snapshot SnapshotPaused", 0.0),
    ("snapshot SnapshotPausedDurationInSeconds", 0.0),
    ("snapshot SnapshotRunning", 0.0),
    ("snapshot SnapshotSkipped", 0.0),
    ("snapshot TotalNumberOfCreateEventsSeen", 0.0),
    ("snapshot TotalNumberOfEventsSeen", 3.0),
    ("snapshot TotalTableCount", 2.0),
    ("streaming Connected", 1.0),
    ("streaming CurrentQueueSizeInBytes", 0.0),
    ("streaming MaxQueueSizeInBytes", 5_000_000.0),
    ("streaming NumberOfCommittedTransactions", 5.0),
    ("streaming NumberOfErroneousEvents", 0.0),
    ("streaming NumberOfEventsFiltered", 4.0),
    ("streaming NumberOfUnchangedEventsSkipped", 1.0),
    ("streaming QueueRemainingCapacity", 4000.0),
    ("streaming QueueTotalCapacity", 4000.0),
    ("streaming TotalNumberOfCreateEventsSeen", 6.0),
    ("streaming TotalNumberOfDeleteEventsSeen", 3.0),
    ("streaming TotalNumberOfEventsSeen", 11.0),
    ("streaming TotalNumberOfUpdateEventsSeen", 2.0),
];

/// The attributes of Debezium's metrics in a text for Prometheus, by context, name and what else they are
/// told apart by, such as a table. All are of this server.
fn attributes(text: &str, server: &str) -> Result<BTreeMap<String, f64>> {
    let read = reader::read(text).map_err(anyhow::Error::msg)?;
    let mut attributes = BTreeMap::new();
    for ((family, mut labels), value) in read.samples {
        let Some(attribute) = family.strip_prefix("debezium_metrics_") else {
            continue;
        };
        let mut take = |label: &str| {
            let value = labels.remove(label);
            value.with_context(|| format!("{family} has no label {label}"))
        };
        ensure!(
            take("plugin")? == "postgres" && take("name")? == server,
            "{family}"
        );
        let mut name = format!("{} {attribute}", take("context")?);
        for value in labels.into_values() {
            name = format!("{name} {value}");
        }
        attributes.insert(name, value);
    }
    Ok(attributes)
}

#[test]
fn a_task_counts_what_the_reference_counts() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(BEFORE)?;
    scene.capture(&json!({
        "snapshot.mode": "initial",
        "table.exclude.list": "public.other",
        "skip.messages.without.change": "true",
        "max.queue.size": "4000",
        "max.queue.size.in.bytes": "5000000",
        "slot.guardian.interval.ms": "100",
    }))?;
    scene.wait_records("public.t", 3)?;
    for statements in WORK {
        scene.sql(statements)?;
    }
    // A tombstone follows each deletion.
    scene.wait_records("public.t", 3 + 7)?;
    scene.wait_records("public.u", 2)?;
    let url = format!("{}/metrics", scene.worker.url());
    let ours = eventually("the metrics tell of the work", || {
        let ours = attributes(&http::get(&url)?.body, &scene.name)?;
        for (attribute, expected) in EXPECTED {
            let found = ours.get(attribute).copied();
            ensure!(
                found == Some(expected),
                "{attribute}: {found:?}, not {expected}"
            );
        }
        Ok(ours)
    })?;
    for attribute in [
        "snapshot MilliSecondsSinceLastEvent",
        "streaming LastTransactionId",
        "streaming MilliSecondsBehindSource",
        "streaming MilliSecondsBehindSourceAverageValue",
        "streaming MilliSecondsBehindSourceMaxValue",
        "streaming MilliSecondsBehindSourceMinValue",
        "streaming MilliSecondsBehindSourceP50",
        "streaming MilliSecondsBehindSourceP95",
        "streaming MilliSecondsBehindSourceP99",
        "streaming MilliSecondsSinceLastEvent",
        "streaming SlotRetainedBytes",
        "streaming SlotSecondsBehind",
        "streaming SlotUnconfirmedBytes",
        "streaming SourceEventPosition lsn",
    ] {
        let found = ours.get(attribute).copied();
        ensure!(
            found.is_some_and(|value| value >= 0.0),
            "{attribute}: {found:?}"
        );
    }
    // They are gone with the task.
    scene.worker.rest().put(&scene.name, "stop")?;
    eventually("a stopped connector has no metrics", || {
        let ours = attributes(&http::get(&url)?.body, &scene.name)?;
        ensure!(ours.is_empty(), "{ours:?}");
        Ok(())
    })
}
