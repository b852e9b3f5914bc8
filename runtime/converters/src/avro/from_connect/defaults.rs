//! Default values as JSON (`AvroData.defaultValueFromConnect`).

use serde_json::{Map, Number, Value as Json};
use tether_api::data::logical::Logical;
use tether_api::data::{Schema, Type, Value, java_f32, java_f64};
use tether_api::{ConnectError, Result};

use super::{Options, is_map, is_union, scrub};
use crate::logical;

/// The JSON of a default value. In the default of a field, floats have become
/// doubles on the way, which their digits show.
pub(super) fn to_json(
    schema: &Schema,
    value: &Value,
    options: Options,
    of_field: bool,
) -> Result<Json> {
    let part = |schema: Option<&tether_api::data::SchemaRef>, value: &Value| match schema {
        Some(schema) => to_json(schema, value, options, of_field),
        None => Err(misfit(Type::Array, value)),
    };
    if value.is_null() {
        return Ok(Json::Null);
    }
    match Logical::of(schema) {
        Some(Logical::Decimal) => {
            let decimal = logical::decimal(value)?;
            logical::check_scale(schema, decimal)?;
            return Ok(latin1(&decimal.to_be_bytes()));
        }
        Some(Logical::Date) => return Ok(logical::days(value)?.into()),
        Some(Logical::Time) => return Ok(logical::millis_of_day(value)?.into()),
        Some(Logical::Timestamp) => return Ok(logical::millis(value)?.into()),
        None => {}
    }
    Ok(match (schema.kind(), value) {
        (Type::Int8, Value::Int8(number)) => (*number).into(),
        (Type::Int16, Value::Int16(number)) => (*number).into(),
        (Type::Int32, Value::Int32(number)) => (*number).into(),
        (Type::Int64, Value::Int64(number)) => (*number).into(),
        (Type::Float32, Value::Float32(number)) if of_field => float(&java_f64((*number).into())),
        (Type::Float32, Value::Float32(number)) => float(&java_f32(*number)),
        (Type::Float64, Value::Float64(number)) => float(&java_f64(*number)),
        (Type::Boolean, Value::Boolean(truth)) => (*truth).into(),
        (Type::String, Value::String(text)) => Json::from(&**text),
        (Type::Bytes, Value::Bytes(bytes)) => latin1(bytes),
        (Type::Array, Value::Array(values)) => values
            .iter()
            .map(|value| part(schema.value_schema(), value))
            .collect::<Result<Vec<_>>>()?
            .into(),
        (Type::Map, Value::Map(entries)) if is_map(schema, options) => entries
            .iter()
            .map(|(key, value)| {
                let key = key.as_str().unwrap_or("null").to_owned();
                Ok((key, part(schema.value_schema(), value)?))
            })
            .collect::<Result<Map<_, _>>>()?
            .into(),
        (Type::Map, Value::Map(entries)) => entries
            .iter()
            .map(|(key, value)| {
                let key = part(schema.key_schema(), key)?;
                Ok(Json::from(vec![key, part(schema.value_schema(), value)?]))
            })
            .collect::<Result<Vec<_>>>()?
            .into(),
        (Type::Struct, Value::Struct(value)) => {
            let mut members = Map::new();
            for field in schema.fields() {
                let default = value.get_at(field.index).unwrap_or(&Value::Null);
                let json = to_json(&field.schema, default, options, of_field)?;
                if is_union(schema) {
                    return Ok(json);
                }
                let name = if options.scrub {
                    scrub(&field.name)
                } else {
                    field.name.to_string()
                };
                members.insert(name, json);
            }
            members.into()
        }
        (kind, value) => return Err(misfit(kind, value)),
    })
}

fn misfit(kind: Type, value: &Value) -> ConnectError {
    ConnectError::data(format!(
        "Invalid type used for default value of {kind} field: class {}",
        value.java_class()
    ))
}

/// A number with the digits that Java writes; infinities and the like are
/// texts.
fn float(text: &str) -> Json {
    match text.parse::<Number>() {
        Ok(number) => number.into(),
        Err(_) => text.into(),
    }
}

/// Bytes as a text of as many characters.
fn latin1(bytes: &[u8]) -> Json {
    bytes
        .iter()
        .map(|byte| char::from(*byte))
        .collect::<String>()
        .into()
}
