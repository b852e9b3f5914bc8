//! The attributes of both contexts, as the reference's MBeans have them.

use std::fmt;
use std::sync::Arc;

use tether_api::metrics::{Group, GroupBuilder, Metrics};

use super::Meters;
use super::events::EventMeter;
use super::lag::Lag;
use super::streaming::StreamingMeter;
use crate::config::Settings;
use crate::guardian::SlotGauges;
use crate::snapshot::{IncrementalChunk, SnapshotMeter, SnapshotPhase, TableMeter};

const DOMAIN: &str = "debezium.postgres";
const TYPE: &str = "connector-metrics";

/// How full the queue between the database and the worker is.
pub trait QueueGauge: Send + Sync {
    /// How many records and bytes wait.
    fn usage(&self) -> (usize, usize);
    /// How many records and bytes may wait.
    fn capacity(&self) -> (usize, usize);
}

/// The groups of a task. They vanish when this is dropped.
#[must_use = "the groups vanish when this is dropped"]
pub struct Groups {
    _groups: [Group; 2],
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Groups")
    }
}

/// Makes the metrics of a task visible.
pub fn register(
    metrics: &Metrics,
    settings: &Settings,
    meters: &Meters,
    queue: &Arc<dyn QueueGauge>,
) -> Groups {
    let group = |context: &'static str, events: &EventMeter| {
        let mut group = metrics.group(DOMAIN, TYPE);
        group.tag("context", context);
        group.tag("server", &*settings.topic_prefix);
        for (name, value) in &settings.metrics.tags {
            group.tag(name.clone(), value);
        }
        add_events(&mut group, events);
        if settings.metrics.shows_keys {
            add_last_event(&mut group, events);
        }
        add_queue(&mut group, queue);
        group
    };
    let mut snapshot = group("snapshot", meters.snapshot.events());
    add_snapshot(&mut snapshot, &meters.snapshot);
    if settings.metrics.shows_keys {
        add_chunk(&mut snapshot, &meters.snapshot);
    }
    let mut streaming = group("streaming", meters.streaming.events());
    add_streaming(&mut streaming, &meters.streaming);
    add_slot(&mut streaming, &meters.slot);
    Groups {
        _groups: [snapshot.register(), streaming.register()],
    }
}

fn add_events(group: &mut GroupBuilder, events: &EventMeter) {
    for (name, help, counter) in [
        (
            "TotalNumberOfEventsSeen",
            "Events since the start of the task, with those that were left out.",
            &events.seen,
        ),
        (
            "TotalNumberOfCreateEventsSeen",
            "The same, of new rows.",
            &events.created,
        ),
        (
            "TotalNumberOfUpdateEventsSeen",
            "The same, of changed rows.",
            &events.updated,
        ),
        (
            "TotalNumberOfDeleteEventsSeen",
            "The same, of deleted rows.",
            &events.deleted,
        ),
        (
            "NumberOfEventsFiltered",
            "Events of tables that are not captured.",
            &events.filtered,
        ),
        (
            "NumberOfErroneousEvents",
            "Events of tables whose structure is not known.",
            &events.erroneous,
        ),
    ] {
        group.known_counter(name, help, Arc::clone(counter));
    }
    let last = events.last();
    group.computed(
        "MilliSecondsSinceLastEvent",
        "Milliseconds since the latest event; -1 without one.",
        move || last.millis_since() as f64,
    );
}

/// What the latest event was. It has the key of a row, and is another text for
/// each event, of which Prometheus makes a series.
fn add_last_event(group: &mut GroupBuilder, events: &EventMeter) {
    let last = events.last();
    group.texts(
        "LastEvent",
        "Where the latest event stands, and its key.",
        "LastEvent",
        move || last.text().into_iter().collect(),
    );
}

