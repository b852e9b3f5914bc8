//! Leaves out the fields that a header names.

use std::sync::Arc;

use tether_api::data::{Schema, SchemaCache, SchemaRef, Struct, Text, Type, Value};
use tether_api::record::ConnectRecord;
use tether_api::{ConnectError, Result};

use super::config::DroppedFields;
use crate::schema::{CACHE_SIZE, copy_basics};
use crate::structs::{check_nulls, null_pointer, require_struct, require_struct_ref};
use crate::topics::Memo;

const PURPOSE: &str = "field replacement";

/// The fields that stay, by the names of those that do not.
pub(super) struct FieldDropper {
    settings: DroppedFields,
    keys: Memo<Arc<[Text]>, Arc<SchemaCache<Arc<Rest>>>>,
    values: Memo<Arc<[Text]>, Arc<SchemaCache<Arc<Rest>>>>,
}

/// What stays of structs of one schema.
struct Rest {
    schema: SchemaRef,
    /// The index of each field that stays; `None` if all do.
    kept: Option<Box<[usize]>>,
}

impl FieldDropper {
    pub(super) fn new(settings: DroppedFields) -> Self {
        Self {
            settings,
            keys: Memo::default(),
            values: Memo::default(),
        }
    }

    /// The record without the fields that its header names.
    ///
    /// # Errors
    /// Data, if the header holds something else than names, or what fields are
    /// to be left out of has none.
    pub(super) fn apply(&mut self, mut record: ConnectRecord) -> Result<ConnectRecord> {
        let mut headers = record.headers.iter();
        let header = headers.find(|header| header.key == self.settings.header);
        let names: Arc<[Text]> = match header.map(|header| &header.value.value) {
            None | Some(Value::Null) => return Ok(record),
            Some(Value::Array(names)) if names.is_empty() => return Ok(record),
            Some(Value::Array(names)) => names.iter().filter_map(text).collect(),
            Some(_) => {
                return Err(ConnectError::data(format!(
                    "The header {} is no list of fields",
                    self.settings.header
                ))
                .with_class("java.lang.ClassCastException"));
            }
        };
        let compatible = self.settings.compatible;
        if self.settings.from_key && !record.key.is_null() {
            let caches = cache(&mut self.keys, &names);
            let key = std::mem::take(&mut record.key);
            let schema = record.key_schema.take();
            (record.key_schema, record.key) = without(key, schema, &names, compatible, &caches)?;
        }
        let caches = cache(&mut self.values, &names);
        let value = std::mem::take(&mut record.value);
        let schema = record.value_schema.take();
        (record.value_schema, record.value) = without(value, schema, &names, compatible, &caches)?;
        Ok(record)
    }
}

fn text(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn cache(
    caches: &mut Memo<Arc<[Text]>, Arc<SchemaCache<Arc<Rest>>>>,
    names: &Arc<[Text]>,
) -> Arc<SchemaCache<Arc<Rest>>> {
    let made = caches.get_or_make(names, |_| {
        Ok::<_, std::convert::Infallible>(Arc::new(SchemaCache::new(CACHE_SIZE)))
    });
    match made {
        Ok(cache) => cache,
        Err(never) => match never {},
    }
}

fn without(
    value: Value,
    schema: Option<SchemaRef>,
    names: &[Text],
    compatible: bool,
    cache: &SchemaCache<Arc<Rest>>,
) -> Result<(Option<SchemaRef>, Value)> {
    let schema = match schema {
        Some(schema) => schema,
        None if compatible => return Err(null_pointer("the schema")),
        None => return Ok((None, without_entries(value, names)?)),
    };
    if !compatible && value.is_null() {
        return Ok((Some(schema), value));
    }
    if !compatible {
        require_struct_ref(&value, PURPOSE)?;
    }
    let rest = cache.get_or_make(&schema, |schema| rest(schema, names, compatible))?;
    let Some(kept) = &rest.kept else {
        return Ok((Some(schema), value));
    };
    if value.is_null() {
        return Ok((Some(schema), value));
    }
    let mut values = require_struct(value, PURPOSE)?.into_values();
    let mut kept: Vec<Value> = kept
        .iter()
        .map(|index| {
            values
                .get_mut(*index)
                .map(std::mem::take)
                .unwrap_or_default()
        })
        .collect();
    crate::structs::replace_nulls(&rest.schema, &mut kept);
    check_nulls(&rest.schema, &kept)?;
    let value = Struct::from_values(rest.schema.clone(), kept)?;
    Ok((Some(rest.schema.clone()), value.into()))
}

fn rest(schema: &Schema, names: &[Text], compatible: bool) -> Result<Arc<Rest>> {
    if schema.kind() != Type::Struct {
        return Err(ConnectError::data("Cannot list fields on non-struct type"));
    }
    let mut builder = copy_basics(schema, Schema::builder(Type::Struct));
    let mut kept = Vec::new();
    for field in schema.fields() {
        let droppable = !compatible || field.schema.is_optional();
        if !(droppable && names.contains(&field.name)) {
            builder = builder.field(field.name.clone(), field.schema.clone());
            kept.push(field.index);
        }
    }
    // The reference leaves a struct as it is if it finds nothing to leave out,
    // and only looks if the schema is to stay compatible.
    let unchanged = compatible && kept.len() == schema.fields().len();
    Ok(Arc::new(Rest {
        schema: builder.build(),
        kept: (!unchanged).then(|| kept.into_boxed_slice()),
    }))
}

fn without_entries(value: Value, names: &[Text]) -> Result<Value> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Map(map) => {
            let mut map = Arc::unwrap_or_clone(map);
            for name in names {
                map.remove(&Value::String(name.clone()));
            }
            Ok(map.into())
        }
        value => Err(ConnectError::data(format!(
            "Only Map objects supported in absence of schema for [{PURPOSE}], found: {}",
            value.java_class()
        ))),
    }
}
