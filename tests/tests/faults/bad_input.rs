//! What is wrong gets the error that the reference names; the worker and its other connectors go on, and
//! what was repaired works after a restart.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::{Postgres, Registry, port, shared};
use tether_tests::database::{self, Database};
use tether_tests::eventually::eventually;
use tether_tests::numbered_lines::append;
use tether_tests::turns;

use super::bystander::Bystander;

const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const LONG: &str = "org.apache.kafka.connect.converters.LongConverter";

#[test]
fn requests_that_are_wrong_are_refused() -> Result<()> {
    let bystander = Bystander::start()?;
    let post = |body: &str| bystander.rest.send("POST", "/connectors", body);

    let malformed = post("{bad")?;
    assert_eq!(malformed.status, 400, "{}", malformed.body);
    let expected = "The request body is not valid JSON: key must be a string at line 1 column 2";
    assert_eq!(malformed.message(), expected);

    let unknown = json!({"name": "x", "config": {"connector.class": "no.such.Connector"}});
    let unknown = post(&unknown.to_string())?;
    assert_eq!(unknown.status, 400, "{}", unknown.body);
    let expected = "Failed to find any class that implements Connector and which name matches no.such.Connector";
    assert!(
        unknown.message().starts_with(expected),
        "{}",
        unknown.message()
    );

    let wrong = json!({"name": "x", "config": {
        "connector.class": "FileStreamSource", "topic": "t", "tasks.max": 0,
        "batch.size": "many", "value.converter": "nope",
    }});
    let wrong = post(&wrong.to_string())?;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    for expected in [
        "Connector configuration is invalid and contains the following 3 error(s):",
        "Invalid value 0 for configuration tasks.max: Value must be at least 1",
        "Invalid value many for configuration batch.size: Not a number of type INT",
        "Invalid value nope for configuration value.converter: Class nope could not be found.",
    ] {
        assert!(wrong.message().contains(expected), "{}", wrong.message());
    }
    assert_eq!(bystander.rest.connectors()?.len(), 2);
    bystander.check()
}

#[test]
fn an_unreachable_registry_fails_the_task_until_it_is_back() -> Result<()> {
    let _turn = turns::take();
    let bystander = Bystander::start()?;
    let mut registry = Registry::start()?;
    let topic = format!("{}-avro", bystander.name);
    bystander.topics.create(&topic, 1)?;
    append(&bystander.file("avro"), 1, 3)?;
    let mut config = bystander.source("avro", &topic);
    config["value.converter"] = json!(AVRO);
    config["value.converter.schema.registry.url"] = json!(registry.url());

    registry.stop()?;
    bystander.rest.create(&topic, &config)?;
    let trace = bystander.rest.wait_for_failure(&topic)?;
    for expected in [
        "Tolerance exceeded in error handler",
        &format!("Failed to serialize Avro data from topic {topic}"),
        &registry.url(),
    ] {
        assert!(trace.contains(expected), "{trace}");
    }
    registry.restart()?;
    bystander.rest.restart(&topic)?;
    wait_records(&bystander, &topic, 3)?;
    bystander.rest.wait_for(&topic, "RUNNING[RUNNING]")?;
    bystander.check()
}

#[test]
fn an_unreachable_database_is_seen_at_once() -> Result<()> {
    let bystander = Bystander::start()?;
    let url = format!(
        "jdbc:postgresql://127.0.0.1:{}/none?user=postgres",
        port::free()?
    );
    let request = json!({"name": "x", "config": jdbc_sink("t", &url)});
    let refused = bystander
        .rest
        .send("POST", "/connectors", &request.to_string())?;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(
        refused.message().contains("Could not connect to database."),
        "{}",
        refused.message()
    );
    bystander.check()
}

#[test]
fn a_database_that_stays_away_fails_the_task_until_it_is_back() -> Result<()> {
    let _turn = turns::take();
    let bystander = Bystander::start()?;
    let mut postgres = Postgres::start()?;
    let topic = format!("{}-rows", bystander.name);
    bystander.topics.create(&topic, 1)?;
    let mut config = jdbc_sink(&topic, &postgres.jdbc_url());
    for (key, value) in [
        ("max.retries", "2"),
        ("retry.backoff.ms", "100"),
        ("connection.attempts", "2"),
        ("connection.backoff.ms", "100"),
    ] {
        config[key] = json!(value);
    }
    bystander.rest.create(&topic, &config)?;
    bystander.rest.wait_for(&topic, "RUNNING[RUNNING]")?;
    produce_row(&bystander, &topic, 1)?;
    let rows = |postgres: &Postgres| {
        let rows = format!("SELECT id FROM \"{topic}\" ORDER BY id");
        database::query(&postgres.url(), &rows)
    };
    eventually("the first row", || has_rows(rows(&postgres)?.len(), 1))?;

    postgres.stop()?;
    produce_row(&bystander, &topic, 2)?;
    let trace = bystander.rest.wait_for_failure(&topic)?;
    let address = format!("jdbc:postgresql://127.0.0.1:{}", postgres.port());
    for expected in [
        "Exiting WorkerSinkTask due to unrecoverable exception.",
        "Exception chain:",
        &address,
    ] {
        assert!(trace.contains(expected), "{trace}");
    }
    assert!(!trace.contains("password=postgres"), "{trace}");
    postgres.restart()?;
    bystander.rest.restart(&topic)?;
    bystander.rest.wait_for(&topic, "RUNNING[RUNNING]")?;
    eventually("the second row", || has_rows(rows(&postgres)?.len(), 2))?;
    bystander.check()
}

