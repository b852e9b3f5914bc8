//! Turns rows of an outbox table into the events that they hold
//! (`io.debezium.transforms.outbox.EventRouter`).

mod config;
mod payload;
mod plan;
mod wrapper;

use std::sync::Arc;

use tether_api::config::ConfigDef;
use tether_api::data::{SchemaAndValue, SchemaCache, SchemaRef, Struct, Text, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use self::config::{Config, InvalidOperation, Placement};
use self::plan::{Columns, Plan, Timestamp};
use self::wrapper::{Wrapped, Wrapper};
use crate::envelope::{AFTER, DELETE, UPDATE, is_envelope};
use crate::plugin::EventTransformation;
use crate::schema::CACHE_SIZE;
use crate::settings::Settings;
use crate::structs::{null_pointer, require_struct, require_struct_ref};
use crate::topics::{Memo, is_blank};

pub(crate) struct EventRouter {
    config: Config,
    /// Whether payloads get a struct around them.
    wraps: bool,
    plans: SchemaCache<Arc<Plan>>,
    topics: Memo<Text, Arc<str>>,
    wrapper: Wrapper,
}

impl EventTransformation for EventRouter {
    fn config_def() -> Arc<ConfigDef> {
        config::definition()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        let config = Config::read(settings)?;
        Ok(Self {
            wraps: config.wraps(),
            config,
            plans: SchemaCache::new(CACHE_SIZE),
            topics: Memo::default(),
            wrapper: Wrapper::new(),
        })
    }
}

/// The field of this name.
///
/// # Errors
/// Data, if there is none (`Struct.get`).
fn existing<'a, T>(field: Option<&'a T>, name: &str) -> Result<&'a T> {
    field.ok_or_else(|| ConnectError::data(format!("{name} is not a valid field name")))
}

impl EventRouter {
    /// What becomes of an update.
    fn unexpected(&self) -> Result<Option<ConnectRecord>> {
        const UNEXPECTED: &str = "Unexpected update message received";
        match self.config.invalid_operation {
            InvalidOperation::Warn => tracing::warn!("{UNEXPECTED} and ignored"),
            InvalidOperation::Error => tracing::error!("{UNEXPECTED} and ignored"),
            // The key, which the reference shows, may be secret.
            InvalidOperation::Fatal => {
                return Err(ConnectError::other(format!("{UNEXPECTED}, fail."))
                    .with_class("java.lang.IllegalStateException"));
            }
        }
        Ok(None)
    }

    fn route(
        &mut self,
        mut record: ConnectRecord,
        event: &Struct,
        plan: &Plan,
    ) -> Result<ConnectRecord> {
        let after = plan.after.as_ref().ok_or_else(|| {
            ConnectError::other(format!("Unknown field: {AFTER}"))
                .with_class("java.lang.IllegalArgumentException")
        })?;
        let row = event.get_at(after.index).cloned().unwrap_or_default();
        let row = require_struct(row, "Read Outbox Event")?;
        let (columns, config) = (&plan.columns, &self.config);
        let payload_field = columns.payload.as_ref().ok_or_else(|| {
            ConnectError::other(format!(
                "Unable to find payload field {} in event",
                config.payload
            ))
        })?;
        let timestamp = timestamp(columns, &row, || {
            let time = event.values().get(plan.time.index()?);
            Ok(time.and_then(Value::as_i64))
        })?;
        let id = existing(columns.id.as_ref(), &config.id)?;
        let get = |index: usize| row.get_at(index).cloned().unwrap_or_default();
        let id_value = SchemaAndValue::new(id.schema.clone(), get(id.index));
        record.headers.add("id", id_value);
        let mut schema = Some(payload_field.schema.clone());
        let mut payload = get(payload_field.index);
        self.expand(&mut schema, &mut payload);

        let route = |columns: &Columns| {
            let value = row.values().get(columns.route.index()?);
            Ok::<_, ConnectError>(match value {
                Some(Value::String(route)) => Some(route.clone()),
                _ => None,
            })
        };
        let mut wrapped = None;
        if self.wraps {
            let version = match &columns.version {
                None => None,
                Some(column) => Some(match row.values().get(column.index()?) {
                    Some(Value::Int32(version)) => Some(*version),
                    _ => None,
                }),
            };
            let route = route(columns)?;
            let event = Wrapped {
                row: &after.schema,
                route: route.as_deref().unwrap_or("null"),
                version,
                schema: schema.as_ref(),
                payload: payload.clone(),
            };
            wrapped = Some(self.wrapper.wrap(event, &self.config)?);
        }
        record.partition = self.place(columns, &row, &mut record, wrapped.as_mut())?;

        let is_empty = match &payload {
            Value::Null => true,
            Value::String(text) => is_blank(text),
            _ => false,
        };
        (record.value_schema, record.value) = if is_empty && self.config.tombstones {
            (None, Value::Null)
        } else if let Some(wrapped) = wrapped {
            (Some(wrapped.schema().clone()), wrapped.into())
        } else {
            (schema, payload)
        };
        let key = existing(columns.key.as_ref(), &self.config.key)?;
        record.key = get(key.index);
        record.key_schema = Some(key.schema.clone());
        let route = route(columns)?.ok_or_else(|| null_pointer("the topic"))?;
        record.topic = self.topic(&route)?;
        record.timestamp = timestamp;
        Ok(record)
    }

