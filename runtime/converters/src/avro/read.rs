//! Records that are read: the schemas of their ids, and how values are decoded.

use std::time::Instant;

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
    CachedRegistry, FRAME, Readings, RegisteredText, RegistryReader, SchemaFailure, SchemaKind,
    SerdeConfig, schema_id, serialization,
};

/// Reads records of the schemas that are known.
pub(super) struct AvroReader {
    options: Options,
    unions: UnionNumbers,
    readings: Readings<Reading>,
}

/// How records of an id are read.
struct Reading {
    schema: Option<SchemaRef>,
    plan: ReadPlan,
    /// Whether the data is bytes on their own.
    raw: bool,
}

impl RegistryReader for AvroReader {
    fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let read = |reading: &Reading| {
            let value = reading.read(bytes).map_err(|cause| {
                let message = format!("Error deserializing Avro message for id {id}");
                WORDS.read_failed(topic, serialization(message).caused_by(cause))
            })?;
            Ok(Decoded::Data(SchemaAndValue {
                schema: reading.schema.clone(),
                value,
            }))
        };
        let known = self.readings.with(topic, id, bytes, read);
        known.unwrap_or(Ok(Decoded::Unprepared))
    }

    async fn prepare(&self, serde: &SerdeConfig, topic: &str, bytes: &Bytes) -> Result<()> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let (reading, until) = self.reading(serde, topic, id).await?;
        self.readings.insert(topic, id, &[], reading, until);
        Ok(())
    }
}

impl AvroReader {
    pub(super) fn new(config: &AvroConverterConfig) -> Self {
        Self {
            options: config.options,
            unions: UnionNumbers::default(),
            readings: Readings::new(config.data.cache_size),
        }
    }

    /// How records of an id are read, and when to ask again, if ever.
    async fn reading(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        id: i32,
    ) -> Result<(Reading, Option<Instant>)> {
        let SerdeConfig {
            registry, naming, ..
        } = serde;
        let question = format!("Error retrieving Avro {} schema", naming.part());
        let of_id = format!("{question} for id {id}");
        // Strategies that name subjects by record need the schema first.
        let subject = naming.subject(topic, None).ok();
        let text = registry.by_id(subject.as_deref(), id).await;
        let text = text.map_err(|error| WORDS.read_refused(topic, of_id.clone(), error))?;
        let avro = parse(registry, &text).await;
        let avro = avro.map_err(|failure| unreadable(topic, of_id, failure))?;
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
                let latest = latest.map_err(|failure| unreadable(topic, question, failure))?;
                return Ok((self.reading_as(&avro, &latest, version)?, found.until));
            }
        }
        let schema = to_connect(&avro, Some(version), self.options, &self.unions)?;
        let reading = Reading {
            plan: ReadPlan::new(&avro, schema.as_ref(), self.options)?,
            raw: matches!(avro.kind(avro.root()), Kind::Bytes),
            schema,
        };
        Ok((reading, None))
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

/// A record cannot be read because of a schema.
fn unreadable(topic: &str, question: String, failure: SchemaFailure) -> ConnectError {
    match failure {
        SchemaFailure::Reference(error) => WORDS.unreferred(topic, question, error),
        SchemaFailure::Foreign(error) | SchemaFailure::Invalid(error) => {
            WORDS.read_failed(topic, error)
        }
    }
}

/// Reads a schema after those that it refers to.
pub(super) async fn parse(
    registry: &CachedRegistry,
    text: &RegisteredText,
) -> Result<AvroSchema, SchemaFailure> {
    let mut parser = Parser::default();
    let invalid = |error: SchemaError| SchemaFailure::Invalid(error.into());
    for referred in registry.referred_in(SchemaKind::Avro, text).await? {
        parser.add(&referred.schema.text).map_err(invalid)?;
    }
    parser.parse(&text.text).map_err(invalid)
}
