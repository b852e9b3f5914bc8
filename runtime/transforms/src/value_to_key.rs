//! Makes a key of fields of the value
//! (`org.apache.kafka.connect.transforms.ValueToKey`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{MapValue, SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::nulls::Nulls;
use crate::plugin::RecordTransformation;
use crate::requirements::{require_map_ref, require_struct_ref};
use crate::schema::CACHE_SIZE;

const PURPOSE: &str = "copying fields from value to key";
const FIELDS: &str = "fields";

pub(crate) struct ValueToKey {
    fields: Vec<Text>,
    nulls: Nulls,
    keys: SchemaCache<Arc<KeyPlan>>,
}

/// The schema of a key and which fields of the value it is made of.
struct KeyPlan {
    schema: SchemaRef,
    sources: Box<[usize]>,
}

impl RecordTransformation for ValueToKey {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(FIELDS, ConfigType::List)
                            .validator(Validator::Distinct { empty: false })
                            .importance(Importance::High)
                            .doc("The fields of the value of which the key is made."),
                    )
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        Ok(Self {
            fields: config.list(FIELDS)?.into_iter().map(Text::from).collect(),
            nulls: Nulls::of(config)?,
            keys: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl ValueToKey {
    fn plan(&self, schema: &SchemaRef) -> Result<Arc<KeyPlan>> {
        let mut builder = SchemaBuilder::structure();
        let mut sources = Vec::with_capacity(self.fields.len());
        for name in &self.fields {
            let field = schema
                .field(name)
                .ok_or_else(|| ConnectError::data(format!("Field does not exist: {name}")))?;
            builder = builder.try_field(name.clone(), field.schema.clone())?;
            sources.push(field.index);
        }
        Ok(Arc::new(KeyPlan {
            schema: builder.build(),
            sources: sources.into_boxed_slice(),
        }))
    }

    fn key_of_struct(&self, value: &Value) -> Result<Struct> {
        let value = require_struct_ref(value, PURPOSE)?;
        let plan = self
            .keys
            .get_or_make(value.schema(), |schema| self.plan(schema))?;
        let fields = plan.schema.fields().iter().zip(&plan.sources);
        let values = fields
            .map(|(field, source)| self.nulls.carry(field, value.values()[*source].clone()))
            .collect::<Result<_>>()?;
        Struct::from_values(plan.schema.clone(), values)
    }

    fn key_of_map(&self, value: &Value) -> Result<MapValue> {
        let value = require_map_ref(value, PURPOSE)?;
        let entry = |name: &Text| {
            let value = value.get_text(name).cloned().unwrap_or_default();
            (Value::String(name.clone()), value)
        };
        Ok(MapValue::from_distinct(
            self.fields.iter().map(entry).collect(),
        ))
    }
}

impl Transformation for ValueToKey {
    fn apply(&mut self, record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let record = if record.value_schema.is_some() {
            let key = self.key_of_struct(&record.value)?;
            let schema = key.schema().clone();
            record.key(Some(schema), key)
        } else {
            let key = self.key_of_map(&record.value)?;
            record.key(None, key)
        };
        Ok(Some(record))
    }
}
