//! Records that are read: the schemas of their ids, and how values are decoded.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use foldhash::HashMap;
use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::binary::Input;
use super::config::{AvroConverterConfig, Options};
use super::decode::ReadPlan;
use super::schema::{AvroSchema, Kind, Parser, SchemaError};
use super::to_connect::{UnionNumbers, to_connect};
use crate::registry::{
    CachedRegistry, FRAME, ReferenceError, RegisteredText, SchemaKind, SerdeConfig, schema_id,
    serialization,
};

/// Reads records of the schemas that are known.
pub(super) struct AvroReader {
    options: Options,
    unions: UnionNumbers,
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
    /// When to ask again, if ever.
    until: Option<Instant>,
}

impl AvroReader {
    pub(super) fn new(config: &AvroConverterConfig) -> Self {
        Self {
            options: config.options,
            unions: UnionNumbers::default(),
            capacity: config.cache_size.max(1),
            known: RwLock::default(),
        }
    }

    /// Reads a record.
    pub(super) fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let Some(reading) = self.known(topic, id) else {
            return Ok(Decoded::Unprepared);
        };
        let value = reading.read(bytes).map_err(|cause| {
            let message = format!("Error deserializing Avro message for id {id}");
            WORDS.read_failed(topic, serialization(message).caused_by(cause))
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
        match found.reading.until {
            Some(until) if until <= Instant::now() => None,
            _ => Some(found.reading.clone()),
        }
    }

    /// Asks for the schema of a record and works out how it is read.
    pub(super) async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        bytes: &Bytes,
    ) -> Result<()> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let reading = Arc::new(self.reading(serde, topic, id).await?);
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

    async fn reading(&self, serde: &SerdeConfig, topic: &str, id: i32) -> Result<Reading> {
        let SerdeConfig {
            registry, naming, ..
        } = serde;
        let question = format!("Error retrieving Avro {} schema", naming.part());
        let of_id = format!("{question} for id {id}");
        // Strategies that name subjects by record need the schema first.
        let subject = naming.subject(topic, None).ok();
        let text = registry.by_id(subject.as_deref(), id).await;
        let text = text.map_err(|error| WORDS.read_refused(topic, of_id.clone(), error))?;
        let avro = parse(registry, &text).await.map_err(|error| match error {
            ParseError::Reference(error) => WORDS.unreferred(topic, of_id, error),
            ParseError::Schema(error) => WORDS.read_failed(topic, error),
        })?;
        let subject = naming
            .subject(topic, avro.record_name().as_deref())
            .map_err(|cause| WORDS.read_failed(topic, cause))?;
        let version = registry.version(&subject, id, &text).await;
        let version = version.map_err(|error| {
            let question = format!("{question} version for id {id} under subject {subject}");
            WORDS.read_refused(topic, question, error)
        })?;
        if matches!(avro.kind(avro.root()), Kind::Record(_)) {
            let latest = serde.read_as(&subject).await;
            let question = format!("Error deserializing Avro message for id {id}");
            let latest =
                latest.map_err(|error| WORDS.read_refused(topic, question.clone(), error))?;
            if let Some(found) = latest {
                let latest = parse(registry, &found.schema).await;
                let latest = latest.map_err(|error| match error {
                    ParseError::Reference(error) => WORDS.unreferred(topic, question, error),
                    ParseError::Schema(error) => WORDS.read_failed(topic, error),
                })?;
                let mut reading = self.reading_as(&avro, &latest, version)?;
                reading.until = found.until;
                return Ok(reading);
            }
        }
        let schema = to_connect(&avro, Some(version), self.options, &self.unions)?;
        Ok(Reading {
            plan: ReadPlan::new(&avro, schema.as_ref(), self.options)?,
            raw: matches!(avro.kind(avro.root()), Kind::Bytes),
            schema,
            until: None,
        })
    }

    /// How data of a schema is read as that of another. The version is the one
    /// it was written with.
    fn reading_as(
        &self,
        written: &AvroSchema,
        wanted: &AvroSchema,
        version: i32,
    ) -> Result<Reading> {
        let schema = to_connect(wanted, Some(version), self.options, &self.unions)?;
        Ok(Reading {
            plan: match &schema {
                Some(schema) => ReadPlan::resolved(written, wanted, schema, self.options)?,
                None => ReadPlan::new(written, None, self.options)?,
            },
            schema,
            raw: false,
            until: None,
        })
    }
}

impl Reading {
    fn read(&self, bytes: &Bytes) -> Result<Value, super::binary::DecodeError> {
        if self.raw {
            return self.plan.read_raw(&bytes.slice(FRAME..));
        }
        self.plan.read(&mut Input::new(bytes, FRAME))
    }
}

/// Why a schema could not be read.
pub(super) enum ParseError {
    /// Another one that it refers to is not known.
    Reference(ReferenceError),
    /// It is no Avro schema.
    Schema(ConnectError),
}

impl From<SchemaError> for ParseError {
    fn from(error: SchemaError) -> Self {
        Self::Schema(error.into())
    }
}

/// Reads a schema after those that it refers to.
pub(super) async fn parse(
    registry: &CachedRegistry,
    text: &RegisteredText,
) -> Result<AvroSchema, ParseError> {
    if text.kind != SchemaKind::Avro {
        return Err(ParseError::Schema(ConnectError::data(
            "the schema is not an Avro one; use the converter of its kind",
        )));
    }
    let referred = registry.referred(text).await;
    let mut parser = Parser::default();
    for referred in referred.map_err(ParseError::Reference)? {
        parser.add(&referred.schema.text)?;
    }
    Ok(parser.parse(&text.text)?)
}
