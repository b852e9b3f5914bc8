//! Records to be written: their schemas, registered, and how values are
//! encoded.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::Failure;
use super::config::{AvroConverterConfig, Options, WriteWith};
use super::encode::WritePlan;
use super::from_connect::from_connect;
use super::schema::{Parser, SchemaError};
use crate::registry::{CachedRegistry, RegisteredText, SchemaKind, SubjectNaming};

/// The most topics whose schemas are known at the same time.
const MAX_TOPICS: usize = 10_000;

/// Writes records with the schemas that are known.
pub(super) struct AvroWriter {
    options: Options,
    write_with: WriteWith,
    normalize: bool,
    naming: SubjectNaming,
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
            topics: RwLock::new(HashMap::new()),
        }))
    }

    fn target(&self, topic: &str) -> Option<Arc<Target>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.get(topic).cloned()
    }
}

impl AvroWriter {
    pub(super) fn new(config: &AvroConverterConfig) -> Self {
        Self {
            options: config.options,
            write_with: config.write_with,
            normalize: config.normalize,
            naming: config.naming,
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
        out.push(0);
        out.extend_from_slice(&target.id.to_be_bytes());
        target.plan.write(value, out)?;
        Ok(Encoded::Written)
    }

    /// Registers the schema for a topic, or finds the one to write with.
    pub(super) async fn prepare(
        &self,
        registry: &CachedRegistry,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let known = self.known(schema)?;
        let subject = self.naming.subject(topic, known.record.as_deref());
        let subject = subject.map_err(|error| failed(topic).caused_by(error))?;
        let text = known.text.as_ref();
        let text =
            text.map_err(|error| failed(topic).caused_by(ConnectError::from(error.clone())))?;
        let target = match self.write_with {
            WriteWith::Registering | WriteWith::Registered => Target {
                id: self.id(registry, topic, &subject, text).await?,
                plan: known.plan.clone(),
            },
            WriteWith::Id(_) | WriteWith::Latest => {
                let (id, found) = self.foreign(registry, topic, &subject, text).await?;
                Target {
                    plan: self.plan_for(topic, id, &found, schema)?,
                    id,
                }
            }
        };
        let mut topics = known.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= MAX_TOPICS {
            topics.clear();
        }
        topics.insert(topic.into(), Arc::new(target));
        Ok(())
    }

    /// The id of the schema itself.
    async fn id(
        &self,
        registry: &CachedRegistry,
        topic: &str,
        subject: &str,
        text: &RegisteredText,
    ) -> Result<i32> {
        let (id, question) = match self.write_with {
            WriteWith::Registering => (
                registry.register(subject, text, self.normalize).await,
                "Error registering Avro schema",
            ),
            _ => (
                registry.id(subject, text, self.normalize).await,
                "Error retrieving Avro schema",
            ),
        };
        id.map_err(|error| failure(topic, subject, text, question).error(error))
    }

    /// The schema to write with in its place, with its id.
    async fn foreign(
        &self,
        registry: &CachedRegistry,
        topic: &str,
        subject: &str,
        text: &RegisteredText,
    ) -> Result<(i32, RegisteredText)> {
        let (found, question) = match self.write_with {
            WriteWith::Id(id) => (
                registry
                    .by_id(Some(subject), id)
                    .await
                    .map(|text| (id, text)),
                "Error retrieving schema ID",
            ),
            _ => (
                registry
                    .latest(subject)
                    .await
                    .map(|found| (found.id, found.schema)),
                "Error retrieving latest version of Avro schema",
            ),
        };
        found.map_err(|error| failure(topic, subject, text, question).error(error))
    }

    /// How values are written by a schema that is not their own.
    fn plan_for(
        &self,
        topic: &str,
        id: i32,
        text: &RegisteredText,
        schema: Option<&SchemaRef>,
    ) -> Result<Arc<WritePlan>> {
        let fail = |error: ConnectError| failed(topic).caused_by(error);
        let avro = Parser::default().parse(&text.text);
        let avro = avro.map_err(|error| fail(error.into()))?;
        let plan = WritePlan::new(&avro, schema, self.options).map_err(|error| {
            fail(
                ConnectError::data(format!(
                    "Incompatible schema of type 'AVRO': the record does not fit the schema with \
                     id {id}"
                ))
                .caused_by(error),
            )
        })?;
        Ok(Arc::new(plan))
    }
}

fn failure(topic: &str, subject: &str, text: &RegisteredText, question: &str) -> Failure {
    Failure {
        access: format!("Failed to access Avro data from topic {topic}"),
        message: failed(topic).message().to_owned(),
        question: format!("{question}{} under subject {subject}", text.text),
    }
}

fn failed(topic: &str) -> ConnectError {
    ConnectError::data(format!(
        "Failed to serialize Avro data from topic {topic} :"
    ))
}
