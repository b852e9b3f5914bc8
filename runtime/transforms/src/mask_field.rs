//! Puts nothings or a fixed text in the place of values
//! (`org.apache.kafka.connect.transforms.MaskField`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{Decimal, MapValue, SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::nulls::Nulls;
use crate::number::Number;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_map, require_struct};
use crate::schema::CACHE_SIZE;

const PURPOSE: &str = "mask fields";
const FIELDS: &str = "fields";
const REPLACEMENT: &str = "replacement";

pub(crate) struct MaskField {
    part: Part,
    fields: Vec<Text>,
    replacement: Option<Replacement>,
    nulls: Nulls,
    /// Which fields are masked, by index.
    masked: SchemaCache<Arc<[bool]>>,
}

/// What takes the place of masked values.
struct Replacement {
    text: Text,
    number: Option<Decimal>,
}

impl PartTransformation for MaskField {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(FIELDS, ConfigType::List)
                            .validator(Validator::Distinct { empty: false })
                            .importance(Importance::High)
                            .doc("The fields whose values are hidden."),
                    )
                    .define(
                        ConfigKey::new(REPLACEMENT, ConfigType::String)
                            .default_null()
                            .validator(Validator::NonEmpty)
                            .importance(Importance::Low)
                            .doc(
                                "What takes the place of the values, which must be texts or \
                                 numbers then. Without it that is 0, false, the empty text or the \
                                 like.",
                            ),
                    )
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let replacement = config.optional_string(REPLACEMENT);
        Ok(Self {
            part,
            fields: config.list(FIELDS)?.into_iter().map(Text::from).collect(),
            replacement: replacement.map(|text| Replacement {
                number: text.parse().ok(),
                text: text.into(),
            }),
            nulls: Nulls::of(config)?,
            masked: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl MaskField {
    fn masked(&self, value: &Value) -> Result<Value> {
        match &self.replacement {
            _ if value.is_null() => Ok(Value::Null),
            Some(replacement) => replacement.in_place_of(value),
            None => nothing(value),
        }
    }

    fn which(&self, schema: &SchemaRef) -> Arc<[bool]> {
        let fields = schema.fields().iter();
        fields
            .map(|field| self.fields.contains(&field.name))
            .collect()
    }

    fn mask_struct(&self, value: Value) -> Result<Struct> {
        let value = require_struct(value, PURPOSE)?;
        let schema = value.schema().clone();
        let masked = self
            .masked
            .get_or_make(&schema, |schema| Ok(self.which(schema)))?;
        let mut values = value.into_values();
        for ((field, value), masked) in schema.fields().iter().zip(&mut values).zip(&*masked) {
            if value.is_null() {
                *value = self.nulls.carry(field, Value::Null)?;
            }
            if *masked {
                *value = self.masked(value)?;
            }
        }
        Struct::from_values(schema, values)
    }

    fn mask_map(&self, value: Value) -> Result<MapValue> {
        let mut map = require_map(value, PURPOSE)?;
        for field in &self.fields {
            let masked = self.masked(map.get_text(field).unwrap_or(&Value::Null))?;
            map.insert(Value::String(field.clone()), masked);
        }
        Ok(map)
    }
}

impl Transformation for MaskField {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.part.take(&mut record);
        let record = if schema.is_some() {
            let value = self.mask_struct(value)?;
            self.part.replace(record, schema, value)
        } else {
            let value = self.mask_map(value)?;
            self.part.replace(record, None, value)
        };
        Ok(Some(record))
    }
}

/// The value that says nothing, of the type of another one.
fn nothing(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Boolean(_) => Value::Boolean(false),
        Value::Int8(_) => Value::Int8(0),
        Value::Int16(_) => Value::Int16(0),
        Value::Int32(_) => Value::Int32(0),
        Value::Int64(_) => Value::Int64(0),
        Value::Float32(_) => Value::Float32(0.0),
        Value::Float64(_) => Value::Float64(0.0),
        Value::Decimal(_) => Decimal::new(0, 0).into(),
        Value::Date(_) => Value::Date(0),
        Value::Time(_) => Value::Time(0),
        Value::Timestamp(_) => Value::Timestamp(0),
        Value::String(_) => Value::String(Text::new()),
        Value::Array(_) => Vec::new().into(),
        Value::Map(_) => MapValue::default().into(),
        Value::Null | Value::Bytes(_) | Value::Struct(_) => {
            return Err(ConnectError::data(format!(
                "Cannot mask value of type: class {}",
                value.java_class()
            )));
        }
    })
}

impl Replacement {
    /// The replacement as the type of a value.
    fn in_place_of(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::Int8(_) => Value::Int8(self.number()?.to_i64() as i8),
            Value::Int16(_) => Value::Int16(self.number()?.to_i64() as i16),
            Value::Int32(_) => Value::Int32(self.number()?.to_i64() as i32),
            Value::Int64(_) => Value::Int64(self.number()?.to_i64()),
            Value::Float32(_) => Value::Float32(self.number()?.to_f64() as f32),
            Value::Float64(_) => Value::Float64(self.number()?.to_f64()),
            Value::Decimal(_) => match &self.number {
                Some(number) => number.clone().into(),
                None => {
                    return Err(ConnectError::data(format!(
                        "Unable to convert {} (class java.lang.String) to number",
                        self.text
                    )));
                }
            },
            Value::String(_) => Value::String(self.text.clone()),
            value => {
                return Err(ConnectError::data(format!(
                    "Cannot mask value of type class {} with custom replacement.",
                    value.java_class()
                )));
            }
        })
    }

    fn number(&self) -> Result<Number<'_>> {
        self.number.as_ref().map(Number::Decimal).ok_or_else(|| {
            ConnectError::data(format!(
                "Unable to convert {} (class java.lang.String) to a number",
                self.text
            ))
        })
    }
}
