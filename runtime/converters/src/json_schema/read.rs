//! Records that are read: the schemas of their ids, and how values are read.

use std::time::Instant;

use tether_api::converter::Decoded;
use tether_api::data::{Bytes, SchemaAndValue, Text, Value};
use tether_api::{ConnectError, Result};

use super::config::{JsonSchemaConverterConfig, Options};
use super::schema::Document;
use super::to_connect::to_connect;
use super::validate::Validator;
use super::{WORDS, parse};
use crate::json::{Cursor, Dialect, Plan, Reader};
use crate::registry::{
    FRAME, Readings, RegisteredText, RegistryReader, SchemaFailure, SerdeConfig, schema_id,
    serialization,
};

/// Reads records of the schemas that are known.
pub(super) struct JsonSchemaReader {
    options: Options,
    validate: bool,
    readings: Readings<Reading>,
}

/// How records of an id are read.
struct Reading {
    plan: Plan,
    /// What values must be.
    validator: Option<Validator>,
}

impl JsonSchemaReader {
    pub(super) fn new(config: &JsonSchemaConverterConfig) -> Self {
        Self {
            options: config.options,
            validate: config.validate,
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
        let question = format!("Error retrieving JSON schema for id {id}");
        let refused = |error| WORDS.read_refused(topic, question.clone(), error);
        // Strategies that name subjects by record need the schema first.
        let subject = naming.subject(topic, None).ok();
        let text = registry.by_id(subject.as_deref(), id).await;
        let text = text.map_err(refused)?;
        let document = self.parse(serde, topic, id, &text).await?;
        let title = document.node(document.root()).title.as_deref();
        let subject = naming
            .subject(topic, title)
            .map_err(|cause| WORDS.read_failed(topic, cause))?;
        let (document, id, text, until) = match serde.read_as(&subject).await.map_err(refused)? {
            None => (document, id, text, None),
            Some(found) => {
                let document = self.parse(serde, topic, found.id, &found.schema).await?;
                (document, found.id, found.schema, found.until)
            }
        };
        let version = registry.version(&subject, id, &text).await;
        let version = version.map_err(refused)?;
        let schema = to_connect(&document, Some(version), self.options)?;
        let validator = self.validate.then(|| Validator::new(document)).transpose();
        let reading = Reading {
            plan: Plan::of(&schema, Dialect::Registry),
            validator: validator.map_err(|error| WORDS.read_failed(topic, error))?,
        };
        Ok((reading, until))
    }

    async fn parse(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        id: i32,
        text: &RegisteredText,
    ) -> Result<Document> {
        let document = parse(&serde.registry, text, self.options).await;
        document.map_err(|failure| match failure {
            SchemaFailure::Reference(error) => {
                let question = format!("Error retrieving JSON schema for id {id}");
                WORDS.unreferred(topic, question, error)
            }
            SchemaFailure::Foreign(error) => {
                let message = format!("Error deserializing JSON message for id {id}");
                WORDS.read_failed(topic, serialization(message).caused_by(error))
            }
            SchemaFailure::Invalid(error) => error,
        })
    }
}

impl RegistryReader for JsonSchemaReader {
    fn read(&self, topic: &str, bytes: &Bytes) -> Result<Decoded> {
        let id = schema_id(bytes).map_err(|cause| WORDS.read_failed(topic, cause))?;
        let failed = |cause: ConnectError| {
            let message = format!("Error deserializing JSON message for id {id}");
            WORDS.read_failed(topic, serialization(message).caused_by(cause))
        };
        let read = |reading: &Reading| {
            let text = text(bytes).map_err(failed)?;
            if let Some(validator) = &reading.validator {
                validator.validate_text(text.as_bytes()).map_err(failed)?;
            }
            let value = reading
                .read(&text, self.options)
                .map_err(|error| match error {
                    ReadError::Text(cause) => failed(cause),
                    ReadError::Value(error) => error,
                })?;
            Ok(Decoded::Data(SchemaAndValue {
                schema: Some(reading.plan.schema.clone()),
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

/// Why a record could not be read.
enum ReadError {
    /// It is no JSON.
    Text(ConnectError),
    /// It does not fit the schema.
    Value(ConnectError),
}

impl Reading {
    fn read(&self, text: &Text, options: Options) -> Result<Value, ReadError> {
        if Cursor::new(text).at_end() {
            return Err(ReadError::Text(ConnectError::data(
                "there is no JSON after the schema id",
            )));
        }
        let mut reader = Reader::new(text, Cursor::new(text), options.reading);
        reader
            .value(Some(&self.plan))
            .map_err(|error| match Cursor::new(text).skip() {
                // That it is no JSON comes before anything else.
                Err(syntax) => ReadError::Text(ConnectError::data(syntax.to_string())),
                Ok(_) => ReadError::Value(error),
            })
    }
}

/// The text of a record, shared with it.
fn text(bytes: &Bytes) -> Result<Text> {
    Text::try_from(bytes.slice(FRAME..)).map_err(|error| {
        ConnectError::data(format!("Invalid UTF-8 at byte {}", error.valid_up_to()))
    })
}
