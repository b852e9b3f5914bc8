//! Moves or copies fields to headers
//! (`org.apache.kafka.connect.transforms.HeaderFrom`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{
    SchemaAndValue, SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Value,
};
use tether_api::header::Headers;
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::nulls::Nulls;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_fields, require_map, require_struct};
use crate::schema::{CACHE_SIZE, copy_basics};

const FIELDS: &str = "fields";
const HEADERS: &str = "headers";
const OPERATION: &str = "operation";
const MOVE: &str = "move";
const COPY: &str = "copy";

pub(crate) struct HeaderFrom {
    part: Part,
    fields: Vec<Text>,
    /// As many as there are fields.
    headers: Vec<Text>,
    moves: bool,
    nulls: Nulls,
    plans: SchemaCache<Arc<Plan>>,
}

/// What becomes of the fields of one schema.
struct Plan {
    /// The index of the field of each header.
    sources: Box<[usize]>,
    /// What stays, if fields are moved.
    rest: Option<Rest>,
}

struct Rest {
    schema: SchemaRef,
    sources: Box<[usize]>,
}

impl PartTransformation for HeaderFrom {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let list = |name, doc| {
                ConfigKey::new(name, ConfigType::List)
                    .validator(Validator::custom("non-empty list", |_, list| match list {
                        tether_api::config::ConfigData::List(values) if !values.is_empty() => {
                            Ok(())
                        }
                        _ => Err("Empty list".to_owned()),
                    }))
                    .importance(Importance::High)
                    .doc(doc)
            };
            Arc::new(
                ConfigDef::new()
                    .define(list(FIELDS, "The fields that become headers."))
                    .define(list(
                        HEADERS,
                        "The names of the headers, in the order of the fields.",
                    ))
                    .define(
                        ConfigKey::new(OPERATION, ConfigType::String)
                            .validator(Validator::OneOf(&[MOVE, COPY]))
                            .importance(Importance::High)
                            .doc("Whether the fields are removed (move) or stay (copy)."),
                    )
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let texts = |key| -> Result<Vec<Text>> {
            Ok(config.list(key)?.into_iter().map(Text::from).collect())
        };
        let (fields, headers) = (texts(FIELDS)?, texts(HEADERS)?);
        if fields.len() != headers.len() {
            return Err(ConnectError::config(format!(
                "'{FIELDS}' config must have the same number of elements as '{HEADERS}' config."
            )));
        }
        Ok(Self {
            part,
            fields,
            headers,
            moves: config.string(OPERATION)? == MOVE,
            nulls: Nulls::of(config)?,
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl HeaderFrom {
    fn purpose(&self) -> &'static str {
        if self.moves {
            "header move"
        } else {
            "header copy"
        }
    }

    fn plan(&self, schema: &SchemaRef) -> Result<Arc<Plan>> {
        let fields = require_fields(schema)?;
        let source = |name: &Text| {
            schema
                .field(name)
                .map(|field| field.index)
                .ok_or_else(|| ConnectError::data(format!("Field does not exist: {name}")))
        };
        let sources = self.fields.iter().map(source).collect::<Result<_>>()?;
        let rest = self.moves.then(|| {
            let mut builder = copy_basics(schema, SchemaBuilder::structure());
            let mut sources = Vec::new();
            for field in fields
                .iter()
                .filter(|field| !self.fields.contains(&field.name))
            {
                builder = builder.field(field.name.clone(), field.schema.clone());
                sources.push(field.index);
            }
            Rest {
                schema: builder.build(),
                sources: sources.into_boxed_slice(),
            }
        });
        Ok(Arc::new(Plan { sources, rest }))
    }

    fn struct_to_headers(
        &self,
        schema: SchemaRef,
        value: Value,
        headers: &mut Headers,
    ) -> Result<(SchemaRef, Value)> {
        let value = require_struct(value, self.purpose())?;
        let plan = self
            .plans
            .get_or_make(&schema, |schema| self.plan(schema))?;
        for (source, name) in plan.sources.iter().zip(&self.headers) {
            let field = &schema.fields()[*source];
            let found = value.values().get(*source).cloned().unwrap_or_default();
            let found = self.nulls.read(field, found);
            headers.add(
                name.clone(),
                SchemaAndValue::new(field.schema.clone(), found),
            );
        }
        let Some(rest) = &plan.rest else {
            return Ok((schema, value.into()));
        };
        let mut values = value.into_values();
        let kept = rest.sources.iter().zip(rest.schema.fields());
        let kept = kept
            .map(|(source, field)| {
                let value = values.get_mut(*source).map(std::mem::take);
                self.nulls.carry(field, value.unwrap_or_default())
            })
            .collect::<Result<_>>()?;
        let value = Struct::from_values(rest.schema.clone(), kept)?;
        Ok((rest.schema.clone(), value.into()))
    }

    fn map_to_headers(&self, value: Value, headers: &mut Headers) -> Result<Value> {
        let mut map = require_map(value, self.purpose())?;
        for (field, name) in self.fields.iter().zip(&self.headers) {
            let found = map.get_text(field).cloned().unwrap_or_default();
            // A struct has its schema even where the map has none.
            let schema = found.as_struct().map(|found| found.schema().clone());
            let value = found;
            headers.add(name.clone(), SchemaAndValue { schema, value });
        }
        if self.moves {
            for field in &self.fields {
                map.remove(&Value::String(field.clone()));
            }
        }
        Ok(map.into())
    }
}

impl Transformation for HeaderFrom {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.part.take(&mut record);
        let (schema, value) = match schema {
            Some(schema) => {
                let (schema, value) = self.struct_to_headers(schema, value, &mut record.headers)?;
                (Some(schema), value)
            }
            None => (None, self.map_to_headers(value, &mut record.headers)?),
        };
        Ok(Some(self.part.replace(record, schema, value)))
    }
}
