//! CloudEvents in every format. Those in Avro ask a registry, as do their
//! schemas.

use tether_api::data::{
    Bytes, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{
    Config, Outcome, StubRegistry, Verdicts, ask_bytes_with_headers, ask_data,
};

use super::{decode, encode};
use crate::debezium::events::{event, fields, generated, row, row_schema, usual_records};
use crate::transforms::corpus::{plain, with_default};

const CLASS: &str = "io.debezium.converters.CloudEventsConverter";

type Headers<'a> = &'a [(&'a str, Option<&'a str>)];

fn compare(
    verdicts: &mut Verdicts,
    config: Config<'_>,
    headers: Headers<'_>,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> anyhow::Result<Option<Bytes>> {
    let ours = Outcome::from(encode(CLASS, config, headers, schema, value));
    let reference = ask_bytes_with_headers("from_connect", CLASS, config, headers, schema, value)?;
    verdicts.compare((config, headers, schema, value), &ours, &reference);
    Ok(match ours {
        Outcome::Returned(bytes) => bytes,
        Outcome::Failed { .. } => None,
    })
}

/// The same of a record's value.
fn compare_record(
    verdicts: &mut Verdicts,
    config: Config<'_>,
    headers: Headers<'_>,
    record: &ConnectRecord,
) -> anyhow::Result<Option<Bytes>> {
    let schema = record.value_schema.as_ref();
    compare(verdicts, config, headers, schema, &record.value)
}

/// What our converter writes.
fn written(config: Config<'_>, record: &ConnectRecord) -> tether_api::Result<Option<Bytes>> {
    let schema = record.value_schema.as_ref();
    encode(CLASS, config, &[], schema, &record.value)
}

fn compare_read(
    verdicts: &mut Verdicts,
    config: Config<'_>,
    bytes: Option<&[u8]>,
) -> anyhow::Result<()> {
    let ours = Outcome::from(decode(CLASS, config, bytes));
    let mut reference = ask_data("to_connect", CLASS, config, bytes)?;
    // The reference shows what it read, which may be secret.
    if let Outcome::Failed { message, .. } = &mut reference
        && let Some((start, _)) = message.split_once(": value=")
    {
        *message = start.to_owned();
    }
    let shown = bytes.map(String::from_utf8_lossy);
    verdicts.compare((config, shown), &ours, &reference);
    Ok(())
}

/// The schema of the source of PostgreSQL's events.
fn source_schema() -> SchemaRef {
    let text = || plain(Type::String, false);
    let optional = |kind| plain(kind, true);
    SchemaBuilder::structure()
        .name("io.debezium.connector.postgresql.Source")
        .version(1)
        .field("version", text())
        .field("connector", text())
        .field("name", text())
        .field("ts_ms", plain(Type::Int64, false))
        .field("snapshot", with_default(Type::String, true, "false"))
        .field("db", text())
        .field("sequence", optional(Type::String))
        .field("ts_us", optional(Type::Int64))
        .field("schema", text())
        .field("table", text())
        .field("txId", optional(Type::Int64))
        .field("lsn", optional(Type::Int64))
        .field("xmin", optional(Type::Int64))
        .field("streaming", optional(Type::Boolean))
        .field("number", optional(Type::Int32))
        .build()
}

fn source(connector: &str, name: &str) -> Value {
    let values = vec![
        "3.6.1.Final".into(),
        connector.into(),
        name.into(),
        1_700_000_000_123i64.into(),
        Value::Null,
        "inventory".into(),
        "[\"24023128\",\"24023128\"]".into(),
        1_700_000_000_123_456i64.into(),
        "public".into(),
        "orders \"x\"".into(),
        565i64.into(),
        24_023_128i64.into(),
        Value::Null,
        true.into(),
        7i32.into(),
    ];
    Struct::from_values(source_schema(), values).unwrap().into()
}

/// An event of PostgreSQL.
fn change(op: &str, in_transaction: bool, name: &str) -> ConnectRecord {
    let (old, new) = (row(1, Some("a"), None), row(1, Some("é\"b"), Some("done")));
    let (before, after) = match op {
        "d" => (old, Value::Null),
        "u" => (old, new),
        _ => (Value::Null, new),
    };
    with_source(
        fields(&row_schema(), op, before, after, in_transaction),
        source("postgresql", name),
    )
}

fn with_source(fields: crate::debezium::events::Fields, source: Value) -> ConnectRecord {
    let fields = fields
        .into_iter()
        .map(|(field, schema, value)| match field {
            "source" => (field, source_schema(), source.clone()),
            _ => (field, schema, value),
        });
    event(fields.collect())
}

fn changes() -> Vec<ConnectRecord> {
    let mut records = vec![
        change("c", false, "srv"),
        change("r", true, "srv"),
        change("u", true, "other srv"),
        change("d", false, "srv"),
    ];
    let table = row_schema();
    let made = |source| {
        let fields = fields(&table, "c", Value::Null, row(1, None, None), false);
        with_source(fields, source)
    };
    records.push(made(source("mysql", "srv")));
    let incomplete = |index: usize| {
        let mut values = match source("postgresql", "srv") {
            Value::Struct(source) => source.values().to_vec(),
            _ => Vec::new(),
        };
        values[index] = Value::Null;
        Value::from(Struct::from_values(source_schema(), values).unwrap())
    };
    records.extend([6, 10, 11].map(|index| made(incomplete(index))));
    records.push(made(Value::Null));
    for missing in ["before", "after", "source", "transaction", "op"] {
        let mut fields = fields(&table, "c", Value::Null, row(1, None, None), true);
        fields.retain(|(name, ..)| *name != missing);
        records.push(with_source(fields, source("postgresql", "srv")));
    }
    records
}

const JSON: &[Config<'_>] = &[
    &[],
    &[("json.schemas.enable", "false")],
    &[("extension.attributes.enable", "false")],
    &[
        ("schema.cloudevents.name", "my.events"),
        ("json.decimal.format", "NUMERIC"),
    ],
    &[("opentelemetry.tracing.attributes.enable", "true")],
    &[
        ("metadata.source", "value"),
        ("json.schemas.enable", "false"),
    ],
    &[
        ("metadata.source", "value,id:generate"),
        ("json.schemas.enable", "FALSE"),
    ],
    &[("json.replace.null.with.default", "false")],
];

#[test]
fn events_are_written_in_json_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in JSON {
        let records = [changes(), usual_records()].concat();
        for record in records {
            compare_record(&mut verdicts, config, &[], &record)?;
        }
    }
    for (index, record) in generated(100).into_iter().enumerate() {
        let fields = match record.value.as_struct() {
            Some(value) => value.schema().fields().iter().zip(value.values()),
            None => continue,
        };
        let names = ["before", "after", "source", "transaction", "op", "ts_ms"];
        let fields = names
            .into_iter()
            .zip(fields)
            .map(|(name, (field, value))| (name, field.schema.clone(), value.clone()));
        let record = with_source(fields.collect(), source("postgresql", "srv"));
        let config = JSON[index % 3];
        compare_record(&mut verdicts, config, &[], &record)?;
    }
    verdicts.finish().map(drop)
}

