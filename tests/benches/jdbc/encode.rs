//! Rows as the keys and values of records.

use std::fmt::Write as _;

use anyhow::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tether_tests::registry_client::RegistryClient;

use crate::case::Format;
use crate::row::{Cell, Column, Kind};

/// Turns rows into keys or values of one format.
pub(crate) enum Encoder {
    /// With the bytes before every value: a zero and the schema's id.
    Avro([u8; 5]),
    /// With the text before the payload.
    Json(String),
}

impl Encoder {
    /// For records of a topic with these columns; `side` is `key` or `value`.
    pub(crate) fn new(
        format: Format,
        columns: &[Column],
        topic: &str,
        side: &str,
        registry: &RegistryClient,
    ) -> Result<Self> {
        Ok(match format {
            Format::Avro => {
                let id = registry
                    .register_text(&format!("{topic}-{side}"), &avro_schema(columns, side))?;
                let mut prefix = [0; 5];
                prefix[1..].copy_from_slice(&id.to_be_bytes());
                Self::Avro(prefix)
            }
            Format::Json => {
                let schema = json_schema(columns);
                Self::Json(format!("{{\"schema\":{schema},\"payload\":{{"))
            }
        })
    }

    /// Replaces `out` with the record for these columns of a row.
    pub(crate) fn encode(&self, columns: &[Column], row: &[Cell], out: &mut Vec<u8>) {
        out.clear();
        match self {
            Self::Avro(prefix) => {
                out.extend_from_slice(prefix);
                for (_, cell) in columns.iter().zip(row) {
                    put_avro(cell, out);
                }
            }
            Self::Json(prefix) => {
                let mut text = String::from_utf8(std::mem::take(out)).unwrap_or_default();
                text.push_str(prefix);
                for (number, (column, cell)) in columns.iter().zip(row).enumerate() {
                    let comma = if number == 0 { "" } else { "," };
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{comma}\"{}\":", column.name);
                    put_json(cell, &mut text);
                }
                text.push_str("}}");
                *out = text.into_bytes();
            }
        }
    }
}

/// The schema's text as Java's Avro library writes it.
fn avro_schema(columns: &[Column], side: &str) -> String {
    let fields = columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Int32 => r#""int""#,
            Kind::Int64 => r#""long""#,
            Kind::Boolean => r#""boolean""#,
            Kind::Float64 => r#""double""#,
            Kind::Text => r#""string""#,
            Kind::Decimal => r#"{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}"#,
            Kind::Timestamp => r#"{"type":"long","logicalType":"timestamp-millis"}"#,
        };
        format!(r#"{{"name":"{}","type":{kind}}}"#, column.name)
    });
    let fields = fields.collect::<Vec<_>>().join(",");
    format!(r#"{{"type":"record","name":"Row","namespace":"bench.{side}","fields":[{fields}]}}"#)
}

fn json_schema(columns: &[Column]) -> Value {
    let fields = columns.iter().map(|column| {
        let mut field = match column.kind {
            Kind::Int32 => json!({"type": "int32"}),
            Kind::Int64 => json!({"type": "int64"}),
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Float64 => json!({"type": "double"}),
            Kind::Text => json!({"type": "string"}),
            Kind::Decimal => json!({
                "type": "bytes",
                "name": "org.apache.kafka.connect.data.Decimal",
                "version": 1,
                "parameters": {"scale": "2"},
            }),
            Kind::Timestamp => json!({
                "type": "int64",
                "name": "org.apache.kafka.connect.data.Timestamp",
                "version": 1,
            }),
        };
        field["optional"] = json!(false);
        field["field"] = json!(column.name);
        field
    });
    json!({"type": "struct", "fields": fields.collect::<Vec<_>>(), "optional": false})
}

fn put_avro(cell: &Cell, out: &mut Vec<u8>) {
    match cell {
        Cell::Int32(number) => put_long(i64::from(*number), out),
        Cell::Int64(number) | Cell::Timestamp(number) => put_long(*number, out),
        Cell::Boolean(flag) => out.push(u8::from(*flag)),
        Cell::Float64(number) => out.extend(number.to_le_bytes()),
        Cell::Text(text) => put_bytes(text.as_bytes(), out),
        Cell::Decimal(hundredths) => put_bytes(two_complement(&hundredths.to_be_bytes()), out),
    }
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_long(i64::try_from(bytes.len()).unwrap_or_default(), out);
    out.extend_from_slice(bytes);
}

/// Zigzag, seven bits in a byte.
fn put_long(number: i64, out: &mut Vec<u8>) {
    let mut left = (number << 1 ^ number >> 63).cast_unsigned();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// As few bytes as a number that is not negative needs.
fn two_complement(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [0, next, ..] = bytes {
        if *next >= 0x80 {
            break;
        }
        bytes = &bytes[1..];
    }
    bytes
}

fn put_json(cell: &Cell, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match cell {
        Cell::Int32(number) => write!(out, "{number}"),
        Cell::Int64(number) | Cell::Timestamp(number) => write!(out, "{number}"),
        Cell::Boolean(flag) => write!(out, "{flag}"),
        Cell::Float64(number) => write!(out, "{number:?}"),
        // No text has a character that JSON escapes.
        Cell::Text(text) => write!(out, "\"{text}\""),
        Cell::Decimal(hundredths) => {
            let bytes = hundredths.to_be_bytes();
            write!(
                out,
                "\"{}\"",
                BASE64_STANDARD.encode(two_complement(&bytes))
            )
        }
    };
}
