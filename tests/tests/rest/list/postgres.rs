//! Workers with the connector for changes of PostgreSQL: its keys, and configurations with mistakes.

use serde_json::{Map, Value, json};

use super::super::step::{Builder, Step, get, put};
use super::changed;

const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";

/// What handles the connector's records.
const PLUGINS: &[&str] = &[
    "io.debezium.transforms.ByLogicalTableRouter",
    "io.debezium.transforms.ExtractChangedRecordState",
    "io.debezium.transforms.ExtractNewRecordState",
    "io.debezium.transforms.HeaderToValue",
    "io.debezium.transforms.TimezoneConverter",
    "io.debezium.transforms.outbox.EventRouter",
    "io.debezium.transforms.partitions.PartitionRouting",
];

/// Requests about a database at this port of the loopback address, whose superuser and password are
/// `postgres`.
pub(super) fn steps(port: u16) -> Vec<Step> {
    let keys = format!("/connector-plugins/{CLASS}/config");
    let mut steps: Vec<Step> = vec![get(&keys).defines_keys().into()];
    for class in PLUGINS {
        let keys = format!("/connector-plugins/{class}/config");
        steps.push(get(&keys).defines_keys().into());
    }
    for mistake in REFUSED {
        let mut config = config(port, mistake);
        // The path names it.
        config.shift_remove("name");
        let config = Value::from(config).to_string();
        let request = put("/connectors/{run}p/config", &config);
        steps.push(request.differs("refused-source").into());
    }
    for mistake in MISTAKES {
        steps.push(validate(port, mistake).defines_keys().into());
    }
    for mistake in CLASSES {
        let request = validate(port, mistake).defines_keys();
        steps.push(request.differs("java-class").into());
    }
    steps
}

/// The validation of a configuration.
fn validate(port: u16, changes: &str) -> Builder {
    let path = format!("/connector-plugins/{CLASS}/config/validate");
    put(&path, &Value::from(config(port, changes)).to_string())
}

/// A sound configuration with these changes.
fn config(port: u16, changes: &str) -> Map<String, Value> {
    let config = json!({
        "connector.class": CLASS,
        "name": "x",
        "database.hostname": "127.0.0.1",
        "database.port": port.to_string(),
        "database.user": "postgres",
        "database.password": "postgres",
        "database.dbname": "postgres",
        "topic.prefix": "x",
        "plugin.name": "pgoutput",
    });
    changed(config, changes)
}

/// Changes that ask for a class of Java.
const CLASSES: &[&str] = &[
    r#"{"snapshot.mode":"custom"}"#,
    r#"{"snapshot.locking.mode":"Custom"}"#,
    r#"{"snapshot.query.mode":"CUSTOM"}"#,
    r#"{"snapshot.mode":"custom","snapshot.mode.custom.name":"x"}"#,
    r#"{"snapshot.locking.mode":"custom","snapshot.locking.mode.custom.name":"x"}"#,
    r#"{"snapshot.query.mode":"custom","snapshot.query.mode.custom.name":"x"}"#,
    r#"{"converters":"isbn","isbn.type":"com.example.Isbn"}"#,
];

/// Changes with which no connector is created. (In the reference errors of several keys come out of a
/// hash map, in no order.)
const REFUSED: &[&str] = &[
    r#"{"database.hostname":null}"#,
    r#"{"max.batch.size":"x"}"#,
    r#"{"database.password":"wrong"}"#,
];

