//! Turns values into other types
//! (`org.apache.kafka.connect.transforms.Cast`).

mod spec;
mod value;

use std::sync::{Arc, LazyLock};

use tether_api::ConnectError;
use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{
    MapValue, Schema, SchemaBuilder, SchemaCache, SchemaRef, Struct, Type, Value,
};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

use self::spec::Spec;
use self::value::cast;
use crate::nulls::{Nulls, check_null};
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_fields, require_map, require_struct};
use crate::schema::{CACHE_SIZE, build_with_default, copy_basics};

const PURPOSE: &str = "cast types";
const SPEC: &str = "spec";

pub(crate) struct Cast {
    part: Part,
    spec: Spec,
    nulls: Nulls,
    plans: SchemaCache<Arc<Plan>>,
}

/// The new schema, and what each field of the original one becomes.
struct Plan {
    schema: SchemaRef,
    /// By index; `None` stays as it is. Empty if the whole value is cast.
    targets: Box<[Option<Type>]>,
}

impl PartTransformation for Cast {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(SPEC, ConfigType::List)
                            .validator(Validator::stated(
                                "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>",
                                |_, value| Spec::check(value),
                            ))
                            .importance(Importance::High)
                            .doc(
                                "The types of fields, as pairs of name and type: foo:int8,bar:string. \
                                 One type alone is that of the whole value. There are int8, int16, \
                                 int32, int64, float32, float64, boolean and string.",
                            ),
                    )
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        Ok(Self {
            part,
            spec: Spec::parse(&config.list(SPEC)?).map_err(ConnectError::config)?,
            nulls: Nulls::of(config)?,
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl Cast {
    fn plan(&self, schema: &SchemaRef) -> Result<Arc<Plan>> {
        let (kind, builder, targets) = match &self.spec {
            Spec::Whole(kind) => {
                let builder = copy_basics(schema, Schema::builder(*kind));
                (*kind, builder, Box::default())
            }
            Spec::Fields(casts) => {
                let mut builder = copy_basics(schema, SchemaBuilder::structure());
                let mut targets = Vec::new();
                for field in require_fields(schema)? {
                    let target = casts.get(&field.name).copied();
                    let schema = match target {
                        Some(kind) => field_schema(&field.schema, kind)?,
                        None => field.schema.clone(),
                    };
                    builder = builder.field(field.name.clone(), schema);
                    targets.push(target);
                }
                (Type::Struct, builder, targets.into_boxed_slice())
            }
        };
        let default = schema.default_value();
        let default = default.map(|default| cast(Some(schema), default, kind));
        Ok(Arc::new(Plan {
            schema: build_with_default(
                builder.with_optional(schema.is_optional()),
                default.transpose()?,
            )?,
            targets,
        }))
    }

    fn cast_fields(&self, plan: &Plan, value: Value) -> Result<Value> {
        let value = require_struct(value, PURPOSE)?;
        let original = value.schema().clone();
        let mut values = value.into_values();
        let fields = original.fields().iter().zip(plan.schema.fields());
        for ((field, new), (value, target)) in fields.zip(values.iter_mut().zip(&plan.targets)) {
            if value.is_null() {
                *value = self.nulls.read(field, Value::Null);
            }
            if let Some(target) = target {
                *value = cast(Some(&field.schema), value, *target)?;
            }
            check_null(new, value)?;
        }
        Ok(Struct::from_values(plan.schema.clone(), values)?.into())
    }

    fn cast_schemaless(&self, value: Value) -> Result<Value> {
        match &self.spec {
            Spec::Whole(kind) => cast(None, &value, *kind),
            Spec::Fields(casts) => {
                let mut map: MapValue = require_map(value, PURPOSE)?;
                for (name, kind) in casts {
                    let value = map.get_text(name).unwrap_or(&Value::Null);
                    let value = cast(None, value, *kind)?;
                    map.insert(Value::String(name.clone()), value);
                }
                Ok(map.into())
            }
        }
    }
}

fn field_schema(original: &SchemaRef, kind: Type) -> Result<SchemaRef> {
    let default = original.default_value();
    let default = default.map(|default| cast(Some(original), default, kind));
    match default.transpose()? {
        None => Ok(Schema::primitive(kind, original.is_optional())),
        default => build_with_default(
            Schema::builder(kind).with_optional(original.is_optional()),
            default,
        ),
    }
}

impl Transformation for Cast {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if self.part.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.part.take(&mut record);
        let Some(schema) = schema else {
            let value = self.cast_schemaless(value)?;
            return Ok(Some(self.part.replace(record, None, value)));
        };
        let plan = self
            .plans
            .get_or_make(&schema, |schema| self.plan(schema))?;
        let value = match &self.spec {
            Spec::Whole(kind) => cast(Some(&schema), &value, *kind)?,
            Spec::Fields(_) => self.cast_fields(&plan, value)?,
        };
        let schema = plan.schema.clone();
        Ok(Some(self.part.replace(record, Some(schema), value)))
    }
}
