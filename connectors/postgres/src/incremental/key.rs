//! Values of keys: what the reference's driver has for them, their texts in
//! statements, and how offsets store them.

use std::fmt;

use num_bigint::{BigInt, Sign};
use tether_api::data::{Decimal, java_f32, java_f64};
use uuid::Uuid;

use super::java::{Instance, Object, ReadError, Reader, Writer};
use crate::pgoutput::TupleValue;
use crate::types::{PgType, oid};
use crate::values::{hex, sql_date_millis, sql_date_text, unhex};

/// How many values a key has at most: as many as a table may have columns.
const MOST_VALUES: usize = 1600;

/// The values of the columns that chunks are ordered by, in their order.
pub(super) type Key = Vec<KeyValue>;

/// A value of a key, as the class that the reference's driver has for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeyValue {
    Null,
    Boolean(bool),
    Short(i16),
    Integer(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    String(String),
    Decimal(Decimal),
    Uuid(u128),
    /// A `java.sql.Date`.
    Date(i64),
    Bytes(Vec<u8>),
    /// A `PGobject`: the name of a type and the text of a value.
    Other(String, String),
}

/// Which of them the values of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyKind {
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    String,
    Decimal,
    Uuid,
    Date,
    Bytes,
    /// A type that the driver has no class for.
    Other(String),
}

/// A stored key that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("it is not written in hexadecimal digits")]
    Digits,
    #[error(transparent)]
    Object(#[from] ReadError),
    #[error("it is not an array of at most {MOST_VALUES} objects")]
    Array,
    #[error("it has an object of the class '{0}', which no key of this release has")]
    Class(String),
    #[error("its object of the class '{0}' is damaged")]
    Damaged(&'static str),
}

impl KeyKind {
    /// That of a column of this type, from which domains are taken.
    pub(super) fn of(root: &PgType) -> Self {
        match root.oid {
            oid::BOOL => Self::Boolean,
            oid::INT2 | oid::INT4 => Self::Integer,
            oid::INT8 | oid::OID => Self::Long,
            oid::FLOAT4 => Self::Float,
            oid::FLOAT8 => Self::Double,
            oid::NUMERIC => Self::Decimal,
            oid::UUID => Self::Uuid,
            oid::DATE => Self::Date,
            oid::BYTEA => Self::Bytes,
            // The reference reads times as text.
            oid::CHAR
            | oid::NAME
            | oid::TEXT
            | oid::BPCHAR
            | oid::VARCHAR
            | oid::BIT
            | oid::TIME
            | oid::TIMETZ
            | oid::TIMESTAMP
            | oid::TIMESTAMPTZ => Self::String,
            _ if matches!(root.kind, crate::types::TypeKind::Enum { .. }) => Self::String,
            _ if root.visible => Self::Other(root.name.to_string()),
            _ => Self::Other(format!("\"{}\".\"{}\"", root.schema, root.name)),
        }
    }

    /// The value of a text that the server wrote. One that the class does not
    /// have, such as the number NaN, is kept as text.
    pub(super) fn value(&self, cell: &TupleValue) -> KeyValue {
        let TupleValue::Text(bytes) = cell else {
            return KeyValue::Null;
        };
        let text = String::from_utf8_lossy(bytes);
        let other = |name: &str| KeyValue::Other(name.to_owned(), text.clone().into_owned());
        match self {
            Self::Boolean => KeyValue::Boolean(*text == *"t"),
            Self::Integer => {
                let number = text.parse().map(KeyValue::Integer);
                number.unwrap_or_else(|_| other("int4"))
            }
            Self::Long => text
                .parse()
                .map(KeyValue::Long)
                .unwrap_or_else(|_| other("int8")),
            Self::Float => text
                .parse()
                .map(KeyValue::Float)
                .unwrap_or_else(|_| other("float4")),
            Self::Double => {
                let number = text.parse().map(KeyValue::Double);
                number.unwrap_or_else(|_| other("float8"))
            }
            Self::String => KeyValue::String(text.into_owned()),
            Self::Decimal => {
                let number = text.parse().map(KeyValue::Decimal);
                number.unwrap_or_else(|_| other("numeric"))
            }
            Self::Uuid => {
                let number = u128::from_str_radix(&text.replace('-', ""), 16);
                number.map(KeyValue::Uuid).unwrap_or_else(|_| other("uuid"))
            }
            Self::Date => sql_date_millis(bytes).map_or_else(|| other("date"), KeyValue::Date),
            Self::Bytes => bytes
                .strip_prefix(b"\\x")
                .and_then(unhex)
                .map_or_else(|| other("bytea"), KeyValue::Bytes),
            Self::Other(name) => other(name),
        }
    }
}

impl KeyValue {
    /// What a statement compares with; `None` for NULL.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => value.to_string(),
            Self::Short(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Double(value) => value.to_string(),
            Self::String(value) | Self::Other(_, value) => value.clone(),
            Self::Decimal(value) => value.to_string(),
            Self::Uuid(value) => Uuid::from_u128(*value).to_string(),
            Self::Date(value) => sql_date_text(*value),
            Self::Bytes(value) => format!("\\x{}", hex(value)),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Null => writer.put_null(),
            Self::Boolean(value) => writer.boolean(*value),
            Self::Short(value) => writer.short(*value),
            Self::Integer(value) => writer.integer(*value),
            Self::Long(value) => writer.long(*value),
            Self::Float(value) => writer.float(*value),
            Self::Double(value) => writer.double(*value),
            Self::String(value) => writer.string(value),
            Self::Decimal(value) => {
                let (sign, magnitude) = value.unscaled().to_bytes_be();
                match sign {
                    Sign::Minus => writer.decimal(-1, &magnitude, value.scale()),
                    Sign::NoSign => writer.decimal(0, &[], value.scale()),
                    Sign::Plus => writer.decimal(1, &magnitude, value.scale()),
                }
            }
            Self::Uuid(value) => writer.uuid(*value),
            Self::Date(value) => writer.date(*value),
            Self::Bytes(value) => writer.bytes(value),
            Self::Other(name, value) => writer.pg_object(name, value),
        }
    }

    fn read(object: &Object) -> Result<Self, KeyError> {
        let other = match object {
            Object::Null => return Ok(Self::Null),
            Object::Text(text) => return Ok(Self::String(text.to_string())),
            Object::Bytes(bytes) => return Ok(Self::Bytes(bytes.to_vec())),
            Object::Array(_) => return Err(KeyError::Class("an array of objects".to_owned())),
            Object::Other(other) => other,
        };
        let damaged = KeyError::Damaged;
        let value = || other.bits("value");
        // The bits of a field are as many as its type has.
        Ok(match &*other.class {
            "java.lang.Boolean" => Self::Boolean(value().ok_or(damaged("Boolean"))? != 0),
            "java.lang.Short" => Self::Short(value().ok_or(damaged("Short"))? as i16),
            "java.lang.Integer" => Self::Integer(value().ok_or(damaged("Integer"))? as i32),
            "java.lang.Long" => Self::Long(value().ok_or(damaged("Long"))?.cast_signed()),
            "java.lang.Float" => {
                Self::Float(f32::from_bits(value().ok_or(damaged("Float"))? as u32))
            }
            "java.lang.Double" => Self::Double(f64::from_bits(value().ok_or(damaged("Double"))?)),
            "java.math.BigDecimal" => decimal(other).ok_or(damaged("BigDecimal"))?,
            "java.util.UUID" => {
                let bits = |name| other.bits(name).ok_or(damaged("UUID"));
                let (most, least) = (bits("mostSigBits")?, bits("leastSigBits")?);
                Self::Uuid(u128::from(most) << 64 | u128::from(least))
            }
            "java.sql.Date" => {
                let millis = other.block.first_chunk().ok_or(damaged("Date"))?;
                Self::Date(i64::from_be_bytes(*millis))
            }
            "org.postgresql.util.PGobject" => {
                let text = |name| match other.object(name) {
                    Some(Object::Text(text)) => Ok(text.to_string()),
                    _ => Err(damaged("PGobject")),
                };
                Self::Other(text("type")?, text("value")?)
            }
            "org.postgresql.util.PGInterval" => interval(other).ok_or(damaged("PGInterval"))?,
            class => return Err(KeyError::Class(class.chars().take(100).collect())),
        })
    }
}

