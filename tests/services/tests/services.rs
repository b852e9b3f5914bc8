//! The services themselves: they start, do their work, survive what tests do to them, and end.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tether_services::process::{started, wait_until};
use tether_services::{
    ConnectOptions, ConnectWorker, Kafka, KafkaOptions, MariaDb, Oracle, Postgres, Registry, http,
    shared,
};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_killed_broker_comes_back_with_its_records() {
    let mut kafka = Kafka::start(KafkaOptions::default()).unwrap();
    create_topic(&kafka, "kept");
    let bootstrap = kafka.bootstrap();
    kafka
        .tool(
            "org.apache.kafka.tools.ConsoleProducer",
            &["--bootstrap-server", &bootstrap, "--topic", "kept"],
            "one\ntwo\n",
        )
        .unwrap();
    kafka.kill();
    kafka.restart().unwrap();
    assert_eq!(kafka.bootstrap(), bootstrap);
    assert_eq!(consume(&kafka, "kept", 2), ["one", "two"]);
    kafka.stop().unwrap();
    kafka.restart().unwrap();
    assert_eq!(consume(&kafka, "kept", 2), ["one", "two"]);
    let pid = kafka.pid();
    drop(kafka);
    assert_eq!(started(pid), None);
}

#[test]
fn a_killed_postgres_comes_back_with_its_rows() {
    let mut postgres = Postgres::start().unwrap();
    postgres
        .sql("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1), (2)")
        .unwrap();
    postgres.kill();
    postgres.restart().unwrap();
    assert_eq!(postgres.sql("SELECT * FROM kept").unwrap(), "1\n2\n");
    postgres.restart().unwrap();
    assert_eq!(postgres.sql("SHOW wal_level").unwrap(), "logical\n");
    let error = postgres.sql("SELECT nothing").unwrap_err().to_string();
    assert!(error.contains("\"nothing\" does not exist"), "{error}");
}

#[test]
fn a_killed_mariadb_comes_back_with_its_rows() {
    let mut mariadb = MariaDb::start().unwrap();
    mariadb
        .sql("CREATE DATABASE d; CREATE TABLE d.kept (id int); INSERT INTO d.kept VALUES (1), (2)")
        .unwrap();
    mariadb.kill();
    mariadb.restart().unwrap();
    assert_eq!(mariadb.sql("SELECT * FROM d.kept").unwrap(), "1\n2\n");
    mariadb.restart().unwrap();
    assert_eq!(mariadb.sql("SELECT * FROM d.kept").unwrap(), "1\n2\n");
    let error = mariadb.sql("SELECT nothing").unwrap_err().to_string();
    assert!(error.contains("Unknown column 'nothing'"), "{error}");
}