    /// Makes a struct of a payload of JSON, if that is asked for and possible.
    fn expand(&self, schema: &mut Option<SchemaRef>, payload: &mut Value) {
        let Some(expansion) = &self.config.expansion else {
            return;
        };
        let failure = match &*payload {
            Value::Null => return,
            Value::String(text) => match expansion.expand(&self.config.payload, text) {
                Ok(expanded) => {
                    *schema = expanded.schema;
                    match expanded.value {
                        Ok(value) => {
                            *payload = value;
                            return;
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            },
            _ => ConnectError::data("The payload is no text"),
        };
        tracing::warn!(error = %failure, "JSON expansion failed");
    }

    /// Puts additional columns where they belong. The result is the partition,
    /// if one is given.
    fn place(
        &self,
        columns: &Columns,
        row: &Struct,
        record: &mut ConnectRecord,
        mut wrapped: Option<&mut Struct>,
    ) -> Result<Option<i32>> {
        let mut partition = None;
        let places = columns.additional.iter().zip(&columns.partitions);
        for (additional, (field, number)) in self.config.additional.iter().zip(places) {
            if self.config.may_miss && field.is_none() {
                continue;
            }
            if additional.placement == Placement::Partition {
                partition = match row.values().get(number.index()?) {
                    Some(Value::Int32(number)) => Some(*number),
                    _ => None,
                };
                continue;
            }
            let field = existing(field.as_ref(), &additional.column)?;
            let value = row.get_at(field.index).cloned().unwrap_or_default();
            match (&mut wrapped, additional.placement) {
                (Some(wrapped), Placement::Envelope) => {
                    wrapped.put(&additional.alias, value)?;
                }
                _ => {
                    let value = SchemaAndValue::new(field.schema.clone(), value);
                    record.headers.add(additional.alias.clone(), value);
                }
            }
        }
        Ok(partition)
    }

    fn topic(&mut self, route: &Text) -> Result<Arc<str>> {
        let replacement = &self.config.topic;
        self.topics.get_or_make(route, |route| {
            let topic = replacement.apply(route)?;
            Ok(topic.map_or_else(|| (&**route).into(), Into::into))
        })
    }
}

/// The time of the event in milliseconds.
fn timestamp(
    columns: &Columns,
    row: &Struct,
    of_change: impl FnOnce() -> Result<Option<i64>>,
) -> Result<Option<i64>> {
    let value = |index: usize| row.values().get(index).filter(|value| !value.is_null());
    match &columns.timestamp {
        None => of_change(),
        Some(Timestamp::Wrong(error)) => Err(error.error()),
        Some(Timestamp::Odd(index, text)) => match value(*index) {
            Some(_) => Err(ConnectError::other(text.clone())),
            None => of_change(),
        },
        Some(Timestamp::Units(index, units)) => match value(*index) {
            Some(value) => Ok(value.as_i64().map(|time| time / units)),
            None => of_change(),
        },
    }
}

impl Transformation for EventRouter {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if record.value.is_null() {
            return Ok(None);
        }
        if !is_envelope(&record) {
            return Ok(Some(record));
        }
        let value = std::mem::take(&mut record.value);
        let event = require_struct_ref(&value, "Detect Debezium Operation")?;
        let config = &self.config;
        let plan = self
            .plans
            .get_or_make(event.schema(), |schema| Plan::new(schema, config))?;
        let operation = event.values().get(plan.operation).and_then(Value::as_str);
        match operation {
            None => Err(null_pointer("the kind of change")),
            Some(DELETE) => Ok(None),
            Some(UPDATE) => self.unexpected(),
            Some(_) => self.route(record, event, &plan).map(Some),
        }
    }
}
