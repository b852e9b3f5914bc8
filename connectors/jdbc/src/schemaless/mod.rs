//! Records without a schema, for `schemaless.mode=infer_from_table`.
//!
//! A map becomes a struct with a field for each of its entries, so that the
//! rest of the way is that of any record. The schema of such a field is that of
//! an [`entry`]: what its values are only the table's column says, once that is
//! known ([`column_kind`]). A change event of Debezium's stays one, with its rows
//! and its source as structs.

pub(crate) mod column_kind;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use tether_api::data::{MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::record::SinkRecord;

use crate::config::{KeyMode, Schemaless, SinkConfig};

/// The most sets of entries that are remembered. Maps with ever new entries
/// must not fill the memory.
const MOST_SHAPES: usize = 64;

/// The name of the schemas of change events.
const EVENT: &str = "schemaless.Envelope";

/// The entries of a change event that are structs.
const EVENT_PARTS: [&str; 3] = ["before", "after", "source"];

/// The schema of an entry of a map.
pub(crate) fn entry() -> &'static SchemaRef {
    static ENTRY: LazyLock<SchemaRef> =
        LazyLock::new(|| SchemaBuilder::new(Type::String).optional().build());
    &ENTRY
}

/// Whether a schema is that of an entry, not only equal to it.
pub(crate) fn is_entry(schema: &SchemaRef) -> bool {
    Arc::ptr_eq(schema, entry())
}

/// Gives records a schema that have none.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Structs with a field per entry.
    shapes: Vec<SchemaRef>,
    /// The one of the last map, which the next one has most often.
    latest: usize,
}

impl Entries {
    /// The records, with a schema where the configuration asks for it.
    pub(crate) fn structured<'r>(
        &mut self,
        config: &SinkConfig,
        records: &'r [SinkRecord],
    ) -> Cow<'r, [SinkRecord]> {
        let infers = config.values.schemaless == Schemaless::InferFromTable;
        let has_key = config.key_mode == KeyMode::RecordKey;
        let is_without = |record: &SinkRecord| {
            let data = &record.record;
            let is_map = data.value_schema.is_none() && matches!(data.value, Value::Map(_));
            is_map || has_key && data.key_schema.is_none() && !data.key.is_null()
        };
        if !infers || !records.iter().any(is_without) {
            return Cow::Borrowed(records);
        }
        let has_events = config.values.unwraps_envelopes;
        let mut records = records.to_vec();
        for record in &mut records {
            let data = &mut record.record;
            if let (None, Value::Map(map)) = (&data.value_schema, &data.value)
                && let Some((schema, value)) = self.structure(map, has_events)
            {
                (data.value_schema, data.value) = (Some(schema), value);
            }
            if !has_key || data.key_schema.is_some() {
                continue;
            }
            match &data.key {
                Value::Map(map) => {
                    if let Some((schema, key)) = self.structure(map, false) {
                        (data.key_schema, data.key) = (Some(schema), key);
                    }
                }
                Value::Null | Value::Array(_) | Value::Struct(_) => {}
                _ => data.key_schema = Some(entry().clone()),
            }
        }
        Cow::Owned(records)
    }

    /// A map as a struct; `None` if a key is no text. It may be a change event.
    fn structure(&mut self, map: &MapValue, may_be_event: bool) -> Option<(SchemaRef, Value)> {
        let is_event = may_be_event && is_event(map);
        let mut schemas = Vec::with_capacity(map.len());
        let mut values = Vec::with_capacity(map.len());
        for (key, value) in map.iter() {
            let is_part = |key: &str| is_event && EVENT_PARTS.contains(&key);
            let part = match value {
                Value::Map(part) if key.as_str().is_some_and(is_part) => {
                    self.structure(part, false)
                }
                _ => None,
            };
            let (schema, value) = part.unwrap_or_else(|| (entry().clone(), value.clone()));
            schemas.push(schema);
            values.push(value);
        }
        let schema = self.shape(map, &schemas, is_event)?;
        let structure = Struct::from_values(schema.clone(), values).ok()?;
        Some((schema, structure.into()))
    }

    /// The schema of a struct with these entries.
    fn shape(
        &mut self,
        map: &MapValue,
        schemas: &[SchemaRef],
        is_event: bool,
    ) -> Option<SchemaRef> {
        let is_of = |shape: &SchemaRef| {
            shape.name().is_some() == is_event && describes(shape, map, schemas)
        };
        if !self.shapes.get(self.latest).is_some_and(is_of) {
            self.latest = match self.shapes.iter().position(is_of) {
                Some(index) => index,
                None => self.add(map, schemas, is_event)?,
            };
        }
        self.shapes.get(self.latest).cloned()
    }

    fn add(&mut self, map: &MapValue, schemas: &[SchemaRef], is_event: bool) -> Option<usize> {
        let mut builder = SchemaBuilder::structure();
        for ((key, _), schema) in map.iter().zip(schemas) {
            builder = builder.try_field(key.as_str()?, schema.clone()).ok()?;
        }
        if is_event {
            builder = builder.name(EVENT);
        }
        if self.shapes.len() >= MOST_SHAPES {
            self.shapes.clear();
        }
        self.shapes.push(builder.build());
        Some(self.shapes.len() - 1)
    }
}

