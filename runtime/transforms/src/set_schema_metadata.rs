//! Names a schema and gives it a version
//! (`org.apache.kafka.connect.transforms.SetSchemaMetadata`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig};
use tether_api::data::{SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::nulls::Nulls;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::require_fields;
use crate::schema::CACHE_SIZE;

const SCHEMA_NAME: &str = "schema.name";
const SCHEMA_VERSION: &str = "schema.version";

pub(crate) struct SetSchemaMetadata {
    part: Part,
    name: Option<Text>,
    version: Option<i32>,
    nulls: Nulls,
    renamed: SchemaCache<SchemaRef>,
}

impl PartTransformation for SetSchemaMetadata {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(SCHEMA_NAME, ConfigType::String)
                            .default_null()
                            .importance(Importance::High)
                            .doc("The name that the schema gets."),
                    )
                    .define(
                        ConfigKey::new(SCHEMA_VERSION, ConfigType::Int)
                            .default_null()
                            .importance(Importance::High)
                            .doc("The version that the schema gets."),
                    )
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let name = config.optional_string(SCHEMA_NAME).map(Text::from);
        let version = match config.get(SCHEMA_VERSION) {
            Some(ConfigData::Int(version)) => Some(*version),
            _ => None,
        };
        if name.is_none() && version.is_none() {
            return Err(ConnectError::config(
                "Neither schema name nor version configured",
            ));
        }
        Ok(Self {
            part,
            name,
            version,
            nulls: Nulls::of(config)?,
            renamed: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl SetSchemaMetadata {
    fn rename(&self, schema: &SchemaRef) -> Result<SchemaRef> {
        require_fields(schema)?;
        let mut builder = schema.to_builder();
        if let Some(name) = &self.name {
            builder = builder.name(name.clone());
        }
        if let Some(version) = self.version {
            builder = builder.version(version);
        }
        Ok(builder.build())
    }
}

impl Transformation for SetSchemaMetadata {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.part.take(&mut record);
        let Some(schema) = schema else {
            if value.is_null() {
                return Ok(Some(record));
            }
            return Err(ConnectError::data(
                "Schema required for [updating schema metadata]",
            ));
        };
        let renamed = self
            .renamed
            .get_or_make(&schema, |schema| self.rename(schema))?;
        let value = match value {
            Value::Struct(value) => {
                let mut values = Arc::unwrap_or_clone(value).into_values();
                self.nulls.carry_all(&renamed, &mut values)?;
                Struct::from_values(renamed.clone(), values)?.into()
            }
            value => value,
        };
        Ok(Some(self.part.replace(record, Some(renamed), value)))
    }
}
