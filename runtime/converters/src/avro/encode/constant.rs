//! What a default is in binary.

use serde_json::Value as Json;

use super::super::anything::{end_block, write_block};
use super::super::binary::{write_bytes, write_long};
use super::super::schema::{AvroSchema, Kind, NodeId};

/// Appends a field's default; `None` if it does not fit the type.
pub(super) fn write_default(
    avro: &AvroSchema,
    id: NodeId,
    json: &Json,
    out: &mut Vec<u8>,
) -> Option<()> {
    match avro.kind(id) {
        Kind::Null => json.as_null()?,
        Kind::Boolean => out.push(u8::from(json.as_bool()?)),
        Kind::Int | Kind::Long => write_long(json.as_i64()?, out),
        Kind::Float => out.extend_from_slice(&(json.as_f64()? as f32).to_le_bytes()),
        Kind::Double => out.extend_from_slice(&json.as_f64()?.to_le_bytes()),
        Kind::String => write_bytes(json.as_str()?.as_bytes(), out),
        Kind::Bytes => write_bytes(&latin1(json.as_str()?)?, out),
        Kind::Fixed(fixed) => {
            let bytes = latin1(json.as_str()?).filter(|bytes| bytes.len() == fixed.size)?;
            out.extend_from_slice(&bytes);
        }
        Kind::Enum(symbols) => {
            let symbol = json.as_str()?;
            let index = symbols.symbols.iter().position(|known| known == symbol)?;
            write_long(index as i64, out);
        }
        Kind::Array(items) => {
            let values = json.as_array()?;
            write_block(values.len(), out);
            for value in values {
                write_default(avro, *items, value, out)?;
            }
            end_block(out);
        }
        Kind::Map(values) => {
            let members = json.as_object()?;
            write_block(members.len(), out);
            for (key, value) in members {
                write_bytes(key.as_bytes(), out);
                write_default(avro, *values, value, out)?;
            }
            end_block(out);
        }
        // Of a union, a default is one of the first branch.
        Kind::Union(branches) => {
            write_long(0, out);
            write_default(avro, *branches.first()?, json, out)?;
        }
        Kind::Record(record) => {
            let members = json.as_object()?;
            for field in &record.fields {
                // A default of a field that is a record of the same type would
                // have no end; it has one in JSON.
                write_default(avro, field.schema, members.get(&field.name)?, out)?;
            }
        }
    }
    Some(())
}

/// The bytes of a text of as many characters.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}
