//! Names of topics (`io.debezium.schema.*TopicNamingStrategy`).

use std::borrow::Cow;

use tether_api::data::Text;
use tether_java_regex::{Error, Pattern};

use crate::table::TableId;
use tether_debezium_naming::replace;

/// The longest name of a topic.
const MAX_LENGTH: usize = 249;

/// The parts of a table's topic, and what becomes of characters that topics
/// must not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicStrategy {
    /// Prefix, schema and table.
    Schema,
    /// Prefix and table.
    Default,
    /// Prefix, schema and table; codes stand for other characters.
    SchemaUnicode,
    /// Prefix and table; codes stand for other characters.
    DefaultUnicode,
    /// Prefix, schema and table, then an expression is replaced.
    SchemaRegex,
    /// Prefix and table, then an expression is replaced.
    DefaultRegex,
}

impl TopicStrategy {
    /// The strategy of a Java class.
    pub fn of(class: &str) -> Option<Self> {
        Some(match class.strip_prefix("io.debezium.schema.")? {
            "SchemaTopicNamingStrategy" => Self::Schema,
            "DefaultTopicNamingStrategy" => Self::Default,
            "SchemaUnicodeTopicNamingStrategy" => Self::SchemaUnicode,
            "DefaultUnicodeTopicNamingStrategy" => Self::DefaultUnicode,
            "SchemaRegexTopicNamingStrategy" => Self::SchemaRegex,
            "DefaultRegexTopicNamingStrategy" => Self::DefaultRegex,
            _ => return None,
        })
    }

    fn has_schema(self) -> bool {
        matches!(self, Self::Schema | Self::SchemaUnicode | Self::SchemaRegex)
    }

    fn is_unicode(self) -> bool {
        matches!(self, Self::SchemaUnicode | Self::DefaultUnicode)
    }

    /// Whether an expression is replaced.
    pub fn is_regex(self) -> bool {
        matches!(self, Self::SchemaRegex | Self::DefaultRegex)
    }
}

/// A field of keys that tells apart tables that share a topic.
#[derive(Debug, Clone)]
pub struct KeyField {
    /// Its name.
    pub name: Text,
    /// What makes its value from the topic that the table would have; without
    /// it, the value is that topic.
    pub rule: Option<Rewrite>,
}

/// An expression that has to match a whole name, and what takes the place of
/// its first match.
#[derive(Debug, Clone)]
pub struct Rewrite {
    whole: Pattern,
    first: Pattern,
    replacement: String,
}

impl Rewrite {
    /// An expression and its replacement.
    ///
    /// # Errors
    /// The expression is wrong.
    pub fn new(expression: &str, replacement: &str) -> Result<Self, Error> {
        Ok(Self {
            whole: Pattern::whole(expression)?,
            first: Pattern::anywhere(expression)?,
            replacement: replacement.to_owned(),
        })
    }

    /// The rewritten name, or the same if the expression does not match.
    fn apply(&self, name: &str) -> Result<String, Error> {
        if self.whole.matches(name) {
            self.first.replace_first(name, &self.replacement)
        } else {
            Ok(name.to_owned())
        }
    }
}

/// Names all topics of a connector.
#[derive(Debug, Clone)]
pub struct TopicNaming {
    /// How tables' topics are made up.
    pub strategy: TopicStrategy,
    /// `topic.prefix`.
    pub prefix: Text,
    /// What is between parts.
    pub delimiter: String,
    /// The last part of the transactions' topic.
    pub transaction: String,
    /// The first part of the heartbeats' topic.
    pub heartbeat_prefix: String,
    /// The name of the heartbeats' topic, unless it is made up.
    pub heartbeat_name: Option<String>,
    /// What is replaced in tables' topics.
    pub rewrite: Option<Rewrite>,
    /// The field that is added to keys.
    pub key_field: Option<KeyField>,
}

impl TopicNaming {
    /// The topic of a table. To be called once per table: what is replaced is
    /// logged.
    ///
    /// # Errors
    /// A replacement is wrong.
    pub fn table(&self, table: &TableId) -> Result<Text, Error> {
        let topic = self.sanitized(&self.origin(table)).into_owned();
        let Some(rewrite) = &self.rewrite else {
            return Ok(topic.into());
        };
        let rewritten = rewrite.apply(&topic)?;
        if rewritten.is_empty() {
            tracing::warn!(
                "Routing regex returned an empty topic name, propagating original topic"
            );
            return Ok(topic.into());
        }
        Ok(rewritten.into())
    }

    /// The value of the field that is added to a table's keys, if one is.
    ///
    /// # Errors
    /// A replacement is wrong.
    pub fn key_field_value(&self, table: &TableId) -> Result<Option<Text>, Error> {
        let Some(field) = &self.key_field else {
            return Ok(None);
        };
        let origin = self.origin(table);
        let value = match &field.rule {
            Some(rule) => rule.apply(&origin)?,
            None => origin,
        };
        Ok(Some(value.into()))
    }

