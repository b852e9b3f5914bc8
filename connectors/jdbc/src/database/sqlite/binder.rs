//! Turns records into the parameters of a statement for one row.

use std::sync::Arc;

use rusqlite::types::Value as SqliteValue;
use tether_api::Result;
use tether_api::data::Value;
use tether_api::record::SinkRecord;

use super::debezium::DebeziumCodec;
use crate::database::column_value::{WRONG_TYPE, with_value};
use crate::dialect::sqlite::TemporalClass;
use crate::fields::SinkField;
use crate::json::{self, JsonError};
use crate::plan::{Binder, Grouping};
use crate::table::TableId;
use crate::time::{Clock, TimeError, timestamp_text};

/// The Julian day of 1970-01-01T00:00Z.
const EPOCH_JULIAN_DAY: f64 = 2_440_587.5;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// Why a value cannot be a parameter.
#[derive(Debug, thiserror::Error)]
pub(super) enum Misfit {
    #[error("{}", WRONG_TYPE)]
    WrongType,
    #[error("{0}")]
    Time(#[from] TimeError),
    #[error("{0}")]
    Json(#[from] JsonError),
}

/// A field and how its values are written.
#[derive(Debug)]
pub(super) struct BoundColumn {
    field: SinkField,
    debezium: Option<DebeziumCodec>,
    /// Whether any value but null can be written.
    takes_values: bool,
}

impl BoundColumn {
    pub(super) fn new(field: SinkField) -> Self {
        let debezium = DebeziumCodec::of(&field);
        let has_parts = !field.schema.kind().is_primitive();
        Self {
            takes_values: debezium.is_some() || field.is_json || !has_parts,
            field,
            debezium,
        }
    }
}

/// Turns records of one plan into parameters.
#[derive(Debug)]
pub(crate) struct SqliteBinder {
    pub(super) table: Arc<TableId>,
    /// The columns in the order of the statement's parameters.
    pub(super) columns: Vec<BoundColumn>,
    pub(super) sql: Arc<str>,
    pub(super) temporal: TemporalClass,
    pub(super) clock: Arc<Clock>,
}

impl Binder for SqliteBinder {
    /// Each row is a statement of its own anyway.
    fn grouping(&self) -> Grouping {
        Grouping::InOrder
    }

    fn key(&self, _record: &SinkRecord, _key: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

impl SqliteBinder {
    /// The parameters for a record.
    pub(super) fn parameters(&self, record: &SinkRecord) -> Result<Vec<SqliteValue>> {
        self.columns
            .iter()
            .map(|column| {
                let parts = (&column.field, column.takes_values);
                with_value(&self.table, parts, record, |value| match column.debezium {
                    Some(codec) if !value.is_null() => codec.parameter(value),
                    _ => self.parameter(&column.field, value),
                })
            })
            .collect()
    }

    fn parameter(&self, field: &SinkField, value: &Value) -> Result<SqliteValue, Misfit> {
        Ok(match value {
            Value::Null => SqliteValue::Null,
            value if field.is_json => SqliteValue::Text(json::text(value)?),
            Value::Int64(number) if field.is_epoch => {
                self.instant(self.clock.epoch_instant(*number))?
            }
            Value::String(text) if field.is_epoch => {
                self.instant(self.clock.epoch_text_instant(text)?)?
            }
            Value::Int8(number) => SqliteValue::Integer((*number).into()),
            Value::Int16(number) => SqliteValue::Integer((*number).into()),
            Value::Int32(number) => SqliteValue::Integer((*number).into()),
            Value::Int64(number) => SqliteValue::Integer(*number),
            Value::Float32(number) => SqliteValue::Real((*number).into()),
            Value::Float64(number) => SqliteValue::Real(*number),
            Value::Boolean(flag) => SqliteValue::Integer((*flag).into()),
            Value::String(text) => SqliteValue::Text(text.to_string()),
            Value::Bytes(bytes) => SqliteValue::Blob(bytes.to_vec()),
            // The column's affinity makes a number of it.
            Value::Decimal(number) => SqliteValue::Text(number.to_string()),
            Value::Date(days) => self.date(*days)?,
            Value::Time(millis) => self.instant(i64::from(*millis) * 1000)?,
            Value::Timestamp(millis) => self.instant(Clock::instant(*millis)?)?,
            Value::Array(_) | Value::Map(_) | Value::Struct(_) => return Err(Misfit::WrongType),
        })
    }

    fn instant(&self, micros: i64) -> Result<SqliteValue, Misfit> {
        self.temporal(micros.div_euclid(1000), || self.clock.timestamp(micros))
    }

    fn date(&self, days: i32) -> Result<SqliteValue, Misfit> {
        self.temporal(i64::from(days) * MILLIS_PER_DAY, || {
            Ok(self.clock.date(days)? * MILLIS_PER_DAY * 1000)
        })
    }

    /// An instant as the configured class. Only text has a wall clock.
    fn temporal(
        &self,
        millis: i64,
        wall_clock_micros: impl FnOnce() -> Result<i64, TimeError>,
    ) -> Result<SqliteValue, Misfit> {
        Ok(match self.temporal {
            TemporalClass::Millis => SqliteValue::Integer(millis),
            TemporalClass::Seconds => SqliteValue::Integer(millis.div_euclid(1000)),
            TemporalClass::Text => SqliteValue::Text(timestamp_text(wall_clock_micros()?, 3)),
            TemporalClass::Real => {
                SqliteValue::Real(millis as f64 / MILLIS_PER_DAY as f64 + EPOCH_JULIAN_DAY)
            }
        })
    }
}
