//! Columns that the configuration masks, truncates or describes.

mod hash;

use tether_api::data::{SchemaBuilder, Text, Value};
use tether_api::{ConnectError, Result};

use self::hash::{HashAlgorithm, SaltedHash};
use crate::config::{ColumnRule, ColumnRules, HashVersion};
use crate::table::{Column, TableId};
use crate::types::{ColumnType, TypeKind, oid};

/// What is done to a column besides its conversion. A column has one mapping at
/// most: that of the first rule which matches it.
#[derive(Debug, Clone)]
pub(super) enum ColumnMapping {
    /// `column.mask.with.<n>.chars`: every value of a text column is this one,
    /// NULL too.
    Mask(Text),
    /// `column.mask.hash.…`: texts are replaced by their hash.
    Hash(SaltedHash),
    /// `column.truncate.to.<n>.chars`: texts and bytes have this length at
    /// most.
    Truncate(usize),
    /// `column.propagate.source.type`, `datatype.propagate.source.type`: the
    /// schema says what the column is in the database.
    PropagateSourceType,
}

impl ColumnMapping {
    /// What the configuration asks for a column.
    ///
    /// # Errors
    /// Config, if a hash function is not known.
    pub(super) fn of(
        rules: &ColumnRules,
        table: &TableId,
        column: &Column,
        type_name: &str,
    ) -> Result<Option<Self>> {
        let Some(rule) = rules.rule(table, &column.name, type_name) else {
            return Ok(None);
        };
        Ok(Some(match rule {
            ColumnRule::Truncate(length) => Self::Truncate(*length),
            ColumnRule::Mask(length) => Self::Mask("*".repeat(*length).into()),
            ColumnRule::PropagateType => Self::PropagateSourceType,
            ColumnRule::Hash(rule) => {
                let algorithm = HashAlgorithm::of(&rule.algorithm).ok_or_else(|| {
                    let name = &rule.algorithm;
                    ConnectError::config(format!(
                        "The hash function '{name}' for '{table}.{}' is not known",
                        column.name
                    ))
                })?;
                let plain = rule.version == HashVersion::V2;
                Self::Hash(SaltedHash::new(algorithm, rule.salt.reveal(), plain))
            }
        }))
    }

    /// Adds to the schema of a column what the mapping says in it.
    pub(super) fn describe(
        &self,
        builder: SchemaBuilder,
        column: &Column,
        column_type: &ColumnType,
    ) -> SchemaBuilder {
        match self {
            Self::Mask(_) | Self::Hash(_) => builder.parameter("masked", "true"),
            Self::Truncate(length) if may_exceed(column_type, *length) => {
                builder.parameter("truncateLength", length.to_string())
            }
            Self::Truncate(_) => builder,
            Self::PropagateSourceType => {
                let name = column_type.name().to_uppercase();
                let mut builder = builder
                    .parameter("__debezium.source.column.type", name)
                    .parameter(
                        "__debezium.source.column.length",
                        column_type.size.length.to_string(),
                    );
                if let Some(scale) = column_type.scale() {
                    builder =
                        builder.parameter("__debezium.source.column.scale", scale.to_string());
                }
                builder.parameter("__debezium.source.column.name", column.name.clone())
            }
        }
    }

    /// What is left to do to values of this type.
    pub(super) fn for_values(self, column_type: &ColumnType) -> Option<Self> {
        match self {
            Self::Mask(_) => is_text(column_type).then_some(self),
            Self::Hash(hash) => is_text(column_type).then(|| {
                let longest = usize::try_from(column_type.size.length).ok();
                Self::Hash(hash.cut_to(longest.filter(|length| *length > 0)))
            }),
            Self::Truncate(length) => may_exceed(column_type, length).then_some(self),
            Self::PropagateSourceType => None,
        }
    }

    /// The value that takes the place of a value.
    pub(super) fn value(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Mask(mask), _) => Value::String(mask.clone()),
            (Self::Hash(hash), Value::String(text)) => Value::String(hash.of(&text)),
            (Self::Truncate(length), Value::String(text)) => {
                Value::String(truncated(text, *length))
            }
            (Self::Truncate(length), Value::Bytes(bytes)) => {
                Value::Bytes(bytes.slice(..bytes.len().min(*length)))
            }
            (_, value) => value,
        }
    }
}

/// Whether masks apply: to the types that the driver calls characters.
fn is_text(column_type: &ColumnType) -> bool {
    let root = &column_type.root;
    matches!(
        root.oid,
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::CHAR | oid::NAME
    ) || matches!(root.kind, TypeKind::Enum { .. })
}

fn may_exceed(column_type: &ColumnType, length: usize) -> bool {
    let longest = column_type.size.length;
    usize::try_from(longest).map_or(true, |longest| longest > length)
}

/// The first so many units of UTF-16, in which Java counts. Half of a character
/// becomes a question mark, as it does when Java encodes it.
fn truncated(text: Text, length: usize) -> Text {
    // A text has at least as many bytes as units.
    if text.len() <= length {
        return text;
    }
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units == length {
            return Text::from(&text[..at]);
        }
        units += character.len_utf16();
        if units > length {
            return format!("{}?", &text[..at]).into();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_where_java_cuts_them() {
        let cut = |text: &'static str, length| truncated(Text::from_static(text), length);
        assert_eq!(cut("abcdef", 3), "abc");
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("a😀b", 3), "a😀");
        assert_eq!(cut("a😀b", 2), "a?");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn masks_hide_null_too() {
        let mask = ColumnMapping::Mask(Text::from_static("*****"));
        assert_eq!(mask.value(Value::Null), "*****".into());
        let cut = ColumnMapping::Truncate(2);
        assert_eq!(cut.value(Value::Null), Value::Null);
        assert_eq!(cut.value("abc".into()), "ab".into());
    }
}
