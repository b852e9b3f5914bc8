//! Tables with keys of all kinds, beside the reference: the events of the rows and the notifications have
//! to be the same.

use anyhow::Result;
use serde_json::json;
use tether_tests::turns;

use super::pair::Workers;

/// Tables with keys of all kinds, whose rows come in several chunks.
const SCHEMA: &str = r#"
CREATE SCHEMA inv;
CREATE TYPE inv.mood AS ENUM ('sad', 'ok', 'happy');
CREATE EXTENSION citext;
CREATE TABLE inv.ints (id int PRIMARY KEY, text text);
INSERT INTO inv.ints SELECT n, 'row ' || n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.longs (a bigint, b varchar(20), c numeric(10, 2), PRIMARY KEY (b, a, c));
INSERT INTO inv.longs SELECT n, 'Group ' || n % 3, n / 4.0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.uuids (id uuid PRIMARY KEY, v float8);
INSERT INTO inv.uuids SELECT md5(n::text)::uuid, n / 7.0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.days (id date PRIMARY KEY, v bool);
INSERT INTO inv.days SELECT '2024-02-20'::date + n, n % 2 = 0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.moods (mood inv.mood, small smallint, PRIMARY KEY (mood, small));
INSERT INTO inv.moods SELECT m, n FROM unnest(enum_range(NULL::inv.mood)) AS m, generate_series(1, 9) AS n;
CREATE TABLE inv.names (name citext PRIMARY KEY, bin bytea);
INSERT INTO inv.names SELECT chr(n % 2 * 32 + 65 + n / 2) || n, int4send(n) FROM generate_series(1, 25) AS n;
CREATE TABLE inv.chars (id char(6) PRIMARY KEY, f real UNIQUE);
INSERT INTO inv.chars SELECT 'c' || n, n / 3.0 FROM generate_series(1, 25) AS n;
CREATE TABLE inv.bins (id bytea PRIMARY KEY, ip inet);
INSERT INTO inv.bins SELECT int4send(n), '10.0.0.0'::inet + n FROM generate_series(1, 25) AS n;
CREATE TABLE inv.nullable (a int, b text, UNIQUE (a, b));
INSERT INTO inv.nullable SELECT nullif(n % 5, 0), nullif('b' || n % 7, 'b3') FROM generate_series(1, 35) AS n;
CREATE TABLE inv.keyless (a int, b text);
INSERT INTO inv.keyless SELECT n, 'keyless ' || n FROM generate_series(1, 5) AS n;
CREATE TABLE inv.empty (id int PRIMARY KEY);
"#;

#[test]
fn rows_of_all_keys_are_the_same() -> Result<()> {
    let _turn = turns::take();
    let workers = Workers::start(SCHEMA)?;
    let more = json!({"incremental.snapshot.chunk.size": "7"});
    let mut pair = workers.pair("", "inv[.].*", &more)?;
    let tables = [
        "inv.ints",
        "inv.longs",
        "inv.uuids",
        "inv.days",
        "inv.moods",
        "inv.names",
        "inv.chars",
        "inv.bins",
        "inv.nullable",
        "inv.empty",
    ];
    for (place, table) in tables.iter().enumerate() {
        let id = format!("signal {place}");
        let data = json!({"data-collections": [table]});
        pair.signal(&[(&id, "execute-snapshot", data)])?;
        pair.completes(&id)?;
    }
    pair.compare_all(&tables)
}
