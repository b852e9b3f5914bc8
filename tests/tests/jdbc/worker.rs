//! JSON on its way from Kafka through a worker to tables, where the configuration says what becomes
//! of records without a schema and of nested values.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::Topics;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::sink::{database, rows};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

#[test]
fn json_becomes_rows() -> Result<()> {
    let _turn = turns::take();
    let (database, name) = (database()?, unique("mappings"));
    database.rows(
        "CREATE TABLE plain (id int PRIMARY KEY, name varchar(5), doc jsonb, moment timestamptz, \
         note text DEFAULT 'none')",
    )?;
    let bootstrap = shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    let [plain, nested, letters] =
        ["plain", "nested", "letters"].map(|topic| format!("{name}-{topic}"));
    for topic in [&plain, &nested, &letters] {
        topics.create(topic, 1)?;
    }
    let produce = |topic: &str, key: &str, value: &Value| {
        let value = value.to_string();
        let value = (value != "null").then_some(value.as_bytes());
        topics.produce(topic, &[(Some(key.as_bytes()), value)])
    };
    produce(
        &plain,
        "1",
        &json!({"name": "a", "doc": {"x": [1, null]}, "moment": 1_580_702_706_789i64}),
    )?;
    produce(&plain, "2", &json!({"name": "b"}))?;
    produce(&plain, "3", &json!({"name": "too long"}))?;
    produce(&plain, "4", &json!({"nickname": "c"}))?;
    produce(&plain, "2", &Value::Null)?;
    produce(&plain, "1", &json!({"note": "it's\\"}))?;
    let field = |name: &str, kind: &str| json!({"field": name, "type": kind});
    let address = json!({
        "type": "struct", "field": "address", "optional": true,
        "fields": [field("city", "string"), {
            "type": "array", "field": "floors", "items": {"type": "int32"}
        }],
    });
    let schema = json!({"type": "struct", "fields": [field("id", "int32"), address]});
    for payload in [
        json!({"id": 1, "address": {"city": "Bern", "floors": [1, 2]}}),
        json!({"id": 2, "address": null}),
    ] {
        produce(&nested, "0", &json!({"schema": schema, "payload": payload}))?;
    }

    let options = WorkerOptions::new(&name, &bootstrap)?;
    let worker = WorkerProcess::distributed(&options)?;
    let rest = worker.rest();
    let common = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
        "connection.url": database.jdbc_url(), "key.converter": JSON,
        "key.converter.schemas.enable": "false", "value.converter": JSON,
        "insert.mode": "upsert",
    });
    let with = |own: Value| {
        let mut config = common.clone();
        if let (Some(config), Some(own)) = (config.as_object_mut(), own.as_object()) {
            config.extend(own.clone());
        }
        config
    };
    rest.create(
        &plain,
        &with(json!({
            "topics": plain, "table.name.format": "plain", "value.converter.schemas.enable": "false",
            "schemaless.mode": "infer_from_table", "pk.mode": "record_key", "pk.fields": "id",
            "delete.enabled": "true", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": letters,
            "errors.deadletterqueue.topic.replication.factor": "1",
        })),
    )?;
    rest.create(
        &nested,
        &with(json!({
            "topics": nested, "table.name.format": "nested", "nested.mode": "flatten",
            "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true",
        })),
    )?;
    let expect = |sql: &str, expected: &[&str]| {
        eventually(sql, || {
            let found = rows(&database, sql)?;
            ensure!(found == expected, "{found:?}");
            Ok(())
        })
    };
    rest.wait_for(&nested, "RUNNING[RUNNING]")?;
    expect(
        "SELECT id, address_city, address_floors FROM nested ORDER BY id",
        &["1|Bern|{1,2}", "2|null|null"],
    )?;
    expect(
        "SET timezone = 'UTC'; SELECT * FROM plain",
        &["1|a|{\"x\": [1, null]}|2020-02-03 04:05:06.789+00|it's\\"],
    )?;
    rest.wait_for(&plain, "RUNNING[RUNNING]")?;
    eventually("dead letters", || {
        let records = topics.records(&letters)?;
        let mut keys: Vec<_> = records.iter().map(|record| record.key_text()).collect();
        keys.sort_unstable();
        ensure!(keys == ["3", "4"], "{keys:?}");
        Ok(())
    })
}
