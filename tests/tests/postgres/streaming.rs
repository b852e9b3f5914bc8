//! Rows that are inserted, updated and deleted.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::topics::Record;
use tether_tests::turns;

use super::scene::{Scene, key, value};

/// Key, operation, old and new row of each record, and the names of its headers that not all have.
fn changes(records: &[Record]) -> Result<Vec<Value>> {
    records
        .iter()
        .map(|record| {
            let value = value(record)?;
            let special: Vec<&str> = record
                .headers
                .iter()
                .map(|(name, _)| name.as_str())
                .filter(|name| !name.starts_with("__debezium.context."))
                .collect();
            Ok(json!([
                key(record)?,
                value["op"],
                value["before"],
                value["after"],
                special
            ]))
        })
        .collect()
}

#[test]
fn changes_of_rows_are_records() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql(
        "CREATE SCHEMA inv; CREATE TABLE inv.item (id int PRIMARY KEY, name text NOT NULL, price numeric(10,2)); \
         CREATE TABLE inv.whole (id int PRIMARY KEY, name text); ALTER TABLE inv.whole REPLICA IDENTITY FULL; \
         CREATE TABLE inv.hidden (id int PRIMARY KEY)",
    )?;
    scene.capture(&json!({
        "table.exclude.list": "inv.hidden", "decimal.handling.mode": "string"
    }))?;
    scene.sql(
        "INSERT INTO inv.hidden VALUES (1); \
         INSERT INTO inv.item VALUES (1, 'a', 1.5); \
         UPDATE inv.item SET name = 'b'; \
         UPDATE inv.item SET id = 2; \
         DELETE FROM inv.item; \
         INSERT INTO inv.whole VALUES (1, 'x'); \
         UPDATE inv.whole SET name = NULL; \
         DELETE FROM inv.whole",
    )?;
    let item = scene.wait_records("inv.item", 7)?;
    assert_eq!(
        changes(&item)?,
        [
            json!([{"id": 1}, "c", null, {"id": 1, "name": "a", "price": "1.50"}, []]),
            json!([{"id": 1}, "u", null, {"id": 1, "name": "b", "price": "1.50"}, []]),
            json!([{"id": 1}, "d", {"id": 1, "name": "", "price": null}, null, ["__debezium.newkey"]]),
            json!([{"id": 1}, null, null, null, ["__debezium.newkey"]]),
            json!([{"id": 2}, "c", null, {"id": 2, "name": "b", "price": "1.50"}, ["__debezium.oldkey"]]),
            json!([{"id": 2}, "d", {"id": 2, "name": "", "price": null}, null, []]),
            json!([{"id": 2}, null, null, null, []]),
        ]
    );
    let whole = scene.wait_records("inv.whole", 4)?;
    assert_eq!(
        changes(&whole)?,
        [
            json!([{"id": 1}, "c", null, {"id": 1, "name": "x"}, []]),
            json!([{"id": 1}, "u", {"id": 1, "name": "x"}, {"id": 1, "name": null}, []]),
            json!([{"id": 1}, "d", {"id": 1, "name": null}, null, []]),
            json!([{"id": 1}, null, null, null, []]),
        ]
    );
    assert!(scene.records("inv.hidden")?.is_empty());
    source_block(&scene, &item)
}

/// The block says where an event comes from.
fn source_block(scene: &Scene, records: &[Record]) -> Result<()> {
    let source = value(&records[0])?["source"].clone();
    for (field, expected) in [
        ("connector", json!("postgresql")),
        ("name", json!(scene.name)),
        ("snapshot", json!("false")),
        ("db", json!("postgres")),
        ("schema", json!("inv")),
        ("table", json!("item")),
        ("xmin", Value::Null),
    ] {
        assert_eq!(source[field], expected, "{field}");
    }
    let millis = source["ts_ms"].as_i64().context("no ts_ms")?;
    let micros = source["ts_us"].as_i64().context("no ts_us")?;
    assert_eq!(micros / 1000, millis);
    assert_eq!(source["ts_ns"], json!(micros * 1000));
    let lsn = source["lsn"].as_i64().context("no lsn")?;
    let sequence = source["sequence"].as_str().context("no sequence")?;
    assert!(sequence.ends_with(&format!("\"{lsn}\"]")), "{sequence}");
    // A key change is one message.
    let lsns: Vec<Value> = records
        .iter()
        .map(|record| Ok(value(record)?["source"]["lsn"].clone()))
        .collect::<Result<_>>()?;
    assert_eq!(lsns[2], lsns[4]);
    let names: Vec<&str> = records[0]
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "__debezium.context.connectorLogicalName",
            "__debezium.context.taskId",
            "__debezium.context.connectorName",
            "__debezium.context.runId",
        ]
    );
    Ok(())
}

