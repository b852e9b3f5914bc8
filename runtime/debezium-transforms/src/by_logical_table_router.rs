//! Sends the events of several tables to one topic
//! (`io.debezium.transforms.ByLogicalTableRouter`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigType, Width};
use tether_api::data::{Schema, SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Type, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};
use tether_debezium_naming::{NameAdjustment, adjust_schema};

use crate::envelope::{AFTER, BEFORE, is_envelope};
use crate::plugin::EventTransformation;
use crate::replacement::Replacement;
use crate::schema::CACHE_SIZE;
use crate::settings::{Settings, key, refused};
use crate::structs::{check_nulls, checked, null_pointer, replace_nulls, require_struct};
use crate::topics::{Memo, is_blank};

const TOPIC_REGEX: &str = "topic.regex";
const TOPIC_REPLACEMENT: &str = "topic.replacement";
const UNIQUE_KEYS: &str = "key.enforce.uniqueness";
const KEY_FIELD_REGEX: &str = "key.field.regex";
const KEY_FIELD_REPLACEMENT: &str = "key.field.replacement";
/// Not among the keys that forms show, yet honoured.
const KEY_FIELD_NAME: &str = "key.field.name";
/// Not among the keys that forms show, yet honoured.
const SCHEMA_NAMES: &str = "schema.name.adjustment.mode";
const CACHED_TABLES: &str = "logical.table.cache.size";

const PURPOSE: &str = "Updating schema";

pub(crate) struct ByLogicalTableRouter {
    topic: Replacement,
    /// The field of keys that tells tables apart, unless keys stay as they are.
    key_field: Option<KeyField>,
    schema_names: NameAdjustment,
    routes: Memo<Arc<str>, Option<Route>>,
    /// As in the reference, a schema gets the name of the topic to which the
    /// first record that has it goes.
    keys: SchemaCache<SchemaRef>,
    events: SchemaCache<Arc<Event>>,
}

struct KeyField {
    name: Text,
    /// What the field holds, if not the topic.
    value: Option<Replacement>,
}

/// Where the records of one topic go.
#[derive(Clone)]
struct Route {
    topic: Arc<str>,
    /// The value of the field that tells tables apart.
    table: Text,
}

/// The schemas of the events of one schema under their new names.
struct Event {
    schema: SchemaRef,
    row: SchemaRef,
    before: usize,
    after: Option<usize>,
}

