//! Schemaless data as the record `io.confluent.connect.avro.Anything`: one
//! field of the kind that the data has, the others null.

use tether_api::data::{MapValue, Value};
use tether_api::{ConnectError, Result};

use super::binary::{DecodeError, Input, write_bytes, write_long};
use super::decode::MAX_DEPTH;

// The fields in order.
const BOOLEAN: usize = 0;
const BYTES: usize = 1;
const DOUBLE: usize = 2;
const FLOAT: usize = 3;
const INT: usize = 4;
const LONG: usize = 5;
const STRING: usize = 6;
const ARRAY: usize = 7;
const MAP: usize = 8;
const FIELDS: usize = 9;

/// Appends a value.
///
/// # Errors
/// Data, if it has a type that schemaless data may not have.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let field = match value {
        Value::Null => {
            out.extend_from_slice(&[0; FIELDS]);
            return Ok(());
        }
        Value::Boolean(_) => BOOLEAN,
        Value::Float64(_) => DOUBLE,
        Value::Float32(_) => FLOAT,
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) => INT,
        Value::Int64(_) => LONG,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Map(_) => MAP,
        _ => {
            return Err(ConnectError::data(format!(
                "Unknown Java type for schemaless data: class {}",
                value.java_class()
            )));
        }
    };
    out.extend_from_slice(&[0; FIELDS][..field]);
    out.push(2);
    match value {
        Value::Boolean(value) => out.push(u8::from(*value)),
        Value::Float64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Float32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::String(text) => write_bytes(text.as_bytes(), out),
        Value::Array(values) => {
            write_block(values.len(), out);
            for value in values.iter() {
                write(value, out)?;
            }
            end_block(out);
        }
        Value::Map(entries) => {
            write_block(entries.len(), out);
            for (key, value) in entries.iter() {
                write(key, out)?;
                write(value, out)?;
            }
            end_block(out);
        }
        value => write_long(value.as_i64().unwrap_or_default(), out),
    }
    out.extend_from_slice(&[0; FIELDS][field + 1..]);
    Ok(())
}

/// Appends the number of items of an array or map, unless there are none.
pub(super) fn write_block(count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        write_long(count as i64, out);
    }
}

/// Appends the end of an array or map.
pub(super) fn end_block(out: &mut Vec<u8>) {
    out.push(0);
}

/// Reads a value.
pub(super) fn read(input: &mut Input<'_>) -> Result<Value, DecodeError> {
    read_nested(input, 0)
}

fn read_nested(input: &mut Input<'_>, depth: usize) -> Result<Value, DecodeError> {
    if depth == MAX_DEPTH {
        return input.too_deep();
    }
    let mut found = Value::Null;
    for field in 0..FIELDS {
        match input.long()? {
            0 => continue,
            1 => {}
            _ => return input.invalid("branch of a union"),
        }
        let value = read_field(input, field, depth)?;
        // Of several, which no converter writes, the first one counts.
        if found.is_null() {
            found = value;
        }
    }
    Ok(found)
}

fn read_field(input: &mut Input<'_>, field: usize, depth: usize) -> Result<Value, DecodeError> {
    Ok(match field {
        BOOLEAN => Value::Boolean(input.boolean()?),
        BYTES => {
            let bytes = input.sized()?;
            Value::Bytes(input.share(bytes))
        }
        DOUBLE => Value::Float64(input.double()?),
        FLOAT => Value::Float32(input.float()?),
        INT => Value::Int32(input.int()?),
        LONG => Value::Int64(input.long()?),
        STRING => Value::String(input.text()?),
        ARRAY => {
            let mut values = Vec::new();
            loop {
                let count = input.block(FIELDS)?;
                if count == 0 {
                    break values.into();
                }
                for _ in 0..count {
                    values.push(read_nested(input, depth + 1)?);
                }
            }
        }
        MAP => {
            let mut entries = Vec::new();
            loop {
                let count = input.block(2 * FIELDS)?;
                if count == 0 {
                    break MapValue::from(entries).into();
                }
                for _ in 0..count {
                    let key = read_nested(input, depth + 1)?;
                    entries.push((key, read_nested(input, depth + 1)?));
                }
            }
        }
        _ => Value::Null,
    })
}
