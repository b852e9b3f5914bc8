//! Records to be written: their schemas, registered, and how values are
//! encoded.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::config::{Options, ProtobufConverterConfig, ReferenceOptions};
use super::from_connect::{Made, from_connect};
use super::indexes::write_indexes;
use super::proto::ProtoFile;
use super::references::references;
use crate::registry::Target as RegistryTarget;
use crate::registry::{RegisteredText, SchemaKind, SerdeConfig, serialization, write_frame};

/// The most topics whose schemas are known at the same time.
const MAX_TOPICS: usize = 10_000;

/// Writes records with the schemas that are known.
pub(super) struct ProtobufWriter {
    options: Options,
    references: ReferenceOptions,
    known: SchemaCache<Arc<Known>>,
}

/// What is known of a Connect schema.
struct Known {
    made: Made,
    /// What records of a topic begin with, once that is known.
    topics: RwLock<HashMap<Box<str>, Arc<Target>>>,
}

/// What records of a schema look like in a topic.
struct Target {
    /// The frame and the indexes of the message.
    head: Vec<u8>,
    /// When to ask again, if ever.
    until: Option<Instant>,
}

impl Known {
    fn target(&self, topic: &str) -> Option<Arc<Target>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let target = topics.get(topic)?;
        match target.until {
            Some(until) if until <= Instant::now() => None,
            _ => Some(target.clone()),
        }
    }
}

impl ProtobufWriter {
    pub(super) fn new(config: &ProtobufConverterConfig) -> Self {
        Self {
            options: config.options,
            references: config.references,
            known: SchemaCache::new(config.cache_size),
        }
    }

    fn known(&self, schema: &SchemaRef) -> Result<Arc<Known>> {
        self.known.get_or_make(schema, |schema| {
            Ok(Arc::new(Known {
                made: from_connect(schema, self.options)?,
                topics: RwLock::new(HashMap::new()),
            }))
        })
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
            if value.is_null() {
                return Ok(Encoded::Null);
            }
            return Err(schemaless());
        };
        let known = self.known(schema)?;
        if value.is_null() {
            return Ok(Encoded::Null);
        }
        let Some(target) = known.target(topic) else {
            return Ok(Encoded::Unprepared);
        };
        out.extend_from_slice(&target.head);
        known.made.plan.write(value, out)?;
        Ok(Encoded::Written)
    }

    /// Registers the schema for a topic, or finds the one to write with.
    pub(super) async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let known = self.known(schema.ok_or_else(schemaless)?)?;
        let made = &known.made;
        let subject = serde.naming.subject(topic, Some(&made.full_name));
        let subject = subject.map_err(|error| WORDS.write_failed(topic, error))?;
        let own = RegisteredText {
            kind: SchemaKind::Protobuf,
            text: made.text.as_str().into(),
            references: references(serde, self.references, topic, &made.file).await?,
        };
        let (id, indexes, until) = match serde.target(&WORDS, topic, &subject, &own).await? {
            RegistryTarget::Own(id) => (id, made.file.indexes(&made.message), None),
            RegistryTarget::Other(found) => {
                let other = ProtoFile::parse(&found.schema.text).map_err(|error| {
                    let cause = serialization("Error serializing Protobuf message");
                    WORDS.write_failed(topic, cause.caused_by(ConnectError::from(error)))
                })?;
                (found.id, other.indexes(&made.message), found.until)
            }
        };
        let mut head = Vec::new();
        write_frame(id, &mut head);
        write_indexes(&indexes, &mut head);
        let mut topics = known.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= MAX_TOPICS {
            topics.clear();
        }
        topics.insert(topic.into(), Arc::new(Target { head, until }));
        Ok(())
    }
}

fn schemaless() -> ConnectError {
    ConnectError::data(
        "Protobuf needs a schema, and the record has none; use a converter that gives records a \
         schema, or JsonConverter with schemas.enable=false",
    )
    .with_class("java.lang.NullPointerException")
}