/// Headers as a transformation and the JSON converter make them.
const HEADERS: Headers<'_> = &[
    ("source", Some(SOURCE)),
    (
        "op",
        Some(r#"{"schema":{"type":"string","optional":false},"payload":"u"}"#),
    ),
    (
        "id",
        Some(r#"{"schema":{"type":"string","optional":false},"payload":"one"}"#),
    ),
    (
        "id",
        Some(r#"{"schema":{"type":"string","optional":true},"payload":"two"}"#),
    ),
    ("type", Some(r#"{"schema":null,"payload":"Made"}"#)),
    (
        "traceparent",
        Some(
            r#"{"schema":null,"payload":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#,
        ),
    ),
    (
        "dataSchemaName",
        Some(r#"{"schema":null,"payload":"My.Data"}"#),
    ),
];
const SOURCE: &str = r#"{"schema":{"type":"struct","name":"S","fields":[
    {"field":"connector","type":"string"},{"field":"name","type":"string"},
    {"field":"db","type":"string"},{"field":"ts_ms","type":"int64"},
    {"field":"lsn","type":"int64","optional":true},{"field":"txId","type":"int64","optional":true},
    {"field":"sequence","type":"string","optional":true}]},
    "payload":{"connector":"postgresql","name":"srv","db":"d","ts_ms":-5,"lsn":3,"txId":null,"sequence":null}}"#;

#[test]
fn headers_tell_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let transaction = r#"{"schema":{"type":"struct","fields":[{"field":"id","type":"string"},
        {"field":"total_order","type":"int64"},{"field":"data_collection_order","type":"int64"}]},
        "payload":{"id":"9","total_order":3,"data_collection_order":4}}"#;
    let mut in_transaction = HEADERS.to_vec();
    in_transaction.push(("transaction", Some(transaction)));
    let without = |missing: &str| -> Vec<_> {
        let kept = HEADERS.iter().filter(|(name, _)| *name != missing);
        kept.copied().collect()
    };
    let all = [
        HEADERS.to_vec(),
        in_transaction,
        Vec::new(),
        without("source"),
        without("op"),
        without("id"),
        without("type"),
        without("traceparent"),
        without("dataSchemaName"),
        vec![("source", Some("x")), ("op", None)],
        vec![("source", None), ("op", None)],
    ];
    let tracing = ("opentelemetry.tracing.attributes.enable", "true");
    let named = ("schema.data.name.source.header.enable", "true");
    let configs: [Config<'_>; 9] = [
        &[("metadata.source", "header")],
        &[
            ("metadata.source", "header, id:generate,type:generate"),
            ("json.schemas.enable", "false"),
        ],
        &[("metadata.source", "value,id:header,type:header")],
        &[
            ("metadata.source", "value,id:generate,type:header"),
            tracing,
        ],
        &[
            (
                "metadata.source",
                "value,traceparent:header,id:generate,type:generate",
            ),
            tracing,
        ],
        &[("metadata.source", "header,traceparent:generate"), tracing],
        &[
            ("metadata.source", "header,dataSchemaName:header"),
            named,
            tracing,
        ],
        &[
            (
                "metadata.source",
                "value,id:generate,type:generate,dataSchemaName:header",
            ),
            named,
        ],
        &[("metadata.source", "header,dataSchemaName:header")],
    ];
    for config in configs {
        for headers in &all {
            let row = row(1, None, None);
            let schema = row_schema();
            compare(&mut verdicts, config, headers, Some(&schema), &row)?;
            let record = change("u", true, "srv");
            compare_record(&mut verdicts, config, headers, &record)?;
        }
    }
    verdicts.finish().map(drop)
}

