//! Values of Debezium's types, in PostgreSQL's binary form or as the text that
//! the statement casts to the column's type.

use tether_api::data::{MapValue, Struct, Type, Value, java_f32, java_f64};

use super::array::push_quoted;
use super::catalog::PostgresType;
use super::codec::{Element, Misfit, element, push_date, push_micros};
use super::numeric;
use super::wkb::{self, Native};
use crate::config::TypeMapping;
use crate::database::variable_scale::VariableScale;
use crate::debezium_type::{DebeziumType, SourceColumn, Unit, bit_length, push_bits};
use crate::dialect::postgres::debezium::native_geometry;
use crate::fields::SinkField;
use crate::time::{MICROS_PER_DAY, TimeError};

/// How values of one column are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DebeziumCodec {
    /// Days since the epoch as a date.
    Days,
    /// Time since midnight.
    Time(Unit),
    /// Wall clock.
    WallClock(Unit),
    /// The same for a column of instants, as one of UTC.
    Instant(Unit),
    /// A duration in microseconds.
    Duration,
    /// Bits; the length unless it varies.
    Bits(Option<u32>),
    /// One bit.
    Bit,
    /// A decimal with a scale of its own.
    VariableScale(VariableScale),
    /// A JSON object as key and value pairs.
    JsonPairs,
    /// A map as key and value pairs.
    Pairs,
    /// A range, in which the source's connector quotes bounds.
    Range,
    /// The fields `x` and `y`.
    Point(usize, usize),
    /// The fields `center`, of which `x` and `y`, and `radius`.
    Circle(usize, (usize, usize), usize),
    /// The fields `a`, `b` and `c`.
    Line(usize, usize, usize),
    /// The fields `wkb` and `srid`.
    Geometry(usize, Option<usize>),
    /// The fields `wkb` and `extensions` of a geometry that is none of
    /// PostGIS's.
    Native(Native, usize, Option<usize>),
    /// An array of numbers.
    Vector,
    /// The fields `dimensions` and `vector`.
    SparseVector(usize, usize),
}

impl DebeziumCodec {
    /// The way to send values of a field to a column, if it is not the one of
    /// the schema's plain type.
    pub(super) fn of(field: &SinkField, column: &PostgresType) -> Option<Self> {
        if field.mapping == TypeMapping::Connect {
            return None;
        }
        let schema = &*field.schema;
        let source = SourceColumn::of(schema);
        let index = |name| Some(schema.field(name)?.index);
        Some(match (field.debezium(), schema.kind()) {
            (Some(DebeziumType::Date), Type::Int32) => Self::Days,
            (Some(DebeziumType::Time(unit)), Type::Int32 | Type::Int64) => Self::Time(unit),
            (Some(DebeziumType::Timestamp(unit)), Type::Int64) => match column.is_timestamptz() {
                true => Self::Instant(unit),
                false => Self::WallClock(unit),
            },
            (Some(DebeziumType::MicroDuration), Type::Int64) => Self::Duration,
            (Some(DebeziumType::Bits), Type::Bytes) => Self::Bits(bit_length(schema)),
            (Some(DebeziumType::VariableScaleDecimal), Type::Struct) => {
                Self::VariableScale(VariableScale::of(schema)?)
            }
            (Some(DebeziumType::Json), Type::String)
                if source.is("HSTORE") || column.is_named("hstore") =>
            {
                Self::JsonPairs
            }
            (Some(DebeziumType::Point), Type::Struct) => Self::Point(index("x")?, index("y")?),
            (Some(DebeziumType::Circle), Type::Struct) => {
                let center = schema.field("center")?;
                let part = |name| Some(center.schema.field(name)?.index);
                Self::Circle(center.index, (part("x")?, part("y")?), index("radius")?)
            }
            (Some(DebeziumType::Line), Type::Struct) => {
                Self::Line(index("a")?, index("b")?, index("c")?)
            }
            (Some(DebeziumType::Geometry | DebeziumType::Geography), Type::Struct) => {
                match native_geometry(source).and_then(Native::of) {
                    Some(native) => Self::Native(native, index("wkb")?, index("extensions")),
                    None => Self::Geometry(index("wkb")?, index("srid")),
                }
            }
            (Some(DebeziumType::DoubleVector | DebeziumType::FloatVector), Type::Array) => {
                Self::Vector
            }
            (Some(DebeziumType::SparseDoubleVector), Type::Struct) => {
                Self::SparseVector(index("dimensions")?, index("vector")?)
            }
            (None, Type::Map) => Self::Pairs,
            (None, Type::Boolean) if column.is_named("bit") => Self::Bit,
            (None, Type::String) if is_range(source) => Self::Range,
            _ => return None,
        })
    }

