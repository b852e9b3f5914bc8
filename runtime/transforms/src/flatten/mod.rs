//! Structs within structs become fields of the outer one, named by their path
//! (`org.apache.kafka.connect.transforms.Flatten`).

mod schema;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, ParsedConfig};
use tether_api::data::{MapValue, SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use self::schema::{Flattened, Source};
use crate::nulls::check_null;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_map_ref, require_name, require_struct_ref};
use crate::schema::CACHE_SIZE;

const PURPOSE: &str = "flattening";
const DELIMITER: &str = "delimiter";
pub(crate) struct Flatten {
    part: Part,
    delimiter: String,
    flattened: SchemaCache<Arc<Flattened>>,
}

impl PartTransformation for Flatten {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new().define(
                    ConfigKey::new(DELIMITER, ConfigType::String)
                        .default_string(".")
                        .doc("What stands between the names of the fields on the way to a value."),
                ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        Ok(Self {
            part,
            delimiter: config.string(DELIMITER)?,
            flattened: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl Flatten {
    fn flatten_struct(&self, schema: &SchemaRef, value: &Value) -> Result<Struct> {
        let value = require_struct_ref(value, PURPOSE)?;
        let flattened = self.flattened.get_or_make(schema, |schema| {
            Flattened::of(schema, &self.delimiter).map(Arc::new)
        })?;
        if value.schema() != schema {
            return Err(ConnectError::data(format!(
                "Struct schema {:?} is not the record's schema {schema:?}",
                value.schema()
            )));
        }
        let mut values = Vec::with_capacity(flattened.schema.fields().len());
        collect(
            &flattened.sources,
            Some(value),
            &flattened.schema,
            &mut values,
        )?;
        Struct::from_values(flattened.schema.clone(), values)
    }

    fn flatten_map(
        &self,
        prefix: &str,
        map: &MapValue,
        out: &mut Vec<(Value, Value)>,
    ) -> Result<()> {
        for (key, value) in map {
            let name = field_name(prefix, &self.delimiter, require_name(key)?);
            match value {
                Value::Map(inner) => self.flatten_map(&name, inner, out)?,
                Value::Struct(_) => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation does not support class {} for record without \
                         schemas (for field {name}).",
                        value.java_class()
                    )));
                }
                Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation was passed a value of type class {} which is not \
                         supported by Connect's data API",
                        value.java_class()
                    )));
                }
                value => out.push((Value::String(name), value.clone())),
            }
        }
        Ok(())
    }
}

impl Transformation for Flatten {
    fn apply(&mut self, record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let value = self.part.value(&record);
        if value.is_null() {
            return Ok(Some(record));
        }
        let record = match self.part.schema(&record) {
            Some(schema) => {
                let value = self.flatten_struct(schema, value)?;
                let schema = value.schema().clone();
                self.part.replace(record, Some(schema), value)
            }
            None => {
                let mut entries = Vec::new();
                self.flatten_map("", require_map_ref(value, PURPOSE)?, &mut entries)?;
                let value: MapValue = entries.into_iter().collect();
                self.part.replace(record, None, value)
            }
        };
        Ok(Some(record))
    }
}

/// The name of a field within the field of that prefix.
fn field_name(prefix: &str, delimiter: &str, name: &Text) -> Text {
    if prefix.is_empty() {
        name.clone()
    } else {
        Text::from([prefix, delimiter, name].concat())
    }
}

/// Appends the values of a struct and the structs in it, in the order of the
/// flattened schema. A struct that is null has nulls.
fn collect(
    sources: &[Source],
    value: Option<&Struct>,
    flattened: &SchemaRef,
    out: &mut Vec<Value>,
) -> Result<()> {
    for (index, source) in sources.iter().enumerate() {
        match (source, value) {
            (Source::Struct(sources), value) => {
                let inner = value.and_then(|value| value.values().get(index)?.as_struct());
                collect(sources, inner, flattened, out)?;
            }
            (Source::Value, None) => out.push(Value::Null),
            (Source::Value, Some(value)) => {
                let value = value.get_at(index).unwrap_or(&Value::Null).clone();
                if let Some(field) = flattened.fields().get(out.len()) {
                    check_null(field, &value)?;
                }
                out.push(value);
            }
        }
    }
    Ok(())
}
