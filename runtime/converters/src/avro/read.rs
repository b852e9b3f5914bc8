//! Records that are read: the schemas of their ids, and how values are decoded.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::Failure;
use super::binary::Input;
use super::config::{AvroConverterConfig, Options};
use super::decode::ReadPlan;
use super::schema::{AvroSchema, Kind, Parser};
use super::to_connect::to_connect;
use crate::registry::{
    CachedRegistry, RegisteredText, RegistryError, SchemaKind, SchemaReference, SubjectNaming,
};

/// What stands before the data: a zero and the id.
const HEADER: usize = 5;
/// The most schemas that one refers to, directly or not.
const MAX_REFERENCES: usize = 1000;

/// Reads records of the schemas that are known.
pub(super) struct AvroReader {
    options: Options,
    naming: SubjectNaming,
    capacity: usize,
    known: RwLock<HashMap<i32, Vec<Known>>>,
}

/// What is known of an id in a topic.
struct Known {
    topic: Box<str>,
    reading: Arc<Reading>,
}

/// How records of an id are read.
struct Reading {
    schema: Option<SchemaRef>,
    plan: ReadPlan,
    /// Whether the data is bytes on their own.
    raw: bool,
}

impl AvroReader {
    pub(super) fn new(config: &AvroConverterConfig) -> Self {
        Self {
            options: config.options,
            naming: config.naming,
            capacity: config.cache_size.max(1),
            known: RwLock::new(HashMap::new()),
        }
    }

    /// Reads a record.
    pub(super) fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded> {
        let id = id(bytes).map_err(|cause| failed(topic).caused_by(cause))?;
        let Some(reading) = self.known(topic, id) else {
            return Ok(Decoded::Unprepared);
        };
        let value = reading.read(bytes).map_err(|cause| {
            failed(topic).caused_by(
                serialization(format!("Error deserializing Avro message for id {id}"))
                    .caused_by(cause),
            )
        })?;
        Ok(Decoded::Data(SchemaAndValue {
            schema: reading.schema.clone(),
            value,
        }))
    }

    fn known(&self, topic: &str, id: i32) -> Option<Arc<Reading>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let topics = known.get(&id)?;
        let found = topics.iter().find(|known| *known.topic == *topic)?;
        Some(found.reading.clone())
    }

    /// Asks for the schema of a record and works out how it is read.
    pub(super) async fn prepare(
        &self,
        registry: &CachedRegistry,
        topic: &str,
        bytes: &Bytes,
    ) -> Result<()> {
        let id = id(bytes).map_err(|cause| failed(topic).caused_by(cause))?;
        let reading = Arc::new(self.reading(registry, topic, id).await?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.values().map(Vec::len).sum::<usize>() >= self.capacity {
            known.clear();
        }
        let topics = known.entry(id).or_default();
        topics.retain(|known| *known.topic != *topic);
        topics.push(Known {
            topic: topic.into(),
            reading,
        });
        Ok(())
    }

    async fn reading(&self, registry: &CachedRegistry, topic: &str, id: i32) -> Result<Reading> {
        let part = self.naming.part();
        let fail = |question: String| {
            let failure = Failure {
                access: format!("Failed to access Avro data from topic {topic}"),
                message: failed(topic).message().to_owned(),
                question,
            };
            |error: RegistryError| failure.error(error)
        };
        // Strategies that name subjects by record need the schema first.
        let subject = self.naming.subject(topic, None).ok();
        let found = registry.by_id(subject.as_deref(), id).await;
        let text = found.map_err(fail(format!(
            "Error retrieving Avro {part} schema for id {id}"
        )))?;
        let avro = parse(registry, &text).await.map_err(|error| match error {
            Parse::Registry(error) => {
                fail(format!("Error retrieving Avro {part} schema for id {id}"))(error)
            }
            Parse::Schema(error) => failed(topic).caused_by(error),
        })?;
        let subject = self
            .naming
            .subject(topic, avro.record_name().as_deref())
            .map_err(|cause| failed(topic).caused_by(cause))?;
        let version = registry.version(&subject, id, &text).await;
        let version = version.map_err(fail(format!(
            "Error retrieving Avro {part} schema version for id {id} under subject {subject}"
        )))?;
        let schema = to_connect(&avro, Some(version), self.options)?;
        Ok(Reading {
            plan: ReadPlan::new(&avro, schema.as_ref(), self.options)?,
            raw: matches!(avro.kind(avro.root()), Kind::Bytes),
            schema,
        })
    }
}

impl Reading {
    fn read(&self, bytes: &Bytes) -> Result<Value, super::binary::DecodeError> {
        if self.raw {
            return self.plan.read_raw(&bytes.slice(HEADER..));
        }
        self.plan.read(&mut Input::new(bytes, HEADER))
    }
}

/// The id of the schema of a record.
fn id(bytes: &Bytes) -> Result<i32> {
    match bytes.first_chunk::<HEADER>() {
        Some([0, id @ ..]) => Ok(i32::from_be_bytes(*id)),
        _ if bytes.first().is_some_and(|magic| *magic != 0) => {
            Err(serialization("Unknown magic byte!"))
        }
        _ => Err(serialization(format!(
            "the record has {} bytes and so no schema id; it was not written by an Avro converter",
            bytes.len()
        ))),
    }
}

fn failed(topic: &str) -> ConnectError {
    // The space at the end is the reference's.
    ConnectError::data(format!(
        "Failed to deserialize data for topic {topic} to Avro: "
    ))
}

fn serialization(message: impl Into<String>) -> ConnectError {
    ConnectError::data(message).with_class("org.apache.kafka.common.errors.SerializationException")
}

/// Why a schema could not be read.
enum Parse {
    Registry(RegistryError),
    Schema(ConnectError),
}

/// Reads a schema after those that it refers to.
async fn parse(registry: &CachedRegistry, text: &RegisteredText) -> Result<AvroSchema, Parse> {
    if text.kind != SchemaKind::Avro {
        return Err(Parse::Schema(ConnectError::data(
            "the schema is not an Avro one; use the converter of its kind",
        )));
    }
    let schema_error = |error: super::schema::SchemaError| Parse::Schema(error.into());
    let mut parser = Parser::default();
    for referred in referred(registry, text).await? {
        parser.add(&referred.text).map_err(schema_error)?;
    }
    parser.parse(&text.text).map_err(schema_error)
}

/// The schemas that one refers to, each after those that it refers to itself.
async fn referred(
    registry: &CachedRegistry,
    text: &RegisteredText,
) -> Result<Vec<RegisteredText>, Parse> {
    enum Step {
        Ask(SchemaReference),
        Add(RegisteredText),
    }
    let ask = |text: &RegisteredText| {
        let references = text.references.iter().rev().cloned();
        references.map(Step::Ask).collect::<Vec<_>>()
    };
    let mut ordered = Vec::new();
    let mut seen = HashSet::new();
    let mut steps = ask(text);
    while let Some(step) = steps.pop() {
        match step {
            Step::Add(text) => ordered.push(text),
            Step::Ask(reference) => {
                if !seen.insert((reference.subject.clone(), reference.version)) {
                    continue;
                }
                if seen.len() > MAX_REFERENCES {
                    return Err(Parse::Schema(ConnectError::data(format!(
                        "the schema refers to more than {MAX_REFERENCES} others"
                    ))));
                }
                let found = registry.by_version(&reference.subject, reference.version);
                let found = found.await.map_err(Parse::Registry)?;
                let next = ask(&found);
                steps.push(Step::Add(found));
                steps.extend(next);
            }
        }
    }
    Ok(ordered)
}
