//! What signals ask for besides tables, and what is told of tables that cannot be read, beside the
//! reference.

use anyhow::Result;
use serde_json::{Value, json};
use tether_tests::turns;

use super::pair::{Pair, Workers};

const SCHEMA: &str = "\
CREATE SCHEMA inv;
CREATE TABLE inv.a (id int PRIMARY KEY, n int UNIQUE NOT NULL, v text);
INSERT INTO inv.a SELECT n, 100 - n, 'a''' || n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.b (id int PRIMARY KEY, n int UNIQUE NOT NULL, v text);
INSERT INTO inv.b SELECT n, 200 - n, 'b' || n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.mapped (id int PRIMARY KEY, first text NOT NULL, second int);
INSERT INTO inv.mapped SELECT n, 'f' || n / 4, nullif(n % 4, 2) FROM generate_series(1, 25) AS n;
CREATE TABLE inv.mapped_keyless (a int NOT NULL, b int NOT NULL);
INSERT INTO inv.mapped_keyless SELECT n / 5, n % 5 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.keyless (a int, b text);
INSERT INTO inv.keyless SELECT n, 'keyless ' || n FROM generate_series(1, 5) AS n;
CREATE TABLE inv.empty (id int PRIMARY KEY);
CREATE TABLE inv.late (id int PRIMARY KEY, v text);
INSERT INTO inv.late SELECT n, 'late' FROM generate_series(1, 3) AS n;";

const TOPICS: [&str; 5] = [
    "inv.a",
    "inv.b",
    "inv.mapped",
    "inv.mapped_keyless",
    "inv.late",
];

#[test]
fn requests_are_understood_as_by_the_reference() -> Result<()> {
    let _turn = turns::take();
    let workers = Workers::start(SCHEMA)?;
    let more = json!({
        "incremental.snapshot.chunk.size": "7",
        "message.key.columns": "inv[.]mapped:second,first;inv.mapped_keyless:a,b",
    });
    let mut pair = workers.pair("", "inv[.].*", &more)?;
    conditions(&mut pair)?;
    keys(&mut pair)?;
    unreadable(&mut pair)?;
    pair.compare_all(&TOPICS)
}

/// Takes a snapshot.
fn take(pair: &mut Pair<'_>, id: &str, data: Value) -> Result<()> {
    pair.signal(&[(id, "execute-snapshot", data)])?;
    pair.completes(id)
}

fn conditions(pair: &mut Pair<'_>) -> Result<()> {
    let condition =
        |tables: &str, filter: &str| json!({"data-collection": tables, "filter": filter});
    take(
        pair,
        "of one table",
        json!({
            "data-collections": ["inv.a", "inv.b"],
            "additional-conditions": [condition("inv.a", "id % 2 = 0 OR v = 'a''7'")],
        }),
    )?;
    take(
        pair,
        "of several",
        json!({
            "data-collections": ["inv.b", "inv.a"],
            "additional-conditions": [
                condition("INV[.]B", "id > 10 AND id < 21"),
                condition("inv[.].*", "n > 90"),
            ],
        }),
    )?;
    take(
        pair,
        "that no row meets",
        json!({
            "data-collections": ["inv.a", "inv.b"],
            "additional-conditions": [condition("inv.a", "false"), condition("inv.b", "")],
        }),
    )
}

fn keys(pair: &mut Pair<'_>) -> Result<()> {
    take(
        pair,
        "by another column",
        json!({"data-collections": ["inv.a", "inv.b"], "surrogate-key": "n"}),
    )?;
    // Rows with the same value of it are left out where a chunk ends between them.
    take(
        pair,
        "by a column that is not unique",
        json!({"data-collections": ["inv.mapped"], "surrogate-key": "first"}),
    )?;
    take(
        pair,
        "by another column and with a condition",
        json!({
            "data-collections": ["inv.a"],
            "surrogate-key": "n",
            "additional-conditions": [{"data-collection": "inv.a", "filter": "id < 20"}],
        }),
    )?;
    take(
        pair,
        "by configured columns",
        json!({"data-collections": ["inv.mapped"]}),
    )?;
    take(
        pair,
        "by configured columns without others",
        json!({"data-collections": ["inv.mapped_keyless"]}),
    )
}

fn unreadable(pair: &mut Pair<'_>) -> Result<()> {
    let table = |name: &str| json!({"data-collections": [name]});
    take(pair, "without a key", table("inv.keyless"))?;
    take(pair, "without rows", table("inv.empty"))?;
    take(pair, "that does not exist", table("inv.nothing"))?;
    let wrong = json!({"data-collection": "inv.a", "filter": "nothing = 1"});
    let data = json!({"data-collections": ["inv.a"], "additional-conditions": [wrong]});
    take(pair, "that cannot be read", data)?;
    pair.sql("CREATE TABLE IF NOT EXISTS public.other (id int PRIMARY KEY)")?;
    take(pair, "that is not captured", table("public.other"))?;
    let data = json!({"data-collections": ["inv.a"], "surrogate-key": "nothing"});
    take(pair, "without this column", data)?;
    take(
        pair,
        "without a key and others",
        json!({"data-collections": ["inv.keyless", "inv.empty", "inv.late", "inv.nothing", "inv.b"]}),
    )
}
