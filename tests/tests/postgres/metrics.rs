//! What a task tells of itself, beside the reference and after the same work.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tether_services::{ConnectWorker, shared};
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerOptions;

use super::scene::Scene;
use super::workers;
use crate::metrics::exporter::{Exporter, Scrape};

const HEAP_MEBIBYTES: u32 = 512;

/// Rows before the connector, in two tables that are captured and one that is not.
const BEFORE: &str = "CREATE TABLE t (id int PRIMARY KEY, text text); \
    ALTER TABLE t REPLICA IDENTITY FULL; \
    CREATE TABLE u (id int PRIMARY KEY); \
    CREATE TABLE other (id int PRIMARY KEY); \
    CREATE TABLE signal_ours (id text, type text, data text); \
    CREATE TABLE signal_java (id text, type text, data text); \
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

/// What that comes to, by context and attribute; with the name of a table, the number of that. The signal table
/// counts as one that remains.
const EXPECTED: [(&str, f64); 29] = [
    ("snapshot NumberOfErroneousEvents", 0.0),
    ("snapshot NumberOfEventsFiltered", 0.0),
    ("snapshot QueueRemainingCapacity", 4000.0),
    ("snapshot QueueTotalCapacity", 4000.0),
    ("snapshot RemainingTableCount", 1.0),
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
    ("snapshot TotalTableCount", 3.0),
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

/// Begins an incremental snapshot of three rows in chunks of two and of two rows in a chunk, and pauses it.
const PAUSED: &str = r#"BEGIN;
    INSERT INTO signal_WHO VALUES ('a', 'execute-snapshot', '{"data-collections": ["public.t", "public.u"]}');
    INSERT INTO signal_WHO VALUES ('b', 'pause-snapshot', '');
    COMMIT"#;

const RESUMED: &str = "INSERT INTO signal_WHO VALUES ('c', 'resume-snapshot', '')";

/// What is known of it once it waits.
const EXPECTED_PAUSED: [(&str, f64); 11] = [
    ("snapshot ChunkFrom [1]", 1.0),
    ("snapshot ChunkTo [4]", 1.0),
    ("snapshot TableFrom [1]", 1.0),
    ("snapshot TableTo [5]", 1.0),
    ("snapshot RemainingTableCount", 3.0),
    ("snapshot RowsScanned public.t", 2.0),
    ("snapshot SnapshotCompleted", 0.0),
    ("snapshot SnapshotPaused", 1.0),
    ("snapshot SnapshotRunning", 0.0),
    ("snapshot TotalNumberOfEventsSeen", 5.0),
    ("snapshot TotalTableCount", 3.0),
];

/// What is known of it in the end.
const EXPECTED_RESUMED: [(&str, f64); 8] = [
    ("snapshot RemainingTableCount", 1.0),
    ("snapshot RowsScanned public.t", 3.0),
    ("snapshot RowsScanned public.u", 2.0),
    ("snapshot SnapshotCompleted", 1.0),
    ("snapshot SnapshotPaused", 0.0),
    ("snapshot SnapshotRunning", 0.0),
    ("snapshot TotalNumberOfEventsSeen", 8.0),
    ("snapshot TotalTableCount", 3.0),
];

/// The attributes of Debezium's metrics, by context, name and what else they are told apart by, such as a
/// table. All are of this server.
fn attributes(scrape: &Scrape, server: &str) -> Result<BTreeMap<String, f64>> {
    let mut attributes = BTreeMap::new();
    for ((family, mut labels), value) in scrape.samples()? {
        let Some(attribute) = family.strip_prefix("debezium_metrics_") else {
            continue;
        };
        // The exporter leaves this end out.
        let attribute = attribute.strip_suffix("_info").unwrap_or(attribute);
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

/// How the exporter of the Java worker is to name the metrics of Debezium's connectors: as the rules that its
/// examples have, whose order of tags is that of an older release.
/// They leave out texts, for which there is one more.
const RULES: &str = r#"
lowercaseOutputName: false
rules:
- pattern: "debezium.([^:]+)<type=connector-metrics, context=([^,]+), server=([^,>]+)><>(LastEvent|(?:Chunk|Table)(?:From|To)): (.*)"
  name: "debezium_metrics_$4_info"
  labels: {plugin: "$1", context: "$2", name: "$3", "$4": "$5"}
  value: 1
- pattern: "debezium.([^:]+)<type=connector-metrics, context=([^,]+), server=([^,>]+), key=([^>]+)><>([^:]+)"
  name: "debezium_metrics_$5"
  labels: {plugin: "$1", context: "$2", name: "$3", table: "$4"}
- pattern: "debezium.([^:]+)<type=connector-metrics, context=([^,]+), server=([^,>]+)><>([^:]+)"
  name: "debezium_metrics_$4"
  labels: {plugin: "$1", context: "$2", name: "$3"}
"#;

#[test]
fn a_task_counts_what_the_reference_counts() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(BEFORE)?;
    let java_name = format!("{}_java", scene.name);
    let exporter = Exporter::new(RULES)?;
    let options = WorkerOptions::new(&java_name, &shared::bootstrap()?)?;
    let mut options = workers::java(&options, HEAP_MEBIBYTES)?;
    options.jvm.flags.push(exporter.flag()?);
    let java = ConnectWorker::distributed(options)?;
    let more = json!({
        "snapshot.mode": "initial",
        "table.exclude.list": "public.other,public.signal_.*",
        "signal.data.collection": "public.signal_ours",
        "incremental.snapshot.chunk.size": "2",
        "skip.messages.without.change": "true",
        "max.queue.size": "4000",
        "max.queue.size.in.bytes": "5000000",
        "slot.guardian.interval.ms": "100",
        "tether.metrics.keys": "true",
    });
    scene.capture(&more)?;
    let mut config = scene.config(&more);
    for key in ["topic.prefix", "slot.name"] {
        config[key] = java_name.replace('-', "_").into();
    }
    config["signal.data.collection"] = "public.signal_java".into();
    let prefix = config["topic.prefix"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    java.rest().create(&java_name, &config)?;
    scene.wait_records("public.t", 3)?;
    let snapshot = EXPECTED
        .iter()
        .filter(|(name, _)| name.starts_with("snapshot"));
    wait_attributes(
        "the reference's snapshot",
        exporter.scrape(),
        &prefix,
        snapshot,
    )?;
    eventually("both stream", || {
        let active = scene.value("SELECT count(*) FROM pg_replication_slots WHERE active")?;
        ensure!(active == "2", "{active} slots are active\n{}", java.log());
        Ok(())
    })?;
    for statements in WORK {
        scene.sql(statements)?;
    }
    // A tombstone follows each deletion.
    scene.wait_records("public.t", 3 + 7)?;
    scene.wait_records("public.u", 2)?;
    let scrape = Scrape::new(format!("{}/metrics", scene.worker.url()));
    let ours = wait_attributes("ours", &scrape, &scene.name, EXPECTED.iter())?;
    let theirs = wait_attributes("the reference", exporter.scrape(), &prefix, EXPECTED.iter())?;
    // What depends on time is there on both sides.
    let missing: Vec<_> = theirs
        .iter()
        .filter(|(name, value)| value.is_finite() && !ours.contains_key(*name))
        // Each has a view of its own of the rows.
        .filter(|(name, _)| !name.starts_with("snapshot LastEvent position: {lsn: "))
        .collect();
    ensure!(missing.is_empty(), "only the reference has {missing:?}");
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
        "snapshot CapturedTables public.t",
        "snapshot CapturedTables public.u",
        "streaming CapturedTables public.t",
        "streaming CapturedTables public.u",
    ] {
        let found = ours.get(attribute).copied();
        ensure!(
            found.is_some_and(|value| value >= 0.0),
            "{attribute}: {found:?}"
        );
    }
    let workers = [
        ("ours", &scrape, &*scene.name),
        ("java", exporter.scrape(), &*prefix),
    ];
    for (signals, expected) in [
        (PAUSED, &EXPECTED_PAUSED[..]),
        (RESUMED, &EXPECTED_RESUMED[..]),
    ] {
        for (whose, _, _) in workers {
            scene.sql(&signals.replace("WHO", whose))?;
        }
        for (whose, scrape, server) in workers {
            let found = wait_attributes(whose, scrape, server, expected.iter())?;
            let has_chunk = found.keys().any(|name| name.contains(" ChunkFrom "));
            ensure!(has_chunk == (signals == PAUSED), "{found:?}");
            // The reference shows the schema of the key.
            let last = r#"snapshot LastEvent key: {"id" : "4"}"#;
            let is_last = found.contains_key(last);
            ensure!(
                whose == "java" || is_last == (signals == PAUSED),
                "{found:?}"
            );
        }
    }
    // They are gone with the task.
    scene.worker.rest().put(&scene.name, "stop")?;
    eventually("a stopped connector has no metrics", || {
        let ours = attributes(&scrape, &scene.name)?;
        ensure!(ours.is_empty(), "{ours:?}");
        Ok(())
    })
}

/// Waits until attributes have these values, and returns all.
fn wait_attributes<'a>(
    whose: &str,
    scrape: &Scrape,
    server: &str,
    expected: impl Iterator<Item = &'a (&'a str, f64)> + Clone,
) -> Result<BTreeMap<String, f64>> {
    eventually(&format!("the metrics of {whose}"), || {
        let found = attributes(scrape, server)?;
        let mut wrong = Vec::new();
        for (attribute, expected) in expected.clone() {
            let found = found.get(*attribute).copied();
            if found != Some(*expected) {
                wrong.push(format!("{attribute}: {found:?}, not {expected}"));
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        Ok(found)
    })
}