#[test]
fn tables_change_while_they_are_captured() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql("CREATE TABLE t (id int PRIMARY KEY)")?;
    scene.capture(&json!({}))?;
    scene.sql("INSERT INTO t VALUES (1)")?;
    scene.wait_records("public.t", 1)?;
    scene.sql(
        "ALTER TABLE t ADD COLUMN a text NOT NULL DEFAULT 'x'; INSERT INTO t VALUES (2); \
         CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (9)",
    )?;
    let records = scene.wait_records("public.t", 2)?;
    assert_eq!(value(&records[1])?["after"], json!({"id": 2, "a": "x"}));
    scene.wait_records("public.later", 1)?;
    scene.sql("ALTER TABLE t DROP COLUMN a; ALTER TABLE t RENAME id TO number; UPDATE t SET number = 7 WHERE number = 1")?;
    let records = scene.wait_records("public.t", 5)?;
    assert_eq!(key(&records[2])?, json!({"number": 1}));
    assert_eq!(key(&records[4])?, json!({"number": 7}));
    Ok(())
}

#[test]
fn transactions_and_messages_and_heartbeats_have_records() -> Result<()> {
    let _turn = turns::take();
    let scene = Scene::start(&shared::bootstrap()?)?;
    scene.sql("CREATE TABLE t (id int PRIMARY KEY)")?;
    scene.capture(&json!({
        "provide.transaction.metadata": "true", "heartbeat.interval.ms": "500", "skipped.operations": "none",
    }))?;
    scene.sql("INSERT INTO t VALUES (1), (2)")?;
    scene.sql("SELECT pg_logical_emit_message(false, 'outside', 'abc')")?;
    scene.sql("TRUNCATE t")?;
    let records = scene.wait_records("public.t", 3)?;
    let orders: Vec<Value> = records
        .iter()
        .map(|record| Ok(value(record)?["transaction"]["total_order"].clone()))
        .collect::<Result<_>>()?;
    assert_eq!(orders, [json!(1), json!(2), json!(1)]);
    let truncated = value(&records[2])?;
    assert_eq!(
        (&truncated["op"], key(&records[2])?),
        (&json!("t"), Value::Null)
    );
    let transactions = scene.wait_records("transaction", 4)?;
    let seen: Vec<Value> = transactions
        .iter()
        .map(|record| {
            let value = value(record)?;
            Ok(json!([
                value["status"],
                value["event_count"],
                value["data_collections"]
            ]))
        })
        .collect::<Result<_>>()?;
    let counted = |count| json!([{"data_collection": "public.t", "event_count": count}]);
    assert_eq!(
        seen,
        [
            json!(["BEGIN", null, null]),
            json!(["END", 2, counted(2)]),
            json!(["BEGIN", null, null]),
            json!(["END", 1, counted(1)]),
        ]
    );
    let messages = scene.wait_records("message", 1)?;
    let message = value(&messages[0])?;
    assert_eq!(
        message["message"],
        json!({"prefix": "outside", "content": "YWJj"})
    );
    assert_eq!(message["source"]["txId"], Value::Null);
    let topic = format!("__debezium-heartbeat.{}", scene.name);
    eventually("a heartbeat", || {
        let beats = scene.records_of(&topic)?;
        let beat = beats.first().context("there is none")?;
        ensure!(
            key(beat)? == json!({"serverName": scene.name}),
            "{}",
            beat.key_text()
        );
        ensure!(value(beat)?["ts_ms"].is_i64(), "{}", beat.value_text());
        Ok(())
    })
}
