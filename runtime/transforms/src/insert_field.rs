//! Adds what is known of a record, or a fixed text, as fields
//! (`org.apache.kafka.connect.transforms.InsertField`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, ParsedConfig};
use tether_api::data::{
    Schema, SchemaBuilder, SchemaCache, SchemaRef, Struct, Text, Type, Value, logical,
};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::nulls::Nulls;
use crate::part::Part;
use crate::plugin::PartTransformation;
use crate::requirements::{require_map, require_struct};
use crate::schema::{CACHE_SIZE, copy_basics};
use crate::topics::TopicCache;

const PURPOSE: &str = "field insertion";
const TOPIC_FIELD: &str = "topic.field";
const PARTITION_FIELD: &str = "partition.field";
const OFFSET_FIELD: &str = "offset.field";
const TIMESTAMP_FIELD: &str = "timestamp.field";
const STATIC_FIELD: &str = "static.field";
const STATIC_VALUE: &str = "static.value";

pub(crate) struct InsertField {
    part: Part,
    insertions: Vec<Insertion>,
    nulls: Nulls,
    schemas: SchemaCache<SchemaRef>,
    topics: TopicCache<Text>,
}

/// A field that is added.
struct Insertion {
    name: Text,
    optional: bool,
    source: Source,
}

/// Where the value of a field comes from.
enum Source {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Static(Text),
}

impl Source {
    fn schema(&self, optional: bool) -> SchemaRef {
        match self {
            Self::Topic | Self::Static(_) => Schema::primitive(Type::String, optional),
            Self::Partition => Schema::primitive(Type::Int32, optional),
            Self::Offset => Schema::primitive(Type::Int64, optional),
            Self::Timestamp => logical::timestamp_builder().with_optional(optional).build(),
        }
    }
}

impl Insertion {
    /// Reads a name that ends in `?` if the field is to be optional, as it is
    /// anyhow, or in `!` if it is to be required.
    fn parse(spec: &str, source: Source) -> Self {
        let (name, optional) = match spec.strip_suffix('!') {
            Some(name) => (name, false),
            None => (spec.strip_suffix('?').unwrap_or(spec), true),
        };
        Self {
            name: name.into(),
            optional,
            source,
        }
    }
}

impl PartTransformation for InsertField {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let text = |name: &'static str, doc: String| {
                ConfigKey::new(name, ConfigType::String)
                    .default_null()
                    .doc(doc)
            };
            let field = |name, what| {
                let ends = "With ! at its end the field is required, else optional.";
                text(name, format!("The name of a field for {what}. {ends}"))
            };
            Arc::new(
                ConfigDef::new()
                    .define(field(TOPIC_FIELD, "the topic"))
                    .define(field(PARTITION_FIELD, "the partition, if there is one"))
                    .define(field(OFFSET_FIELD, "the offset; sink connectors only"))
                    .define(field(TIMESTAMP_FIELD, "the timestamp, if there is one"))
                    .define(field(STATIC_FIELD, "a fixed text"))
                    .define(text(
                        STATIC_VALUE,
                        format!("The text for the field of {STATIC_FIELD}."),
                    ))
                    .define(Nulls::key()),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig, part: Part) -> Result<Self> {
        let mut insertions = Vec::new();
        for (key, source) in [
            (TOPIC_FIELD, Source::Topic),
            (PARTITION_FIELD, Source::Partition),
            (OFFSET_FIELD, Source::Offset),
            (TIMESTAMP_FIELD, Source::Timestamp),
        ] {
            if let Some(spec) = config.optional_string(key) {
                insertions.push(Insertion::parse(&spec, source));
            }
        }
        if let Some(spec) = config.optional_string(STATIC_FIELD) {
            let value = config.optional_string(STATIC_VALUE).ok_or_else(|| {
                ConnectError::config(format!(
                    "Invalid value null for configuration {STATIC_VALUE}: No value specified for \
                     static field: {spec}"
                ))
            })?;
            insertions.push(Insertion::parse(&spec, Source::Static(value.into())));
        }
        if insertions.is_empty() {
            return Err(ConnectError::config("No field insertion configured"));
        }
        Ok(Self {
            part,
            insertions,
            nulls: Nulls::of(config)?,
            schemas: SchemaCache::new(CACHE_SIZE),
            topics: TopicCache::default(),
        })
    }
}

impl InsertField {
    fn schema(&self, schema: &SchemaRef) -> Result<SchemaRef> {
        let mut builder = copy_basics(schema, SchemaBuilder::structure());
        for field in schema.fields() {
            builder = builder.field(field.name.clone(), field.schema.clone());
        }
        for insertion in &self.insertions {
            let schema = insertion.source.schema(insertion.optional);
            builder = builder.try_field(insertion.name.clone(), schema)?;
        }
        Ok(builder.build())
    }

    fn insert_in_struct(&mut self, record: &ConnectRecord, value: Value) -> Result<Struct> {
        let value = require_struct(value, PURPOSE)?;
        let original = value.schema().clone();
        let schema = self
            .schemas
            .get_or_make(&original, |schema| self.schema(schema))?;
        let mut values = value.into_values();
        self.nulls.carry_all(&original, &mut values)?;
        values.reserve_exact(self.insertions.len());
        for insertion in &self.insertions {
            let value = insertion.source.value(record, &mut self.topics)?;
            // As in the reference, what is not known is null even where the
            // field is required.
            values.push(value.unwrap_or_default());
        }
        Struct::from_values(schema, values)
    }

    fn insert_in_map(&mut self, record: &ConnectRecord, value: Value) -> Result<Value> {
        let mut map = require_map(value, PURPOSE)?;
        for insertion in &self.insertions {
            let value = match insertion.source.value(record, &mut self.topics)? {
                None => continue,
                // Without a schema that would say what it is, a number.
                Some(Value::Timestamp(millis)) => Value::Int64(millis),
                Some(value) => value,
            };
            map.insert(Value::String(insertion.name.clone()), value);
        }
        Ok(map.into())
    }
}

impl Source {
    /// The value for a record, if it has one.
    fn value(
        &self,
        record: &ConnectRecord,
        topics: &mut TopicCache<Text>,
    ) -> Result<Option<Value>> {
        Ok(match self {
            Self::Topic => {
                let topic = topics.get_or_make(&record.topic, |topic| Ok(topic.into()));
                Some(Value::String(topic?))
            }
            Self::Partition => record.partition.map(Value::Int32),
            Self::Offset => Some(Value::Int64(record.offset.ok_or_else(|| {
                ConnectError::data(format!(
                    "Only SinkRecord supported for [{PURPOSE}], found: \
                     org.apache.kafka.connect.source.SourceRecord"
                ))
            })?)),
            Self::Timestamp => record.timestamp.map(Value::Timestamp),
            Self::Static(text) => Some(Value::String(text.clone())),
        })
    }
}

impl Transformation for InsertField {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if self.part.value(&record).is_null() {
            return Ok(Some(record));
        }
        let (schema, value) = self.part.take(&mut record);
        let record = if schema.is_some() {
            let value = self.insert_in_struct(&record, value)?;
            let schema = value.schema().clone();
            self.part.replace(record, Some(schema), value)
        } else {
            let value = self.insert_in_map(&record, value)?;
            self.part.replace(record, None, value)
        };
        Ok(Some(record))
    }
}
