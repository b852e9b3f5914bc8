//! Records to be written: their schemas, registered, and how values are
//! written.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Text, Value};
use tether_api::{ConnectError, Result};

use super::config::{JsonSchemaConverterConfig, Options};
use super::from_connect::from_connect;
use super::indent::indent;
use super::validate::Validator;
use super::{ParseError, WORDS, parse, schema};
use crate::json::{Dialect, Plan, Tree, Writer};
use crate::registry::{
    Found, ReferenceError, RegisteredText, SchemaKind, SerdeConfig, Target as RegistryTarget,
    serialization, write_frame,
};

/// The most topics whose schemas are known at the same time.
const MAX_TOPICS: usize = 10_000;

/// Writes records with the schemas that are known.
pub(super) struct JsonSchemaWriter {
    options: Options,
    validate: bool,
    indent: bool,
    known: SchemaCache<Arc<Known>>,
}

/// What is known of a Connect schema.
struct Known {
    text: RegisteredText,
    title: Option<String>,
    plan: Plan,
    /// What records of a topic begin with, once that is known.
    topics: RwLock<HashMap<Box<str>, Arc<Target>>>,
}

/// What records of a schema look like in a topic.
struct Target {
    id: i32,
    /// What values must be.
    validator: Option<Validator>,
    /// When to ask again, if ever.
    until: Option<Instant>,
}

impl Known {
    fn new(schema: &SchemaRef, options: Options) -> Result<Arc<Self>> {
        let text = from_connect(schema, options)?;
        let title = Tree::parse(&text)?.get_text("title").map(str::to_owned);
        Ok(Arc::new(Self {
            text: RegisteredText {
                kind: SchemaKind::Json,
                text: text.into(),
                references: Vec::new(),
            },
            title,
            plan: Plan::to_write(schema, Dialect::Registry)?,
            topics: RwLock::new(HashMap::new()),
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

impl JsonSchemaWriter {
    pub(super) fn new(config: &JsonSchemaConverterConfig) -> Self {
        Self {
            options: config.options,
            validate: config.validate,
            indent: config.indent,
            known: SchemaCache::new(config.cache_size),
        }
    }

    fn known(&self, schema: &SchemaRef) -> Result<Arc<Known>> {
        self.known
            .get_or_make(schema, |schema| Known::new(schema, self.options))
    }

    /// Appends a record.
    pub(super) fn write(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let Some(schema) = schema else {
            return self.schemaless(topic, value);
        };
        let known = self.known(schema)?;
        let writer = Writer::new(self.options.writing, out);
        if writer.is_absent(&known.plan, value) {
            return Ok(Encoded::Null);
        }
        let Some(target) = known.target(topic) else {
            return Ok(Encoded::Unprepared);
        };
        write_frame(target.id, out);
        let start = out.len();
        Writer::new(self.options.writing, out).value(Some(&known.plan), value)?;
        if let Some(validator) = &target.validator {
            let validated = validator.validate_text(&out[start..]);
            validated.map_err(|error| WORDS.write_failed(topic, error))?;
        }
        if self.indent {
            indent(out, start);
        }
        Ok(Encoded::Written)
    }

    /// Data without a schema has none that could be registered.
    fn schemaless(&self, topic: &str, value: &Value) -> Result<Encoded> {
        if value.is_null() {
            return Ok(Encoded::Null);
        }
        // Data that is no JSON fails for that reason.
        Writer::new(self.options.writing, &mut Vec::new()).value(None, value)?;
        let cause = ConnectError::data(
            "the data has no schema that could be registered; use JsonConverter with \
             schemas.enable=false, or let the source give it a schema",
        );
        Err(WORDS.write_failed(
            topic,
            serialization("Error serializing JSON message").caused_by(cause),
        ))
    }

    /// Registers the schema for a topic, or finds the one to write with.
    pub(super) async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let Some(schema) = schema else {
            return Ok(());
        };
        let known = self.known(schema)?;
        let subject = serde.naming.subject(topic, known.title.as_deref());
        let subject = subject.map_err(|error| WORDS.write_failed(topic, error))?;
        let target = match serde.target(&WORDS, topic, &subject, &known.text).await? {
            RegistryTarget::Own(id) => Target {
                id,
                validator: self.own_validator(topic, &known.text)?,
                until: None,
            },
            RegistryTarget::Other(found) => Target {
                id: found.id,
                validator: self.validator(serde, topic, &found).await?,
                until: found.until,
            },
        };
        let mut topics = known.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= MAX_TOPICS {
            topics.clear();
        }
        topics.insert(topic.into(), Arc::new(target));
        Ok(())
    }

    fn own_validator(&self, topic: &str, text: &RegisteredText) -> Result<Option<Validator>> {
        if !self.validate {
            return Ok(None);
        }
        let document = schema::load(&Text::from(&*text.text), &[], self.options.ignore_modern);
        let validator = document.and_then(Validator::new);
        validator
            .map(Some)
            .map_err(|error| WORDS.write_failed(topic, error))
    }

    async fn validator(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        found: &Found,
    ) -> Result<Option<Validator>> {
        if !self.validate {
            return Ok(None);
        }
        let question = "Error serializing JSON message";
        let document = parse(&serde.registry, &found.schema, self.options).await;
        let document = document.map_err(|error| match error {
            ParseError::Reference(ReferenceError::Registry(error)) => {
                WORDS.write_refused(topic, question.to_owned(), error)
            }
            ParseError::Reference(error) => {
                let cause = ConnectError::data(error.to_string());
                WORDS.write_failed(topic, serialization(question).caused_by(cause))
            }
            ParseError::Foreign(error) | ParseError::Schema(error) => {
                WORDS.write_failed(topic, serialization(question).caused_by(error))
            }
        })?;
        Validator::new(document)
            .map(Some)
            .map_err(|error| WORDS.write_failed(topic, error))
    }
}
