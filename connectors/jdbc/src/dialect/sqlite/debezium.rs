//! The columns of Debezium's types on SQLite, which its connector does not
//! know.

use tether_api::data::{Type, Value};

use crate::config::TypeMapping;
use crate::debezium_type::{DebeziumType, Unit};
use crate::fields::SinkField;
use crate::time::{date_text, time_text, timestamp_text};

/// The type of a new column, if it is not the one of the schema's plain type.
pub(super) fn sql_type(field: &SinkField) -> Option<&'static str> {
    if field.mapping == TypeMapping::Connect {
        return None;
    }
    match (field.debezium(), field.schema.kind()) {
        (Some(DebeziumType::Date | DebeziumType::Time(_) | DebeziumType::Timestamp(_)), _)
        | (None, Type::Map) => Some("TEXT"),
        (Some(DebeziumType::VariableScaleDecimal), _) => Some("NUMERIC"),
        _ => None,
    }
}

/// The default of a field whose values are written as texts, without quotes.
pub(super) fn default_text(field: &SinkField, value: &Value) -> Option<String> {
    let number = value.as_i64();
    let micros = |unit: Unit| unit.micros(number?);
    Some(match field.debezium()? {
        DebeziumType::Date => date_text(i32::try_from(number?).ok()?.into()),
        DebeziumType::Time(unit) => time_text(micros(unit)?, 6),
        DebeziumType::Timestamp(unit) => timestamp_text(micros(unit)?, 6),
        _ => return None,
    })
}