const EVENTS: &[&str] = &[
    "",
    "null",
    "[]",
    "{}",
    "x",
    r#"{"id":"1","source":"s","specversion":"1.0"}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t"}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":null}"#,
    r#"{"id":1,"source":null,"specversion":{},"type":[],"data":{"schema":null,"payload":{"a":1}},"x":1.5}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":"text"}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"payload":1}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"int32"}}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"int32","optional":true}}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"int32","default":4}}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"int32"},"payload":"x"}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"int32"},"payload":7,"more":1}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"nope"},"payload":7}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"schema":{"type":"struct","name":"D","fields":[{"field":"a","type":"string"}]},"payload":{"a":"b"}}}"#,
    r#"{"id":"1","source":"s","specversion":"1.0","type":"t","data":{"a":[1,2.5,null,"x",{"b":true}]}}"#,
];

#[test]
fn events_are_read_from_json_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in [JSON[0], JSON[1], JSON[7]] {
        compare_read(&mut verdicts, config, None)?;
        for text in EVENTS {
            compare_read(&mut verdicts, config, Some(text.as_bytes()))?;
        }
        for record in changes() {
            if let Ok(Some(bytes)) = written(config, &record) {
                compare_read(&mut verdicts, config, Some(&bytes))?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let record = change("c", false, "srv");
    let configs: [Config<'_>; 15] = [
        &[("serializer.type", "avro")],
        &[
            ("serializer.type", "AVRO"),
            ("data.serializer.type", "avro"),
        ],
        &[("data.serializer.type", "Avro")],
        &[("data.serializer.type", "avro"), ("avro.other", "x")],
        &[("metadata.source", "generate")],
        &[("metadata.source", "value,id:value")],
        &[("metadata.source", "value,id:nope")],
        &[("metadata.source", "value,time:header")],
        &[("metadata.source", "HEADER , id:GENERATE,type: generate")],
        &[("extension.attributes.enable", "x")],
        &[("opentelemetry.tracing.attributes.enable", "")],
        &[("json.schemas.enable", "x")],
        &[("json.decimal.format", "x")],
        &[("schema.name.adjustment.mode", "none")],
        &[("schema.name.adjustment.mode", "AVRO_UNICODE")],
    ];
    for config in configs {
        compare_record(&mut verdicts, config, &[], &record)?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn avro_is_alike() -> anyhow::Result<()> {
    let registry = StubRegistry::start()?;
    let url = ("avro.schema.registry.url", registry.url());
    let mut verdicts = Verdicts::new();
    let options: [Config<'_>; 5] = [
        &[],
        &[("schema.cloudevents.name", "my.Events")],
        &[("extension.attributes.enable", "false")],
        &[("schema.name.adjustment.mode", "none")],
        &[("metadata.source", "header")],
    ];
    for serializer in ["json", "avro"] {
        for option in options {
            registry.forget();
            let formats = [
                ("serializer.type", serializer),
                ("data.serializer.type", "avro"),
                url,
            ];
            let config: Vec<_> = formats.iter().chain(option).copied().collect();
            for record in changes() {
                let bytes = compare_record(&mut verdicts, &config, HEADERS, &record)?;
                if let Some(bytes) = bytes
                    && serializer == "avro"
                {
                    compare_read(&mut verdicts, &config, Some(&bytes))?;
                }
            }
            if serializer == "avro" {
                for bytes in [&[1][..], &[0, 0, 0, 0, 99, 1]] {
                    compare_read(&mut verdicts, &config, Some(bytes))?;
                }
            }
        }
    }
    verdicts.finish().map(drop)
}

/// The reference loses such data.
#[test]
fn data_in_avro_is_read_from_json() -> anyhow::Result<()> {
    let registry = StubRegistry::start()?;
    let config = [
        ("data.serializer.type", "avro"),
        ("avro.schema.registry.url", registry.url()),
    ];
    let record = change("u", false, "srv");
    let written = written(&config, &record)?;
    let SchemaAndValue { value, .. } = decode(CLASS, &config, written.as_deref())?;
    let event = value.as_map();
    let data = event
        .and_then(|event| event.get_text("data"))
        .and_then(Value::as_struct);
    let row = data
        .and_then(|data| data.get("after"))
        .and_then(Value::as_struct);
    assert_eq!(row.and_then(|row| row.get("state")), Some(&"done".into()));
    let amount = row.and_then(|row| row.schema().field("amount"));
    assert_eq!(
        amount.map(|field| field.schema.clone()),
        Some(logical::decimal_schema(2))
    );
    Ok(())
}
