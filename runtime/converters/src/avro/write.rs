//! Records to be written: their schemas, registered, and how values are
//! encoded.

use std::sync::{Arc, OnceLock};

use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::config::{AvroConverterConfig, Options};
use super::encode::WritePlan;
use super::from_connect::from_connect;
use super::read::parse;
use super::schema::{Parser, SchemaError};
use crate::registry::{
    Found, RegisteredText, RegistryWriter, SchemaFailure, SchemaKind, SerdeConfig,
    Target as RegistryTarget, TopicTargets, write_frame,
};

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
    targets: TopicTargets<Target>,
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
            targets: TopicTargets::default(),
        }))
    }
}

impl AvroWriter {
    pub(super) fn new(config: &AvroConverterConfig) -> Self {
        Self {
            options: config.options,
            known: SchemaCache::new(config.data.cache_size),
            schemaless: OnceLock::new(),
        }
    }

    /// What `look` makes of what is known of a schema.
    fn with_known<R>(
        &self,
        schema: Option<&SchemaRef>,
        look: impl FnOnce(&Arc<Known>) -> R,
    ) -> Result<R> {
        if let Some(schema) = schema {
            let make = |schema: &SchemaRef| Known::new(Some(schema), self.options);
            return self.known.with(schema, make, look);
        }
        if let Some(known) = self.schemaless.get() {
            return Ok(look(known));
        }
        let known = Known::new(None, self.options)?;
        Ok(look(self.schemaless.get_or_init(|| known)))
    }

    /// How values are written by a schema that is not their own.
    async fn plan_for(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        (found, own): (&Found, &RegisteredText),
        schema: Option<&SchemaRef>,
    ) -> Result<Arc<WritePlan>> {
        let fail = |cause| WORDS.unwritable(topic, SchemaFailure::Invalid(cause));
        let avro = parse(&serde.registry, &found.schema).await;
        let avro = avro.map_err(|failure| WORDS.unwritable(topic, failure))?;
        if serde.strict {
            let own = Parser::default().parse(&own.text);
            let own = own.map_err(|error| fail(error.into()))?;
            if let Some(reason) = avro.cannot_read(&own) {
                let own = own.to_text().unwrap_or_default();
                return Err(fail(serde.incompatible(found, &own, &reason)));
            }
        }
        let plan = WritePlan::new(&avro, schema, self.options).map_err(|error| {
            let message = format!("the record does not fit the schema with id {}", found.id);
            fail(ConnectError::data(message).caused_by(error))
        })?;
        Ok(Arc::new(plan))
    }
}

impl RegistryWriter for AvroWriter {
    fn write(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        self.with_known(schema, |known| {
            if value.is_null() {
                return match schema {
                    Some(schema) if !schema.is_optional() => Err(ConnectError::data(
                        "Found null value for non-optional schema",
                    )),
                    _ => Ok(Encoded::Null),
                };
            }
            let write = |target: &Target| {
                write_frame(target.id, out);
                target.plan.write(value, out)?;
                Ok(Encoded::Written)
            };
            let written = known.targets.with(topic, write);
            written.unwrap_or(Ok(Encoded::Unprepared))
        })?
    }

    async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let known = self.with_known(schema, Arc::clone)?;
        let subject = serde.naming.subject(topic, known.record.as_deref());
        let subject = subject.map_err(|error| WORDS.write_failed(topic, error))?;
        let text = known.text.as_ref();
        let text = text.map_err(|error| WORDS.write_failed(topic, error.clone().into()))?;
        let (target, until) = match serde.target(&WORDS, topic, &subject, text).await? {
            RegistryTarget::Own(id) => {
                let plan = known.plan.clone();
                (Target { id, plan }, None)
            }
            RegistryTarget::Other(found) => {
                let plan = self.plan_for(serde, topic, (&found, text), schema).await?;
                (Target { id: found.id, plan }, found.until)
            }
        };
        known.targets.insert(topic, target, until);
        Ok(())
    }
}