    /// The type of the parameter's elements.
    pub(super) fn element(self) -> Element {
        match self {
            Self::Days => element("date", 1082, 1182),
            Self::Time(_) => element("time", 1083, 1183),
            Self::WallClock(_) => element("timestamp", 1114, 1115),
            Self::Instant(_) => element("timestamptz", 1184, 1185),
            Self::Duration => element("interval", 1186, 1187),
            Self::VariableScale(_) => element("numeric", 1700, 1231),
            _ => element("text", 25, 1009),
        }
    }

    /// Appends a value that is not null.
    pub(super) fn push(self, value: &Value, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let number = || value.as_i64().ok_or(Misfit::WrongType);
        let micros =
            |unit: Unit| Ok::<_, Misfit>(unit.micros(number()?).ok_or(TimeError::OutOfRange)?);
        match self {
            Self::Days => push_date(number()?, out)?,
            Self::Time(unit) => match micros(unit)? {
                // 24:00 is a time of its own.
                time @ 0..=MICROS_PER_DAY => out.extend(time.to_be_bytes()),
                _ => return Err(TimeError::OutOfRange.into()),
            },
            Self::WallClock(unit) | Self::Instant(unit) => push_micros(micros(unit)?, out)?,
            Self::Duration => {
                out.extend(number()?.to_be_bytes());
                // Neither days nor months.
                out.extend([0; 8]);
            }
            Self::Bits(length) => match value {
                Value::Bytes(bytes) => push_bits(bytes, length, out).ok_or(Misfit::TooManyBits)?,
                _ => return Err(Misfit::WrongType),
            },
            Self::VariableScale(parts) => {
                numeric::push(&parts.decimal(value).ok_or(Misfit::WrongType)?, out)?;
            }
            _ => out.extend_from_slice(self.text(value)?.as_bytes()),
        }
        Ok(())
    }

