//! Which table the records of a topic go to.

use std::collections::BTreeMap;

use tether_api::data::Value;
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

/// What stands for the topic's name in a format.
const TOPIC: &str = "${topic}";
/// What stands before the name of a field of `source`, which a brace ends.
const SOURCE: &str = "${source.";
/// The field of a Debezium envelope that says where an event comes from.
const SOURCE_FIELD: &str = "source";

/// The rule for names of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableNaming {
    /// The format as it was configured.
    format: String,
    parts: Vec<Part>,
    /// What becomes of dots of the topic's name.
    dots: Dots,
    /// Whether everything but `a-z`, `A-Z`, `0-9` and `_` becomes `_`.
    normalizes: bool,
    /// The tables of topics, which make the format void unless there are none.
    /// `None` if the flavour has no such list.
    tables: Option<BTreeMap<String, String>>,
}

/// What becomes of dots of the topic's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dots {
    /// They stay, and separate database, schema and table.
    Kept,
    /// They become `_`.
    Underscores,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Topic,
    /// The field of `source` with this name.
    Source(String),
}

impl TableNaming {
    /// Names by a format with `${topic}`.
    pub(crate) fn by_topic(format: &str) -> Self {
        Self {
            format: format.to_owned(),
            parts: parts(format, false),
            dots: Dots::Kept,
            normalizes: false,
            tables: None,
        }
    }

    /// Names by a format with `${topic}` and `${source.<field>}`.
    pub(crate) fn by_source(format: &str, dots: Dots) -> Self {
        Self {
            parts: parts(format, true),
            dots,
            ..Self::by_topic(format)
        }
    }

    /// Replaces unusual characters.
    pub(crate) fn normalizing(mut self, normalizes: bool) -> Self {
        self.normalizes = normalizes;
        self
    }

    /// Takes the tables of topics from a list.
    pub(crate) fn with_tables(mut self, tables: BTreeMap<String, String>) -> Self {
        self.tables = Some(tables);
        self
    }

    /// Whether records of one topic may go to several tables.
    pub(crate) fn depends_on_record(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Source(_)))
    }

    /// The name of the table of a record. `None` if the format needs the source
    /// of an event and the record is none.
    ///
    /// # Errors
    /// If the name is empty, or the event's source lacks a field.
    pub(crate) fn table(&self, record: &SinkRecord) -> Result<Option<String>> {
        self.resolve(&record.record.topic, Some(record))
    }

    /// The name of the table of a topic's records; `None` if they may have
    /// several.
    ///
    /// # Errors
    /// If the name is empty.
    pub(crate) fn table_of_topic(&self, topic: &str) -> Result<Option<String>> {
        self.resolve(topic, None)
    }

    /// Whether all records go to one table, whatever their topic.
    pub(crate) fn is_one_table(&self) -> bool {
        let has_tables = self
            .tables
            .as_ref()
            .is_some_and(|tables| !tables.is_empty());
        !has_tables && !self.parts.contains(&Part::Topic) && !self.depends_on_record()
    }

    fn resolve(&self, topic: &str, record: Option<&SinkRecord>) -> Result<Option<String>> {
        if let Some(tables) = self.tables.as_ref().filter(|tables| !tables.is_empty()) {
            return match tables.get(topic).filter(|table| !table.is_empty()) {
                Some(table) => Ok(Some(table.clone())),
                None => Err(self.nameless(topic)),
            };
        }
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Topic if self.dots == Dots::Underscores => {
                    name.push_str(&topic.replace('.', "_"));
                }
                Part::Topic => name.push_str(topic),
                Part::Source(field) => {
                    let event = record.and_then(|record| Some((source(record)?, record)));
                    let Some((source, record)) = event else {
                        return Ok(None);
                    };
                    name.push_str(self.source_field(source, field, record)?);
                }
            }
        }
        if self.normalizes {
            let is_usual = |c: char| c.is_ascii_alphanumeric() || c == '_';
            name = name.replace(|c| !is_usual(c), "_");
        }
        match name.is_empty() {
            true => Err(self.nameless(topic)),
            false => Ok(Some(name)),
        }
    }

    fn source_field<'r>(
        &self,
        source: &'r tether_api::data::Struct,
        field: &str,
        record: &SinkRecord,
    ) -> Result<&'r str> {
        match source.get(field) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(ConnectError::data(format!(
                "Failed to resolve collection name with format '{}': the source of the record at \
                 ({record}) has no text in field {field}",
                self.format
            ))),
        }
    }

    fn nameless(&self, topic: &str) -> ConnectError {
        let format = &self.format;
        ConnectError::other(match &self.tables {
            None => format!(
                "Destination table name for topic '{topic}' is empty using the format string \
                 '{format}'"
            ),
            Some(tables) => {
                let tables: Vec<_> = tables
                    .iter()
                    .map(|(topic, table)| format!("{topic}->{table}"))
                    .collect();
                format!(
                    "Destination table for the topic: '{topic}' couldn't be found in the topics \
                     to tables mapping: '{}' and couldn't be generated for the format string \
                     '{format}'",
                    tables.join(",")
                )
            }
        })
    }
}

/// The source of an event in Debezium's envelope.
fn source(record: &SinkRecord) -> Option<&tether_api::data::Struct> {
    let schema = record.record.value_schema.as_ref()?;
    if !schema.name()?.ends_with(".Envelope") {
        return None;
    }
    record
        .record
        .value
        .as_struct()?
        .get(SOURCE_FIELD)?
        .as_struct()
}

/// Splits a format at its placeholders.
fn parts(format: &str, with_source: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let (part, after) = if let Some(after) = rest.strip_prefix(TOPIC) {
            (Part::Topic, after)
        } else if let Some((field, after)) = rest
            .strip_prefix(SOURCE)
            .filter(|_| with_source)
            .and_then(|inner| inner.split_once('}'))
        {
            (Part::Source(field.to_owned()), after)
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(part);
        rest = after;
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

#[cfg(test)]
mod tests;
