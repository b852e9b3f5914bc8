//! What all converters with a registry are configured with, and which schema
//! they write with.

use std::time::Instant;

use tether_api::config::{ConfigMap, ParsedConfig};
use tether_api::converter::ConverterKind;
use tether_api::{ConnectError, Result};

use super::{CachedRegistry, FormatWords, RegisteredText, RegistryConfig, SubjectNaming, open};

const STRICT_ID: &str = "id.compatibility.strict";
const STRICT_LATEST: &str = "latest.compatibility.strict";

/// Which registered schema data is written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteWith {
    /// Its own, registered when it is first used.
    Registering,
    /// Its own, which must be registered.
    Registered,
    /// The one of this id.
    Id(i32),
    /// The latest of the subject.
    Latest,
    /// The latest of the subject with these properties.
    LatestWith(Vec<(String, String)>),
}

/// What a converter with a registry is configured with
/// (`AbstractKafkaSchemaSerDeConfig`).
pub(crate) struct SerdeConfig {
    pub(crate) write_with: WriteWith,
    /// Whether the registry normalizes schemas before it compares them.
    pub(crate) normalize: bool,
    /// Whether data must fit the schema that it is written with, where that is
    /// not its own.
    pub(crate) strict: bool,
    /// What data is read as, if not as its own schema says.
    pub(crate) read_as: Option<ReadAs>,
    pub(crate) naming: SubjectNaming,
    pub(crate) registry: CachedRegistry,
}

/// Which registered schema data is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadAs {
    /// The latest of the subject.
    Latest,
    /// The latest of the subject with these properties.
    LatestWith(Vec<(String, String)>),
}

/// The schema that records of a subject are written with.
pub(crate) enum Target {
    /// Their own, by its id.
    Own(i32),
    /// Another one.
    Other(Found),
}

/// A schema that was found for a subject.
pub(crate) struct Found {
    pub(crate) id: i32,
    pub(crate) schema: RegisteredText,
    /// When to ask again, if ever.
    pub(crate) until: Option<Instant>,
}

impl SerdeConfig {
    /// Reads the part of a converter's configuration whose keys are those of
    /// [`define`](super::define).
    ///
    /// # Errors
    /// Config, if a setting is wrong.
    pub(crate) fn parse(
        config: &ParsedConfig,
        raw: &ConfigMap,
        kind: ConverterKind,
    ) -> Result<Self> {
        let metadata = config
            .optional_string("use.latest.with.metadata")
            .map(|text| properties(&text))
            .transpose()?;
        let latest = config.boolean("use.latest.version")?;
        let read_as = match &metadata {
            Some(properties) => Some(ReadAs::LatestWith(properties.clone())),
            None => latest.then_some(ReadAs::Latest),
        };
        let id = config.int("use.schema.id")?;
        let write_with = if config.boolean("auto.register.schemas")? {
            WriteWith::Registering
        } else if id >= 0 {
            WriteWith::Id(id)
        } else if let Some(properties) = metadata {
            WriteWith::LatestWith(properties)
        } else if latest {
            WriteWith::Latest
        } else {
            WriteWith::Registered
        };
        let strict = match write_with {
            WriteWith::Id(_) => config.boolean(STRICT_ID)?,
            WriteWith::Latest => config.boolean(STRICT_LATEST)?,
            _ => false,
        };
        Ok(Self {
            write_with,
            normalize: config.boolean("normalize.schemas")?,
            strict,
            read_as,
            naming: SubjectNaming::parse(config, kind)?,
            registry: open(&RegistryConfig::parse(raw)?)?,
        })
    }

    /// The schema to write with cannot read what the record's own describes.
    pub(crate) fn incompatible(&self, found: &Found, own: &str, reason: &str) -> ConnectError {
        let key = match self.write_with {
            WriteWith::Id(_) => STRICT_ID,
            _ => STRICT_LATEST,
        };
        let Found { schema, .. } = found;
        let references: Vec<_> = schema.references.iter().map(|r| &*r.name).collect();
        ConnectError::data(format!(
            "Incompatible schema '{}' with refs '[{}]' of type '{}' for schema '{own}'. Set \
             {key}=false to disable this check: {reason}",
            schema.text,
            references.join(", "),
            schema.kind.name(),
        ))
        .with_class("java.io.IOException")
    }

    /// The schema that records are written with, whose own is this one. Where
    /// the configuration says so, it is registered.
    ///
    /// # Errors
    /// The registry fails, or there is no such schema.
    pub(crate) async fn target(
        &self,
        words: &FormatWords,
        topic: &str,
        subject: &str,
        own: &RegisteredText,
    ) -> Result<Target> {
        let registry = &self.registry;
        let (found, question) = match &self.write_with {
            WriteWith::Registering => (
                registry
                    .register(subject, own, self.normalize)
                    .await
                    .map(Target::Own),
                format!("Error registering {} schema", words.name),
            ),
            WriteWith::Registered => (
                registry
                    .id(subject, own, self.normalize)
                    .await
                    .map(Target::Own),
                format!("Error retrieving {} schema", words.name),
            ),
            WriteWith::Id(id) => (
                self.by_id(subject, *id).await.map(Target::Other),
                "Error retrieving schema ID".to_owned(),
            ),
            WriteWith::Latest => (
                registry.latest(subject).await.map(Target::Other),
                format!("Error retrieving latest version of {} schema", words.name),
            ),
            WriteWith::LatestWith(properties) => (
                registry
                    .latest_with(subject, properties)
                    .await
                    .map(Target::Other),
                format!(
                    "Error retrieving latest with metadata '{}'",
                    shown(properties)
                ),
            ),
        };
        found.map_err(|error| {
            let question = format!("{question}{} under subject {subject}", own.text);
            words.write_refused(topic, question, error)
        })
    }

    /// The schema of an id, which must be registered under the subject.
    async fn by_id(&self, subject: &str, id: i32) -> Result<Found, super::RegistryError> {
        let schema = self.registry.by_id(Some(subject), id).await?;
        Ok(Found {
            id: self.registry.id(subject, &schema, false).await?,
            schema,
            until: None,
        })
    }

    /// The schema of a subject that data is read as, if not as its own says.
    ///
    /// # Errors
    /// The registry fails, or there is no such schema.
    pub(crate) async fn read_as(
        &self,
        subject: &str,
    ) -> Result<Option<Found>, super::RegistryError> {
        match &self.read_as {
            None => Ok(None),
            Some(ReadAs::Latest) => self.registry.latest(subject).await.map(Some),
            Some(ReadAs::LatestWith(properties)) => {
                let found = self.registry.latest_with(subject, properties).await;
                found.map(Some)
            }
        }
    }
}

/// As Java shows a map.
fn shown(properties: &[(String, String)]) -> String {
    let pairs: Vec<_> = properties
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// `a=b,c=d`.
fn properties(text: &str) -> Result<Vec<(String, String)>> {
    text.split(',')
        .map(|pair| match pair.trim().split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(ConnectError::config(format!(
                "Invalid value {text} for configuration use.latest.with.metadata: write \
                 name=value, several separated by commas"
            ))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_pairs() {
        let pairs = properties("a=b=c, d=").unwrap();
        assert_eq!(shown(&pairs), "{a=b=c, d=}");
        assert!(properties("a").is_err());
    }
}
