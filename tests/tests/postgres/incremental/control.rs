//! Snapshots that are paused, resumed and stopped, and several at once, beside the reference.

use anyhow::Result;
use serde_json::{Value, json};
use tether_tests::turns;

use super::pair::{Pair, Signal, Workers};

/// Four chunks each, by seven rows.
const SCHEMA: &str = "\
CREATE SCHEMA inv;
CREATE TABLE inv.a (id int PRIMARY KEY, v text);
INSERT INTO inv.a SELECT n, 'a' || n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.b (id int PRIMARY KEY, v text);
INSERT INTO inv.b SELECT n, 'b' || n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.c (id int PRIMARY KEY, v text);
INSERT INTO inv.c SELECT n, 'c' || n FROM generate_series(1, 25) AS n;";

const TOPICS: [&str; 3] = ["inv.a", "inv.b", "inv.c"];
const CHUNK: usize = 7;
const ROWS: usize = 25;

const STARTED: &str = "STARTED";
const CHUNK_READ: &str = "IN_PROGRESS";
const SCANNED: &str = "TABLE_SCAN_COMPLETED";
const ABORTED: &str = "ABORTED";
const COMPLETED: &str = "COMPLETED";

/// What is told of a whole table.
const TABLE: [&str; 5] = [CHUNK_READ, CHUNK_READ, CHUNK_READ, CHUNK_READ, SCANNED];

/// A test with a connector of each, and how many records each table should have.
struct Control<'a> {
    pair: Pair<'a>,
    rows: [usize; 3],
}

impl Control<'_> {
    fn signal(&self, signals: &[Signal<'_>]) -> Result<()> {
        self.pair.signal(signals)
    }

    /// Waits for notifications.
    fn tells(&mut self, parts: &[&[&str]]) -> Result<()> {
        self.pair.tells(&parts.concat())
    }

    /// Waits until so many more rows of the tables have come.
    fn has_more(&mut self, rows: [usize; 3]) -> Result<()> {
        for (table, more) in rows.into_iter().enumerate() {
            self.rows[table] += more;
            if more > 0 {
                self.pair.has(TOPICS[table], self.rows[table])?;
            }
        }
        Ok(())
    }
}

fn execute<'a>(id: &'a str, tables: &[&str]) -> Signal<'a> {
    let data = json!({"data-collections": tables, "type": "incremental"});
    (id, "execute-snapshot", data)
}

fn stop<'a>(id: &'a str, tables: &[&str]) -> Signal<'a> {
    (id, "stop-snapshot", json!({"data-collections": tables}))
}

const PAUSE: Signal<'_> = ("p", "pause-snapshot", Value::Null);
const RESUME: Signal<'_> = ("r", "resume-snapshot", Value::Null);

/// The id of a signal is a key of its table.
fn named<'a>(id: &'a str, signal: Signal<'a>) -> Signal<'a> {
    (id, signal.1, signal.2)
}

#[test]
fn snapshots_are_paused_stopped_and_queued_as_by_the_reference() -> Result<()> {
    let _turn = turns::take();
    let workers = Workers::start(SCHEMA)?;
    let chunk = CHUNK.to_string();
    let more = json!({"incremental.snapshot.chunk.size": chunk});
    let mut control = Control {
        pair: workers.pair("", "inv[.].*", &more)?,
        rows: [0; 3],
    };
    pauses(&mut control)?;
    stops_the_whole(&mut control)?;
    stops_tables(&mut control)?;
    several_at_once(&mut control)?;
    control.pair.compare_all(&TOPICS)
}

fn pauses(control: &mut Control<'_>) -> Result<()> {
    // Without a snapshot they do nothing.
    control.signal(&[named("p1", PAUSE), named("r1", RESUME), stop("x1", &[])])?;

    control.signal(&[execute("paused", &["inv.a"]), named("p2", PAUSE)])?;
    control.tells(&[&[STARTED, CHUNK_READ, "PAUSED"]])?;
    // The chunk that was read is sent all the same.
    control.has_more([CHUNK, 0, 0])?;
    // A second pause and a second resumption do nothing.
    control.signal(&[named("p3", PAUSE), named("r2", RESUME), named("r3", RESUME)])?;
    control.tells(&[&["RESUMED"], &TABLE[1..], &[COMPLETED]])?;
    control.has_more([ROWS - CHUNK, 0, 0])?;

    // Before the window is closed.
    control.signal(&[
        execute("resumed", &["inv.a"]),
        named("p4", PAUSE),
        named("r4", RESUME),
    ])?;
    control.tells(&[
        &[STARTED, CHUNK_READ, "PAUSED", "RESUMED"],
        &TABLE[1..],
        &[COMPLETED],
    ])?;
    control.has_more([ROWS, 0, 0])
}