const MISTAKES: &[&str] = &[
    // None, and keys that nobody knows.
    "{}",
    r#"{"database.server.name":"x","unknown.key":"x","driver.connectTimeout":"5"}"#,
    r#"{"database.hostname":null}"#,
    r#"{"database.hostname":"  "}"#,
    r#"{"database.hostname":"a b"}"#,
    r#"{"database.user":""}"#,
    r#"{"topic.prefix":null}"#,
    r#"{"topic.prefix":"a b"}"#,
    r#"{"topic.prefix":" "}"#,
    r#"{"topic.prefix":""}"#,
    r#"{"database.port":"x"}"#,
    r#"{"database.port":""}"#,
    r#"{"database.port":" 5432"}"#,
    r#"{"slot.name":"A-b"}"#,
    r#"{"slot.name":""}"#,
    r#"{"plugin.name":"wal2json"}"#,
    r#"{"plugin.name":""}"#,
    r#"{"plugin.name":"PGOUTPUT"}"#,
    r#"{"snapshot.mode":"never"}"#,
    r#"{"snapshot.isolation.mode":"x"}"#,
    r#"{"lsn.flush.mode":"x"}"#,
    r#"{"lsn.flush.mode":""}"#,
    r#"{"table.include.list":"a","table.exclude.list":"b"}"#,
    r#"{"schema.include.list":"a","schema.exclude.list":"b"}"#,
    r#"{"column.include.list":"a","column.exclude.list":"b"}"#,
    r#"{"message.prefix.include.list":"a","message.prefix.exclude.list":"b"}"#,
    r#"{"table.include.list":"(a"}"#,
    r#"{"table.include.list":"*a"}"#,
    r#"{"table.include.list":"a)"}"#,
    r#"{"table.include.list":"[a"}"#,
    r#"{"table.exclude.list":"b,(a","table.include.list":"x"}"#,
    r#"{"schema.include.list":"+","table.include.list":"x"}"#,
    r#"{"column.include.list":"a{"}"#,
    r#"{"snapshot.include.collection.list":"(?<n>"}"#,
    r#"{"column.propagate.source.type":"\\\\"}"#,
    r#"{"max.batch.size":"0"}"#,
    r#"{"max.batch.size":"x"}"#,
    r#"{"max.batch.size":"9000"}"#,
    r#"{"max.queue.size":"-1"}"#,
    r#"{"max.queue.size":"x"}"#,
    r#"{"poll.interval.ms":"x"}"#,
    r#"{"poll.interval.ms":"99999999999"}"#,
    r#"{"poll.interval.ms":"0"}"#,
    r#"{"max.queue.size.in.bytes":"-1"}"#,
    r#"{"max.queue.size.in.bytes":"x"}"#,
    r#"{"slot.drop.on.stop":"x"}"#,
    r#"{"tombstones.on.delete":"x"}"#,
    r#"{"tombstones.on.delete":" TRUE "}"#,
    r#"{"provide.transaction.metadata":"maybe"}"#,
    r#"{"database.tcpKeepAlive":"1"}"#,
    r#"{"message.key.columns":"a"}"#,
    r#"{"message.key.columns":""}"#,
    r#"{"message.key.columns":"a:b;c"}"#,
    r#"{"message.key.columns":"a:b,"}"#,
    r#"{"message.key.columns":" a.b:c , d "}"#,
    r#"{"message.key.columns":"a:b:c"}"#,
    r#"{"message.key.columns":" :b"}"#,
    r#"{"skipped.operations":"x"}"#,
    r#"{"skipped.operations":"none"}"#,
    r#"{"skipped.operations":"none,c"}"#,
    r#"{"skipped.operations":"c, u"}"#,
    r#"{"skipped.operations":""}"#,
    r#"{"skipped.operations":"c,,u"}"#,
    r#"{"skipped.operations":" none"}"#,
    r#"{"custom.metric.tags":"a"}"#,
    r#"{"custom.metric.tags":"a=b,c"}"#,
    r#"{"custom.metric.tags":"a=b"}"#,
    r#"{"custom.metric.tags":"=b"}"#,
    r#"{"custom.metric.tags":"a="}"#,
    r#"{"custom.metric.tags":" "}"#,
    r#"{"notification.enabled.channels":"sink"}"#,
    r#"{"notification.enabled.channels":"log, sink"}"#,
    r#"{"notification.enabled.channels":"sink","notification.sink.topic.name":""}"#,
    r#"{"signal.data.collection":"a.b,c.d"}"#,
    r#"{"signal.data.collection":"a.b"}"#,
    r#"{"replica.identity.autoset.values":"a"}"#,
    r#"{"replica.identity.autoset.values":""}"#,
    r#"{"replica.identity.autoset.values":"a.b:full,c d:FULL"}"#,
    r#"{"replica.identity.autoset.values":"a:INDEX x"}"#,
    r#"{"slot.max.retries":"x"}"#,
    r#"{"slot.retry.delay.ms":"x"}"#,
    r#"{"slot.retry.delay.ms":"99999999999"}"#,
    r#"{"status.update.interval.ms":"0"}"#,
    r#"{"status.update.interval.ms":"x"}"#,
    r#"{"lsn.flush.timeout.ms":"0"}"#,
    r#"{"xmin.fetch.interval.ms":"-1"}"#,
    r#"{"xmin.fetch.interval.ms":"x"}"#,
    r#"{"snapshot.fetch.size":"-1"}"#,
    r#"{"snapshot.fetch.size":"x"}"#,
    r#"{"snapshot.max.threads":"0"}"#,
    r#"{"snapshot.max.threads.multiplier":"0"}"#,
    r#"{"heartbeat.interval.ms":"-1"}"#,
    r#"{"errors.max.retries":"x"}"#,
    r#"{"retriable.restart.connector.wait.ms":"0"}"#,
    r#"{"connection.validation.timeout.ms":"0"}"#,
    r#"{"executor.shutdown.timeout.ms":"x"}"#,
    r#"{"topic.naming.strategy":"a b"}"#,
    r#"{"topic.naming.strategy":"1a.b"}"#,
    r#"{"sourceinfo.struct.maker":"?"}"#,
    r#"{"memory.management.tables.class":"x y"}"#,
    r#"{"legacy.snapshot.max.threads":"x"}"#,
    r#"{"internal.legacy.snapshot.max.threads":"x"}"#,
    r#"{"column.mask.with.(d+).chars":"x"}"#,
    r#"{"column.truncate.to.(d+).chars":"x"}"#,
    r#"{"column.truncate.to.x.chars":"y"}"#,
    r#"{"openlineage.integration.job.tags":"a"}"#,
    r#"{"openlineage.integration.enabled":"x"}"#,
    r#"{"guardrail.collections.max":"-1"}"#,
    r#"{"guardrail.collections.limit.action":"x"}"#,
    r#"{"extended.headers.enabled":"x"}"#,
    r#"{"time.precision.mode":"x","decimal.handling.mode":"y","hstore.handling.mode":"z","binary.handling.mode":"x","interval.handling.mode":"x","schema.name.adjustment.mode":"x","schema.refresh.mode":"x","event.processing.failure.handling.mode":"x","incremental.snapshot.watermarking.strategy":"x","publication.autocreate.mode":"x","database.sslmode":"x","lsn.flush.timeout.action":"x","snapshot.tables.order.by.row.count":"x","snapshot.locking.mode":"x","snapshot.query.mode":"x"}"#,
    r#"{"incremental.snapshot.chunk.size":"-1"}"#,
    r#"{"signal.poll.interval.ms":"0"}"#,
    r#"{"signal.poll.interval.ms":"x"}"#,
    r#"{"query.fetch.size":"-1"}"#,
    r#"{"snapshot.delay.ms":"-1"}"#,
    r#"{"streaming.delay.ms":"x"}"#,
    r#"{"snapshot.lock.timeout.ms":"x"}"#,
    r#"{"database.query.timeout.ms":"x"}"#,
    r#"{"include.schema.comments":"x"}"#,
    r#"{"table.ignore.builtin":"x"}"#,
    r#"{"flush.lsn.source":"x"}"#,
    r#"{"publish.via.partition.root":"x"}"#,
    // Mistakes that the server tells.
    r#"{"database.password":null}"#,
    r#"{"database.password":""}"#,
    r#"{"database.password":"wrong"}"#,
    r#"{"database.user":"nobody"}"#,
    r#"{"database.dbname":"nope"}"#,
    r#"{"database.port":"1"}"#,
    r#"{"database.sslmode":"require"}"#,
    r#"{"database.sslmode":"verify-full"}"#,
    r#"{"database.initial.statements":"SELECT nonsense"}"#,
    // The connection is not tried with another mistake.
    r#"{"database.port":"1","max.batch.size":"0"}"#,
];
