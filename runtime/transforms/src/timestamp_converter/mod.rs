//! Turns points in time into other forms
//! (`org.apache.kafka.connect.transforms.TimestampConverter`).

mod form;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use self::form::{Form, Forms, Precision};
use crate::date_format::DateFormat;
use crate::nulls::{Nulls, check_null};
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_fields, require_map, require_struct};
use crate::schema::{CACHE_SIZE, copy_basics};

const PURPOSE: &str = "converting timestamp formats";
const FIELD: &str = "field";
const TARGET_TYPE: &str = "target.type";
const FORMAT: &str = "format";
const UNIX_PRECISION: &str = "unix.precision";

pub(crate) struct TimestampConverter {
    part: Part,
    /// `None` for the whole value.
    field: Option<Text>,
    forms: Forms,
    target: Form,
    nulls: Nulls,
    plans: SchemaCache<Arc<Plan>>,
}

/// The new schema of a struct, and the index of the field that changes.
struct Plan {
    schema: SchemaRef,
    field: Option<usize>,
}

impl PartTransformation for TimestampConverter {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(FIELD, ConfigType::String)
                            .default_string("")
                            .importance(Importance::High)
                            .doc(
                                "The field with the point in time; empty if it is the whole value.",
                            ),
                    )
                    .define(
                        ConfigKey::new(TARGET_TYPE, ConfigType::String)
                            .validator(Validator::OneOf(&Form::NAMES))
                            .importance(Importance::High)
                            .doc("The new form: string, unix, Date, Time or Timestamp."),
                    )
                    .define(
                        ConfigKey::new(FORMAT, ConfigType::String)
                            .default_string("")
                            .doc("The pattern of texts, as of java.text.SimpleDateFormat."),
                    )
                    .define(
                        ConfigKey::new(UNIX_PRECISION, ConfigType::String)
                            .default_string("milliseconds")
                            .validator(Validator::OneOf(&Precision::NAMES))
                            .importance(Importance::Low)
                            .doc(
                                "What numbers count: seconds, milliseconds, microseconds or \
                                 nanoseconds. Less than a millisecond is lost.",
                            ),
                    )
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let field = config.string(FIELD)?;
        let pattern = config.string(FORMAT)?;
        let target = Form::named(&config.string(TARGET_TYPE)?);
        if target == Form::Text && pattern.is_empty() {
            return Err(ConnectError::config(
                "TimestampConverter requires format option to be specified when using string \
                 timestamps",
            ));
        }
        let format = if pattern.is_empty() {
            None
        } else {
            Some(DateFormat::new(&pattern).map_err(|error| {
                ConnectError::config(format!(
                    "Invalid value java.lang.IllegalArgumentException: {error} for configuration \
                     TimestampConverter requires a SimpleDateFormat-compatible pattern for string \
                     timestamps: {pattern}"
                ))
            })?)
        };
        Ok(Self {
            part,
            field: (!field.is_empty()).then(|| field.into()),
            forms: Forms {
                format,
                pattern,
                precision: Precision::named(&config.string(UNIX_PRECISION)?),
            },
            target,
            nulls: Nulls::of(config)?,
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl TimestampConverter {
    fn convert(&self, value: &Value, source: Form) -> Result<Value> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let millis = self.forms.read(value, source)?;
        self.forms.write(millis, self.target)
    }

    fn convert_schemaless(&self, value: &Value) -> Result<Value> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        self.convert(value, Form::of_value(value)?)
    }

    fn plan(&self, schema: &SchemaRef, name: &Text) -> Result<Arc<Plan>> {
        let mut builder = copy_basics(schema, SchemaBuilder::structure());
        let mut changed = None;
        for field in require_fields(schema)? {
            let schema = if field.name == *name {
                changed = Some(field.index);
                self.target.schema(field.schema.is_optional())
            } else {
                field.schema.clone()
            };
            builder = builder.field(field.name.clone(), schema);
        }
        let mut plan = Plan {
            schema: builder.with_optional(schema.is_optional()).build(),
            field: changed,
        };
        if let Some(default) = schema.default_value().and_then(Value::as_struct) {
            let default = self.convert_field(&plan, default.clone())?;
            let builder = plan.schema.to_builder();
            plan.schema = builder.default_value(default.into()).build();
        }
        Ok(Arc::new(plan))
    }

    fn convert_field(&self, plan: &Plan, value: Struct) -> Result<Struct> {
        let original = value.schema().clone();
        let mut values = value.into_values();
        let fields = original.fields().iter().zip(plan.schema.fields());
        for ((field, new), value) in fields.zip(&mut values) {
            if value.is_null() {
                *value = self.nulls.read(field, Value::Null);
            }
            if plan.field == Some(field.index) {
                *value = self.convert(value, Form::of_schema(&field.schema)?)?;
            }
            check_null(new, value)?;
        }
        Struct::from_values(plan.schema.clone(), values)
    }

    fn convert_struct(
        &self,
        schema: &SchemaRef,
        value: Value,
        name: &Text,
    ) -> Result<(SchemaRef, Value)> {
        let value = match value {
            Value::Null => None,
            value => Some(require_struct(value, PURPOSE)?),
        };
        let plan = self
            .plans
            .get_or_make(schema, |schema| self.plan(schema, name))?;
        let value = match value {
            Some(value) => self.convert_field(&plan, value)?.into(),
            None => Value::Null,
        };
        Ok((plan.schema.clone(), value))
    }

    fn convert_map(&self, value: Value, name: &Text) -> Result<Value> {
        let mut map = require_map(value, PURPOSE)?;
        let converted = self.convert_schemaless(map.get_text(name).unwrap_or(&Value::Null))?;
        map.insert(Value::String(name.clone()), converted);
        Ok(map.into())
    }
}

impl Transformation for TimestampConverter {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.part.take(&mut record);
        let (schema, value) = match (schema, &self.field) {
            (Some(schema), Some(field)) => {
                let (schema, value) = self.convert_struct(&schema, value, field)?;
                (Some(schema), value)
            }
            (Some(schema), None) => {
                let value = self.convert(&value, Form::of_schema(&schema)?)?;
                (Some(self.target.schema(schema.is_optional())), value)
            }
            (None, Some(field)) if !value.is_null() => (None, self.convert_map(value, field)?),
            (None, _) => (None, self.convert_schemaless(&value)?),
        };
        Ok(Some(self.part.replace(record, schema, value)))
    }
}
