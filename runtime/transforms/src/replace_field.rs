//! Leaves fields out and renames them
//! (`org.apache.kafka.connect.transforms.ReplaceField`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigType, ParsedConfig, Validator};
use tether_api::data::{MapValue, SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::mappings;
use crate::nulls::Nulls;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_map, require_name, require_struct};
use crate::schema::{CACHE_SIZE, copy_basics};

const PURPOSE: &str = "field replacement";
const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";
const RENAMES: &str = "renames";

pub(crate) struct ReplaceField {
    part: Part,
    exclude: HashSet<Text>,
    include: HashSet<Text>,
    renames: HashMap<Text, Text>,
    /// From new names to old ones.
    originals: HashMap<Text, Text>,
    nulls: Nulls,
    plans: SchemaCache<Arc<Plan>>,
}

/// A schema with fields left out and renamed, and the index of each field in
/// the original schema.
struct Plan {
    schema: SchemaRef,
    sources: Box<[usize]>,
}

impl PartTransformation for ReplaceField {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let list = |name, validator, doc| {
                ConfigKey::new(name, ConfigType::List)
                    .default_list(&[])
                    .validator(validator)
                    .doc(doc)
            };
            let names = || Validator::Distinct { empty: true };
            let pairs = Validator::stated(
                "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>",
                |_, value| match value {
                    ConfigData::List(mappings) => parse_renames(mappings).map(drop),
                    _ => Ok(()),
                },
            );
            Arc::new(
                ConfigDef::new()
                    .define(list(
                        EXCLUDE,
                        names(),
                        "Fields that are left out, even if they are to be included.",
                    ))
                    .define(list(
                        INCLUDE,
                        names(),
                        "Fields that are kept; if there are none, all are.",
                    ))
                    .define(list(
                        RENAMES,
                        pairs,
                        "New names of fields, as pairs of old and new name: foo:bar,abc:xyz.",
                    ))
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let names = |key| -> Result<HashSet<Text>> {
            Ok(config.list(key)?.into_iter().map(Text::from).collect())
        };
        let pairs = parse_renames(&config.list(RENAMES)?).map_err(ConnectError::config)?;
        // Of two new names of a field the last one counts.
        let renames: HashMap<Text, Text> = pairs.iter().cloned().collect();
        let counts = |(old, new): &(Text, Text)| renames.get(old) == Some(new);
        let originals = pairs.iter().filter(|pair| counts(pair));
        Ok(Self {
            part,
            exclude: names(EXCLUDE)?,
            include: names(INCLUDE)?,
            originals: originals
                .map(|(old, new)| (new.clone(), old.clone()))
                .collect(),
            renames,
            nulls: Nulls::of(config)?,
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

fn parse_renames(mappings: &[String]) -> Result<Vec<(Text, Text)>, String> {
    mappings
        .iter()
        .map(|mapping| match mappings::split(mapping)[..] {
            [old, new] => Ok((old.into(), new.into())),
            _ => Err(mappings::invalid(mappings, mapping)),
        })
        .collect()
}

impl ReplaceField {
    fn is_kept(&self, name: &Text) -> bool {
        !self.exclude.contains(name) && (self.include.is_empty() || self.include.contains(name))
    }

    fn renamed<'a>(&'a self, name: &'a Text) -> &'a Text {
        self.renames.get(name).unwrap_or(name)
    }

    fn plan(&self, schema: &SchemaRef) -> Result<Arc<Plan>> {
        let mut builder = copy_basics(schema, SchemaBuilder::structure());
        for field in schema.fields() {
            if self.is_kept(&field.name) {
                let name = self.renamed(&field.name).clone();
                builder = builder.try_field(name, field.schema.clone())?;
            }
        }
        let schema_of_rest = builder.build();
        // As in the reference, a field with a new name takes the value of the
        // field of the old name, even if it had that name already.
        let source = |name: &Text| {
            let original = self.originals.get(name).unwrap_or(name);
            schema
                .field(original)
                .map(|field| field.index)
                .ok_or_else(|| ConnectError::data(format!("{original} is not a valid field name")))
        };
        let fields = schema_of_rest.fields().iter();
        let sources = fields
            .map(|field| source(&field.name))
            .collect::<Result<_>>()?;
        Ok(Arc::new(Plan {
            schema: schema_of_rest,
            sources,
        }))
    }

    fn replace_in_struct(&self, value: Value) -> Result<Struct> {
        let value = require_struct(value, PURPOSE)?;
        let plan = self
            .plans
            .get_or_make(value.schema(), |schema| self.plan(schema))?;
        let mut values = value.into_values();
        let fields = plan.schema.fields().iter().zip(&plan.sources);
        let kept = fields
            .map(|(field, source)| {
                self.nulls
                    .carry(field, std::mem::take(&mut values[*source]))
            })
            .collect::<Result<_>>()?;
        Struct::from_values(plan.schema.clone(), kept)
    }

    fn replace_in_map(&self, value: Value) -> Result<MapValue> {
        let map = require_map(value, PURPOSE)?;
        let mut kept = Vec::with_capacity(map.len());
        for (key, value) in &map {
            let name = require_name(key)?;
            if self.is_kept(name) {
                let name = self.renamed(name).clone();
                kept.push((Value::String(name), value.clone()));
            }
        }
        Ok(kept.into())
    }
}

impl Transformation for ReplaceField {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if self.part.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.part.take(&mut record);
        let record = if schema.is_some() {
            let value = self.replace_in_struct(value)?;
            let schema = value.schema().clone();
            self.part.replace(record, Some(schema), value)
        } else {
            let value = self.replace_in_map(value)?;
            self.part.replace(record, None, value)
        };
        Ok(Some(record))
    }
}
