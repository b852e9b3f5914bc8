//! The writing of values.

use tether_api::data::{Struct, Type, Value};
use tether_api::{ConnectError, Result};

use super::super::logical::{civil_date, decimal_precision, millis_of_day, seconds_and_nanos};
use super::super::wire::{WireType, close_length, open_length, tag, write_varint, zigzag};
use super::plan::{FieldWriter, Form, Integer, MessageWriter, Source, WritePlan, Writer};
use crate::logical;

/// How deep messages may be nested: nobody reads more.
const MAX_DEPTH: usize = 100;

impl WritePlan {
    /// Appends a message.
    ///
    /// # Errors
    /// Data, if the value does not fit its schema.
    pub(in super::super) fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        self.body(&self.root, value, out, MAX_DEPTH)
    }

    /// Appends the fields of a message.
    fn body(&self, writer: &Writer, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth == 0 {
            return Err(ConnectError::data(format!(
                "the value is nested more than {MAX_DEPTH} deep, which nobody could read"
            )));
        }
        match writer {
            Writer::Message { plan, schema } => {
                let Value::Struct(structure) = value else {
                    return Err(mismatch(Type::Struct, value));
                };
                if !schema.describes(structure.schema()) {
                    return Err(ConnectError::data("Mismatching struct schema"));
                }
                match self.messages.get(*plan) {
                    Some(message) => self.message(message, structure, out, depth),
                    None => Ok(()),
                }
            }
            Writer::Wrapped(inner) => self.one(inner, 1, true, value, out, depth),
            Writer::Date => {
                let (year, month, day) = civil_date(logical::days(value)?);
                implicit(1, year as u64, out);
                implicit(2, u64::from(month), out);
                implicit(3, u64::from(day), out);
                Ok(())
            }
            Writer::Time => {
                let millis = millis_of_day(value)?;
                let seconds = millis / 1000;
                implicit(1, seconds / 3600 % 24, out);
                implicit(2, seconds / 60 % 60, out);
                implicit(3, seconds % 60, out);
                implicit(4, millis % 1000 * 1_000_000, out);
                Ok(())
            }
            Writer::Timestamp => {
                let (seconds, nanos) = seconds_and_nanos(logical::millis(value)?)?;
                implicit(1, seconds as u64, out);
                implicit(2, u64::from(nanos), out);
                Ok(())
            }
            Writer::Decimal => {
                let decimal = logical::decimal(value)?;
                let unscaled = decimal.to_be_bytes();
                write_varint(tag(1, WireType::Len), out);
                write_varint(unscaled.len() as u64, out);
                out.extend_from_slice(&unscaled);
                implicit(2, u64::from(decimal_precision(decimal)), out);
                implicit(3, i64::from(decimal.scale()) as u64, out);
                Ok(())
            }
            _ => Err(ConnectError::data("a value without a message")),
        }
    }

    fn message(
        &self,
        message: &MessageWriter,
        structure: &Struct,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<()> {
        for (index, schema) in &message.unions {
            match self.value(structure, *index) {
                Value::Null => {}
                Value::Struct(union) if !schema.describes(union.schema()) => {
                    return Err(ConnectError::data("Mismatching struct schema"));
                }
                Value::Struct(union) => {
                    if self.first_set(union).is_none() {
                        return Err(ConnectError::data("Cannot find non-null field"));
                    }
                }
                other => return Err(mismatch(Type::Struct, other)),
            }
        }
        for field in &message.fields {
            match field.source {
                Source::Field(index) => {
                    self.field(field, self.value(structure, index), out, depth)?;
                }
                Source::Member(union, member) => {
                    if let Value::Struct(union) = self.value(structure, union)
                        && self.first_set(union) == Some(member)
                    {
                        self.field(field, self.value(union, member), out, depth)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The value of a field, or its default.
    fn value<'a>(&self, structure: &'a Struct, index: usize) -> &'a Value {
        let value = if self.ignore_default {
            structure.values().get(index)
        } else {
            structure.get_at(index)
        };
        value.unwrap_or(&Value::Null)
    }

    fn first_set(&self, union: &Struct) -> Option<usize> {
        (0..union.values().len()).find(|index| !self.value(union, *index).is_null())
    }

    fn field(
        &self,
        field: &FieldWriter,
        value: &Value,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        match &field.form {
            Form::One(writer) => self.one(writer, field.number, field.implicit, value, out, depth),
            Form::Repeated(writer) => {
                for element in elements(value)? {
                    self.one(writer, field.number, false, present(element)?, out, depth)?;
                }
                Ok(())
            }
            Form::Packed(writer) => {
                let elements = elements(value)?;
                if elements.is_empty() {
                    return Ok(());
                }
                write_varint(tag(field.number, WireType::Len), out);
                let start = open_length(out);
                for element in elements {
                    self.scalar(writer, present(element)?, out)?;
                }
                close_length(start, out);
                Ok(())
            }
            Form::Unfit(_) if elements(value)?.is_empty() => Ok(()),
            Form::Unfit(reason) => {
                Err(ConnectError::data(&**reason).with_class("java.lang.IllegalArgumentException"))
            }
            Form::Map(entry) => {
                let Value::Map(map) = value else {
                    return Err(mismatch(Type::Map, value));
                };
                let [key_field, value_field] = &**entry;
                for (key, value) in map.iter() {
                    write_varint(tag(field.number, WireType::Len), out);
                    let start = open_length(out);
                    self.field(key_field, key, out, depth - 1)?;
                    self.field(value_field, value, out, depth - 1)?;
                    close_length(start, out);
                }
                Ok(())
            }
        }
    }

    /// Appends a field with one value.
    fn one(
        &self,
        writer: &Writer,
        number: i32,
        implicit: bool,
        value: &Value,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<()> {
        let before = out.len();
        write_varint(tag(number, writer.wire()), out);
        let start = out.len();
        match writer {
            Writer::Message { .. }
            | Writer::Wrapped(_)
            | Writer::Decimal
            | Writer::Date
            | Writer::Time
            | Writer::Timestamp => {
                let start = open_length(out);
                self.body(writer, value, out, depth - 1)?;
                close_length(start, out);
                return Ok(());
            }
            _ => self.scalar(writer, value, out)?,
        }
        let is_default = implicit
            && match (writer, value) {
                (Writer::Enum(kind), Value::String(name)) => {
                    kind.number(name) == Some(kind.first())
                }
                (Writer::Enum(kind), value) => value.as_i64() == Some(i64::from(kind.first())),
                // What is zero or empty has no other byte than zeros.
                _ => out[start..].iter().all(|byte| *byte == 0),
            };
        if is_default {
            out.truncate(before);
        }
        Ok(())
    }

    /// Appends a value without parts.
    fn scalar(&self, writer: &Writer, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match (writer, value) {
            (Writer::Integer(kind), value) => integer(*kind, value, out)?,
            (Writer::Float, Value::Float32(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (Writer::Double, Value::Float64(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (Writer::Bool, Value::Boolean(value)) => out.push(u8::from(*value)),
            (Writer::String, Value::String(text)) => delimited(text.as_bytes(), out),
            (Writer::Bytes, Value::Bytes(bytes)) => delimited(bytes, out),
            (Writer::Enum(kind), Value::String(name)) => match kind.number(name) {
                Some(number) => write_varint(i64::from(number) as u64, out),
                None => {
                    // The reference's words for a symbol that the schema has not.
                    return Err(ConnectError::data(
                        "DynamicMessage should use EnumValueDescriptor to set Enum Value.",
                    )
                    .with_class("java.lang.IllegalArgumentException"));
                }
            },
            (Writer::Enum(kind), value) => match value.as_i64().map(|number| number as i32) {
                Some(number) if kind.has(number) => write_varint(i64::from(number) as u64, out),
                Some(number) => {
                    return Err(ConnectError::data(format!(
                        "{number} is no value of the enumeration"
                    )));
                }
                None => return Err(mismatch(Type::Int32, value)),
            },
            (Writer::Float, _) => return Err(mismatch(Type::Float32, value)),
            (Writer::Double, _) => return Err(mismatch(Type::Float64, value)),
            (Writer::Bool, _) => return Err(mismatch(Type::Boolean, value)),
            (Writer::String, _) => return Err(mismatch(Type::String, value)),
            (Writer::Bytes, _) => return Err(mismatch(Type::Bytes, value)),
            _ => return Err(ConnectError::data("a message where a scalar is due")),
        }
        Ok(())
    }
}

fn integer(kind: Integer, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let Some(number) = value.as_i64() else {
        let kind = if kind.is_narrow() {
            Type::Int32
        } else {
            Type::Int64
        };
        return Err(mismatch(kind, value));
    };
    match kind {
        Integer::Int32 => write_varint(i64::from(number as i32) as u64, out),
        Integer::UInt32 => write_varint(u64::from(number as u32), out),
        Integer::SInt32 => {
            write_varint(u64::from(zigzag(i64::from(number as i32)) as u32), out);
        }
        Integer::Fixed32 => out.extend_from_slice(&(number as u32).to_le_bytes()),
        Integer::Int64 => write_varint(number as u64, out),
        Integer::SInt64 => write_varint(zigzag(number), out),
        Integer::Fixed64 => out.extend_from_slice(&number.to_le_bytes()),
    }
    Ok(())
}

/// Appends a field with a number, unless it is zero.
fn implicit(number: i32, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        write_varint(tag(number, WireType::Varint), out);
        write_varint(value, out);
    }
}

fn delimited(bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn elements(value: &Value) -> Result<&[Value]> {
    value.as_array().ok_or_else(|| mismatch(Type::Array, value))
}

fn present(element: &Value) -> Result<&Value> {
    if element.is_null() {
        return Err(
            ConnectError::data("an array with null in it, which Protobuf does not have")
                .with_class("java.lang.NullPointerException"),
        );
    }
    Ok(element)
}

fn mismatch(kind: Type, value: &Value) -> ConnectError {
    ConnectError::data(format!(
        "Invalid type for {kind}: class {}",
        value.java_class()
    ))
}
