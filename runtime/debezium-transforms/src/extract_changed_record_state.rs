//! Says in headers which fields a change concerns
//! (`io.debezium.transforms.ExtractChangedRecordState`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigType};
use tether_api::data::{
    Schema, SchemaAndValue, SchemaBuilder, SchemaCache, SchemaRef, Text, Type, Value,
};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

use crate::envelope::{AFTER, BEFORE, is_envelope};
use crate::plugin::EventTransformation;
use crate::schema::CACHE_SIZE;
use crate::settings::{Settings, key};
use crate::structs::{existing_field, require_struct_ref};
use crate::topics::is_blank;

const CHANGED: &str = "header.changed.name";
const UNCHANGED: &str = "header.unchanged.name";

pub(crate) struct ExtractChangedRecordState {
    changed: Option<FieldList>,
    unchanged: Option<FieldList>,
    plans: SchemaCache<Arc<Plan>>,
}

/// A header that lists fields.
struct FieldList {
    name: Text,
    schema: SchemaRef,
}

/// The places of the rows in events of one schema.
struct Plan {
    before: usize,
    after: usize,
    /// The index in the row before of each field of the row after; `None` if
    /// both have one schema.
    pairs: Option<Box<[Option<usize>]>>,
}

impl FieldList {
    fn new(name: &str) -> Option<Self> {
        if is_blank(name) {
            return None;
        }
        let schema = SchemaBuilder::array(Schema::primitive(Type::String, true))
            .optional()
            .name(name)
            .build();
        Some(Self {
            name: name.into(),
            schema,
        })
    }

    fn add(&self, record: &mut ConnectRecord, fields: Vec<Value>) {
        record.headers.add(
            self.name.clone(),
            SchemaAndValue::new(self.schema.clone(), fields.into()),
        );
    }
}

impl EventTransformation for ExtractChangedRecordState {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(key(
                        CHANGED,
                        ConfigType::String,
                        "Header change name.",
                        "The header that lists the fields that have changed.",
                    ))
                    .define(key(
                        UNCHANGED,
                        ConfigType::String,
                        "Header unchanged name.",
                        "The header that lists the fields that have not changed.",
                    )),
            )
        });
        DEF.clone()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        Ok(Self {
            changed: settings.text(CHANGED).and_then(FieldList::new),
            unchanged: settings.text(UNCHANGED).and_then(FieldList::new),
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

fn plan(event: &SchemaRef) -> Result<Arc<Plan>> {
    let after = existing_field(event, AFTER)?;
    let before = existing_field(event, BEFORE)?;
    let pairs = (before.schema != after.schema).then(|| {
        let fields = after.schema.fields().iter();
        fields
            .map(|field| before.schema.field(&field.name).map(|field| field.index))
            .collect()
    });
    Ok(Arc::new(Plan {
        before: before.index,
        after: after.index,
        pairs,
    }))
}

/// Java's `equals`, which takes NaN for the same and tells zeros apart.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float32(one), Value::Float32(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Value::Float64(one), Value::Float64(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        _ => one == other,
    }
}

impl Transformation for ExtractChangedRecordState {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if record.value.is_null() || !is_envelope(&record) {
            return Ok(Some(record));
        }
        let event = require_struct_ref(&record.value, "Record value should be struct.")?;
        let plan = self.plans.get_or_make(event.schema(), plan)?;
        let row = |index| event.get_at(index).filter(|row| !row.is_null());
        let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
        if let (Some(after), Some(before)) = (row(plan.after), row(plan.before)) {
            let after = require_struct_ref(after, "After value should be struct.")?;
            let before = require_struct_ref(before, "Before value should be struct.")?;
            for (field, value) in after.schema().fields().iter().zip(after.values()) {
                let index = match &plan.pairs {
                    None => field.index,
                    Some(pairs) => match pairs.get(field.index).copied().flatten() {
                        Some(index) => index,
                        None => existing_field(before.schema(), &field.name)?.index,
                    },
                };
                let name = || Value::String(field.name.clone());
                let is_same = |before| is_equal(before, value);
                if before.values().get(index).is_some_and(is_same) {
                    if self.unchanged.is_some() {
                        unchanged.push(name());
                    }
                } else if self.changed.is_some() {
                    changed.push(name());
                }
            }
        }
        if let Some(header) = &self.changed {
            header.add(&mut record, changed);
        }
        if let Some(header) = &self.unchanged {
            header.add(&mut record, unchanged);
        }
        Ok(Some(record))
    }
}