impl EventTransformation for ByLogicalTableRouter {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let text = |name, label, doc| key(name, ConfigType::String, label, doc);
            let mut unique = key(
                UNIQUE_KEYS,
                ConfigType::Boolean,
                "Add source topic name into key",
                "Whether keys get a field that tells the tables apart.",
            )
            .default_boolean(true);
            unique.width = Width::Short;
            Arc::new(
                ConfigDef::new()
                    .define(text(
                        TOPIC_REGEX,
                        "Topic regex",
                        "The regular expression that topics have to match as a whole.",
                    ))
                    .define(text(
                        TOPIC_REPLACEMENT,
                        "Topic replacement",
                        "The new topic; $1 stands for what the first group matched.",
                    ))
                    .define(unique)
                    .define(text(
                        KEY_FIELD_REGEX,
                        "Key field regex",
                        "The regular expression for topics of which the value of the key's \
                         field is made.",
                    ))
                    .define(text(
                        KEY_FIELD_REPLACEMENT,
                        "Key field replacement",
                        "The value of the key's field; $1 stands for what the first group \
                         matched.",
                    ))
                    .define(
                        key(
                            CACHED_TABLES,
                            ConfigType::Int,
                            "Logical table cache size",
                            "Without effect: what is remembered has a fixed limit.",
                        )
                        .default_int(16),
                    ),
            )
        });
        DEF.clone()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        let required = |name| {
            let text = settings.text(name).filter(|text| !is_blank(text));
            text.ok_or_else(|| refused(name, settings.text(name), "A value is required"))
        };
        let regex = |name, regex, replacement| {
            Replacement::new(regex, replacement).map_err(|error| {
                let reason = format!("A valid regular expressions is expected, but {error}");
                refused(name, Some(regex), &reason)
            })
        };
        let topic = required(TOPIC_REGEX)?;
        let topic = regex(TOPIC_REGEX, topic, required(TOPIC_REPLACEMENT)?)?;
        let filled = |name| settings.text(name).filter(|text: &&str| !is_blank(text));
        let value = match (filled(KEY_FIELD_REGEX), filled(KEY_FIELD_REPLACEMENT)) {
            (None, _) => None,
            (Some(expression), Some(_)) => {
                let replacement = settings.text(KEY_FIELD_REPLACEMENT).unwrap_or_default();
                Some(regex(KEY_FIELD_REGEX, expression, replacement)?)
            }
            (Some(_), None) => {
                let reason = format!(
                    "{KEY_FIELD_REPLACEMENT} must be non-empty if {KEY_FIELD_REGEX} is set."
                );
                return Err(refused(KEY_FIELD_REPLACEMENT, None, &reason));
            }
        };
        let unique = settings.boolean(UNIQUE_KEYS, true).ok_or_else(|| {
            let reason = "Either 'true' or 'false' is expected";
            refused(UNIQUE_KEYS, settings.text(UNIQUE_KEYS), reason)
        })?;
        let mode = settings.text(SCHEMA_NAMES).unwrap_or("none");
        let schema_names = NameAdjustment::of(mode).ok_or_else(|| {
            let words: Vec<&str> = NameAdjustment::WORDS
                .iter()
                .map(|(_, word)| *word)
                .collect();
            let reason = format!("Value must be one of {}", words.join(", "));
            refused(SCHEMA_NAMES, Some(mode), &reason)
        })?;
        if let Some(size) = settings.text(CACHED_TABLES)
            && size.trim().parse::<i32>().is_err()
        {
            return Err(refused(CACHED_TABLES, Some(size), "An integer is expected"));
        }
        let name = settings
            .text(KEY_FIELD_NAME)
            .unwrap_or("__dbz__physicalTableIdentifier");
        Ok(Self {
            topic,
            key_field: unique.then(|| KeyField {
                name: name.into(),
                value,
            }),
            schema_names,
            routes: Memo::default(),
            keys: SchemaCache::new(CACHE_SIZE),
            events: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl ByLogicalTableRouter {
    fn route(&mut self, topic: &Arc<str>) -> Result<Option<Route>> {
        let (replacement, key_field) = (&self.topic, &self.key_field);
        self.routes.get_or_make(topic, |topic| {
            let Some(routed) = replacement.apply(topic)? else {
                return Ok(None);
            };
            if routed.is_empty() {
                tracing::warn!("The new name of topic {topic} is empty, so it is not renamed");
                return Ok(None);
            }
            let value = key_field.as_ref().and_then(|field| field.value.as_ref());
            let table = match value {
                Some(value) => value.apply(topic)?.map(Text::from),
                None => None,
            };
            Ok(Some(Route {
                topic: routed.into(),
                table: table.unwrap_or_else(|| (&**topic).into()),
            }))
        })
    }

    fn key_schema(&self, schema: &Schema, topic: &str) -> Result<SchemaRef> {
        let mut builder = copy_with_fields(schema)?
            .name(&*adjust_schema(self.schema_names, &format!("{topic}.Key")));
        if let Some(field) = &self.key_field {
            builder =
                builder.try_field(field.name.clone(), Schema::primitive(Type::String, false))?;
        }
        Ok(builder.build())
    }

    fn key(&self, key: Value, route: &Route) -> Result<Struct> {
        let key = require_struct(key, PURPOSE)?;
        let schema = self
            .keys
            .get_or_make(key.schema(), |schema| self.key_schema(schema, &route.topic))?;
        let mut values = key.into_values();
        check_nulls(&schema, &values)?;
        if self.key_field.is_some() {
            values.reserve_exact(1);
            values.push(route.table.clone().into());
        }
        Struct::from_values(schema, values)
    }

    fn event_schema(&self, schema: &Schema, topic: &str) -> Result<Arc<Event>> {
        let before = schema.field(BEFORE).ok_or_else(|| null_pointer(BEFORE))?;
        let row = copy_with_fields(&before.schema)?
            .name(&*adjust_schema(
                self.schema_names,
                &format!("{topic}.Value"),
            ))
            .build();
        let mut builder = copy(schema);
        for field in schema.fields() {
            let is_row = field.name == BEFORE || field.name == AFTER;
            let schema = if is_row { &row } else { &field.schema };
            builder = builder.field(field.name.clone(), schema.clone());
        }
        let name = format!("{topic}.Envelope");
        Ok(Arc::new(Event {
            schema: builder
                .name(&*adjust_schema(self.schema_names, &name))
                .build(),
            row,
            before: before.index,
            after: schema.field(AFTER).map(|field| field.index),
        }))
    }

    fn event(&self, event: Value, route: &Route) -> Result<Struct> {
        let event = require_struct(event, PURPOSE)?;
        let original = event.schema().clone();
        let plan = self
            .events
            .get_or_make(&original, |schema| self.event_schema(schema, &route.topic))?;
        let mut values = event.into_values();
        replace_nulls(&original, &mut values);
        for index in [Some(plan.before), plan.after].into_iter().flatten() {
            if let Some(row) = values.get_mut(index)
                && !row.is_null()
            {
                *row = renamed(std::mem::take(row), &plan.row)?.into();
            }
        }
        check_nulls(&plan.schema, &values)?;
        Struct::from_values(plan.schema.clone(), values)
    }
}

/// A row with the new schema.
fn renamed(row: Value, schema: &SchemaRef) -> Result<Struct> {
    let row = require_struct(row, PURPOSE)?;
    let original = row.schema().clone();
    let values = row.into_values();
    if original.fields() == schema.fields() {
        check_nulls(schema, &values)?;
        return Struct::from_values(schema.clone(), values);
    }
    let mut renamed = Struct::new(schema.clone())?;
    for (field, value) in original.fields().iter().zip(values) {
        let target = crate::structs::existing_field(schema, &field.name)?;
        let value = checked(&field.name, &target.schema, value)?;
        if let Some(slot) = renamed.values_mut().get_mut(target.index) {
            *slot = value;
        }
    }
    Ok(renamed)
}

/// A builder of a struct with all of a schema but its name, default and fields.
fn copy(schema: &Schema) -> SchemaBuilder {
    let builder = SchemaBuilder::structure()
        .with_version(schema.version())
        .with_optional(schema.is_optional())
        .parameters(schema.parameters().clone());
    match schema.doc() {
        Some(doc) => builder.doc(doc),
        None => builder,
    }
}

fn copy_with_fields(schema: &Schema) -> Result<SchemaBuilder> {
    if schema.kind() != Type::Struct {
        return Err(ConnectError::data("Cannot list fields on non-struct type"));
    }
    let fields = schema.fields().iter();
    Ok(fields.fold(copy(schema), |builder, field| {
        builder.field(field.name.clone(), field.schema.clone())
    }))
}

impl Transformation for ByLogicalTableRouter {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let Some(route) = self.route(&record.topic)? else {
            return Ok(Some(record));
        };
        record.key_schema = None;
        if !record.key.is_null() {
            let key = self.key(std::mem::take(&mut record.key), &route)?;
            record.key_schema = Some(key.schema().clone());
            record.key = key.into();
        }
        // Tombstones, heartbeats and the like keep their value.
        if !record.value.is_null() && is_envelope(&record) {
            let event = self.event(std::mem::take(&mut record.value), &route)?;
            record.value_schema = Some(event.schema().clone());
            record.value = event.into();
        }
        record.topic = route.topic;
        Ok(Some(record))
    }
}