fn add_queue(group: &mut GroupBuilder, queue: &Arc<dyn QueueGauge>) {
    let mut add = |name, help, value: fn(&dyn QueueGauge) -> usize| {
        let queue = Arc::clone(queue);
        group.computed(name, help, move || value(&*queue) as f64);
    };
    add(
        "QueueTotalCapacity",
        "Records that may wait for the worker (max.queue.size).",
        |queue| queue.capacity().0,
    );
    add(
        "QueueRemainingCapacity",
        "Records for which there is room.",
        |queue| queue.capacity().0.saturating_sub(queue.usage().0),
    );
    add(
        "MaxQueueSizeInBytes",
        "Bytes that may wait (max.queue.size.in.bytes).",
        |queue| queue.capacity().1,
    );
    add("CurrentQueueSizeInBytes", "Bytes that wait.", |queue| {
        queue.usage().1
    });
}

fn add_snapshot(group: &mut GroupBuilder, meter: &Arc<SnapshotMeter>) {
    let mut add = |name, help, value: fn(&SnapshotMeter) -> f64| {
        let meter = Arc::clone(meter);
        group.computed(name, help, move || value(&meter));
    };
    add("TotalTableCount", "Tables of snapshots.", |meter| {
        meter.captured_tables().len() as f64
    });
    add(
        "RemainingTableCount",
        "Tables that have not been read.",
        |meter| meter.remaining_tables() as f64,
    );
    add(
        "SnapshotDurationInSeconds",
        "How long the latest snapshot took, or has taken so far.",
        |meter| meter.phase().duration().as_secs() as f64,
    );
    add(
        "SnapshotPausedDurationInSeconds",
        "How long it has waited because of a signal.",
        |meter| meter.phase().paused_duration().as_secs() as f64,
    );
    let mut flag = |name, help, flag: fn(&SnapshotPhase) -> bool| {
        let meter = Arc::clone(meter);
        group.computed(name, help, move || f64::from(flag(&meter.phase())));
    };
    flag("SnapshotRunning", "1 while rows are read.", |phase| {
        phase.running
    });
    flag(
        "SnapshotPaused",
        "1 while a snapshot waits because of a signal.",
        |phase| phase.paused,
    );
    flag(
        "SnapshotCompleted",
        "1 once the latest snapshot has read all rows.",
        |phase| phase.completed,
    );
    flag("SnapshotAborted", "1 if it ended before that.", |phase| {
        phase.aborted
    });
    flag(
        "SnapshotSkipped",
        "1 if there was nothing to read at the start.",
        |phase| phase.skipped,
    );
    let tables = Arc::clone(meter);
    group.texts(
        "CapturedTables",
        "Tables of snapshots.",
        "table",
        move || tables.captured_tables(),
    );
    let mut rows = |name, help, value: fn(&TableMeter) -> Option<u64>| {
        let meter = Arc::clone(meter);
        group.rows(name, help, "table", move || {
            let tables = meter.tables();
            let rows = tables
                .iter()
                .map(|table| value(table).map(|value| (table.name().to_owned(), value as f64)));
            rows.flatten().collect()
        });
    };
    rows("RowsScanned", "Rows that were read, by table.", |table| {
        Some(table.rows())
    });
    rows(
        "TableChunkCounts",
        "Parts that tables are read in.",
        |table| (table.parts() > 0).then(|| table.parts()),
    );
    rows(
        "TableChunksCompletedCounts",
        "Parts that have been read.",
        |table| (table.parts() > 0).then(|| table.parts_completed()),
    );
}

/// Where an incremental snapshot is: keys of rows.
fn add_chunk(group: &mut GroupBuilder, meter: &Arc<SnapshotMeter>) {
    let mut chunk = |name, help, value: fn(IncrementalChunk) -> Option<String>| {
        let meter = Arc::clone(meter);
        let value = move || value(meter.chunk()).into_iter().collect();
        group.texts(name, help, name, value);
    };
    chunk(
        "ChunkId",
        "The chunk that an incremental snapshot has read.",
        |chunk| chunk.id,
    );
    chunk("ChunkFrom", "The key that it begins with.", |chunk| {
        chunk.from
    });
    chunk("ChunkTo", "The key that it ends with.", |chunk| chunk.to);
    chunk(
        "TableFrom",
        "The key that its table begins with.",
        |chunk| chunk.table_from,
    );
    chunk(
        "TableTo",
        "The key that its table ended with when the snapshot began.",
        |chunk| chunk.table_to,
    );
}