fn stops_the_whole(control: &mut Control<'_>) -> Result<()> {
    control.signal(&[
        execute("stopped", &["inv.a", "inv.b"]),
        named("x2", stop("", &[])),
    ])?;
    control.tells(&[&[STARTED, CHUNK_READ, COMPLETED, ABORTED]])?;
    control.has_more([CHUNK, 0, 0])?;

    // While it is paused: it stops once it would go on.
    control.signal(&[execute("stopped later", &["inv.b"]), named("p5", PAUSE)])?;
    control.tells(&[&[STARTED, CHUNK_READ, "PAUSED"]])?;
    control.has_more([0, CHUNK, 0])?;
    control.signal(&[stop("x3", &[])])?;
    control.signal(&[named("r5", RESUME)])?;
    control.tells(&[&["RESUMED", COMPLETED, ABORTED]])?;

    // The next one begins anew.
    control.signal(&[execute("after it", &["inv.b"])])?;
    control.tells(&[&[STARTED], &TABLE, &[COMPLETED]])?;
    control.has_more([0, ROWS, 0])
}

fn stops_tables(control: &mut Control<'_>) -> Result<()> {
    let all = ["inv.a", "inv.b", "inv.c"];
    control.signal(&[execute("without b", &all), stop("x4", &["inv.b"])])?;
    control.tells(&[
        &[STARTED, CHUNK_READ, ABORTED],
        &TABLE[1..],
        &TABLE,
        &[COMPLETED],
    ])?;
    control.has_more([ROWS, 0, ROWS])?;

    // The table that is being read.
    control.signal(&[execute("without a", &all[..2]), stop("x5", &["inv.a"])])?;
    control.tells(&[&[STARTED, CHUNK_READ, ABORTED], &TABLE, &[COMPLETED]])?;
    control.has_more([CHUNK, ROWS, 0])?;

    // One that does not wait, one that does not exist, and an expression.
    control.signal(&[
        execute("with c", &["inv.c"]),
        stop("x6", &["inv.b", "inv.nothing"]),
    ])?;
    control.tells(&[&[STARTED, CHUNK_READ, ABORTED], &TABLE[1..], &[COMPLETED]])?;
    control.has_more([0, 0, ROWS])?;
    control.signal(&[
        execute("only c", &["inv.c", "inv.a", "inv.b"]),
        stop("x7", &["inv[.][ab]"]),
    ])?;
    control.tells(&[&[STARTED, CHUNK_READ, ABORTED], &TABLE[1..], &[COMPLETED]])?;
    control.has_more([0, 0, ROWS])
}

fn several_at_once(control: &mut Control<'_>) -> Result<()> {
    // In one signal, some of them twice.
    control.signal(&[execute("many", &["inv.c", "inv[.][ac]", "inv.b", "inv.a"])])?;
    control.tells(&[&[STARTED], &TABLE, &TABLE, &TABLE, &[COMPLETED]])?;
    control.has_more([ROWS, ROWS, ROWS])?;

    // In several, the same one twice.
    control.signal(&[
        execute("first", &["inv.b"]),
        execute("second", &["inv.a", "inv.c"]),
        execute("third", &["inv.b"]),
    ])?;
    control.tells(&[&[STARTED], &TABLE, &TABLE, &TABLE, &TABLE, &[COMPLETED]])?;
    control.has_more([ROWS, 2 * ROWS, ROWS])?;

    // One that waits twice is left out as often.
    control.signal(&[
        execute("again", &["inv.a", "inv.b"]),
        execute("and again", &["inv.b"]),
        stop("x8", &["inv.b"]),
    ])?;
    control.tells(&[&[STARTED, CHUNK_READ, ABORTED], &TABLE[1..], &[COMPLETED]])?;
    control.has_more([ROWS, 0, 0])
}
