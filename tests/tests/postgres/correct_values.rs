//! Values that the reference loses or gets wrong (`tether.values=correct`): the same ones from a snapshot
//! and from the stream.

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::shared;
use tether_tests::turns;

use super::scene::{Scene, key, value};

const VALUES: &str = "\
    'a name', '(1,2)', '{1,2,-1}', '(1,1),(0,0)', '0/1234', '(7,x)', '{[1,3)}', 'a & b', \
    '{{1,2},{3,NULL}}', '{1.50,NULL}', '{x,y}', '{1 day}', '{101,010}', 'infinity', '-infinity', \
    '0044-03-15 BC', '{0044-03-15 BC}', 'NaN', '{12:00:01.5+00}', 'hidden'";

#[test]
fn values_are_what_they_are() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(
        "CREATE TYPE pair AS (a int, b text); \
         CREATE TABLE t (\
            name name, point2 point, line line, box box, lsn pg_lsn, pair pair, \
            ranges int4multirange, query tsquery, matrix int[], money money[], names name[], \
            intervals interval[], bits bit(3)[], later date, earlier date, bc date, bcs date[], \
            nan numeric(5,2), times timetz[], id text, PRIMARY KEY (id))",
    )?;
    scene.sql(&format!("INSERT INTO t VALUES ({VALUES})"))?;
    scene.capture(&json!({
        "snapshot.mode": "initial",
        "tether.values": "correct",
        "decimal.handling.mode": "string",
        "column.exclude.list": "public.t.(id|point2)",
    }))?;
    scene.sql(&format!(
        "INSERT INTO t VALUES ({})",
        VALUES.replace("hidden", "also hidden")
    ))?;
    let records = scene.wait_records("public.t", 2)?;
    let rows: Vec<_> = records.iter().map(value).collect::<Result<_>>()?;
    let expected = json!({
        "name": "a name",
        "line": "{1,2,-1}",
        "box": "(1,1),(0,0)",
        "lsn": "0/1234",
        "pair": "(7,x)",
        "ranges": "{[1,3)}",
        "query": "'a' & 'b'",
        "matrix": [1, 2, 3, null],
        "money": ["1.50", null],
        "names": ["x", "y"],
        "intervals": [86_400_000_000_i64],
        "bits": ["BQ==", "Ag=="],
        "later": i32::MAX,
        "earlier": i32::MIN,
        "bc": -735_160,
        "bcs": [-735_160],
        "nan": "NaN",
        "times": ["12:00:01.5Z"],
    });
    assert_eq!(rows[0]["after"], expected, "the snapshot");
    assert_eq!(rows[1]["after"], expected, "the stream");
    ensure!(rows[0]["op"] == "r" && rows[1]["op"] == "c");
    assert_eq!(key(&records[0])?, json!({"id": "hidden"}));
    assert_eq!(key(&records[1])?, json!({"id": "also hidden"}));
    Ok(())
}
