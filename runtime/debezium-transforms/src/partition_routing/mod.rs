//! Chooses partitions by fields of change events
//! (`io.debezium.transforms.partitions.PartitionRouting`).

mod java_hash;
mod murmur;

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, Width};
use tether_api::data::{Schema, SchemaCache, SchemaRef, Struct, Type, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::envelope::{AFTER, BEFORE, DELETE, MESSAGE, OPERATION, TRUNCATE, is_envelope};
use crate::plugin::EventTransformation;
use crate::schema::CACHE_SIZE;
use crate::settings::{Settings, invalid, list, split};
use crate::structs::{null_pointer, require_struct_ref, typed_field};

const FIELDS: &str = "partition.payload.fields";
const PARTITIONS: &str = "partition.topic.num";
const HASH_FUNCTION: &str = "partition.hash.function";
const JAVA: &str = "java";
const MURMUR: &str = "murmur";
const GROUP: &str = "partitions";

/// Stands for the row that a change is about.
const CHANGE: &str = "change";

pub(crate) struct PartitionRouting {
    /// The names on the way to each field.
    paths: Vec<Vec<String>>,
    partitions: i32,
    hash: fn(&Value) -> i32,
    plans: SchemaCache<Arc<Plan>>,
}

/// The places of the fields in events of one schema, of those that they have.
struct Plan {
    operation: Option<usize>,
    /// In deletions.
    deletions: Box<[Place]>,
    /// In other changes.
    changes: Box<[Place]>,
}

/// The place of a field.
struct Place {
    /// The structs on the way, as far as there are any.
    structs: Vec<usize>,
    /// The field; `None` if there is no such one.
    field: Option<usize>,
}

impl EventTransformation for PartitionRouting {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let key = |name, kind, order, label, doc| {
                let key = ConfigKey::new(name, kind)
                    .default_null()
                    .importance(Importance::High)
                    .doc(doc);
                key.form(GROUP, order, Width::None, label)
            };
            Arc::new(
                ConfigDef::new()
                    .define(key(
                        FIELDS,
                        ConfigType::List,
                        1,
                        "List of payload fields to use for compute partition.",
                        "The fields that choose the partition, such as source.table or change.id, \
                         where change stands for after or, in deletions, before.",
                    ))
                    .define(key(
                        PARTITIONS,
                        ConfigType::Int,
                        2,
                        "Number of partition configured for topic",
                        "How many partitions the topic has.",
                    ))
                    .define(
                        key(
                            HASH_FUNCTION,
                            ConfigType::String,
                            3,
                            "Hash function",
                            "How values become numbers: java or murmur.",
                        )
                        .default_string(JAVA)
                        .importance(Importance::Low),
                    ),
            )
        });
        DEF.clone()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        let number = settings.text(PARTITIONS).unwrap_or_default();
        let number: Result<i32, _> = number.parse();
        let fields = || {
            let elements = list(settings.text(FIELDS)?);
            let has_empty = elements.contains(&"");
            has_empty.then(|| "Empty string element(s) not permitted".to_owned())
        };
        let partitions = match number {
            _ if settings.text(PARTITIONS).is_none() => settings.missing(PARTITIONS),
            Err(_) => Some("An integer is expected".to_owned()),
            Ok(..=0) => Some("A positive, non-zero integer value is expected".to_owned()),
            Ok(_) => None,
        };
        settings.check(vec![
            (FIELDS, settings.missing(FIELDS).or_else(fields)),
            (PARTITIONS, partitions),
        ])?;
        let fields = list(settings.text(FIELDS).unwrap_or_default());
        let path = |field: &str| {
            let names: Vec<String> = split(field, '.')
                .into_iter()
                .map(|name| name.trim().to_owned())
                .collect();
            if names.is_empty() {
                let reason = "A field has a name";
                return Err(invalid(FIELDS, settings.text(FIELDS), reason));
            }
            Ok(names)
        };
        let function = settings.text(HASH_FUNCTION).unwrap_or_default().trim();
        Ok(Self {
            paths: fields.into_iter().map(path).collect::<Result<_>>()?,
            partitions: number.unwrap_or(1),
            hash: if function.eq_ignore_ascii_case(MURMUR) {
                java_hash::murmur
            } else {
                java_hash::java
            },
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl PartitionRouting {
    fn plan(&self, event: &SchemaRef) -> Result<Arc<Plan>> {
        let operation = event.field(OPERATION);
        if operation.is_some() {
            typed_field(event, OPERATION, Type::String)?;
        }
        // Without a kind of change nobody knows the row that it is about.
        let row = |name| operation.map(|_| name);
        let places = |row: Option<&str>| {
            let paths = self.paths.iter();
            paths.map(|path| Place::new(event, path, row)).collect()
        };
        Ok(Arc::new(Plan {
            operation: operation.map(|field| field.index),
            deletions: places(row(BEFORE)),
            changes: places(row(AFTER)),
        }))
    }
}

impl Place {
    fn new(event: &Schema, path: &[String], row: Option<&str>) -> Self {
        let mut structs = Vec::with_capacity(path.len());
        let mut schema = event;
        let (last, names) = path.split_last().unzip();
        for name in names.unwrap_or_default() {
            let name = if name == CHANGE { row } else { Some(&**name) };
            let field = name.and_then(|name| typed_field(schema, name, Type::Struct).ok());
            let Some(field) = field else {
                return Self {
                    structs,
                    field: None,
                };
            };
            structs.push(field.index);
            schema = &field.schema;
        }
        let field = last.and_then(|name| schema.field(name));
        Self {
            structs,
            field: field.map(|field| field.index),
        }
    }

    /// The value there, if there is one and it is not null.
    ///
    /// # Errors
    /// Other, if a struct on the way is null, which the reference does not
    /// expect.
    fn value<'a>(&self, event: &'a Struct) -> Result<Option<&'a Value>> {
        let mut found = event;
        for index in &self.structs {
            // Structs on the way come without their defaults.
            let next = found.values().get(*index);
            found = next
                .and_then(Value::as_struct)
                .ok_or_else(|| null_pointer("a struct on the way to a field"))?;
        }
        let value = self.field.and_then(|index| found.get_at(index));
        Ok(value.filter(|value| !value.is_null()))
    }
}

