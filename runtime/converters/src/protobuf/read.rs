//! Records that are read: the schemas of their ids, and how values are decoded.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::config::{Options, ProtobufConverterConfig};
use super::decode::ReadPlan;
use super::descriptor::Descriptors;
use super::indexes::read_indexes;
use super::proto::{ProtoError, ProtoFile};
use super::to_connect::to_connect;
use super::wire::{Input, WireError};
use crate::registry::{
    CachedRegistry, FRAME, ReferenceError, RegisteredText, SchemaKind, SerdeConfig, schema_id,
    serialization,
};

/// Reads records of the schemas that are known.
pub(super) struct ProtobufReader {
    options: Options,
    capacity: usize,
    known: RwLock<HashMap<i32, Vec<Known>>>,
}

/// What is known of an id in a topic.
struct Known {
    topic: Box<str>,
    /// The indexes of the message as records have them. No such list begins
    /// another one.
    indexes: Box<[u8]>,
    reading: Arc<Reading>,
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
            capacity: config.cache_size.max(1),
            known: RwLock::new(HashMap::new()),
        }
    }

    /// Reads a record.
    pub(super) fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let Some(reading) = self.known(topic, id, bytes) else {
            return Ok(Decoded::Unprepared);
        };
        let value = reading.plan.read(&Input::new(bytes, reading.data));
        let value = value.map_err(|cause| match cause {
            // The reference converts what it has read.
            WireError::Value { class, message } => ConnectError::data(message).with_class(class),
            cause => refused(topic, id, cause),
        })?;
        Ok(Decoded::Data(SchemaAndValue {
            schema: Some(reading.schema.clone()),
            value,
        }))
    }

    fn known(&self, topic: &str, id: i32, bytes: &Bytes) -> Option<Arc<Reading>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let rest = bytes.get(FRAME..)?;
        let found = known
            .get(&id)?
            .iter()
            .find(|known| *known.topic == *topic && rest.starts_with(&known.indexes))?;
        Some(found.reading.clone())
    }

    /// Asks for the schema of a record and works out how it is read.
    pub(super) async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        bytes: &Bytes,
    ) -> Result<()> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let mut input = Input::new(bytes, FRAME);
        let indexes = read_indexes(&mut input).map_err(|cause| refused(topic, id, cause))?;
        let data = input.position();
        let (schema, plan) = self.reading(serde, topic, id, &indexes).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.values().map(Vec::len).sum::<usize>() >= self.capacity {
            known.clear();
        }
        let raw: Box<[u8]> = bytes.get(FRAME..data).unwrap_or_default().into();
        let of_id = known.entry(id).or_default();
        of_id.retain(|known| *known.topic != *topic || known.indexes != raw);
        of_id.push(Known {
            topic: topic.into(),
            indexes: raw,
            reading: Arc::new(Reading { schema, plan, data }),
        });
        Ok(())
    }

    async fn reading(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        id: i32,
        indexes: &[i32],
    ) -> Result<(SchemaRef, ReadPlan)> {
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
        let parsed = parsed.map_err(|error| error.of_record(topic, id, &question))?;
        let Some(name) = parsed.file.name_at(indexes) else {
            let cause = ConnectError::data(format!("Invalid message indexes: {indexes:?}"));
            return Err(refused(topic, id, cause));
        };
        let subject = naming
            .subject(topic, Some(&name))
            .map_err(|cause| WORDS.read_failed(topic, cause))?;
        let found = serde.read_as(&subject).await.map_err(ask_failed)?;
        let (parsed, name, version) = match found {
            None => {
                let version = registry.version(&subject, id, &text).await;
                (parsed, name, version)
            }
            Some(found) => {
                let version = registry.version(&subject, found.id, &found.schema).await;
                let parsed = parse(registry, &found.schema).await;
                let parsed = parsed.map_err(|error| error.of_record(topic, id, &question))?;
                (parsed, name, version)
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
        Ok((schema, plan))
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

/// A schema and those that it imports.
pub(super) struct Parsed {
    pub(super) file: ProtoFile,
    pub(super) imports: HashMap<String, ProtoFile>,
}

/// Why a schema could not be read.
pub(super) enum ParseError {
    /// Another one that it imports is not known.
    Reference(ReferenceError),
    /// It is no Protobuf schema.
    Schema(ConnectError),
}

impl ParseError {
    fn of_record(self, topic: &str, id: i32, question: &str) -> ConnectError {
        match self {
            Self::Reference(error) => WORDS.unreferred(topic, question.to_owned(), error),
            Self::Schema(error) => refused(topic, id, error),
        }
    }
}

impl From<ProtoError> for ParseError {
    fn from(error: ProtoError) -> Self {
        Self::Schema(error.into())
    }
}

/// Reads a schema and those that it imports.
pub(super) async fn parse(
    registry: &CachedRegistry,
    text: &RegisteredText,
) -> Result<Parsed, ParseError> {
    if text.kind != SchemaKind::Protobuf {
        return Err(ParseError::Schema(ConnectError::data(
            "the schema is not a Protobuf one; use the converter of its kind",
        )));
    }
    let mut imports = HashMap::new();
    let referred = registry.referred(text).await;
    for referred in referred.map_err(ParseError::Reference)? {
        imports.insert(referred.name, ProtoFile::parse(&referred.schema.text)?);
    }
    Ok(Parsed {
        file: ProtoFile::parse(&text.text)?,
        imports,
    })
}