#[test]
fn a_poison_record_fails_its_task_until_it_is_stepped_over() -> Result<()> {
    let bystander = Bystander::start()?;
    let topic = format!("{}-poison", bystander.name);
    let database = Database::create(&shared::postgres_url()?, &topic)?;
    bystander.topics.create(&topic, 1)?;
    let mut config = jdbc_sink(&topic, &database.jdbc_url());
    config["value.converter"] = json!(AVRO);
    config["value.converter.schema.registry.url"] = json!(shared::registry_url()?);
    bystander.rest.create(&topic, &config)?;
    bystander.rest.wait_for(&topic, "RUNNING[RUNNING]")?;
    bystander
        .topics
        .produce(&topic, &[(Some(&[0; 8]), Some(b"no Avro"))])?;
    let trace = bystander.rest.wait_for_failure(&topic)?;
    for expected in [
        "Tolerance exceeded in error handler",
        &format!("Failed to deserialize data for topic {topic} to Avro"),
        "partition=0, offset=0",
        "Unknown magic byte!",
    ] {
        assert!(trace.contains(expected), "{trace}");
    }

    // A restart meets it again; stepping over it does not.
    bystander.rest.restart(&topic)?;
    bystander.rest.wait_for_failure(&topic)?;
    bystander.rest.put(&topic, "stop")?;
    bystander.rest.wait_for(&topic, "STOPPED[]")?;
    let after = json!({"offsets": [{
        "partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": 1},
    }]});
    let path = format!("/connectors/{topic}/offsets");
    eventually("the offset is altered", || {
        bystander.rest.expect(200, "PATCH", &path, Some(&after))
    })?;
    bystander.rest.put(&topic, "resume")?;
    bystander.rest.wait_for(&topic, "RUNNING[RUNNING]")?;
    let json = "org.apache.kafka.connect.json.JsonConverter";
    config["value.converter"] = json!(json);
    bystander.rest.expect(
        200,
        "PUT",
        &format!("/connectors/{topic}/config"),
        Some(&config),
    )?;
    produce_row(&bystander, &topic, 5)?;
    eventually("the row after the poison", || {
        let rows = database.column(&format!("SELECT id FROM \"{topic}\""))?;
        ensure!(rows == ["5"], "{rows:?}");
        Ok(())
    })?;
    bystander.check()
}

#[test]
fn a_missing_topic_fails_a_source_until_it_is_there() -> Result<()> {
    let bystander = Bystander::start()?;
    let topic = format!("{}-missing", bystander.name);
    append(&bystander.file("lines"), 1, 3)?;
    bystander
        .rest
        .create(&topic, &bystander.source("lines", &topic))?;
    let trace = bystander.rest.wait_for_failure(&topic)?;
    for expected in ["Unrecoverable exception", &topic] {
        assert!(trace.contains(expected), "{trace}");
    }
    assert!(!bystander.topics.exists(&topic)?);

    bystander.topics.create(&topic, 1)?;
    bystander.rest.restart(&topic)?;
    wait_records(&bystander, &topic, 3)?;
    bystander.check()
}

#[test]
fn a_sink_waits_for_a_missing_topic() -> Result<()> {
    let bystander = Bystander::start()?;
    let topic = format!("{}-missing", bystander.name);
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": bystander.file("sunk"),
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "consumer.override.metadata.max.age.ms": "500",
    });
    bystander.rest.create(&topic, &config)?;
    bystander.rest.wait_for(&topic, "RUNNING[RUNNING]")?;
    bystander.topics.create(&topic, 1)?;
    bystander
        .topics
        .produce(&topic, &[(None, Some(b"at last"))])?;
    Bystander::wait_text(&bystander.file("sunk"), "at last\n")?;
    bystander.check()
}

/// A JDBC sink of a topic into a table of its name, with eight bytes as key.
fn jdbc_sink(topic: &str, url: &str) -> Value {
    json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": topic,
        "connection.url": url, "auto.create": "true", "insert.mode": "upsert",
        "pk.mode": "record_key", "pk.fields": "id", "key.converter": LONG,
    })
}

/// Appends a record with this id as key, and a text as value, in JSON with its schema.
fn produce_row(bystander: &Bystander, topic: &str, id: i64) -> Result<()> {
    let fields = json!([{"type": "string", "optional": false, "field": "text"}]);
    let value = json!({
        "schema": {"type": "struct", "optional": false, "fields": fields},
        "payload": {"text": "some"},
    });
    let (key, value) = (id.to_be_bytes(), value.to_string());
    bystander
        .topics
        .produce(topic, &[(Some(&key), Some(value.as_bytes()))])
}

fn has_rows(found: usize, expected: usize) -> Result<()> {
    ensure!(found == expected, "{found} rows");
    Ok(())
}

fn wait_records(bystander: &Bystander, topic: &str, expected: usize) -> Result<()> {
    eventually(&format!("{expected} records in {topic}"), || {
        let records = bystander.topics.records(topic)?.len();
        ensure!(records == expected, "{records}");
        Ok(())
    })
}
