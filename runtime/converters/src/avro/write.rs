//! Records to be written: their schemas, registered, and how values are
//! encoded.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use foldhash::HashMap;
use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::config::{AvroConverterConfig, Options};
use super::encode::WritePlan;
use super::from_connect::from_connect;
use super::read::{ParseError, parse};
use super::schema::{AvroSchema, Parser, SchemaError};
use crate::registry::Target as RegistryTarget;
use crate::registry::{
    Found, ReferenceError, RegisteredText, SchemaKind, SerdeConfig, serialization, write_frame,
};

/// The most topics whose schemas are known at the same time.
const MAX_TOPICS: usize = 10_000;

/// Writes records with the schemas that are known.
pub(super) struct AvroWriter {
    options: Options,
    known: SchemaCache<Arc<Known>>,
    schemaless: OnceLock<Arc<Known>>,
}

/// What is known of a Connect schema.
struct Known {
    /// Two types of one name only matter when the schema is to be registered.
    text: Result<RegisteredText, SchemaError>,
    /// The full name of the record that it is.
    record: Option<String>,
    plan: Arc<WritePlan>,
    /// What records of a topic begin with, once that is known.
    topics: RwLock<HashMap<Box<str>, Arc<Target>>>,
}

/// What records of a schema look like in a topic.
struct Target {
    id: i32,
    plan: Arc<WritePlan>,
    /// When to ask again, if ever.
    until: Option<Instant>,
}

impl Known {
    fn new(schema: Option<&SchemaRef>, options: Options) -> Result<Arc<Self>> {
        let avro = from_connect(schema, options)?;
        Ok(Arc::new(Self {
            text: avro.to_text().map(|text| RegisteredText {
                kind: SchemaKind::Avro,
                text: text.into(),
                references: Vec::new(),
            }),
            record: avro.record_name(),
            plan: Arc::new(WritePlan::new(&avro, schema, options)?),
            topics: RwLock::default(),
        }))
    }

    fn target(&self, topic: &str) -> Option<Arc<Target>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let target = topics.get(topic)?;
        match target.until {
            Some(until) if until <= Instant::now() => None,
            _ => Some(target.clone()),
        }
    }
}

impl AvroWriter {
    pub(super) fn new(config: &AvroConverterConfig) -> Self {
        Self {
            options: config.options,
            known: SchemaCache::new(config.cache_size),
            schemaless: OnceLock::new(),
        }
    }

    fn known(&self, schema: Option<&SchemaRef>) -> Result<Arc<Known>> {
        let Some(schema) = schema else {
            if let Some(known) = self.schemaless.get() {
                return Ok(known.clone());
            }
            let known = Known::new(None, self.options)?;
            return Ok(self.schemaless.get_or_init(|| known).clone());
        };
        self.known
            .get_or_make(schema, |schema| Known::new(Some(schema), self.options))
    }

    /// Appends a record.
    pub(super) fn write(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let known = self.known(schema)?;
        if value.is_null() {
            return match schema {
                Some(schema) if !schema.is_optional() => Err(ConnectError::data(
                    "Found null value for non-optional schema",
                )),
                _ => Ok(Encoded::Null),
            };
        }
        let Some(target) = known.target(topic) else {
            return Ok(Encoded::Unprepared);
        };
        write_frame(target.id, out);
        target.plan.write(value, out)?;
        Ok(Encoded::Written)
    }

    /// Registers the schema for a topic, or finds the one to write with.
    pub(super) async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let known = self.known(schema)?;
        let subject = serde.naming.subject(topic, known.record.as_deref());
        let subject = subject.map_err(|error| WORDS.write_failed(topic, error))?;
        let text = known.text.as_ref();
        let text = text.map_err(|error| WORDS.write_failed(topic, error.clone().into()))?;
        let target = match serde.target(&WORDS, topic, &subject, text).await? {
            RegistryTarget::Own(id) => Target {
                id,
                plan: known.plan.clone(),
                until: None,
            },
            RegistryTarget::Other(found) => Target {
                id: found.id,
                until: found.until,
                plan: self.plan_for(serde, topic, (found, text), schema).await?,
            },
        };
        let mut topics = known.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= MAX_TOPICS {
            topics.clear();
        }
        topics.insert(topic.into(), Arc::new(target));
        Ok(())
    }

    /// How values are written by a schema that is not their own.
    async fn plan_for(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        (found, own): (Found, &RegisteredText),
        schema: Option<&SchemaRef>,
    ) -> Result<Arc<WritePlan>> {
        const QUESTION: &str = "Error serializing Avro message";
        let fail = |cause: ConnectError| {
            WORDS.write_failed(topic, serialization(QUESTION).caused_by(cause))
        };
        let avro = parse(&serde.registry, &found.schema).await;
        let avro = avro.map_err(|error| match error {
            ParseError::Reference(ReferenceError::Registry(error)) => {
                WORDS.write_refused(topic, QUESTION.to_owned(), error)
            }
            ParseError::Reference(error) => fail(ConnectError::data(error.to_string())),
            ParseError::Schema(error) => fail(error),
        })?;
        if serde.strict {
            let own = Parser::default().parse(&own.text);
            let own = own.map_err(|error| fail(error.into()))?;
            if let Some(reason) = avro.cannot_read(&own) {
                return Err(fail(incompatible(
                    &found,
                    &own,
                    serde.strict_key(),
                    &reason,
                )));
            }
        }
        let plan = WritePlan::new(&avro, schema, self.options).map_err(|error| {
            let message = format!("the record does not fit the schema with id {}", found.id);
            fail(ConnectError::data(message).caused_by(error))
        })?;
        Ok(Arc::new(plan))
    }
}

/// The latest schema cannot read what the record's own describes.
fn incompatible(found: &Found, own: &AvroSchema, key: &str, reason: &str) -> ConnectError {
    let references: Vec<_> = found.schema.references.iter().map(|r| &*r.name).collect();
    ConnectError::data(format!(
        "Incompatible schema '{}' with refs '[{}]' of type 'AVRO' for schema '{}'. Set {key}=false \
         to disable this check: {reason}",
        found.schema.text,
        references.join(", "),
        own.to_text().unwrap_or_default(),
    ))
    .with_class("java.io.IOException")
}
