//! Records that are read: the schemas of their ids, and how values are decoded.

use std::collections::HashMap;
use std::time::Instant;

use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::config::{Options, ProtobufConverterConfig};
use super::decode::ReadPlan;
use super::descriptor::Descriptors;
use super::indexes::read_indexes;
use super::proto::ProtoFile;
use super::to_connect::to_connect;
use super::wire::{Input, WireError};
use crate::registry::{
    CachedRegistry, FRAME, Readings, RegisteredText, RegistryReader, SchemaFailure, SchemaKind,
    SerdeConfig, schema_id, serialization,
};

/// Reads records of the schemas that are known.
pub(super) struct ProtobufReader {
    options: Options,
    readings: Readings<Reading>,
}

/// How records of a message are read.
struct Reading {
    schema: SchemaRef,
    plan: ReadPlan,
    /// Where its data begins.
    data: usize,
}

impl ProtobufReader {
    pub(super) fn new(config: &ProtobufConverterConfig) -> Self {
        Self {
            options: config.options,
            readings: Readings::new(config.data.cache_size),
        }
    }

    /// How records of a message are read, and when to ask again, if ever.
    async fn reading(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        id: i32,
        indexes: &[i32],
    ) -> Result<(SchemaRef, ReadPlan, Option<Instant>)> {
        let SerdeConfig {
            registry, naming, ..
        } = serde;
        let question = format!("Error retrieving Protobuf schema for id {id}");
        let ask_failed = |error| WORDS.read_refused(topic, question.clone(), error);
        // Strategies that name subjects by record need the schema first.
        let subject = naming.subject(topic, None).ok();
        let text = registry.by_id(subject.as_deref(), id).await;
        let text = text.map_err(ask_failed)?;
        let parsed = parse(registry, &text).await;
        let parsed = parsed.map_err(|failure| unreadable(topic, id, &question, failure))?;
        let Some(name) = parsed.file.name_at(indexes) else {
            let cause = ConnectError::data(format!("Invalid message indexes: {indexes:?}"));
            return Err(refused(topic, id, cause));
        };
        let subject = naming
            .subject(topic, Some(&name))
            .map_err(|cause| WORDS.read_failed(topic, cause))?;
        let found = serde.read_as(&subject).await.map_err(ask_failed)?;
        let (parsed, version, until) = match found {
            None => (parsed, registry.version(&subject, id, &text).await, None),
            Some(found) => {
                let version = registry.version(&subject, found.id, &found.schema).await;
                let parsed = parse(registry, &found.schema).await;
                let parsed = parsed.map_err(|failure| unreadable(topic, id, &question, failure))?;
                (parsed, version, found.until)
            }
        };
        let version = version.map_err(ask_failed)?;
        let descriptors = Descriptors::new(&parsed.file, &parsed.imports)
            .map_err(|error| refused(topic, id, ConnectError::from(error)))?;
        let Some(message) = descriptors.message(&name) else {
            let cause = ConnectError::data(format!("Could not find descriptor with name {name}"));
            return Err(refused(topic, id, cause));
        };
        let schema = to_connect(&descriptors, message, Some(version), self.options)?;
        let plan = ReadPlan::new(&descriptors, message, &schema, self.options)?;
        Ok((schema, plan, until))
    }
}

impl RegistryReader for ProtobufReader {
    fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let read = |reading: &Reading| {
            let value = reading.plan.read(&Input::new(bytes, reading.data));
            let value = value.map_err(|cause| match cause {
                // The reference converts what it has read.
                WireError::Value { class, message } => {
                    ConnectError::data(message).with_class(class)
                }
                cause => refused(topic, id, cause),
            })?;
            Ok(Decoded::Data(SchemaAndValue {
                schema: Some(reading.schema.clone()),
                value,
            }))
        };
        let known = self.readings.with(topic, id, bytes, read);
        known.unwrap_or(Ok(Decoded::Unprepared))
    }

    async fn prepare(&self, serde: &SerdeConfig, topic: &str, bytes: &Bytes) -> Result<()> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let mut input = Input::new(bytes, FRAME);
        let indexes = read_indexes(&mut input).map_err(|cause| refused(topic, id, cause))?;
        let data = input.position();
        let (schema, plan, until) = self.reading(serde, topic, id, &indexes).await?;
        // No list of indexes begins another one.
        let head = bytes.get(FRAME..data).unwrap_or_default();
        let reading = Reading { schema, plan, data };
        self.readings.insert(topic, id, head, reading, until);
        Ok(())
    }
}

/// The data of a record is not what its schema says.
fn refused(
    topic: &str,
    id: i32,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ConnectError {
    let message = format!("Error deserializing Protobuf message for id {id}");
    WORDS.read_failed(topic, serialization(message).caused_by(cause))
}

fn unreadable(topic: &str, id: i32, question: &str, failure: SchemaFailure) -> ConnectError {
    match failure {
        SchemaFailure::Reference(error) => WORDS.unreferred(topic, question.to_owned(), error),
        SchemaFailure::Foreign(error) | SchemaFailure::Invalid(error) => refused(topic, id, error),
    }
}

/// A schema and those that it imports.
pub(super) struct Parsed {
    pub(super) file: ProtoFile,
    pub(super) imports: HashMap<String, ProtoFile>,
}

/// Reads a schema and those that it imports.
pub(super) async fn parse(
    registry: &CachedRegistry,
    text: &RegisteredText,
) -> Result<Parsed, SchemaFailure> {
    let file =
        |text: &str| ProtoFile::parse(text).map_err(|error| SchemaFailure::Invalid(error.into()));
    let mut imports = HashMap::new();
    for referred in registry.referred_in(SchemaKind::Protobuf, text).await? {
        imports.insert(referred.name, file(&referred.schema.text)?);
    }
    Ok(Parsed {
        file: file(&text.text)?,
        imports,
    })
}
