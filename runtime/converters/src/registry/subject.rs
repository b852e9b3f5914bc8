//! Under which subject a schema is registered.

use tether_api::config::ParsedConfig;
use tether_api::converter::ConverterKind;
use tether_api::{ConnectError, Result};

/// Keys of the strategies for keys and for values.
pub(super) const KEY_STRATEGY: &str = "key.subject.name.strategy";
pub(super) const VALUE_STRATEGY: &str = "value.subject.name.strategy";

pub(super) const CONTEXT_STRATEGY: &str = "context.name.strategy";
/// The strategy that names no context.
pub(super) const NO_CONTEXT: &str =
    "io.confluent.kafka.serializers.context.NullContextNameStrategy";

/// The package of the strategies.
pub(super) const PACKAGE: &str = "io.confluent.kafka.serializers.subject.";

/// How a subject is named (`SubjectNameStrategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    Topic,
    Record,
    TopicRecord,
}

/// Names the subjects of a converter's schemas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectNaming {
    strategy: Strategy,
    is_key: bool,
}

impl SubjectNaming {
    pub(super) fn parse(config: &ParsedConfig, kind: ConverterKind) -> Result<Self> {
        let is_key = kind == ConverterKind::Key;
        let key = if is_key { KEY_STRATEGY } else { VALUE_STRATEGY };
        let class = config.class(key)?;
        let strategy = match class.strip_prefix(PACKAGE).unwrap_or(&class) {
            "TopicNameStrategy" => Strategy::Topic,
            "RecordNameStrategy" => Strategy::Record,
            "TopicRecordNameStrategy" => Strategy::TopicRecord,
            _ => {
                return Err(ConnectError::config(format!(
                    "Invalid value {class} for configuration {key}: Class {class} could not be \
                     found; use TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy \
                     of {PACKAGE}*"
                )));
            }
        };
        let context = config.class(CONTEXT_STRATEGY)?;
        if context != NO_CONTEXT {
            return Err(ConnectError::config(format!(
                "Invalid value {context} for configuration {CONTEXT_STRATEGY}: Class {context} \
                 could not be found; use {NO_CONTEXT}, and names of subjects with a context in \
                 them where one is needed"
            )));
        }
        Ok(Self { strategy, is_key })
    }

    /// `key` or `value`, for messages.
    pub(crate) fn part(self) -> &'static str {
        if self.is_key { "key" } else { "value" }
    }

    /// The subject of a schema in a topic; `record` is the full name of the
    /// record that the schema is.
    ///
    /// # Errors
    /// Data, if the strategy needs a record and the schema is none.
    pub(crate) fn subject(self, topic: &str, record: Option<&str>) -> Result<String> {
        let record = || {
            record.ok_or_else(|| {
                let (key, class) = match (self.is_key, self.strategy) {
                    (true, Strategy::Record) => (KEY_STRATEGY, "RecordNameStrategy"),
                    (true, _) => (KEY_STRATEGY, "TopicRecordNameStrategy"),
                    (false, Strategy::Record) => (VALUE_STRATEGY, "RecordNameStrategy"),
                    (false, _) => (VALUE_STRATEGY, "TopicRecordNameStrategy"),
                };
                ConnectError::data(format!(
                    "In configuration {key} = {PACKAGE}{class}, the message {} must only be a \
                     record schema",
                    self.part()
                ))
                .with_class("org.apache.kafka.common.errors.SerializationException")
            })
        };
        Ok(match self.strategy {
            Strategy::Topic => format!("{topic}-{}", self.part()),
            Strategy::Record => record()?.to_owned(),
            Strategy::TopicRecord => format!("{topic}-{}", record()?),
        })
    }
}
