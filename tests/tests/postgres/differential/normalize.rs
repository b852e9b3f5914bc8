//! Takes out of records what differs from one connector to the next by its nature: their prefix, the
//! clock while they work, what names a run, what each slot needs, and where a snapshot was taken.

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use tether_tests::topics::Record;

use super::avro;
use super::cloud_event;
use super::scene::Schemas;
use super::variant::Format;

/// What stands for the text of a Java object that has none of its own: its class and where it is.
const OBJECT: &str = "(an object)";
const OBJECTS: [&str; 2] = [
    "[Ljava.lang.String;@",
    "io.debezium.connector.postgresql.LogicalDecodingMessageMonitor$LogicalDecodingMessageId@",
];

/// What stands for the prefix. It has the length of one, so that it can be put into binary data.
fn placeholder(prefix: &str) -> String {
    format!("prefix{}", "_".repeat(prefix.len().saturating_sub(6)))
}

/// A record as it is compared: topic and offset are its place.
pub(super) fn record(
    record: &Record,
    prefix: &str,
    format: Format,
    schemas: &mut Schemas,
) -> Result<Value> {
    let mut part = |bytes: &Option<Vec<u8>>| -> Result<Value> {
        let Some(bytes) = bytes else {
            return Ok(Value::Null);
        };
        let mut value = if format == Format::Avro {
            let (id, data) = avro::split(bytes)?;
            let schema = schemas.get(id)?;
            let mut payload = avro::decode(&schema, data)?;
            cloud_event::read_data(&mut payload, schemas)?;
            text(
                &serde_json::json!({"schema": schema, "payload": payload}).to_string(),
                prefix,
            )?
        } else {
            text(std::str::from_utf8(bytes)?, prefix)?
        };
        match value.get_mut("payload") {
            Some(inner) if format != Format::Plain => payload(inner),
            _ => payload(&mut value),
        }
        Ok(value)
    };
    let (key, value) = (part(&record.key)?, part(&record.value)?);
    let headers = record.headers.iter().map(|(name, value)| {
        let value = match value {
            Some(value) if name == "__debezium.context.runId" => uuid(value),
            Some(value) => plain(&String::from_utf8_lossy(value), prefix).into(),
            None => Value::Null,
        };
        serde_json::json!([name, value])
    });
    let headers: Vec<Value> = headers.collect();
    Ok(serde_json::json!({
        "partition": record.partition, "key": key, "value": value, "headers": headers,
    }))
}

/// A text without the prefix.
pub(super) fn plain(text: &str, prefix: &str) -> String {
    text.replace(prefix, &placeholder(prefix))
}

/// A JSON text without the prefix. A schema before its data stays a text, as it is nearly all there is and
/// nearly always equal.
fn text(json: &str, prefix: &str) -> Result<Value> {
    const BEGIN: &str = "{\"schema\":";
    const MIDDLE: &str = ",\"payload\":";
    let plain = plain(json, prefix);
    let halves = plain
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.split_once(MIDDLE));
    let Some((schema, rest)) = halves else {
        return serde_json::from_str(&plain).with_context(|| format!("no JSON: {plain}"));
    };
    let data = rest.strip_suffix('}').context("no end")?;
    let data: Value = serde_json::from_str(data).with_context(|| format!("no JSON: {data}"))?;
    Ok(serde_json::json!({"schema": schema, "payload": data}))
}

/// A version 7 UUID shows as such.
fn uuid(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    match text.as_bytes() {
        [
            ..,
            b'-',
            b'7',
            _,
            _,
            _,
            b'-',
            _,
            _,
            _,
            _,
            b'-',
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
        ] if text.len() == 36 => "(a UUID of version 7)".into(),
        _ => text.into(),
    }
}

