//! Wraps a key or value in a struct or map with one field
//! (`org.apache.kafka.connect.transforms.HoistField`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, ParsedConfig};
use tether_api::data::{
    MapValue, SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Value, validate,
};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::schema::CACHE_SIZE;

const FIELD: &str = "field";

pub(crate) struct HoistField {
    part: Part,
    field: Text,
    hoisted: SchemaCache<SchemaRef>,
}

impl PartTransformation for HoistField {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new().define(
                    ConfigKey::new(FIELD, ConfigType::String)
                        .doc("The name of the only field of the new struct or map."),
                ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        Ok(Self {
            part,
            field: config.string(FIELD)?.into(),
            hoisted: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl Transformation for HoistField {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.part.take(&mut record);
        let Some(schema) = schema else {
            let map = MapValue::from_distinct(vec![(Value::String(self.field.clone()), value)]);
            return Ok(Some(self.part.replace(record, None, map)));
        };
        let hoisted = self.hoisted.get_or_make(&schema, |schema| {
            Ok(SchemaBuilder::structure()
                .try_field(self.field.clone(), schema.clone())?
                .build())
        })?;
        validate(Some(&self.field), &schema, &value)?;
        let value = Struct::from_values(hoisted.clone(), vec![value])?;
        Ok(Some(self.part.replace(record, Some(hoisted), value)))
    }
}
