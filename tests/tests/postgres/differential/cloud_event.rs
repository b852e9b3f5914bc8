//! Takes out of CloudEvents what differs from one connector to the next by its nature: what their source
//! block tells is in attributes, all of them texts.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::avro;
use super::normalize::{version, without_numbers};
use super::scene::Schemas;

const ATTRIBUTE: &str = "iodebezium";

/// Replaces data in Avro by what they are, and the address of their schema by the schema: its number is
/// the registry's.
pub(super) fn read_data(event: &mut Value, schemas: &mut Schemas) -> Result<()> {
    let Some(data) = event["data"].as_str().and_then(avro::bytes) else {
        return Ok(());
    };
    let (id, data) = avro::split(&data)?;
    let schema = schemas.get(id)?;
    let address = event["dataschema"]
        .as_str()
        .context("no schema of the data")?;
    ensure!(
        address.ends_with(&format!("/schemas/ids/{id}")),
        "{address} is not of schema {id}"
    );
    event["data"] = avro::decode(&schema, data)?;
    event["dataschema"] = schema;
    Ok(())
}

/// The attributes of an event, without its data.
pub(super) fn normalize(attributes: &mut Map<String, Value>) {
    if let Some(version) = attributes.get_mut(&format!("{ATTRIBUTE}version")) {
        self::version(version);
    }
    let snapshot = attributes.get(&format!("{ATTRIBUTE}snapshot"));
    // Without extensions there is no such attribute, but the moment of a snapshot in its place.
    let of_snapshot = snapshot.is_none_or(|marker| *marker != "false");
    if !of_snapshot {
        return;
    }
    if is_time(attributes.get("time")) {
        attributes.insert("time".to_owned(), "(a time)".into());
    }
    for name in ["tsms", "tsus", "tsns", "lsn", "txId"] {
        if let Some(Value::String(text)) = attributes.get_mut(&format!("{ATTRIBUTE}{name}")) {
            *text = without_numbers(text, ' ');
        }
    }
    if let Some(Value::String(sequence)) = attributes.get_mut(&format!("{ATTRIBUTE}sequence")) {
        *sequence = without_numbers(sequence, '"');
    }
    // `name:<prefix>;lsn:<number>;txId:<number>;sequence:<array>`
    if let Some(Value::String(id)) = attributes.get_mut("id") {
        let parts = id.split(';').map(|part| without_numbers(part, ':'));
        let parts: Vec<_> = parts.map(|part| without_numbers(&part, '"')).collect();
        *id = parts.join(";");
    }
}

/// A moment of UTC with milliseconds.
fn is_time(value: Option<&Value>) -> bool {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let places = text.char_indices();
    text.len() == "2024-01-02T03:04:05.678Z".len()
        && text.is_ascii()
        && places.clone().all(|(place, c)| match place {
            4 | 7 => c == '-',
            10 => c == 'T',
            13 | 16 => c == ':',
            19 => c == '.',
            23 => c == 'Z',
            _ => c.is_ascii_digit(),
        })
}
