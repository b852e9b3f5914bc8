//! Values that the reference loses or gets wrong (`tether.values=correct`): the same ones from a snapshot
//! and from the stream.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::scene::{Scene, key, value};

const VALUES: &str = "\
    'a name', '(1,2)', '{1,2,-1}', '(1,1),(0,0)', '0/1234', '(7,x)', '{[1,3)}', 'a & b', \
    '{{1,2},{3,NULL}}', '{1.50,NULL}', '{x,y}', '{1 day}', '{101,010}', 'infinity', '-infinity', \
    '0044-03-15 BC', '{0044-03-15 BC}', 'NaN', '{12:00:01.5+00}', 'hidden'";

/// Arrays as they were declared, and as others.
const ARRAYS: &str = "\
    1, '{{1,2},{3,NULL}}', '{}', '[0:1]={1,2}', '{{{1,2},{3,4}},{{5,6},{7,8}}}', \
    '{{\"{\",b},{NULL,\"\"}}', '{{2024-03-15},{infinity}}', '{{{1}},{{2}}}', '{{1,2},{3,4}}'";

#[test]
fn arrays_have_the_dimensions_that_they_were_declared_with() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(
        "CREATE DOMAIN cube AS int[][][]; \
         CREATE TABLE t (\
            id int PRIMARY KEY, matrix int[][], empty int[][], vector int[][], cube cube, \
            texts text[][], dates date[][], deep int[][], flat int[])",
    )?;
    scene.sql(&format!("INSERT INTO t VALUES ({ARRAYS})"))?;
    scene.capture(&json!({"snapshot.mode": "initial", "tether.values": "correct"}))?;
    scene.sql(&format!(
        "INSERT INTO t VALUES ({})",
        ARRAYS.replacen('1', "2", 1)
    ))?;
    let records = scene.wait_records("public.t", 2)?;
    for (id, record) in (1..).zip(&records) {
        let expected = json!({
            "id": id,
            "matrix": [[1, 2], [3, null]],
            "empty": [],
            "vector": [[1, 2]],
            "cube": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
            "texts": [["{", "b"], [null, ""]],
            "dates": [[19_797], [i32::MAX]],
            "deep": [[1], [2]],
            "flat": [1, 2, 3, 4],
        });
        assert_eq!(value(record)?["after"], expected);
    }
    Ok(())
}

/// Numbers that are none become null, also where NULL is refused, and a negative scale gives whole numbers.
#[test]
fn precise_numbers_are_those_of_the_database() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    let version: u32 = scene.value("SHOW server_version_num")?.parse()?;
    // Older servers have neither.
    let (rounded, infinite) = match version >= 150_000 {
        true => ("numeric(3, -2)", "-Infinity"),
        false => ("numeric(5, 0)", "NaN"),
    };
    scene.sql(&format!(
        "CREATE TABLE t (\
            id numeric(5, 1) PRIMARY KEY, a numeric(5, 2) NOT NULL, b numeric NOT NULL, \
            c numeric(5, 2)[] NOT NULL, rounded {rounded} NOT NULL)"
    ))?;
    let values = |id: u32| {
        format!("INSERT INTO t VALUES ({id}, 'NaN', '{infinite}', '{{NaN}}', 12345 / 100 * 100)")
    };
    scene.sql(&values(1))?;
    scene.capture(&json!({"snapshot.mode": "initial", "tether.values": "correct"}))?;
    scene.sql(&values(2))?;
    let records = scene.wait_records("public.t", 2)?;
    for record in &records {
        let row = &value(record)?["after"];
        for column in ["a", "b", "c"] {
            assert_eq!(row[column], Value::Null, "{column}");
        }
        // Two bytes.
        assert_eq!(row["rounded"], "MAw=");
    }
    // With texts nothing is lost.
    let texts = json!({
        "decimal.handling.mode": "string",
        "tether.values": "correct",
    });
    let rest = scene.worker.rest();
    rest.put(&scene.name, "stop")?;
    rest.wait_for(&scene.name, "STOPPED[]")?;
    let path = format!("/connectors/{}/config", scene.name);
    rest.expect(200, "PUT", &path, Some(&scene.config(&texts)))?;
    rest.put(&scene.name, "resume")?;
    rest.wait_for(&scene.name, "RUNNING[RUNNING]")?;
    scene.wait_streaming()?;
    scene.sql(&values(3))?;
    let records = scene.wait_records("public.t", 3)?;
    let expected = json!({
        "id": "3.0", "a": "NaN", "b": infinite, "c": ["NaN"], "rounded": "12300",
    });
    assert_eq!(value(&records[2])?["after"], expected);
    Ok(())
}

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
