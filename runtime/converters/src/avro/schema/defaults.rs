//! Which defaults a field may have.

use serde_json::Value as Json;

use super::{AvroSchema, Kind, NodeId};

/// Whether a value can be the default of a field of this type. Of a union only
/// the first branch counts.
pub(in crate::avro) fn is_valid_default(schema: &AvroSchema, id: NodeId, value: &Json) -> bool {
    match schema.kind(id) {
        Kind::Null => value.is_null(),
        Kind::Boolean => value.is_boolean(),
        Kind::Int => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Kind::Long => value.as_i64().is_some(),
        Kind::Float | Kind::Double => value.is_number(),
        Kind::Bytes | Kind::String | Kind::Enum(_) | Kind::Fixed(_) => value.is_string(),
        Kind::Array(items) => value
            .as_array()
            .is_some_and(|values| values.iter().all(|v| is_valid_default(schema, *items, v))),
        Kind::Map(values) => value
            .as_object()
            .is_some_and(|map| map.values().all(|v| is_valid_default(schema, *values, v))),
        Kind::Union(branches) => branches
            .first()
            .is_some_and(|first| is_valid_default(schema, *first, value)),
        Kind::Record(record) => value.as_object().is_some_and(|members| {
            record.fields.iter().all(|field| {
                let value = members.get(&field.name).or(field.default.as_ref());
                value.is_some_and(|value| is_valid_default(schema, field.schema, value))
            })
        }),
    }
}
