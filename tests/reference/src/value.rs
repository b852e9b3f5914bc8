//! Values in the oracle's form.

use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use tether_api::data::{BigInt, Bytes, Decimal, MapValue, SchemaRef, Struct, Value};

use super::{schema_from_json, schema_to_json};

/// The form of a value.
pub fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int8(number) => json!({"int8": number}),
        Value::Int16(number) => json!({"int16": number}),
        Value::Int32(number) => json!({"int32": number}),
        Value::Int64(number) => json!({"int64": number}),
        Value::Float32(_) => json!({"float32": value.to_string()}),
        Value::Float64(_) => json!({"float64": value.to_string()}),
        Value::Boolean(truth) => json!({"boolean": truth}),
        Value::String(text) => json!({"string": **text}),
        Value::Bytes(bytes) => json!({"bytes": STANDARD.encode(bytes)}),
        Value::Decimal(decimal) => json!({"decimal": {
            "unscaled": decimal.unscaled().to_string(),
            "scale": decimal.scale(),
        }}),
        Value::Date(days) => json!({"date": days}),
        Value::Time(millis) => json!({"time": millis}),
        Value::Timestamp(millis) => json!({"timestamp": millis}),
        Value::Array(values) => {
            json!({"array": values.iter().map(value_to_json).collect::<Vec<_>>()})
        }
        Value::Map(entries) => {
            let pairs = entries.iter();
            let pairs: Vec<Json> = pairs
                .map(|(key, value)| json!([value_to_json(key), value_to_json(value)]))
                .collect();
            json!({"map": pairs})
        }
        Value::Struct(value) => json!({"struct": {
            "schema": schema_to_json(value.schema()),
            "fields": value.values().iter().map(value_to_json).collect::<Vec<_>>(),
        }}),
    }
}

/// The value of a form; the schema is that of a struct without one of its own.
///
/// # Errors
/// It is no such form.
pub fn value_from_json(json: &Json, expected: Option<&SchemaRef>) -> Result<Value> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    let object = json.as_object().context("a value is an object or null")?;
    let (kind, content) = object.iter().next().context("a value without kind")?;
    let integer = || content.as_i64().context("no integer");
    let text = || content.as_str().context("no text");
    let items = || content.as_array().context("no array");
    let keys = expected.and_then(|schema| schema.key_schema());
    let values = expected.and_then(|schema| schema.value_schema());
    Ok(match kind.as_str() {
        "int8" => i8::try_from(integer()?)?.into(),
        "int16" => i16::try_from(integer()?)?.into(),
        "int32" => i32::try_from(integer()?)?.into(),
        "int64" => integer()?.into(),
        "float32" => number::<f32>(text()?)?.into(),
        "float64" => number::<f64>(text()?)?.into(),
        "boolean" => content.as_bool().context("no boolean")?.into(),
        "string" => text()?.into(),
        "bytes" => Bytes::from(STANDARD.decode(text()?)?).into(),
        "decimal" => {
            let unscaled = content["unscaled"].as_str().context("no integer")?;
            let scale = content["scale"].as_i64().context("no scale")?;
            Decimal::new(BigInt::from_str(unscaled)?, i32::try_from(scale)?).into()
        }
        "date" => Value::Date(i32::try_from(integer()?)?),
        "time" => Value::Time(i32::try_from(integer()?)?),
        "timestamp" => Value::Timestamp(integer()?),
        "array" => items()?
            .iter()
            .map(|item| value_from_json(item, values))
            .collect::<Result<Vec<_>>>()?
            .into(),
        "map" => items()?
            .iter()
            .map(|pair| {
                let key = value_from_json(&pair[0], keys)?;
                Ok((key, value_from_json(&pair[1], values)?))
            })
            .collect::<Result<MapValue>>()?
            .into(),
        "struct" => structure(content, expected)?,
        kind => bail!("unknown kind of value {kind}"),
    })
}

fn structure(content: &Json, expected: Option<&SchemaRef>) -> Result<Value> {
    let own = schema_from_json(&content["schema"])?;
    let schema = own
        .as_ref()
        .or(expected)
        .context("a struct without schema")?;
    let fields = content["fields"].as_array().context("no fields")?;
    let values = fields
        .iter()
        .zip(schema.fields())
        .map(|(value, field)| value_from_json(value, Some(&field.schema)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Struct::from_values(schema.clone(), values)
        .map_err(|error| anyhow!("{error}"))?
        .into())
}

/// Reads Java's words for what is no number along with numbers.
fn number<T: FromStr>(text: &str) -> Result<T> {
    let text = text.replace("Infinity", "inf");
    text.parse().map_err(|_| anyhow!("no number: {text}"))
}