    fn text(self, value: &Value) -> Result<String, Misfit> {
        let fields = value.as_struct();
        let double = |index| as_f64(fields?.values().get(index)?);
        let text = match self {
            Self::Bit => value.as_bool().map(|flag| u8::from(flag).to_string()),
            Self::Range => value.as_str().map(|text| text.replace('"', "")),
            Self::JsonPairs => return json_pairs(value.as_str().ok_or(Misfit::WrongType)?),
            Self::Pairs => value.as_map().and_then(map_pairs),
            Self::Point(x, y) => double(x).zip(double(y)).map(|(x, y)| wkb::point(x, y)),
            Self::Circle(center, (x, y), radius) => fields.and_then(|fields| {
                let center = fields.values().get(center)?.as_struct()?.values();
                let point = wkb::point(as_f64(center.get(x)?)?, as_f64(center.get(y)?)?);
                Some(format!("<{point},{}>", &*java_f64(double(radius)?)))
            }),
            Self::Line(a, b, c) => [a, b, c]
                .map(|index| double(index).map(|number| java_f64(number).to_string()))
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|parts| format!("{{{}}}", parts.join(","))),
            Self::Geometry(geometry, srid) => {
                let mut digits = Vec::new();
                let srid = srid.and_then(|srid| fields?.values().get(srid)?.as_i64());
                bytes_at(fields, geometry)
                    .and_then(|geometry| {
                        let srid = i32::try_from(srid.unwrap_or(0)).ok()?;
                        wkb::push_postgis(geometry, srid, &mut digits)
                    })
                    .ok_or(Misfit::NotAGeometry)?;
                String::from_utf8(digits).ok()
            }
            Self::Native(native, geometry, extensions) => {
                let closed = extensions.and_then(|index| {
                    let map = fields?.values().get(index)?.as_map()?;
                    map.get_text("closed")?.as_str()
                });
                let text = bytes_at(fields, geometry)
                    .and_then(|geometry| native.text(geometry, closed == Some("true")));
                Some(text.ok_or(Misfit::NotAGeometry)?)
            }
            Self::Vector => value.as_array().and_then(vector),
            Self::SparseVector(dimensions, vector) => fields.and_then(|fields| {
                let dimensions = fields.values().get(dimensions)?.as_i64()?;
                let entries = fields.values().get(vector)?.as_map()?.iter();
                let entries: Option<Vec<_>> = entries
                    .map(|(index, number)| {
                        Some(format!(
                            "{}:{}",
                            index.as_i64()?,
                            &*java_f64(as_f64(number)?)
                        ))
                    })
                    .collect();
                Some(format!("{{{}}}/{dimensions}", entries?.join(",")))
            }),
            _ => None,
        };
        let text = text.ok_or(Misfit::WrongType)?;
        match text.contains('\0') {
            true => Err(Misfit::Nul),
            false => Ok(text),
        }
    }
}

fn is_range(source: SourceColumn<'_>) -> bool {
    source.type_name.is_some_and(|name| name.ends_with("RANGE"))
}

fn as_f64(value: &Value) -> Option<f64> {
    match value {
        Value::Float64(number) => Some(*number),
        Value::Float32(number) => Some(f64::from(*number)),
        _ => None,
    }
}

fn bytes_at(fields: Option<&Struct>, index: usize) -> Option<&[u8]> {
    match fields?.values().get(index)? {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// `[1.0,2.0]`
fn vector(elements: &[Value]) -> Option<String> {
    let numbers: Option<Vec<_>> = elements
        .iter()
        .map(|element| match element {
            Value::Float64(number) => Some(java_f64(*number).to_string()),
            Value::Float32(number) => Some(java_f32(*number).to_string()),
            _ => None,
        })
        .collect();
    Some(format!("[{}]", numbers?.join(",")))
}

/// `"a" => "b", "c" => NULL`
fn pairs<'e>(entries: impl Iterator<Item = (&'e str, Option<String>)>) -> String {
    let mut text = String::new();
    for (key, value) in entries {
        if !text.is_empty() {
            text.push_str(", ");
        }
        push_quoted(key, &mut text);
        text.push_str(" => ");
        match value {
            Some(value) => push_quoted(&value, &mut text),
            None => text.push_str("NULL"),
        }
    }
    text
}

fn map_pairs(map: &MapValue) -> Option<String> {
    let entries: Option<Vec<_>> = map
        .iter()
        .map(|(key, value)| Some((key.as_str()?, scalar_text(value)?)))
        .collect();
    Some(pairs(entries?.into_iter()))
}

/// The text of a map's value; `None` within for null, without if it has parts.
fn scalar_text(value: &Value) -> Option<Option<String>> {
    Some(match value {
        Value::Null => None,
        Value::String(text) => Some(text.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Float32(number) => Some(java_f32(*number).to_string()),
        Value::Float64(number) => Some(java_f64(*number).to_string()),
        value => Some(value.as_i64()?.to_string()),
    })
}

/// What is no text in the object is null, as in the reference.
fn json_pairs(json: &str) -> Result<String, Misfit> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|_| Misfit::NotAnObject)?;
    let entries = object.iter();
    let text = pairs(entries.map(|(key, value)| (key.as_str(), value.as_str().map(str::to_owned))));
    match text.contains('\0') {
        true => Err(Misfit::Nul),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests;
