//! Records without a schema, for `schemaless.mode=infer_from_table`.
//!
//! A map becomes a struct with a field for each of its entries, so that the
//! rest of the way is that of any record. The schema of such a field is that of
//! an [`entry`]: what its values are only the table's column says, once that is
//! known ([`column_kind`]).

pub(crate) mod column_kind;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use tether_api::data::{MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::record::SinkRecord;

use crate::config::{KeyMode, Schemaless, SinkConfig};

/// The most sets of entries that are remembered. Maps with ever new entries
/// must not fill the memory.
const MOST_SHAPES: usize = 64;

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
        let mut records = records.to_vec();
        for record in &mut records {
            let data = &mut record.record;
            if let (None, Value::Map(map)) = (&data.value_schema, &data.value)
                && let Some((schema, value)) = self.structure(map)
            {
                (data.value_schema, data.value) = (Some(schema), value);
            }
            if !has_key || data.key_schema.is_some() {
                continue;
            }
            match &data.key {
                Value::Map(map) => {
                    if let Some((schema, key)) = self.structure(map) {
                        (data.key_schema, data.key) = (Some(schema), key);
                    }
                }
                Value::Null | Value::Array(_) | Value::Struct(_) => {}
                _ => data.key_schema = Some(entry().clone()),
            }
        }
        Cow::Owned(records)
    }

    /// A map as a struct; `None` if a key is no text.
    fn structure(&mut self, map: &MapValue) -> Option<(SchemaRef, Value)> {
        let schema = self.shape(map)?;
        let values = map.iter().map(|(_, value)| value.clone()).collect();
        let structure = Struct::from_values(schema.clone(), values).ok()?;
        Some((schema, structure.into()))
    }

    fn shape(&mut self, map: &MapValue) -> Option<SchemaRef> {
        let is_of = |shape: &SchemaRef| describes(shape, map);
        if !self.shapes.get(self.latest).is_some_and(is_of) {
            self.latest = match self.shapes.iter().position(is_of) {
                Some(index) => index,
                None => self.add(map)?,
            };
        }
        self.shapes.get(self.latest).cloned()
    }

    fn add(&mut self, map: &MapValue) -> Option<usize> {
        let mut builder = SchemaBuilder::structure();
        for (key, _) in map.iter() {
            builder = builder.try_field(key.as_str()?, entry().clone()).ok()?;
        }
        if self.shapes.len() >= MOST_SHAPES {
            self.shapes.clear();
        }
        self.shapes.push(builder.build());
        Some(self.shapes.len() - 1)
    }
}

/// Whether a struct has the entries of a map as its fields, in their order.
fn describes(shape: &Schema, map: &MapValue) -> bool {
    let fields = shape.fields();
    let names = fields.iter().map(|field| Some(&*field.name));
    fields.len() == map.len() && map.iter().map(|(key, _)| key.as_str()).eq(names)
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
