//! The types of columns, as `SHOW COLUMNS` writes them.

use crate::schemaless::column_kind::{ColumnKind, TypedColumn};

/// Types whose values the connector knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BaseType {
    /// An integer of any width.
    Integer,
    /// `CHAR`, `VARCHAR` and the kinds of `TEXT`.
    Text,
    /// `VARBINARY` and the kinds of `BLOB`.
    Bytes,
    /// A day.
    Date,
    /// A time of day, or a duration.
    Time,
    /// Wall clock.
    DateTime,
    /// An instant, which the server shows in the session's zone.
    Timestamp,
    /// `JSON`. MariaDB has it as a text.
    Json,
    /// Anything else.
    Other,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MySqlType {
    /// What it is.
    pub(super) base: BaseType,
    /// The digits of a second's fraction that a time keeps.
    pub(super) digits: u32,
    /// How texts are compared; `None` for what is no text.
    pub(super) collation: Option<String>,
}

impl MySqlType {
    /// Reads `varchar(255)`, `bigint(20) unsigned`, `datetime(3)` and so on.
    pub(super) fn parse(text: &str, collation: Option<String>) -> Self {
        let text = text.to_lowercase();
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let argument = rest
            .strip_prefix('(')
            .and_then(|rest| rest.split([')', ',']).next())
            .and_then(|number| number.parse().ok());
        let base = match name {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => BaseType::Integer,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => BaseType::Text,
            "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => BaseType::Bytes,
            "date" => BaseType::Date,
            "time" => BaseType::Time,
            "datetime" => BaseType::DateTime,
            "timestamp" => BaseType::Timestamp,
            "json" => BaseType::Json,
            _ => BaseType::Other,
        };
        Self {
            base,
            digits: argument.unwrap_or(0),
            collation,
        }
    }

    /// Whether texts with different bytes are different, but for blanks at the
    /// end.
    pub(super) fn compares_bytes(&self) -> bool {
        let collation = self.collation.as_deref();
        collation.is_some_and(|name| name == "binary" || name.ends_with("_bin"))
    }

    /// Whether blanks at the end of a text count.
    pub(super) fn counts_trailing_blanks(&self) -> bool {
        let collation = self.collation.as_deref();
        collation.is_some_and(|name| {
            name == "binary" || name.contains("_nopad_") || name.contains("_0900_")
        })
    }
}

impl TypedColumn for MySqlType {
    fn kind(&self) -> ColumnKind {
        match self.base {
            BaseType::Integer => ColumnKind::Integer,
            BaseType::Text => ColumnKind::Text,
            BaseType::Bytes => ColumnKind::Bytes,
            BaseType::Date => ColumnKind::Date,
            BaseType::Time => ColumnKind::Time,
            BaseType::DateTime => ColumnKind::WallClock,
            BaseType::Timestamp => ColumnKind::Instant,
            BaseType::Json => ColumnKind::Json,
            BaseType::Other => ColumnKind::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (BaseType, u32) {
        let found = MySqlType::parse(text, None);
        (found.base, found.digits)
    }

    #[test]
    fn types_as_the_server_writes_them() {
        assert_eq!(parsed("bigint(20) unsigned"), (BaseType::Integer, 20));
        assert_eq!(parsed("INT"), (BaseType::Integer, 0));
        assert_eq!(parsed("varchar(255)"), (BaseType::Text, 255));
        assert_eq!(parsed("datetime(3)"), (BaseType::DateTime, 3));
        assert_eq!(parsed("timestamp"), (BaseType::Timestamp, 0));
        assert_eq!(parsed("decimal(65,2)"), (BaseType::Other, 65));
        assert_eq!(parsed("enum('a','int')"), (BaseType::Other, 0));
        assert_eq!(parsed(""), (BaseType::Other, 0));
        assert_eq!(parsed("ä("), (BaseType::Other, 0));
    }

    #[test]
    fn collations() {
        let of = |name: &str| MySqlType::parse("text", Some(name.to_owned()));
        assert!(of("utf8mb4_bin").compares_bytes());
        assert!(!of("utf8mb4_bin").counts_trailing_blanks());
        assert!(of("utf8mb4_nopad_bin").counts_trailing_blanks());
        assert!(of("utf8mb4_0900_bin").counts_trailing_blanks());
        assert!(!of("utf8mb4_general_ci").compares_bytes());
        assert!(!MySqlType::parse("int", None).compares_bytes());
    }
}
