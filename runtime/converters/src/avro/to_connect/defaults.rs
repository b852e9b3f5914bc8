//! Default values from JSON (`AvroData.defaultValueFromAvro`).

use serde_json::Value as Json;
use tether_api::data::logical::Logical;
use tether_api::data::{Bytes, Decimal, MapValue, SchemaRef, Struct, Type, Value, validate};
use tether_api::{ConnectError, Result};

use super::super::names::is_union;
use super::super::schema::{AvroSchema, Kind, NodeId};
use crate::logical;

/// Where a default was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A field's default, which counts for the first branch of a union.
    Field,
    /// The property that only Connect knows.
    Property,
}

/// The default value that JSON stands for; `None` if it is a field's and of
/// another type, which counts as none.
///
/// # Errors
/// Data, if it does not fit the schema.
pub(super) fn from_json(
    avro: &AvroSchema,
    id: NodeId,
    schema: &SchemaRef,
    json: &Json,
    origin: Origin,
) -> Result<Option<Value>> {
    if origin == Origin::Field && !has_type(avro, id, json) {
        return Ok(None);
    }
    let value = Defaults { avro, origin }.read(id, schema, json)?;
    validate(None, schema, &value)?;
    Ok(Some(value))
}

/// Whether JSON is of a type at all, parts aside.
fn has_type(avro: &AvroSchema, id: NodeId, json: &Json) -> bool {
    match (avro.kind(id), json) {
        (Kind::Union(branches), _) => branches
            .first()
            .is_some_and(|first| has_type(avro, *first, json)),
        (_, Json::Null | Json::Bool(_)) => true,
        (Kind::Int, Json::Number(number)) => {
            number.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
        }
        (Kind::Long, Json::Number(number)) => number.as_i64().is_some(),
        (Kind::Float | Kind::Double, Json::Number(_)) => true,
        (Kind::String | Kind::Enum(_) | Kind::Bytes | Kind::Fixed(_), Json::String(_)) => true,
        (Kind::Array(_), Json::Array(_)) => true,
        (Kind::Map(_) | Kind::Record(_), Json::Object(_)) => true,
        _ => false,
    }
}

struct Defaults<'a> {
    avro: &'a AvroSchema,
    origin: Origin,
}

impl Defaults<'_> {
    fn read(&self, id: NodeId, schema: &SchemaRef, json: &Json) -> Result<Value> {
        // As a property, null only stands where the type says so.
        if json.is_null() && self.origin == Origin::Field {
            return Ok(Value::Null);
        }
        let plain = self.plain(id, schema, json)?;
        match (Logical::of(schema), plain) {
            (Some(Logical::Decimal), Value::Bytes(bytes)) => {
                Ok(Decimal::from_be_bytes(&bytes, logical::scale(schema)?).into())
            }
            (Some(Logical::Date), Value::Int32(days)) => Ok(Value::Date(days)),
            (Some(Logical::Time), Value::Int32(millis)) => logical::checked_time(millis),
            (Some(Logical::Timestamp), Value::Int64(millis)) => Ok(Value::Timestamp(millis)),
            (_, plain) => Ok(plain),
        }
    }

    fn plain(&self, id: NodeId, schema: &SchemaRef, json: &Json) -> Result<Value> {
        let misfit = || ConnectError::data(format!("{json} is no default of {schema:?}"));
        let integer = || json.as_i64().ok_or_else(misfit);
        Ok(match self.avro.kind(id) {
            Kind::Null => Value::Null,
            Kind::Boolean => json.as_bool().ok_or_else(misfit)?.into(),
            Kind::Int => match schema.kind() {
                Type::Int8 => Value::Int8(integer()? as i8),
                Type::Int16 => Value::Int16(integer()? as i16),
                _ => Value::Int32(integer()? as i32),
            },
            Kind::Long => Value::Int64(integer()?),
            Kind::Float => Value::Float32(json.as_f64().ok_or_else(misfit)? as f32),
            Kind::Double => Value::Float64(json.as_f64().ok_or_else(misfit)?),
            Kind::String | Kind::Enum(_) => json.as_str().ok_or_else(misfit)?.into(),
            Kind::Bytes | Kind::Fixed(_) => latin1(json.as_str().ok_or_else(misfit)?).into(),
            Kind::Array(items) if schema.kind() == Type::Array => {
                let elements = schema.value_schema().ok_or_else(misfit)?;
                let values = json.as_array().ok_or_else(misfit)?.iter();
                let values = values.map(|value| self.read(*items, elements, value));
                values.collect::<Result<Vec<_>>>()?.into()
            }
            Kind::Map(values) => {
                let value_schema = schema.value_schema().ok_or_else(misfit)?;
                let members = json.as_object().ok_or_else(misfit)?.iter();
                let entries = members.map(|(key, value)| {
                    let value = self.read(*values, value_schema, value)?;
                    Ok((Value::from(key.as_str()), value))
                });
                entries.collect::<Result<MapValue>>()?.into()
            }
            Kind::Record(record) if !schema.is_reference() => {
                let members = json.as_object().ok_or_else(misfit)?;
                let mut values = Vec::with_capacity(record.fields.len());
                for (field, in_schema) in record.fields.iter().zip(schema.fields()) {
                    let default = in_schema.schema.default_value();
                    values.push(match members.get(&field.name) {
                        Some(value) => self.read(field.schema, &in_schema.schema, value)?,
                        None if self.origin == Origin::Field => default.cloned().into(),
                        None => Value::Null,
                    });
                }
                let value = Struct::from_values(schema.clone(), values)?;
                value.validate()?;
                value.into()
            }
            Kind::Union(branches) => {
                let first = *branches.first().ok_or_else(misfit)?;
                match (self.avro.kind(first), schema.fields().first()) {
                    (Kind::Null, _) => Value::Null,
                    (_, Some(field)) if is_union(schema) => {
                        let value = self.read(first, &field.schema, json)?;
                        let mut union = Struct::new(schema.clone())?;
                        union.put(&field.name, value)?;
                        union.into()
                    }
                    _ if self.origin == Origin::Field => self.read(first, schema, json)?,
                    // The reference looks for the field of a struct here.
                    _ => return Err(misfit()),
                }
            }
            Kind::Array(_) | Kind::Record(_) => return Err(misfit()),
        })
    }
}

/// The bytes of a text of as many characters. What is no byte becomes a
/// question mark, as in Java.
fn latin1(text: &str) -> Bytes {
    let bytes = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'));
    bytes.collect::<Vec<_>>().into()
}
