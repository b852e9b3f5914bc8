//! The columns that Debezium's connector makes on MySQL and MariaDB
//! (spec section 6.3).

use tether_api::data::logical::{Logical, decimal_scale};
use tether_api::data::{Schema, Type, Value};

use super::Server;
use super::literal::{LiteralError, push_date, push_default_text, push_time, push_timestamp};
use crate::config::TypeMapping;
use crate::debezium_type::{DebeziumType, SourceColumn, Unit, bit_length};
use crate::fields::SinkField;
use crate::time::TimeError;

/// The most digits of a decimal in columns as the reference makes them, and
/// where nothing may be lost.
const MOST_DIGITS: u32 = 38;
const MOST_DIGITS_EVER: u32 = 65;
/// The most digits after the point.
const MOST_SCALE: u32 = 30;
/// The longest text in a key.
const LONGEST_KEY: u32 = 255;
/// The longest `CHAR`.
const LONGEST_CHAR: u32 = 255;
/// The longest `VARCHAR` of four bytes each that a row holds.
const LONGEST_VARCHAR: u32 = 16_383;
/// The longest `VARBINARY` that a row holds.
const LONGEST_VARBINARY: u32 = 65_532;
/// The most bits of a `BIT`.
const MOST_BITS: u32 = 64;

/// The type of a new column; `None` if no type holds the values.
pub(super) fn sql_type(field: &SinkField, server: Server) -> Option<String> {
    let schema = &*field.schema;
    let source = SourceColumn::of(schema);
    let digits = source.time_digits().unwrap_or(6);
    if let Some(debezium) = field.debezium() {
        return of_debezium(debezium, field, server, source);
    }
    match field.logical() {
        Some(Logical::Decimal) => return Some(decimal(schema, field.mapping)),
        Some(Logical::Date) => return Some("date".to_owned()),
        Some(Logical::Time) => return Some(format!("time({digits})")),
        Some(Logical::Timestamp) => return Some(format!("datetime({digits})")),
        None => {}
    }
    if let Some(name) = of_source(schema, source) {
        return Some(name);
    }
    Some(match schema.kind() {
        Type::Int8 => "tinyint".to_owned(),
        Type::Int16 => "smallint".to_owned(),
        Type::Int32 => "integer".to_owned(),
        Type::Int64 => "bigint".to_owned(),
        Type::Float32 => "float".to_owned(),
        Type::Float64 => "double".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::String => text(source, field.is_key),
        Type::Bytes => bytes(source, field.is_key),
        Type::Map => json(server).to_owned(),
        Type::Array | Type::Struct => return None,
    })
}

fn of_debezium(
    debezium: DebeziumType,
    field: &SinkField,
    server: Server,
    source: SourceColumn<'_>,
) -> Option<String> {
    let digits = source.time_digits().unwrap_or(6);
    Some(match debezium {
        DebeziumType::Date => "date".to_owned(),
        DebeziumType::Time(_) | DebeziumType::ZonedTime => format!("time({digits})"),
        DebeziumType::Timestamp(_) => format!("datetime({digits})"),
        DebeziumType::ZonedTimestamp => format!("timestamp({digits})"),
        DebeziumType::Year => "year".to_owned(),
        DebeziumType::MicroDuration => "bigint".to_owned(),
        DebeziumType::Json => json(server).to_owned(),
        DebeziumType::Uuid | DebeziumType::Xml | DebeziumType::Ltree | DebeziumType::Tsvector => {
            text(source, field.is_key)
        }
        DebeziumType::Enum => words("enum", field)?,
        DebeziumType::EnumSet => words("set", field)?,
        DebeziumType::Bits => {
            let length = bit_length(&field.schema).unwrap_or(MOST_BITS);
            format!("bit({})", length.clamp(1, MOST_BITS))
        }
        DebeziumType::VariableScaleDecimal => match field.mapping {
            TypeMapping::Extended => format!("decimal({MOST_DIGITS_EVER},{MOST_SCALE})"),
            TypeMapping::Connect | TypeMapping::Debezium => "double".to_owned(),
        },
        DebeziumType::Point => "point".to_owned(),
        DebeziumType::Geometry | DebeziumType::Geography => "geometry".to_owned(),
        DebeziumType::Circle
        | DebeziumType::Line
        | DebeziumType::DoubleVector
        | DebeziumType::FloatVector
        | DebeziumType::SparseDoubleVector => return None,
    })
}

/// Whether a column of a field may have a default.
pub(super) fn takes_default(field: &SinkField) -> bool {
    field.mapping == TypeMapping::Connect
        || field.schema.kind().is_primitive()
            && !matches!(
                field.debezium(),
                Some(
                    DebeziumType::Json
                        | DebeziumType::Bits
                        | DebeziumType::ZonedTime
                        | DebeziumType::ZonedTimestamp
                )
            )
            && (field.schema.kind() != Type::Bytes || field.logical().is_some())
}