fn is_event(map: &MapValue) -> bool {
    let operation = map.get_text("op").and_then(Value::as_str);
    operation.is_some() && map.get_text("after").is_some()
}

/// Whether a struct has the entries of a map as its fields, in their order.
fn describes(shape: &Schema, map: &MapValue, schemas: &[SchemaRef]) -> bool {
    let fields = shape.fields();
    let of_fields = fields
        .iter()
        .map(|field| (Some(&*field.name), Arc::as_ptr(&field.schema)));
    let names = map.iter().map(|(key, _)| key.as_str());
    let of_map = names.zip(schemas.iter().map(Arc::as_ptr));
    fields.len() == map.len() && of_map.eq(of_fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{config, int, record};

    fn map(entries: &[(&str, i64)]) -> Value {
        let entries = entries.iter();
        let entries = entries.map(|(key, value)| (Value::from(*key), Value::Int64(*value)));
        Value::Map(Arc::new(entries.collect()))
    }

    #[test]
    fn maps_with_the_same_entries_share_a_schema() {
        let config = config(&[
            ("schemaless.mode", "infer_from_table"),
            ("pk.mode", "record_key"),
        ]);
        let mut entries = Entries::default();
        let records = [
            record(0, (None, 1i64.into()), (None, map(&[("a", 1), ("b", 2)]))),
            record(
                1,
                (None, map(&[("k", 1)])),
                (None, map(&[("a", 3), ("b", 4)])),
            ),
            record(2, (Some(&int()), 1i32.into()), (None, map(&[("b", 1)]))),
            record(3, (None, Value::Null), (None, Value::Null)),
        ];
        let structured = entries.structured(&config, &records);
        let value_schema = |index: usize| structured[index].record.value_schema.clone();
        let first = value_schema(0).unwrap();
        assert!(Arc::ptr_eq(&first, &value_schema(1).unwrap()));
        assert_eq!(value_schema(2).unwrap().fields().len(), 1);
        assert!(first.fields().iter().all(|field| is_entry(&field.schema)));
        let second = structured[1].record.value.as_struct().unwrap();
        assert_eq!(second.values(), [Value::Int64(3), Value::Int64(4)]);
        let key_schema = |index: usize| structured[index].record.key_schema.clone();
        assert!(is_entry(&key_schema(0).unwrap()));
        assert_eq!(key_schema(1).unwrap().fields()[0].name, "k");
        assert_eq!(key_schema(2), Some(int()));
        assert_eq!((key_schema(3), value_schema(3)), (None, None));
    }

    #[test]
    fn change_events_have_rows() {
        let raw = crate::fixture::raw_config(&[
            ("connection.username", "u"),
            ("schemaless.mode", "infer_from_table"),
        ]);
        let config = crate::config::debezium::FLAVOUR.parse(&raw).unwrap();
        let event = |before: Value, after: Value| {
            let entries = [("before", before), ("after", after), ("op", "u".into())];
            let entries = entries.map(|(key, value)| (Value::from(key), value));
            let value = Value::Map(Arc::new(entries.into_iter().collect()));
            record(0, (None, Value::Null), (None, value))
        };
        let row = || map(&[("a", 1)]);
        let records = [
            event(Value::Null, row()),
            event(Value::Null, row()),
            event(row(), Value::Null),
        ];
        let mut entries = Entries::default();
        let structured = entries.structured(&config, &records);
        let schema = |index: usize| structured[index].record.value_schema.clone().unwrap();
        assert!(Arc::ptr_eq(&schema(0), &schema(1)));
        let kinds = |index: usize| -> Vec<_> {
            let schema = schema(index);
            schema
                .fields()
                .iter()
                .map(|field| field.schema.kind())
                .collect()
        };
        assert_eq!(kinds(0), [Type::String, Type::Struct, Type::String]);
        assert_eq!(kinds(2), [Type::Struct, Type::String, Type::String]);
        assert_eq!(schema(0).name(), Some(EVENT));
    }

    #[test]
    fn records_stay_as_they_are_unless_it_is_asked_for() {
        let mut entries = Entries::default();
        let records = [record(0, (None, Value::Null), (None, map(&[("a", 1)])))];
        let structured = entries.structured(&config(&[]), &records);
        assert!(matches!(structured, Cow::Borrowed(_)));
        let config = config(&[("schemaless.mode", "infer_from_table")]);
        let no_text = Value::Map(Arc::new([(1i64.into(), 2i64.into())].into_iter().collect()));
        let records = [record(0, (None, 1i64.into()), (None, no_text))];
        let structured = entries.structured(&config, &records);
        assert!(structured[0].record.value_schema.is_none());
    }

    #[test]
    fn the_number_of_schemas_is_bounded() {
        let config = config(&[("schemaless.mode", "infer_from_table")]);
        let mut entries = Entries::default();
        for number in 0..3 * MOST_SHAPES {
            let records = [record(
                0,
                (None, Value::Null),
                (None, map(&[(&number.to_string(), 1)])),
            )];
            assert!(matches!(
                entries.structured(&config, &records),
                Cow::Owned(_)
            ));
            assert!(entries.shapes.len() <= MOST_SHAPES);
        }
    }
}
