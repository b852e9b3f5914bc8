//! Values to binary, straight into the record's buffer by what was worked out
//! for their schema.

mod constant;
mod plan;

use tether_api::data::{Decimal, MapValue, SchemaRef, Struct, Value};
use tether_api::{ConnectError, Result};

pub(super) use self::plan::WritePlan;
use self::plan::{Part, RecordWriter, Writer};
use super::anything::{self, end_block, write_block};
use super::binary::{write_bytes, write_long};
use crate::logical;

impl WritePlan {
    /// Appends a value that is not null.
    ///
    /// # Errors
    /// Data, if it does not fit its schema.
    pub(super) fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let mut encoder = Encoder {
            records: &self.records,
            ignore_default: self.ignore_default,
            out,
        };
        if self.raw
            && let Value::Bytes(bytes) = value
        {
            // Bytes on their own have no length before them.
            encoder.out.extend_from_slice(bytes);
            return Ok(());
        }
        if self.raw
            && let Writer::Decimal(schema) = &self.root.writer
        {
            let decimal = logical::decimal(value)?;
            logical::check_scale(schema, decimal)?;
            encoder.out.extend_from_slice(&decimal.to_be_bytes());
            return Ok(());
        }
        encoder.part(&self.root, value)
    }
}

struct Encoder<'a> {
    records: &'a [RecordWriter],
    ignore_default: bool,
    out: &'a mut Vec<u8>,
}

impl Encoder<'_> {
    fn part(&mut self, part: &Part, value: &Value) -> Result<()> {
        if value.is_null() && !matches!(part.writer, Writer::Anything | Writer::Constant(_)) {
            return match part.null {
                Some(branch) => {
                    write_long(branch, self.out);
                    Ok(())
                }
                None => Err(ConnectError::data(
                    "Found null value for non-optional schema",
                )),
            };
        }
        if let Some(branch) = part.branch {
            write_long(branch, self.out);
        }
        self.present(&part.writer, value)
    }

    fn present(&mut self, writer: &Writer, value: &Value) -> Result<()> {
        match (writer, value) {
            (Writer::Boolean, Value::Boolean(value)) => self.out.push(u8::from(*value)),
            (Writer::Int8, Value::Int8(value)) => write_long(i64::from(*value), self.out),
            (Writer::Int16, Value::Int16(value)) => write_long(i64::from(*value), self.out),
            (Writer::Int32, Value::Int32(value)) => write_long(i64::from(*value), self.out),
            (Writer::Int64, Value::Int64(value)) => write_long(*value, self.out),
            (Writer::Float32, Value::Float32(value)) => {
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            (Writer::Float64, Value::Float64(value)) => {
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            (Writer::String, Value::String(text)) => write_bytes(text.as_bytes(), self.out),
            (Writer::Bytes, Value::Bytes(bytes)) => write_bytes(bytes, self.out),
            (Writer::Fixed(size), Value::Bytes(bytes)) => return self.fixed(bytes, *size),
            (Writer::Enum(symbols), Value::String(symbol)) => {
                match symbols.iter().position(|known| **known == **symbol) {
                    Some(index) => write_long(index as i64, self.out),
                    None => {
                        return Err(ConnectError::data(format!(
                            "{symbol} is no symbol of its enumeration"
                        )));
                    }
                }
            }
            (Writer::Date, value) => write_long(i64::from(logical::days(value)?), self.out),
            (Writer::Time, value) => {
                write_long(i64::from(logical::millis_of_day(value)?), self.out);
            }
            (Writer::Timestamp, value) => write_long(logical::millis(value)?, self.out),
            (Writer::Decimal(schema), value) => {
                let decimal = checked(schema, value)?;
                write_bytes(&decimal.to_be_bytes(), self.out);
            }
            (Writer::FixedDecimal { schema, size }, value) => {
                let bytes = checked(schema, value)?.to_be_bytes();
                return self.fixed(&padded(&bytes, *size), *size);
            }
            (Writer::Array(items), Value::Array(values)) => {
                write_block(values.len(), self.out);
                for value in values.iter() {
                    self.part(items, value)?;
                }
                end_block(self.out);
            }
            (Writer::Map(values), Value::Map(entries)) => return self.map(values, entries),
            (Writer::Entries(parts), Value::Map(entries)) => {
                write_block(entries.len(), self.out);
                for (key, value) in entries.iter() {
                    self.part(&parts.0, key)?;
                    self.part(&parts.1, value)?;
                }
                end_block(self.out);
            }
            (Writer::Record(number), Value::Struct(value)) => return self.record(*number, value),
            (Writer::Union { schema, branches }, Value::Struct(value)) => {
                return self.union(schema, branches, value);
            }
            (Writer::Constant(bytes), _) => self.out.extend_from_slice(bytes),
            (Writer::Anything, value) => return anything::write(value, self.out),
            (writer, value) => {
                return Err(ConnectError::data(format!(
                    "Invalid type for {}: class {}",
                    writer.type_name(),
                    value.java_class()
                )));
            }
        }
        Ok(())
    }

    fn fixed(&mut self, bytes: &[u8], size: usize) -> Result<()> {
        if bytes.len() != size {
            return Err(ConnectError::data(format!(
                "{} bytes do not fit a fixed type of {size}",
                bytes.len()
            )));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn map(&mut self, values: &Part, entries: &MapValue) -> Result<()> {
        write_block(entries.len(), self.out);
        for (key, value) in entries {
            match key {
                Value::String(key) => write_bytes(key.as_bytes(), self.out),
                key => {
                    return Err(ConnectError::data(format!(
                        "Invalid type for MAP: class {}",
                        key.java_class()
                    )));
                }
            }
            self.part(values, value)?;
        }
        end_block(self.out);
        Ok(())
    }

    fn value<'v>(&self, value: &'v Struct, field: usize) -> &'v Value {
        let value = if self.ignore_default {
            value.values().get(field)
        } else {
            value.get_at(field)
        };
        value.unwrap_or(&Value::Null)
    }

    fn record(&mut self, number: usize, value: &Struct) -> Result<()> {
        let records = self.records;
        let Some(record) = records.get(number) else {
            return Err(mismatch());
        };
        if !record.schema.describes(value.schema()) {
            return Err(mismatch());
        }
        for (field, part) in &record.fields {
            let value = self.value(value, *field);
            self.part(part, value)?;
        }
        Ok(())
    }

    /// Writes the one field of a union that is set.
    fn union(&mut self, schema: &SchemaRef, branches: &[Part], value: &Struct) -> Result<()> {
        if !schema.describes(value.schema()) {
            return Err(mismatch());
        }
        for (field, part) in branches.iter().enumerate() {
            let value = self.value(value, field);
            if !value.is_null() {
                return self.part(part, value);
            }
        }
        Err(ConnectError::data(
            "Found null value for non-optional schema",
        ))
    }
}

fn mismatch() -> ConnectError {
    ConnectError::data("Mismatching struct schema")
}

fn checked<'v>(schema: &SchemaRef, value: &'v Value) -> Result<&'v Decimal> {
    let decimal = logical::decimal(value)?;
    logical::check_scale(schema, decimal)?;
    Ok(decimal)
}

/// Two's-complement bytes with their sign carried on to a size.
fn padded(bytes: &[u8], size: usize) -> Vec<u8> {
    let sign = match bytes.first() {
        Some(first) if first & 0x80 != 0 => 0xff,
        _ => 0,
    };
    let mut padded = vec![sign; size.saturating_sub(bytes.len())];
    padded.extend_from_slice(bytes);
    padded
}