/// As Java's `toString` of the value, which notifications show.
impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<null>"),
            Self::Float(value) => f.write_str(&java_f32(*value)),
            Self::Double(value) => f.write_str(&java_f64(*value)),
            _ => f.write_str(&self.text().unwrap_or_default()),
        }
    }
}

/// A key as offsets store it: the hexadecimal digits of a serialized array, or
/// of null.
pub(super) fn store(key: Option<&Key>) -> String {
    let bytes = match key {
        None => Writer::null(),
        Some(key) => {
            // There are never so many.
            let mut writer = Writer::array(u32::try_from(key.len()).unwrap_or(u32::MAX));
            for value in key {
                value.write(&mut writer);
            }
            writer.finish()
        }
    };
    hex(&bytes)
}

/// Reads a stored key.
///
/// # Errors
/// If it is none, or has values of classes that no type of a key has.
pub(super) fn load(digits: &str) -> Result<Option<Key>, KeyError> {
    let bytes = unhex(digits.as_bytes()).ok_or(KeyError::Digits)?;
    match Reader::read(&bytes)? {
        Object::Null => Ok(None),
        Object::Array(values) if values.len() <= MOST_VALUES => {
            let key: Result<Key, KeyError> = values.iter().map(KeyValue::read).collect();
            key.map(Some)
        }
        _ => Err(KeyError::Array),
    }
}

fn decimal(object: &Instance) -> Option<KeyValue> {
    let scale = object.bits("scale")? as i32;
    let Object::Other(unscaled) = object.object("intVal")? else {
        return None;
    };
    let Object::Bytes(magnitude) = unscaled.object("magnitude")? else {
        return None;
    };
    let sign = match unscaled.bits("signum")? as i32 {
        ..0 => Sign::Minus,
        0 => Sign::NoSign,
        1.. => Sign::Plus,
    };
    let unscaled = BigInt::from_bytes_be(sign, magnitude);
    Some(KeyValue::Decimal(Decimal::new(unscaled, scale)))
}

/// The driver's object for intervals has its parts.
fn interval(object: &Instance) -> Option<KeyValue> {
    let part = |name| object.bits(name).map(|bits| bits as i32);
    let text = format!(
        "{} years {} mons {} days {} hours {} mins {} secs {} microseconds",
        part("years")?,
        part("months")?,
        part("days")?,
        part("hours")?,
        part("minutes")?,
        part("wholeSeconds")?,
        part("microSeconds")?,
    );
    Some(KeyValue::Other("interval".to_owned(), text))
}

#[cfg(test)]
mod tests;