fn payload(value: &mut Value) {
    objects(value);
    let Value::Object(fields) = value else {
        return;
    };
    if let Some(Value::Array(collections)) = fields.get_mut("data_collections") {
        // What is no table has no name in the reference, and so no place.
        let is_table = |one: &Value| {
            let name = one["data_collection"].as_str();
            name.is_some_and(|name| name.contains('.'))
        };
        collections.sort_by_key(is_table);
    }
    if fields.contains_key("op") {
        clock(fields, "");
    } else if fields.len() == 1 {
        // A heartbeat.
        clock(fields, "");
    }
    clock(fields, "__");
    if let Some(Value::Object(source)) = fields.get_mut("source") {
        self::source(source);
    }
    if fields.contains_key("specversion") {
        cloud_event::normalize(fields);
    }
}

fn objects(value: &mut Value) {
    match value {
        Value::String(text) if OBJECTS.iter().any(|class| text.starts_with(class)) => {
            *text = OBJECT.to_owned();
        }
        Value::Array(items) => items.iter_mut().for_each(objects),
        Value::Object(fields) => fields.values_mut().for_each(objects),
        _ => {}
    }
}

/// A text that looks like a version.
pub(super) fn version(version: &mut Value) {
    let parts = |version: &str| version.split('.').count() == 4;
    if version.as_str().is_some_and(parts) {
        *version = "(a version)".into();
    }
}

fn source(source: &mut Map<String, Value>) {
    if let Some(version) = source.get_mut("version") {
        self::version(version);
    }
    // What each slot needs.
    if let Some(xmin @ Value::Number(_)) = source.get_mut("xmin") {
        *xmin = "(a number)".into();
    }
    let of_snapshot = source
        .get("snapshot")
        .and_then(Value::as_str)
        .is_some_and(|marker| marker != "false");
    if of_snapshot {
        clock(source, "");
        for name in ["txId", "lsn"] {
            if let Some(value @ Value::Number(_)) = source.get_mut(name) {
                *value = "(a number)".into();
            }
        }
        if let Some(Value::String(sequence)) = source.get_mut("sequence") {
            *sequence = without_numbers(sequence, '"');
        }
    }
}

/// A text whose parts between separators are words and numbers.
pub(super) fn without_numbers(text: &str, separator: char) -> String {
    let parts = text.split(separator);
    let words = parts.map(|part| part.parse::<u64>().map_or(part, |_| "(a number)"));
    words.collect::<Vec<_>>().join(&separator.to_string())
}

/// Makes times equal that fit each other: `ts_ms`, and `ts_us` and `ts_ns` of the same moment.
fn clock(fields: &mut Map<String, Value>, prefix: &str) {
    let time = |fields: &Map<String, Value>, unit: &str| {
        let value = fields.get(&format!("{prefix}ts_{unit}"))?;
        value.as_i64()
    };
    let Some(millis) = time(fields, "ms") else {
        return;
    };
    let micros = time(fields, "us");
    let nanos = time(fields, "ns");
    for (unit, value, fits) in [
        ("ms", Some(millis), millis > 1_600_000_000_000),
        (
            "us",
            micros,
            micros.is_some_and(|us| us.div_euclid(1000) == millis),
        ),
        ("ns", nanos, nanos.map(|ns| ns.div_euclid(1000)) == micros),
    ] {
        if value.is_some() && fits {
            fields.insert(
                format!("{prefix}ts_{unit}"),
                format!("(now in {unit})").into(),
            );
        }
    }
}

/// Takes out of `GET /connectors/<name>/offsets` where a snapshot was taken, and of one that moves on by
/// itself where it is.
pub(super) fn offsets(offsets: &mut Value, is_of_last_record: bool) {
    let entries = offsets["offsets"].as_array_mut();
    for entry in entries.into_iter().flatten() {
        let Some(offset) = entry["offset"].as_object_mut() else {
            continue;
        };
        let is_moving = !is_of_last_record || offset.contains_key("snapshot");
        for (name, value) in offset.iter_mut() {
            if (is_moving || name == "xmin") && value.is_number() {
                *value = "(a number)".into();
            }
        }
        // It is a map: its order is the store's.
        offset.sort_keys();
    }
}
