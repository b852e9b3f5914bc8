//! Values to choose from.

use tether_api::config::{ConfigData, Validator};
use tether_api::{ConnectError, Result};

/// The value of a word.
///
/// # Errors
/// Config, if there is no such value.
pub(super) fn choice<C: Choice>(word: &str) -> Result<C> {
    C::of(word).ok_or_else(|| ConnectError::config(format!("Invalid enumerator {word}")))
}

/// An enumeration whose words a configuration may hold in all-lower or
/// all-upper case.
pub(crate) trait Choice: Copy + Sized + 'static {
    /// All values with their lower-case words.
    const WORDS: &'static [(Self, &'static str)];

    /// The value of a word.
    fn of(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(_, lower)| word == *lower || word == lower.to_uppercase())
            .map(|(value, _)| *value)
    }

    /// The lower-case word.
    fn word(self) -> &'static str
    where
        Self: PartialEq,
    {
        Self::WORDS
            .iter()
            .find(|(value, _)| *value == self)
            .map_or("", |(_, word)| word)
    }

    /// All lower-case words.
    fn words() -> Vec<String> {
        Self::WORDS
            .iter()
            .map(|(_, word)| (*word).to_owned())
            .collect()
    }

    /// The rule for a key of this kind, alone or as a list.
    fn validator(description: &'static str) -> Validator {
        Self::validator_of(description, |_| true)
    }

    /// The rule for a key that takes some of the values.
    fn validator_of(
        description: &'static str,
        takes: impl Fn(Self) -> bool + Send + Sync + 'static,
    ) -> Validator {
        Validator::stated(description, move |key, value| {
            let invalid = |value: &str, reason: &str| {
                Err(format!(
                    "Invalid value {value} for configuration {key}: {reason}"
                ))
            };
            let is_invalid = |word: &&str| !Self::of(word).is_some_and(&takes);
            let words: Vec<&str> = match value {
                ConfigData::List(values) if values.is_empty() => {
                    let words = Self::words().join(", ");
                    let reason = format!(
                        "At least one value must be specified. Valid values are: [{words}]"
                    );
                    return invalid(&value.shown(), &reason);
                }
                ConfigData::List(values) => values.iter().map(String::as_str).collect(),
                value => value.text().into_iter().collect(),
            };
            match words.into_iter().find(is_invalid) {
                Some(word) => invalid(word, "Invalid enumerator"),
                None => Ok(()),
            }
        })
    }
}

/// Enumerations and their words.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant),* }

        impl $crate::config::Choice for $name {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),*];
        })*
    };
}

pub(super) use choices;

choices! {
    /// `insert.mode`: how rows are written.
    InsertMode {
        /// `INSERT`; a row whose key exists is an error.
        Insert = "insert",
        /// Insert or update by key.
        Upsert = "upsert",
        /// `UPDATE` by key; a row that does not exist is left out.
        Update = "update",
        /// `INSERT`; a row whose key exists stays as it is.
        Ignore = "ignore",
    }

    /// `pk.mode`, `primary.key.mode`: where key columns come from.
    KeyMode {
        /// There are none.
        None = "none",
        /// Topic, partition and offset.
        Kafka = "kafka",
        /// The record's key.
        RecordKey = "record_key",
        /// Fields of the record's value.
        RecordValue = "record_value",
        /// Headers of the record.
        RecordHeader = "record_header",
    }

    /// `date.timezone`: the zone of dates.
    DateZone {
        /// That of `db.timezone`.
        DbTimezone = "db_timezone",
        /// UTC.
        Utc = "utc",
    }

    /// `timestamp.precision.mode`: the unit of epoch numbers.
    TimestampPrecision {
        /// Microseconds.
        Microseconds = "microseconds",
        /// Nanoseconds.
        Nanoseconds = "nanoseconds",
    }

    /// `table.types`: kinds of relations.
    TableType {
        /// A table; one that is partitioned counts as well.
        Table = "table",
        /// A partitioned table.
        PartitionedTable = "partitioned table",
        /// A view.
        View = "view",
    }

    /// `retry.policy`: which errors are tried again.
    RetryPolicy {
        /// Those that may pass, by SQLSTATE, after a growing wait.
        Classified = "classified",
        /// All that the database reports, after a fixed wait, as Confluent's
        /// connector does.
        Confluent = "confluent",
        /// Lost connections only, after a fixed wait, as Debezium's connector
        /// does.
        Debezium = "debezium",
    }

    /// `type.mapping`: what columns are made for which schemas, and which
    /// schema names count.
    TypeMapping {
        /// Connect's types and its four logical ones (spec section 6.2).
        Connect = "connect",
        /// Those of Debezium as well, and the types of the source's columns
        /// (spec section 6.3).
        Debezium = "debezium",
        /// The same without loss, and nested values as JSON.
        Extended = "extended",
    }

    /// `nested.mode`: what becomes of structs, maps, and arrays of them.
    Nested {
        /// Such a field is an error.
        Refuse = "refuse",
        /// A struct's fields become columns of their own, with the names on
        /// the way joined. Maps and arrays of values with parts become columns
        /// of JSON.
        Flatten = "flatten",
        /// The field becomes a column of JSON.
        Json = "json",
    }

    /// `schemaless.mode`: what becomes of values without a schema.
    Schemaless {
        /// Such a record is an error.
        Refuse = "refuse",
        /// A map's entries go to the table's columns of the same names.
        InferFromTable = "infer_from_table",
    }

    /// `delivery.guarantee`: how often a record may be written.
    Guarantee {
        /// Once or, after a failure, again.
        AtLeastOnce = "at_least_once",
        /// Once: offsets are stored with the rows.
        ExactlyOnce = "exactly_once",
    }
}

impl TableType {
    /// The word within SQL and messages: `PARTITIONED TABLE`.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::PartitionedTable => "PARTITIONED TABLE",
            Self::View => "VIEW",
        }
    }

    /// The word at the start of a sentence: `Partitioned Table`.
    pub(crate) fn capitalized(self) -> &'static str {
        match self {
            Self::Table => "Table",
            Self::PartitionedTable => "Partitioned Table",
            Self::View => "View",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_all_lower_or_all_upper() {
        assert_eq!(InsertMode::of("upsert"), Some(InsertMode::Upsert));
        assert_eq!(InsertMode::of("UPSERT"), Some(InsertMode::Upsert));
        assert_eq!(InsertMode::of("Upsert"), None);
        assert_eq!(
            TableType::of("PARTITIONED TABLE"),
            Some(TableType::PartitionedTable)
        );
        assert_eq!(KeyMode::RecordKey.word(), "record_key");
    }
}
