//! Puts a field in the place of the struct or map that it is in
//! (`org.apache.kafka.connect.transforms.ExtractField`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, ParsedConfig};
use tether_api::data::{SchemaCache, SchemaRef, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::field_path::{FieldPath, ResolvedPath, syntax_key};
use crate::nulls::Nulls;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_map_ref, require_struct_ref};
use crate::schema::CACHE_SIZE;

const PURPOSE: &str = "field extraction";
const FIELD: &str = "field";

pub(crate) struct ExtractField {
    part: Part,
    original: String,
    path: FieldPath,
    nulls: Nulls,
    resolved: SchemaCache<Arc<ResolvedPath>>,
}

impl PartTransformation for ExtractField {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(FIELD, ConfigType::String)
                            .doc("The field that is extracted."),
                    )
                    .define(Nulls::key())
                    .define(syntax_key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let original = config.string(FIELD)?;
        Ok(Self {
            part,
            path: FieldPath::new(config, &original)?,
            original,
            nulls: Nulls::of(config)?,
            resolved: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl ExtractField {
    fn resolve(&self, schema: &SchemaRef) -> Result<Arc<ResolvedPath>> {
        match self.path.resolve(schema)? {
            Some(path) => Ok(Arc::new(path)),
            // As in the reference, no tolerance for errors passes over it: the
            // name is wrong for every record of the schema.
            None => Err(
                ConnectError::other(format!("Unknown field: {}", self.original))
                    .with_class("java.lang.IllegalArgumentException"),
            ),
        }
    }
}

impl Transformation for ExtractField {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.part.take(&mut record);
        let Some(schema) = schema else {
            let value = match value {
                Value::Null => Value::Null,
                value => self.path.value_in_map(require_map_ref(&value, PURPOSE)?)?,
            };
            return Ok(Some(self.part.replace(record, None, value)));
        };
        let value = match &value {
            Value::Null => None,
            value => Some(require_struct_ref(value, PURPOSE)?),
        };
        let path = self
            .resolved
            .get_or_make(&schema, |schema| self.resolve(schema))?;
        let found = match value {
            Some(value) => path.value(value, self.nulls)?,
            None => Value::Null,
        };
        let schema = path.schema.clone();
        Ok(Some(self.part.replace(record, Some(schema), found)))
    }
}