/// The default of a field whose values are not written as what they are.
pub(super) fn literal(field: &SinkField, value: &Value) -> Option<Result<Vec<u8>, LiteralError>> {
    let number = value.as_i64();
    let micros = |unit: Unit| {
        let micros = number.and_then(|number| unit.micros(number));
        micros.ok_or(LiteralError::Time(TimeError::OutOfRange))
    };
    let mut out = Vec::new();
    let pushed = match field.debezium()? {
        DebeziumType::Date => number
            .ok_or(TimeError::OutOfRange.into())
            .and_then(|day| push_date(day, &mut out)),
        DebeziumType::Time(unit) => micros(unit).map(|time| push_time(time, 6, &mut out)),
        DebeziumType::Timestamp(unit) => {
            micros(unit).and_then(|local| push_timestamp(local, 6, &mut out))
        }
        _ => return None,
    };
    Some(pushed.map(|()| out))
}

/// MariaDB's JSON is a text.
fn json(server: Server) -> &'static str {
    match server {
        Server::MariaDb => "longtext",
        Server::MySql { .. } => "json",
    }
}

/// `enum('a','b')`; `None` if the words are not told.
fn words(kind: &str, field: &SinkField) -> Option<String> {
    let allowed = field.schema.parameters().get("allowed")?;
    let mut sql = format!("{kind}(").into_bytes();
    for (index, word) in split_words(allowed).iter().enumerate() {
        if index > 0 {
            sql.push(b',');
        }
        push_default_text(word, &mut sql).ok()?;
    }
    sql.push(b')');
    String::from_utf8(sql).ok()
}

/// Words with commas between them; a comma within a word has a backslash before
/// it (`EnumeratedValues`).
fn split_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let (character, ends) = match character {
            '\\' => (characters.next(), false),
            ',' => (None, true),
            character => (Some(character), false),
        };
        if ends {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.extend(character);
        }
    }
    words
}

/// A scale below zero is none.
fn decimal(schema: &Schema, mapping: TypeMapping) -> String {
    let most = match mapping {
        TypeMapping::Extended => MOST_DIGITS_EVER,
        TypeMapping::Connect | TypeMapping::Debezium => MOST_DIGITS,
    };
    let scale = decimal_scale(schema).unwrap_or(0).max(0).cast_unsigned();
    let precision = schema.parameters().get("connect.decimal.precision");
    let precision = precision.and_then(|text| text.parse().ok());
    let precision = precision.filter(|precision| *precision > 0);
    format!(
        "decimal({},{})",
        precision.unwrap_or(most).min(most),
        scale.min(MOST_SCALE)
    )
}

/// Integers as wide as the source's column, in words of MySQL.
fn of_source(schema: &Schema, source: SourceColumn<'_>) -> Option<String> {
    let is_integer = matches!(
        schema.kind(),
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64
    );
    let name = source.type_name.filter(|_| is_integer)?;
    let width = source.length.filter(|length| (1..=255).contains(length));
    let sized = |name: &str| match width {
        Some(width) => format!("{name}({width})"),
        None => name.to_owned(),
    };
    Some(match name {
        // Values up to 255 are no `TINYINT`, but flags are.
        "TINYINT" if schema.kind() == Type::Int16 && width != Some(1) => "smallint".to_owned(),
        "TINYINT" => sized("tinyint"),
        "MEDIUMINT" => sized("mediumint"),
        "INTEGER" => sized("integer"),
        "BIGINT UNSIGNED"
        | "BIGINT UNSIGNED ZEROFILL"
        | "INT8 UNSIGNED"
        | "INT8 UNSIGNED ZEROFILL" => "bigint unsigned".to_owned(),
        _ => return None,
    })
}

/// The type of a text, with the length of the source's column.
fn text(source: SourceColumn<'_>, is_key: bool) -> String {
    let is_char = source.is_char();
    let varies = source.is_varchar();
    let length = source
        .length
        .filter(|length| *length > 0 && (is_char || varies));
    match length {
        None if is_key => format!("varchar({LONGEST_KEY})"),
        Some(length) if is_key => format!("varchar({})", length.min(LONGEST_KEY)),
        None if is_char => "char(1)".to_owned(),
        Some(length) if is_char && length <= LONGEST_CHAR => format!("char({length})"),
        Some(length) if length <= LONGEST_VARCHAR => format!("varchar({length})"),
        _ => "longtext".to_owned(),
    }
}

fn bytes(source: SourceColumn<'_>, is_key: bool) -> String {
    let length = source.length.filter(|length| *length > 0);
    match (source.type_name, length) {
        (_, None) if is_key => format!("varbinary({LONGEST_KEY})"),
        (Some("TINYBLOB"), _) => "tinyblob".to_owned(),
        (Some("MEDIUMBLOB"), _) => "mediumblob".to_owned(),
        (Some("BLOB"), _) => "blob".to_owned(),
        (Some(_), Some(length)) if length <= LONGEST_VARBINARY => format!("varbinary({length})"),
        _ => "longblob".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_hold_commas() {
        assert_eq!(split_words("a,b\\,c,"), ["a", "b,c", ""]);
        assert_eq!(split_words("it's \\\\"), ["it's \\"]);
    }
}