#[test]
fn a_restarted_registry_keeps_its_schemas() {
    let mut registry = Registry::start().unwrap();
    let url = registry.url();
    let schema = json!({"schema": "\"string\""}).to_string();
    let versions = format!("{url}/subjects/kept-key/versions");
    let registered = http::request("POST", &versions, &schema).unwrap();
    assert_eq!(registered.status, 200, "{}", registered.body);
    let id = serde_json::from_str::<Value>(&registered.body).unwrap()["id"].clone();
    registry.restart().unwrap();
    let found = http::get(&format!("{url}/schemas/ids/{id}")).unwrap();
    let found: Value = serde_json::from_str(&found.body).unwrap();
    assert_eq!(found["schema"], "\"string\"");
    let level = http::get(&format!("{url}/config")).unwrap();
    assert_eq!(level.body, r#"{"compatibilityLevel":"BACKWARD"}"#);
}

#[test]
fn the_java_worker_writes_avro_with_the_registry() {
    let registry = shared::registry_url().unwrap();
    let kafka = Kafka::start(KafkaOptions::default()).unwrap();
    let mut worker = ConnectWorker::distributed(ConnectOptions::new(kafka.bootstrap())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    fs::write(&input, "hello\n").unwrap();
    create_topic(&kafka, "avro-lines");
    create_connector(
        &worker,
        "in",
        &json!({
            "connector.class": "FileStreamSource", "file": input, "topic": "avro-lines",
            "value.converter": "io.confluent.connect.avro.AvroConverter",
            "value.converter.schema.registry.url": registry,
        }),
    );
    let output = folder.path().join("output");
    create_connector(
        &worker,
        "out",
        &json!({
            "connector.class": "FileStreamSink", "file": output, "topics": "avro-lines",
            "value.converter": "io.confluent.connect.avro.AvroConverter",
            "value.converter.schema.registry.url": registry,
        }),
    );
    wait_for_text(&output, "hello\n");
    let schema = http::get(&format!("{registry}/subjects/avro-lines-value/versions/1")).unwrap();
    let schema: Value = serde_json::from_str(&schema.body).unwrap();
    assert_eq!(schema["schema"], "\"string\"");

    worker.restart().unwrap();
    let connectors = http::get(&format!("{}/connectors", worker.url())).unwrap();
    let mut connectors: Vec<String> = serde_json::from_str(&connectors.body).unwrap();
    connectors.sort();
    assert_eq!(connectors, ["in", "out"]);
}

#[test]
fn the_java_worker_stands_alone() {
    let kafka = Kafka::start(KafkaOptions {
        auto_create_topics: true,
        ..KafkaOptions::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    fs::write(&input, "alone\n").unwrap();
    let connector = folder.path().join("connector.properties");
    fs::write(
        &connector,
        format!(
            "name=in\nconnector.class=FileStreamSource\nfile={}\ntopic=lines\n",
            input.display()
        ),
    )
    .unwrap();
    let options = ConnectOptions::new(kafka.bootstrap()).property(
        "value.converter",
        "org.apache.kafka.connect.storage.StringConverter",
    );
    let worker = ConnectWorker::standalone(options, &[connector]).unwrap();
    assert_eq!(consume(&kafka, "lines", 1), ["alone"]);
    assert!(worker.log().contains("StandaloneHerder"));
}

#[test]
fn the_oracle_knows_converters_and_transformations() {
    let oracle = Oracle::shared().unwrap();
    let schema = json!({"type": "struct", "optional": false, "name": "user", "fields": [
        {"name": "id", "schema": {"type": "int64", "optional": false}},
        {"name": "ratio", "schema": {"type": "float32", "optional": true}},
        {"name": "born", "schema": {"type": "int32", "optional": false,
            "name": "org.apache.kafka.connect.data.Date", "version": 1}},
    ]});
    let value = json!({"struct": {"fields": [
        {"int64": 9_007_199_254_740_993_i64}, {"float32": "1.0E-5"}, {"date": -3},
    ]}});
    for (converter, config) in [
        ("org.apache.kafka.connect.json.JsonConverter", json!({})),
        (
            "io.confluent.connect.avro.AvroConverter",
            json!({"schema.registry.url": "mock://services"}),
        ),
    ] {
        let written = oracle
            .ask(
                &json!({"op": "from_connect", "converter": converter, "config": config,
                "topic": "t", "schema": schema, "value": value}),
            )
            .unwrap();
        let read = oracle
            .ask(
                &json!({"op": "to_connect", "converter": converter, "config": config,
                "topic": "t", "bytes": written["bytes"]}),
            )
            .unwrap();
        assert_eq!(read["value"], value, "{converter}");
        assert_eq!(read["schema"]["fields"], schema["fields"], "{converter}");
    }
    let registered = oracle
        .ask(&json!({"op": "registered", "scope": "services"}))
        .unwrap();
    assert_eq!(registered["schemas"][0]["subject"], "t-value");
    let moved = oracle
        .ask(&json!({
            "op": "transform",
            "class": "org.apache.kafka.connect.transforms.ExtractField$Value",
            "config": {"field": "id"},
            "record": {"topic": "t", "value_schema": schema, "value": value},
        }))
        .unwrap();
    assert_eq!(
        moved["record"]["value_schema"],
        schema["fields"][0]["schema"]
    );
    let refused = oracle
        .ask(&json!({"op": "from_connect", "converter": "no.such.Converter"}))
        .unwrap();
    assert_eq!(refused["error"], "java.lang.ClassNotFoundException");
}

#[test]
fn a_service_that_cannot_start_shows_its_log() {
    let options = KafkaOptions {
        properties: vec![("num.io.threads".to_owned(), "none".to_owned())],
        ..KafkaOptions::default()
    };
    let error = format!("{:#}", Kafka::start(options).unwrap_err());
    assert!(error.contains("num.io.threads"), "{error}");
}

fn create_topic(kafka: &Kafka, topic: &str) {
    let bootstrap = kafka.bootstrap();
    kafka
        .tool(
            "org.apache.kafka.tools.TopicCommand",
            &[
                "--bootstrap-server",
                &bootstrap,
                "--create",
                "--topic",
                topic,
            ],
            "",
        )
        .unwrap();
}

fn consume(kafka: &Kafka, topic: &str, records: usize) -> Vec<String> {
    let printed = kafka
        .tool(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            &[
                "--bootstrap-server",
                &kafka.bootstrap(),
                "--topic",
                topic,
                "--from-beginning",
                "--max-messages",
                &records.to_string(),
                "--timeout-ms",
                "30000",
            ],
            "",
        )
        .unwrap();
    printed.lines().map(str::to_owned).collect()
}

fn create_connector(worker: &ConnectWorker, name: &str, config: &Value) {
    let body = json!({"name": name, "config": config}).to_string();
    let created = http::request("POST", &format!("{}/connectors", worker.url()), &body).unwrap();
    assert_eq!(created.status, 201, "{}", created.body);
}

fn wait_for_text(file: &Path, text: &str) {
    wait_until(&format!("{text:?} in {}", file.display()), PATIENCE, || {
        Ok(fs::read_to_string(file).is_ok_and(|found| found == text))
    })
    .unwrap();
}
