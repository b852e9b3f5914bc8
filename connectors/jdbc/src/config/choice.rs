//! Values to choose from.

use tether_api::config::{ConfigData, Validator};

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
        Validator::custom(description, |_, value| match value {
            ConfigData::Null => Ok(()),
            ConfigData::List(values) if values.is_empty() => Err(format!(
                "At least one value must be specified. Valid values are: [{}]",
                Self::words().join(", ")
            )),
            ConfigData::List(values) if values.iter().all(|word| Self::of(word).is_some()) => {
                Ok(())
            }
            value if value.text().and_then(Self::of).is_some() => Ok(()),
            _ => Err("Invalid enumerator".to_owned()),
        })
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant),* }

        impl Choice for $name {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),*];
        })*
    };
}

choices! {
    /// `insert.mode`: how rows are written.
    InsertMode {
        /// `INSERT`; a row whose key exists is an error.
        Insert = "insert",
        /// Insert or update by key.
        Upsert = "upsert",
        /// `UPDATE` by key; a row that does not exist is left out.
        Update = "update",
    }

    /// `pk.mode`: where key columns come from.
    KeyMode {
        /// There are none.
        None = "none",
        /// Topic, partition and offset.
        Kafka = "kafka",
        /// The record's key.
        RecordKey = "record_key",
        /// Fields of the record's value.
        RecordValue = "record_value",
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
        /// All that the database reports, after a fixed wait, as the reference
        /// does.
        Confluent = "confluent",
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
