//! Records to be written: their schemas, registered, and how values are
//! encoded.

use std::collections::HashMap;
use std::sync::Arc;

use tether_api::converter::Encoded;
use tether_api::data::{SchemaCache, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::WORDS;
use super::compatibility::{self, Linked};
use super::config::{Options, ProtobufConverterConfig, ReferenceOptions};
use super::descriptor::Descriptors;
use super::from_connect::{Made, from_connect};
use super::indexes::write_indexes;
use super::proto::{ProtoError, ProtoFile};
use super::read::{Parsed, parse};
use super::references::references;
use crate::registry::{
    Found, RegisteredText, RegistryWriter, SchemaFailure, SchemaKind, SerdeConfig, Target,
    TopicTargets, write_frame,
};

/// Writes records with the schemas that are known.
pub(super) struct ProtobufWriter {
    options: Options,
    references: ReferenceOptions,
    known: SchemaCache<Arc<Known>>,
}

/// What is known of a Connect schema.
struct Known {
    made: Made,
    /// The frame and the indexes of the message, for each topic.
    heads: TopicTargets<Vec<u8>>,
}

impl ProtobufWriter {
    pub(super) fn new(config: &ProtobufConverterConfig) -> Self {
        Self {
            options: config.options,
            references: config.references,
            known: SchemaCache::new(config.data.cache_size),
        }
    }

    /// What `look` makes of what is known of a schema.
    fn with_known<R>(&self, schema: &SchemaRef, look: impl FnOnce(&Arc<Known>) -> R) -> Result<R> {
        let make = |schema: &SchemaRef| {
            Ok(Arc::new(Known {
                made: from_connect(schema, self.options)?,
                heads: TopicTargets::default(),
            }))
        };
        self.known.with(schema, make, look)
    }

    /// The schema to write with, which is not the record's own.
    async fn other(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        (found, own): (&Found, &RegisteredText),
        made: &Made,
    ) -> Result<ProtoFile> {
        let fail = |failure| WORDS.unwritable(topic, failure);
        let other = parse(&serde.registry, &found.schema).await.map_err(fail)?;
        if serde.strict
            && let Some(reason) = cannot_read(&other, &made.file)
                .map_err(|error| fail(SchemaFailure::Invalid(error.into())))?
        {
            let cause = serde.incompatible(found, &own.text, &reason);
            return Err(fail(SchemaFailure::Invalid(cause)));
        }
        Ok(other.file)
    }
}

impl RegistryWriter for ProtobufWriter {
    fn write(
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
        self.with_known(schema, |known| {
            if value.is_null() {
                return Ok(Encoded::Null);
            }
            let head = known.heads.with(topic, |head| out.extend_from_slice(head));
            if head.is_none() {
                return Ok(Encoded::Unprepared);
            }
            known.made.plan.write(value, out)?;
            Ok(Encoded::Written)
        })?
    }

    async fn prepare(
        &self,
        serde: &SerdeConfig,
        topic: &str,
        schema: Option<&SchemaRef>,
    ) -> Result<()> {
        let known = self.with_known(schema.ok_or_else(schemaless)?, Arc::clone)?;
        let made = &known.made;
        let subject = serde.naming.subject(topic, Some(&made.full_name));
        let subject = subject.map_err(|error| WORDS.write_failed(topic, error))?;
        let own = RegisteredText {
            kind: SchemaKind::Protobuf,
            text: made.text.as_str().into(),
            references: references(serde, self.references, topic, &made.file).await?,
        };
        let (id, indexes, until) = match serde.target(&WORDS, topic, &subject, &own).await? {
            Target::Own(id) => (id, made.file.indexes(&made.message), None),
            Target::Other(found) => {
                let other = self.other(serde, topic, (&found, &own), made).await?;
                (found.id, other.indexes(&made.message), found.until)
            }
        };
        let mut head = Vec::new();
        write_frame(id, &mut head);
        write_indexes(&indexes, &mut head);
        known.heads.insert(topic, head, until);
        Ok(())
    }
}

/// Why data of one's own schema cannot be read by another.
fn cannot_read(other: &Parsed, own: &ProtoFile) -> Result<Option<String>, ProtoError> {
    let read = Descriptors::new(&other.file, &other.imports)?;
    // What is made of Connect schemas imports only what everybody has.
    let written = Descriptors::new(own, &HashMap::new())?;
    let reader = Linked {
        file: &other.file,
        types: &read,
    };
    let writer = Linked {
        file: own,
        types: &written,
    };
    Ok(compatibility::cannot_read(reader, writer))
}

fn schemaless() -> ConnectError {
    ConnectError::data(
        "Protobuf needs a schema, and the record has none; use a converter that gives records a \
         schema, or JsonConverter with schemas.enable=false",
    )
    .with_class("java.lang.NullPointerException")
}