/// The error for an event that cannot be handled. What is in it may be secret
/// and is left out.
fn unprocessable(cause: ConnectError) -> ConnectError {
    ConnectError::other("Unprocessable message")
        .with_class("io.debezium.DebeziumException")
        .caused_by(cause)
}

impl Transformation for PartitionRouting {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if record.value.is_null() || !is_envelope(&record) {
            return Ok(Some(record));
        }
        let event = require_struct_ref(&record.value, "partition routing")?;
        if record.offset.is_some() {
            return Err(unprocessable(ConnectError::other(
                "Only records of source connectors have a partition to choose",
            )));
        }
        let plan = self
            .plans
            .get_or_make(event.schema(), |schema| self.plan(schema));
        let plan = plan.map_err(unprocessable)?;
        let operation = plan.operation.and_then(|index| event.values().get(index));
        let operation = operation.and_then(Value::as_str);
        let is = |letter: &str| operation.is_some_and(|known| known.eq_ignore_ascii_case(letter));
        if is(TRUNCATE) || is(MESSAGE) {
            return Ok(Some(record));
        }
        let places = if is(DELETE) {
            &plan.deletions
        } else {
            &plan.changes
        };
        let mut sum = None;
        for place in places {
            if let Some(value) = place.value(event).map_err(unprocessable)? {
                sum = Some(sum.unwrap_or(0i32).wrapping_add((self.hash)(value)));
            }
        }
        if let Some(sum) = sum {
            let positive = match sum & i32::MAX {
                i32::MAX => 0,
                positive => positive,
            };
            record.partition = Some(positive % self.partitions);
        }
        Ok(Some(record))
    }
}
