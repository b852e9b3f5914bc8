//! Vectors of numbers of the extension `vector`.

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};

use super::number;

/// The schema of `vector`.
pub(super) fn double_schema() -> SchemaBuilder {
    SchemaBuilder::array(Schema::primitive(Type::Float64, false))
        .name("io.debezium.data.DoubleVector")
        .version(1)
}

/// The schema of `halfvec`.
pub(super) fn float_schema() -> SchemaBuilder {
    SchemaBuilder::array(Schema::primitive(Type::Float32, false))
        .name("io.debezium.data.FloatVector")
        .version(1)
}

/// The schema of `sparsevec`.
pub(super) fn sparse_schema() -> SchemaBuilder {
    let short = Schema::primitive(Type::Int16, false);
    let double = Schema::primitive(Type::Float64, false);
    SchemaBuilder::structure()
        .name("io.debezium.data.SparseDoubleVector")
        .version(1)
        .doc("Sparse double vector")
        .field("dimensions", short.clone())
        .field("vector", SchemaBuilder::map(short, double).build())
}

/// The elements of a text such as `[1,2.5]`.
pub(super) fn elements(text: &[u8], element: impl Fn(&[u8]) -> Option<Value>) -> Option<Value> {
    let inner = text.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let values: Option<Vec<_>> = inner.split(|byte| *byte == b',').map(element).collect();
    values.map(Value::from)
}

/// The vector of a text such as `{1:1.5,3:2}/5`: elements by their place, and
/// how many there would be with all zeros.
pub(super) fn sparse(schema: &SchemaRef, text: &[u8]) -> Option<Value> {
    let slash = memchr::memchr(b'/', text)?;
    let dimensions: i16 = number::integer(&text[slash + 1..])?;
    let inner = text[..slash].strip_prefix(b"{")?.strip_suffix(b"}")?;
    let mut entries = Vec::new();
    if !inner.is_empty() {
        for entry in inner.split(|byte| *byte == b',') {
            let colon = memchr::memchr(b':', entry)?;
            let place: i16 = number::integer(&entry[..colon])?;
            entries.push((place, number::double(&entry[colon + 1..])?));
        }
    }
    sparse_of(schema, dimensions, entries)
}

/// The vector without any elements.
pub(super) fn empty_sparse(schema: &SchemaRef) -> Value {
    sparse_of(schema, 0, Vec::new()).unwrap_or_default()
}

fn sparse_of(schema: &SchemaRef, dimensions: i16, entries: Vec<(i16, f64)>) -> Option<Value> {
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(place, number)| (Value::Int16(place), Value::Float64(number)))
        .collect();
    let map = tether_api::data::MapValue::from(entries);
    let values = vec![Value::Int16(dimensions), map.into()];
    Struct::from_values(schema.clone(), values)
        .ok()
        .map(Value::from)
}
