//! Workers with Debezium's JDBC sink: its keys, and configurations with mistakes.

use serde_json::{Map, Value, json};

use super::super::step::{Builder, Step, get, put};
use super::changed;

const CLASS: &str = "io.debezium.connector.jdbc.JdbcSinkConnector";

/// Requests about a database at this port of the loopback address, whose superuser and password are
/// `postgres`.
pub(super) fn steps(port: u16) -> Vec<Step> {
    let keys = format!("/connector-plugins/{CLASS}/config");
    let mut steps: Vec<Step> = vec![get(&keys).defines_keys().into()];
    for change in ALIKE {
        steps.push(validate(port, change).defines_keys().into());
    }
    for mistake in LATE {
        let request = validate(port, mistake).defines_keys();
        steps.push(request.differs("late-check").into());
    }
    for (number, mistake) in REFUSED.iter().enumerate() {
        steps.push(create(port, &format!("refused{number}"), mistake).into());
    }
    for (number, mistake) in FAILING.iter().enumerate() {
        let request = create(port, &format!("failing{number}"), mistake);
        steps.push(request.differs("late-check-refused").into());
    }
    steps
}

/// The validation of a configuration.
fn validate(port: u16, changes: &str) -> Builder {
    let path = format!("/connector-plugins/{CLASS}/config/validate");
    let mut config = config(port, changes);
    config.insert("name".to_owned(), "x".into());
    put(&path, &Value::from(config).to_string())
}

/// The creation of a connector, whose name gets this at its end.
fn create(port: u16, name: &str, changes: &str) -> Builder {
    let path = format!("/connectors/{{run}}{name}/config");
    put(&path, &Value::from(config(port, changes)).to_string())
}

/// A sound configuration with these changes.
fn config(port: u16, changes: &str) -> Map<String, Value> {
    let config = json!({
        "connector.class": CLASS,
        "topics": "{run}t",
        "connection.url": format!("jdbc:postgresql://127.0.0.1:{port}/postgres"),
        "connection.username": "postgres",
        "connection.password": "postgres",
    });
    changed(config, changes)
}

/// Changes that are told of alike.
const ALIKE: &[&str] = &[
    "{}",
    r#"{"unknown.key":"x","hibernate.c3p0.min_size":"5","connection.provider":"x"}"#,
    r#"{"insert.mode":"UPSERT","primary.key.mode":"Record_Key"}"#,
    r#"{"insert.mode":" update ","primary.key.mode":"kafka"}"#,
    r#"{"primary.key.mode":"record_value","primary.key.fields":" a , b"}"#,
    r#"{"table.name.format":"x_${topic}","database.time_zone":"Europe/Berlin"}"#,
    r#"{"collection.name.format":"${source.db}.${source.table}"}"#,
    r#"{"table.naming.strategy":"io.debezium.sink.naming.PassthroughCollectionNamingStrategy"}"#,
    r#"{"collection.naming.strategy":"io.debezium.sink.naming.PassthroughCollectionNamingStrategy"}"#,
    r#"{"collection.naming.strategy":"io.debezium.connector.jdbc.naming.DefaultTableNamingStrategy"}"#,
    r#"{"field.include.list":" a , t:b"}"#,
    r#"{"field.exclude.list":"a,t:b"}"#,
    r#"{"field.include.list":""}"#,
    r#"{"schema.evolution":"basic","quote.identifiers":"TRUE"}"#,
    r#"{"batch.size":"x"}"#,
    r#"{"batch.size":""}"#,
    r#"{"batch.size":"-1"}"#,
    r#"{"batch.size":"99999999999"}"#,
    r#"{"connection.pool.min_size":"x"}"#,
    r#"{"connection.pool.max_size":"x"}"#,
    r#"{"connection.pool.timeout":"x"}"#,
    r#"{"delete.enabled":"x"}"#,
    r#"{"delete.enabled":"true","primary.key.mode":"record_key"}"#,
    r#"{"truncate.enabled":"x"}"#,
    r#"{"quote.identifiers":"always"}"#,
    r#"{"flush.max.retries":"x"}"#,
    r#"{"flush.retry.delay.ms":"x"}"#,
    r#"{"flush.retry.delay.ms":"99999999999"}"#,
    r#"{"connection.restart.on.errors":"x"}"#,
    r#"{"dialect.postgres.unnest.insert.enabled":"x"}"#,
    r#"{"dialect.sqlserver.identity.insert":"x"}"#,
    r#"{"collection.naming.strategy":"a b"}"#,
    r#"{"column.naming.strategy":"com.example.Own"}"#,
    r#"{"topics":null}"#,
    r#"{"topics":"a","topics.regex":"b"}"#,
    r#"{"errors.deadletterqueue.topic.name":"{run}t"}"#,
    // The connection is not tried with another mistake.
    r#"{"connection.password":"wrong","batch.size":"x"}"#,
    r#"{"connection.url":"jdbc:oracle:thin:@h","batch.size":"x"}"#,
];

/// Changes with which no connector is created by either.
const REFUSED: &[&str] = &[
    r#"{"batch.size":"x"}"#,
    r#"{"delete.enabled":"x"}"#,
    r#"{"collection.naming.strategy":"com.example.Own"}"#,
];

/// Mistakes that the reference finds when the task starts.
const LATE: &[&str] = &[
    r#"{"connection.url":null}"#,
    r#"{"connection.username":null,"connection.user":null}"#,
    r#"{"connection.username":" "}"#,
    r#"{"connection.url":"jdbc:oracle:thin:@h"}"#,
    r#"{"connection.url":"postgresql://h/d"}"#,
    r#"{"connection.password":"wrong"}"#,
    r#"{"connection.password":""}"#,
    r#"{"insert.mode":"merge"}"#,
    r#"{"insert.mode":"upsert"}"#,
    r#"{"insert.mode":"update"}"#,
    r#"{"primary.key.mode":"key"}"#,
    r#"{"schema.evolution":"advanced"}"#,
    r#"{"delete.enabled":"true"}"#,
    r#"{"delete.enabled":"true","primary.key.mode":"kafka"}"#,
    r#"{"field.include.list":"a","field.exclude.list":"b"}"#,
    r#"{"use.time.zone":"Mars"}"#,
    r#"{"cloud.events.schema.name.pattern":"("}"#,
];

/// Some of them, with which the reference creates connectors whose tasks fail.
const FAILING: &[&str] = &[
    r#"{"connection.url":null}"#,
    r#"{"connection.password":"wrong"}"#,
    r#"{"insert.mode":"upsert"}"#,
];
