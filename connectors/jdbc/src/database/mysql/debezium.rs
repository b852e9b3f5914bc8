//! Values of Debezium's types as literals.

use tether_api::data::{Schema, Type, Value};

use super::codec::Misfit;
use super::column_type::{BaseType, MySqlType};
use crate::config::TypeMapping;
use crate::database::variable_scale::VariableScale;
use crate::debezium_time::{Instant, parse_zoned_time};
use crate::debezium_type::{DebeziumType, Unit, bit_length, push_bits};
use crate::dialect::mysql::literal;
use crate::fields::SinkField;
use crate::time::{Clock, MICROS_PER_DAY, TimeError};

/// The first and the last second of a TIMESTAMP column, which stand in for
/// infinity as in the reference.
const EARLIEST: i64 = 1_000_000;
const LATEST: i64 = i32::MAX as i64 * 1_000_000;

/// The digits of a second's fraction.
const DIGITS: usize = 6;

/// How values of one column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DebeziumCodec {
    /// Days since the epoch.
    Days,
    /// Time since midnight.
    Time(Unit),
    /// A time with its offset, in UTC.
    ZonedTime,
    /// Wall clock, which for a column of instants is that of UTC.
    WallClock(Unit),
    /// A text of an instant as wall clock.
    ZonedWallClock,
    /// A text of an instant.
    ZonedInstant,
    /// Bits; the length unless it varies.
    Bits(Option<u32>),
    /// A decimal with a scale of its own.
    VariableScale(VariableScale),
    /// The fields `wkb` and `srid`.
    Geometry(usize, Option<usize>),
}

impl DebeziumCodec {
    /// The way to write values of a field to a column, if it is not the one of
    /// the schema's plain type.
    pub(super) fn of(field: &SinkField, column: &MySqlType) -> Option<Self> {
        if field.mapping == TypeMapping::Connect {
            return None;
        }
        let is_instant = column.base == BaseType::Timestamp;
        let is_time = is_instant || column.base == BaseType::DateTime;
        Some(match (field.debezium(), field.schema.kind()) {
            (Some(DebeziumType::Date), Type::Int32) => Self::Days,
            (Some(DebeziumType::Time(unit)), Type::Int32 | Type::Int64) => Self::Time(unit),
            (Some(DebeziumType::ZonedTime), Type::String) if column.base == BaseType::Time => {
                Self::ZonedTime
            }
            (Some(DebeziumType::Timestamp(unit)), Type::Int64) => Self::WallClock(unit),
            (Some(DebeziumType::ZonedTimestamp), Type::String) if is_instant => Self::ZonedInstant,
            (Some(DebeziumType::ZonedTimestamp), Type::String) if is_time => Self::ZonedWallClock,
            (Some(DebeziumType::Bits), Type::Bytes) => Self::Bits(bit_length(&field.schema)),
            (Some(DebeziumType::VariableScaleDecimal), Type::Struct) => {
                Self::VariableScale(VariableScale::of(&field.schema)?)
            }
            (
                Some(DebeziumType::Point | DebeziumType::Geometry | DebeziumType::Geography),
                Type::Struct,
            ) => Self::geometry(&field.schema)?,
            _ => return None,
        })
    }

    fn geometry(schema: &Schema) -> Option<Self> {
        let index = |name| Some(schema.field(name)?.index);
        Some(Self::Geometry(index("wkb")?, index("srid")))
    }

    /// Whether values are wall clock of UTC whatever zone is configured.
    pub(super) fn needs_utc(self, column: &MySqlType) -> bool {
        column.base == BaseType::Timestamp
            && matches!(self, Self::WallClock(_) | Self::ZonedInstant)
    }

    /// Appends a value that is not null as a literal.
    pub(super) fn push(
        self,
        value: &Value,
        clock: &Clock,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        let number = || value.as_i64().ok_or(Misfit::WrongType);
        let text = || value.as_str().ok_or(Misfit::WrongType);
        let micros = |unit: Unit| {
            Ok::<_, Misfit>(unit.whole_micros(number()?).ok_or(TimeError::OutOfRange)?)
        };
        match self {
            Self::Days => literal::push_date(number()?, out)?,
            Self::Time(unit) => match micros(unit)? {
                time @ 0..=MICROS_PER_DAY => literal::push_time(time, DIGITS, out),
                _ => return Err(TimeError::OutOfRange.into()),
            },
            Self::ZonedTime => literal::push_time(parse_zoned_time(text()?)?, DIGITS, out),
            Self::WallClock(unit) => literal::push_timestamp(micros(unit)?, DIGITS, out)?,
            Self::ZonedInstant => literal::push_timestamp(instant(text()?)?, DIGITS, out)?,
            Self::ZonedWallClock => {
                literal::push_timestamp(clock.timestamp(instant(text()?)?)?, DIGITS, out)?;
            }
            Self::Bits(length) => match value {
                Value::Bytes(bytes) => {
                    out.extend_from_slice(b"b'");
                    push_bits(bytes, length, out).ok_or(Misfit::TooManyBits)?;
                    out.push(b'\'');
                }
                _ => return Err(Misfit::WrongType),
            },
            Self::VariableScale(parts) => {
                let number = parts.decimal(value).ok_or(Misfit::WrongType)?;
                literal::push(&Value::from(number), out)?;
            }
            Self::Geometry(wkb, srid) => push_geometry(value, wkb, srid, out)?,
        }
        Ok(())
    }
}

fn instant(text: &str) -> Result<i64, TimeError> {
    Ok(match Instant::parse(text)? {
        Instant::Micros(micros) => micros,
        Instant::Latest => LATEST,
        Instant::Earliest => EARLIEST,
    })
}

/// `ST_GeomFromWKB(x'…',4326)`
fn push_geometry(
    value: &Value,
    wkb: usize,
    srid: Option<usize>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    let fields = value.as_struct().ok_or(Misfit::WrongType)?.values();
    let Some(wkb @ Value::Bytes(_)) = fields.get(wkb) else {
        return Err(Misfit::NotAGeometry);
    };
    let srid = srid
        .and_then(|srid| fields.get(srid)?.as_i64())
        .unwrap_or(0);
    out.extend_from_slice(b"ST_GeomFromWKB(");
    literal::push(wkb, out)?;
    out.push(b',');
    literal::push_integer(srid, out);
    out.push(b')');
    Ok(())
}