fn add_streaming(group: &mut GroupBuilder, meter: &Arc<StreamingMeter>) {
    group.known_counter(
        "NumberOfCommittedTransactions",
        "Transactions of which events came.",
        Arc::clone(&meter.transactions),
    );
    let tables = Arc::clone(meter);
    group.texts(
        "CapturedTables",
        "Tables whose changes are captured.",
        "table",
        move || tables.captured_tables(),
    );
    let mut add = |name, help, value: fn(&StreamingMeter) -> f64| {
        let meter = Arc::clone(meter);
        group.computed(name, help, move || value(&meter));
    };
    add("Connected", "1 while the stream is connected.", |meter| {
        f64::from(meter.is_connected())
    });
    add(
        "LastTransactionId",
        "The number of the latest event's transaction; -1 without one.",
        |meter| meter.transaction() as f64,
    );
    add(
        "NumberOfUnchangedEventsSkipped",
        "Updates without a change that were left out; -1 if they are not.",
        |meter| meter.unchanged() as f64,
    );
    add(
        "MilliSecondsBehindSource",
        "Milliseconds from a commit to its event, of the latest one; -1 without one.",
        |meter| meter.lag().last() as f64,
    );
    let mut lag = |name, help, value: fn(&Lag) -> Option<f64>| {
        let meter = Arc::clone(meter);
        group.computed(name, help, move || value(&meter.lag()).unwrap_or(f64::NAN));
    };
    lag(
        "MilliSecondsBehindSourceMinValue",
        "The least of them.",
        Lag::least,
    );
    lag(
        "MilliSecondsBehindSourceMaxValue",
        "The most of them.",
        Lag::most,
    );
    lag(
        "MilliSecondsBehindSourceAverageValue",
        "Their mean.",
        Lag::average,
    );
    lag("MilliSecondsBehindSourceP50", "Their median.", |lag| {
        lag.quantile(0.50)
    });
    lag(
        "MilliSecondsBehindSourceP95",
        "What 95 percent of them are not above.",
        |lag| lag.quantile(0.95),
    );
    lag(
        "MilliSecondsBehindSourceP99",
        "What 99 percent of them are not above.",
        |lag| lag.quantile(0.99),
    );
    let position = Arc::clone(meter);
    group.rows(
        "SourceEventPosition",
        "Where the latest event stands in the log.",
        "position",
        move || match position.position() {
            ..0 => Vec::new(),
            lsn => vec![("lsn".to_owned(), lsn as f64)],
        },
    );
}

/// What the reference does not have.
fn add_slot(group: &mut GroupBuilder, slot: &Arc<SlotGauges>) {
    let mut add = |name, help, value: fn(&SlotGauges) -> f64| {
        let slot = Arc::clone(slot);
        group.computed(name, help, move || value(&slot));
    };
    add(
        "SlotRetainedBytes",
        "Bytes of log that the server keeps for the slot; -1 if that is not known.",
        |slot| slot.kept() as f64,
    );
    add(
        "SlotUnconfirmedBytes",
        "Bytes of log that have not been confirmed; -1 if that is not known.",
        |slot| slot.unconfirmed() as f64,
    );
    add(
        "SlotSecondsBehind",
        "Seconds since there has been something to confirm; -1 if that is not known.",
        |slot| match slot.millis_behind() {
            ..0 => -1.0,
            millis => millis as f64 / 1_000.0,
        },
    );
    add(
        "SlotSafeBytes",
        "Bytes of log until the server may give up the slot; -1 if there is no such limit.",
        |slot| slot.safe() as f64,
    );
}
