//! The common schema of elements whose types were guessed one by one, and the
//! elements brought to it (`Values.SchemaMerger`, `Values.convertTo`).

use crate::data::logical::{Logical, MILLIS_PER_DAY};
use crate::data::{Decimal, SchemaAndValue, SchemaRef, Type, Value, java_f64};
use num_traits::ToPrimitive;

use super::Misread;

/// Finds the schema that all elements have in common.
#[derive(Default)]
pub(super) struct CommonSchema {
    schema: Option<SchemaRef>,
    incompatible: bool,
}

impl CommonSchema {
    /// Takes the schema of another element into account. Nulls have none.
    pub(super) fn merge(&mut self, element: &SchemaAndValue) {
        let Some(latest) = &element.schema else {
            return;
        };
        if self.incompatible {
            return;
        }
        self.schema = match &self.schema {
            None => Some(latest.clone()),
            Some(previous) => wider(previous, latest),
        };
        self.incompatible = self.schema.is_none();
    }

    /// The schema, if there is one.
    pub(super) fn into_schema(self) -> Option<SchemaRef> {
        self.schema
    }
}

fn wider(previous: &SchemaRef, latest: &SchemaRef) -> Option<SchemaRef> {
    // No guessed schema is optional, so of equal types the latest counts.
    if previous.kind() == latest.kind() {
        return Some(latest.clone());
    }
    let (before, after) = (width(previous.kind())?, width(latest.kind())?);
    Some(if before > after { previous } else { latest }.clone())
}

/// Numbers in the order in which one holds the values of those before it.
fn width(kind: Type) -> Option<usize> {
    [
        Type::Int8,
        Type::Int16,
        Type::Int32,
        Type::Int64,
        Type::Float32,
        Type::Float64,
    ]
    .iter()
    .position(|candidate| *candidate == kind)
}

/// The value as one of a common schema.
pub(super) fn convert(schema: &SchemaRef, value: Value) -> Result<Value, Misread> {
    if value.is_null() {
        return Err(Misread::NotThis);
    }
    match (schema.kind(), Logical::of(schema)) {
        (Type::Bytes, _) => decimal(value),
        (Type::Int8, _) => Ok(Value::Int8(integer(&value)? as i8)),
        (Type::Int16, _) => Ok(Value::Int16(integer(&value)? as i16)),
        (Type::Int32, Some(_)) if is_instant(&value) => Ok(value),
        (Type::Int32, Some(Logical::Date)) => Ok(Value::Date(integer(&value)? as i32)),
        (Type::Int32, Some(_)) => match integer(&value)? as i32 {
            millis if (0..=MILLIS_PER_DAY).contains(&i64::from(millis)) => Ok(Value::Time(millis)),
            _ => Err(Misread::NotThis),
        },
        (Type::Int32, None) => Ok(Value::Int32(integer(&value)? as i32)),
        (Type::Int64, Some(_)) if is_instant(&value) => Ok(value),
        (Type::Int64, Some(_)) => Ok(Value::Timestamp(integer(&value)?)),
        (Type::Int64, None) => Ok(Value::Int64(integer(&value)?)),
        (Type::Float32, _) => match value {
            Value::Float32(_) => Ok(value),
            value => Ok(Value::Float32(float(&value)? as f32)),
        },
        (Type::Float64, _) => Ok(Value::Float64(float(&value)?)),
        _ => Ok(value),
    }
}

fn is_instant(value: &Value) -> bool {
    matches!(value, Value::Date(_) | Value::Time(_) | Value::Timestamp(_))
}

fn integer(value: &Value) -> Result<i64, Misread> {
    match value {
        Value::Float32(number) => Ok(*number as i64),
        Value::Float64(number) => Ok(*number as i64),
        value => value.as_i64().ok_or(Misread::NotThis),
    }
}

fn float(value: &Value) -> Result<f64, Misread> {
    match value {
        Value::Float32(number) => Ok(f64::from(*number)),
        Value::Float64(number) => Ok(*number),
        value => integer(value)?.to_f64().ok_or(Misread::NotThis),
    }
}

fn decimal(value: Value) -> Result<Value, Misread> {
    if let Value::Decimal(_) = value {
        return Ok(value);
    }
    let text = java_f64(float(&value)?);
    let decimal: Decimal = text.parse().map_err(|_| Misread::Unexpected)?;
    Ok(decimal.into())
}
