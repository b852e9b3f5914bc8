//! What is told of an initial snapshot that reads tables in parts, beside the reference.

use anyhow::{Result, ensure};
use serde_json::json;
use tether_tests::turns;

use super::pair::Workers;

const SCHEMA: &str = "\
CREATE SCHEMA inv;
CREATE TABLE inv.many (id int PRIMARY KEY, v text);
INSERT INTO inv.many SELECT n, 'row ' || n FROM generate_series(1, 100) AS n;
CREATE TABLE inv.keyless (a int);
INSERT INTO inv.keyless SELECT n FROM generate_series(1, 10) AS n;
CREATE TABLE inv.empty (id int PRIMARY KEY);
ANALYZE;";

#[test]
fn parts_of_tables_are_told_of_as_by_the_reference() -> Result<()> {
    let _turn = turns::take();
    let workers = Workers::start(SCHEMA)?;
    // On one connection, so that the order is no matter of time.
    let more = json!({
        "snapshot.mode": "initial",
        "snapshot.max.threads.multiplier": "3",
    });
    let mut pair = workers.pair("", "inv[.].*", &more)?;
    pair.has("inv.many", 100)?;
    pair.has("inv.keyless", 10)?;
    pair.compare_all(&["inv.many", "inv.keyless"])?;
    ensure!(pair.told("TABLE_CHUNK_COMPLETED")? > 1);
    Ok(())
}
