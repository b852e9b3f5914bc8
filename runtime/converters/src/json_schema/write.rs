//! Records to be written: their schemas, registered, and how values are
//! written.

use std::sync::Arc;

use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Text, Value};
use tether_api::{ConnectError, Result};

use super::config::{JsonSchemaConverterConfig, Options};
use super::from_connect::from_connect;
use super::indent::indent;
use super::validate::Validator;
use super::{WORDS, parse, schema};
use crate::json::{Dialect, Plan, Tree, Writer};
use crate::registry::{
    Found, RegisteredText, RegistryWriter, SchemaKind, SerdeConfig, Target as RegistryTarget,
    TopicTargets, serialization, write_frame,
};

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
    targets: TopicTargets<Target>,
}

/// What records of a schema look like in a topic.
struct Target {
    id: i32,
    /// What values must be.
    validator: Option<Validator>,
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
            targets: TopicTargets::default(),
        }))
    }
}

impl JsonSchemaWriter {
    pub(super) fn new(config: &JsonSchemaConverterConfig) -> Self {
        Self {
            options: config.options,
            validate: config.validate,
            indent: config.indent,
            known: SchemaCache::new(config.data.cache_size),
        }
    }

    /// What `look` makes of what is known of a schema.
    fn with_known<R>(&self, schema: &SchemaRef, look: impl FnOnce(&Arc<Known>) -> R) -> Result<R> {
        let make = |schema: &SchemaRef| Known::new(schema, self.options);
        self.known.with(schema, make, look)
    }

    /// Writes a record with what is known of its schema.
    fn write_with(
        &self,
        known: &Known,
        topic: &str,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let writer = Writer::new(self.options.writing, out);
        if writer.is_absent(&known.plan, value) {
            return Ok(Encoded::Null);
        }
        let write = |target: &Target| {
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
        };
        let written = known.targets.with(topic, write);
        written.unwrap_or(Ok(Encoded::Unprepared))
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
        let document = parse(&serde.registry, &found.schema, self.options).await;
        let document = document.map_err(|failure| WORDS.unwritable(topic, failure))?;
        Validator::new(document)
            .map(Some)
            .map_err(|error| WORDS.write_failed(topic, error))
    }
}

impl RegistryWriter for JsonSchemaWriter {
    fn write(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let Some(schema) = schema else {
            return self.schemaless(topic, value);
        };
        self.with_known(schema, |known| self.write_with(known, topic, value, out))?
    }

    async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let Some(schema) = schema else {
            return Ok(());
        };
        let known = self.with_known(schema, Arc::clone)?;
        let subject = serde.naming.subject(topic, known.title.as_deref());
        let subject = subject.map_err(|error| WORDS.write_failed(topic, error))?;
        let (id, validator, until) =
            match serde.target(&WORDS, topic, &subject, &known.text).await? {
                RegistryTarget::Own(id) => (id, self.own_validator(topic, &known.text)?, None),
                RegistryTarget::Other(found) => {
                    let validator = self.validator(serde, topic, &found).await?;
                    (found.id, validator, found.until)
                }
            };
        known.targets.insert(topic, Target { id, validator }, until);
        Ok(())
    }
}
