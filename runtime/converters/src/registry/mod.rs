//! Schema registries that speak Confluent's REST API.
//!
//! [`SchemaRegistry`] is what converters ask. [`http`] is a real one,
//! [`memory`] its twin within the process, [`cache`] remembers what either
//! answered and asks for each thing once, however many tasks want it.
//!
//! [`RegistryConverter`] makes converters of the formats whose schemas are
//! registered. A format defines the keys with [`define`] and [`define_data`],
//! and reads them with [`SerdeConfig`], which also knows the schema that records
//! are written with, and [`DataConfig`]. Before the data of a record is a
//! [`frame`](write_frame); [`FormatWords`] words what goes wrong as the
//! reference does.

mod auth;
mod cache;
mod client;
mod config;
mod converter;
mod data;
mod error;
mod failure;
mod frame;
mod http;
mod memory;
mod oauth;
mod prepared;
mod references;
mod rules;
mod settings;
mod subject;
mod tls;

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::Result;

pub(crate) use self::cache::CachedRegistry;
pub(crate) use self::config::{RegistryConfig, define};
pub(crate) use self::converter::{RegistryConverter, RegistryReader, RegistryWriter, descriptor};
pub(crate) use self::data::{DataConfig, define_data, flag};
pub(crate) use self::error::RegistryError;
pub(crate) use self::failure::FormatWords;
pub(crate) use self::frame::{FRAME, schema_id, serialization, write_frame};
pub(crate) use self::memory::MemoryRegistry;
pub(crate) use self::prepared::{Readings, TopicTargets};
pub(crate) use self::references::{ReferenceError, SchemaFailure};
pub(crate) use self::settings::{Found, SerdeConfig, Target};
pub(crate) use self::subject::SubjectNaming;

/// The text of a schema and what it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RegisteredText {
    /// The language.
    pub(crate) kind: SchemaKind,
    /// The schema in the language of its kind.
    pub(crate) text: Arc<str>,
    /// Other schemas whose names the text uses.
    pub(crate) references: Vec<SchemaReference>,
}

/// The language of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum SchemaKind {
    #[default]
    Avro,
    Json,
    Protobuf,
}

impl SchemaKind {
    /// The name in the REST API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }
}

/// A schema that another one uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct SchemaReference {
    /// The name by which the other schema knows it.
    pub(crate) name: String,
    /// The subject under which it is registered.
    pub(crate) subject: String,
    /// Its version there.
    pub(crate) version: i32,
}

/// A schema with its places in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    /// The id that records carry.
    pub(crate) id: i32,
    /// The version under the subject.
    pub(crate) version: i32,
    /// The schema.
    pub(crate) schema: RegisteredText,
}

/// A registry of schemas.
#[async_trait]
pub(crate) trait SchemaRegistry: Send + Sync {
    /// Registers a schema under a subject, unless it is there already; its id.
    async fn register(
        &self,
        subject: &str,
        schema: &RegisteredText,
        normalize: bool,
    ) -> Result<i32, RegistryError>;

    /// Finds a schema under a subject. Only where `deleted` says so it may be
    /// one that was deleted.
    async fn look_up(
        &self,
        subject: &str,
        schema: &RegisteredText,
        normalize: bool,
        deleted: bool,
    ) -> Result<Registered, RegistryError>;

    /// The latest schema of a subject.
    async fn latest(&self, subject: &str) -> Result<Registered, RegistryError>;

    /// The latest schema of a subject with these properties in its metadata.
    async fn latest_with(
        &self,
        subject: &str,
        properties: &[(String, String)],
    ) -> Result<Registered, RegistryError>;

    /// The schema of an id. The subject, if it is known, tells registries with
    /// several contexts which one is meant.
    async fn by_id(&self, subject: Option<&str>, id: i32) -> Result<RegisteredText, RegistryError>;

    /// A version of a subject, even one that was deleted.
    async fn by_version(
        &self,
        subject: &str,
        version: i32,
    ) -> Result<RegisteredText, RegistryError>;
}

/// The registry that a converter's configuration names, behind a cache.
///
/// # Errors
/// Config, if a setting is wrong.
fn open(config: &RegistryConfig) -> Result<CachedRegistry> {
    let registry: Arc<dyn SchemaRegistry> = match config.mock_scope() {
        Some(scope) => MemoryRegistry::of_scope(scope),
        None => Arc::new(client::RegistryClient::new(config)?),
    };
    Ok(CachedRegistry::new(registry, config.capacity)
        .with_latest(config.latest_capacity, config.latest_life))
}