    /// The topic of transactions.
    pub fn transaction(&self) -> Text {
        format!("{}{}{}", self.prefix, self.delimiter, self.transaction).into()
    }

    /// The topic of heartbeats.
    pub fn heartbeat(&self) -> Text {
        match &self.heartbeat_name {
            Some(name) => name.as_str().into(),
            None => format!("{}{}{}", self.heartbeat_prefix, self.delimiter, self.prefix).into(),
        }
    }

    /// The topic of logical messages.
    pub fn message(&self) -> Text {
        format!("{}.message", self.prefix).into()
    }

    /// The parts of a table's name that are not blank, one after the other.
    fn origin(&self, table: &TableId) -> String {
        let schema: &str = match self.strategy.has_schema() {
            true => &table.schema,
            false => "",
        };
        [&self.prefix, schema, &table.table]
            .into_iter()
            .filter(|part| !part.trim().is_empty())
            .collect::<Vec<_>>()
            .join(&self.delimiter)
    }

    /// A name that Kafka accepts.
    fn sanitized<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let unicode = self.strategy.is_unicode();
        let mut sanitized = String::with_capacity(name.len());
        for unit in name.encode_utf16() {
            match u8::try_from(unit).map(char::from) {
                Ok(c) if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') => sanitized.push(c),
                Ok('_') if !unicode => sanitized.push('_'),
                _ => replace(unit, unicode, &mut sanitized),
            }
        }
        sanitized.truncate(MAX_LENGTH);
        if matches!(sanitized.as_str(), "." | "..") {
            let dots = sanitized.len();
            sanitized.clear();
            (0..dots).for_each(|_| replace(u16::from(b'.'), unicode, &mut sanitized));
        }
        if sanitized == name {
            return Cow::Borrowed(name);
        }
        tracing::warn!(
            "Topic '{name}' name isn't a valid topic name, replacing it with '{sanitized}'."
        );
        Cow::Owned(sanitized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(class: &str) -> TopicNaming {
        TopicNaming {
            strategy: TopicStrategy::of(&format!("io.debezium.schema.{class}TopicNamingStrategy"))
                .unwrap(),
            prefix: "srv".into(),
            delimiter: ".".to_owned(),
            transaction: "transaction".to_owned(),
            heartbeat_prefix: "__debezium-heartbeat".to_owned(),
            heartbeat_name: None,
            rewrite: None,
            key_field: None,
        }
    }

    fn topic(class: &str, schema: &str, table: &str) -> String {
        naming(class)
            .table(&TableId::new(schema, table))
            .unwrap()
            .to_string()
    }

    #[test]
    fn classes_choose_the_parts() {
        assert_eq!(
            topic("Schema", "public", "customers"),
            "srv.public.customers"
        );
        assert_eq!(topic("Default", "public", "customers"), "srv.customers");
        assert_eq!(TopicStrategy::of("com.example.Mine"), None);
    }

    #[test]
    fn what_kafka_refuses_is_replaced() {
        assert_eq!(
            topic("Schema", "inv", "Weird Table-Näme"),
            "srv.inv.Weird_Table-N_me"
        );
        assert_eq!(
            topic("SchemaUnicode", "inv", "Weird Table-Näme"),
            "srv.inv.Weird_u0020Table-N_u00e4me"
        );
        assert_eq!(topic("DefaultUnicode", "inv", "a_b"), "srv.a_u005fb");
        assert_eq!(topic("Schema", "inv", &"x".repeat(300)).len(), 249);
    }

    #[test]
    fn other_topics_have_the_prefix() {
        let naming = naming("Schema");
        assert_eq!(naming.transaction(), "srv.transaction");
        assert_eq!(naming.heartbeat(), "__debezium-heartbeat.srv");
        assert_eq!(naming.message(), "srv.message");
    }

    #[test]
    fn expressions_route_tables_to_shared_topics() {
        let mut naming = naming("SchemaRegex");
        naming.rewrite = Some(Rewrite::new("(.*)shard_[0-9]+", "$1all").unwrap());
        naming.key_field = Some(KeyField {
            name: "table".into(),
            rule: Some(Rewrite::new("srv.(.*)", "$1").unwrap()),
        });
        let shard = TableId::new("inv", "shard_7");
        assert_eq!(naming.table(&shard).unwrap(), "srv.inv.all");
        assert_eq!(
            naming.key_field_value(&shard).unwrap().unwrap(),
            "inv.shard_7"
        );
        let other = TableId::new("inv", "other");
        assert_eq!(naming.table(&other).unwrap(), "srv.inv.other");
    }
}
