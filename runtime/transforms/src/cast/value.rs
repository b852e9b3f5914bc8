//! One value as one of another type, as Java turns them into each other.

use std::str::FromStr;

use tether_api::data::{Schema, Type, Value, text};
use tether_api::{ConnectError, Result};

use crate::number::{Number, parse_float};

/// What is cast: all that is not text is a number or a truth value.
enum Input<'a> {
    Number(Number<'a>),
    Boolean(bool),
    Text(&'a str),
}

/// The value as one of this type, which is no array, map, struct or bytes.
///
/// # Errors
/// Data, if it cannot be cast.
pub(super) fn cast(schema: Option<&Schema>, value: &Value, target: Type) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    check_type(schema, value)?;
    if target == Type::String {
        return to_text(value);
    }
    let input = input(value)?;
    let cast = match target {
        Type::Int8 => integer(&input, Number::to_i8).map(Value::Int8),
        Type::Int16 => integer(&input, Number::to_i16).map(Value::Int16),
        Type::Int32 => integer(&input, Number::to_i32).map(Value::Int32),
        Type::Int64 => integer(&input, Number::to_i64).map(Value::Int64),
        Type::Float32 => float(&input, Number::to_f32).map(Value::Float32),
        Type::Float64 => float(&input, Number::to_f64).map(Value::Float64),
        Type::Boolean => Some(Value::Boolean(match input {
            Input::Number(number) => number.to_i64() != 0,
            Input::Boolean(truth) => truth,
            Input::Text(text) => text.eq_ignore_ascii_case("true"),
        })),
        _ => {
            return Err(ConnectError::data(format!(
                "{target} is not supported in the Cast transformation."
            )));
        }
    };
    cast.ok_or_else(|| {
        ConnectError::data(format!(
            "Value ({value}) was out of range for requested data type"
        ))
    })
}

fn check_type(schema: Option<&Schema>, value: &Value) -> Result<()> {
    let kind = match (schema, value) {
        (Some(schema), _) => schema.kind(),
        (None, Value::Array(_)) => Type::Array,
        (None, Value::Map(_)) => Type::Map,
        (None, Value::Struct(_)) => Type::Struct,
        (None, Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_)) => {
            return Err(ConnectError::data(format!(
                "Cast transformation was passed a value of type class {} which is not supported \
                 by Connect's data API",
                value.java_class()
            )));
        }
        _ => return Ok(()),
    };
    if matches!(kind, Type::Array | Type::Map | Type::Struct) {
        return Err(ConnectError::data(format!(
            "Cast transformation does not support casting from {kind}; supported types are [INT8, \
             INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
        )));
    }
    Ok(())
}

/// Logical values are cast as the plain ones that stand for them.
fn input(value: &Value) -> Result<Input<'_>> {
    Ok(Input::Number(match value {
        Value::Int8(number) => Number::Integer(i64::from(*number)),
        Value::Int16(number) => Number::Integer(i64::from(*number)),
        Value::Int32(number) | Value::Date(number) | Value::Time(number) => {
            Number::Integer(i64::from(*number))
        }
        Value::Int64(number) | Value::Timestamp(number) => Number::Integer(*number),
        Value::Float32(number) => Number::Float(*number),
        Value::Float64(number) => Number::Double(*number),
        Value::Decimal(number) => Number::Decimal(number),
        Value::Boolean(truth) => return Ok(Input::Boolean(*truth)),
        Value::String(text) => return Ok(Input::Text(text)),
        value => {
            return Err(ConnectError::data(format!(
                "Unexpected type in Cast transformation: class {}",
                value.java_class()
            )));
        }
    }))
}

fn integer<'a, T: FromStr + From<bool>>(
    input: &Input<'a>,
    convert: impl FnOnce(Number<'a>) -> T,
) -> Option<T> {
    match input {
        Input::Number(number) => Some(convert(*number)),
        Input::Boolean(truth) => Some((*truth).into()),
        Input::Text(text) => text.parse().ok(),
    }
}

fn float<'a, T: FromStr + From<bool>>(
    input: &Input<'a>,
    convert: impl FnOnce(Number<'a>) -> T,
) -> Option<T> {
    match input {
        Input::Number(number) => Some(convert(*number)),
        Input::Boolean(truth) => Some((*truth).into()),
        Input::Text(text) => parse_float(text),
    }
}

fn to_text(value: &Value) -> Result<Value> {
    if let Value::String(_) = value {
        return Ok(value.clone());
    }
    let mut out = Vec::new();
    text::write(value, &mut out);
    let text = String::from_utf8(out).map_err(|error| {
        ConnectError::data("The text of a value is no Unicode").caused_by(error)
    })?;
    Ok(text.into())
}
