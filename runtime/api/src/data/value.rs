//! Values of Connect data.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::{Bytes, Decimal, SchemaRef, Struct, Text, java_f32, java_f64};

/// A value. Cloning never copies text, bytes or parts.
///
/// Logical types have variants of their own, so a value says what it is even
/// without its schema.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub enum Value {
    #[default]
    Null,
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Float32(f32),
    Float64(f64),
    Boolean(bool),
    String(Text),
    Bytes(Bytes),
    /// `org.apache.kafka.connect.data.Decimal`
    Decimal(Arc<Decimal>),
    /// `org.apache.kafka.connect.data.Date`: days since 1970-01-01.
    Date(i32),
    /// `org.apache.kafka.connect.data.Time`: milliseconds since midnight.
    Time(i32),
    /// `org.apache.kafka.connect.data.Timestamp`: milliseconds since 1970-01-01T00:00Z.
    Timestamp(i64),
    Array(Arc<Vec<Value>>),
    Map(Arc<MapValue>),
    Struct(Arc<Struct>),
}

/// A schema and a value of it; no schema for schemaless data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SchemaAndValue {
    /// The schema, if the data has one.
    pub schema: Option<SchemaRef>,
    /// The value.
    pub value: Value,
}

impl SchemaAndValue {
    /// Neither schema nor value.
    pub const NULL: Self = Self {
        schema: None,
        value: Value::Null,
    };

    /// A value with its schema.
    pub fn new(schema: SchemaRef, value: Value) -> Self {
        Self {
            schema: Some(schema),
            value,
        }
    }

    /// A value without a schema.
    pub fn schemaless(value: Value) -> Self {
        Self {
            schema: None,
            value,
        }
    }
}

/// The entries of a map in the order in which they were added. Equality ignores
/// the order, as a Java map does.
#[derive(Debug, Clone, Default)]
pub struct MapValue(Vec<(Value, Value)>);

impl MapValue {
    /// The value under this key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.0
            .iter()
            .find(|(candidate, _)| candidate == key)
            .map(|(_, value)| value)
    }

    /// The value under this text.
    pub fn get_text(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(candidate, _)| matches!(candidate, Value::String(text) if text == key))
            .map(|(_, value)| value)
    }

    /// Sets an entry; an existing one keeps its place.
    pub fn insert(&mut self, key: Value, value: Value) {
        match self.0.iter_mut().find(|(candidate, _)| *candidate == key) {
            Some(slot) => slot.1 = value,
            None => self.0.push((key, value)),
        }
    }

    /// Removes an entry and returns its value.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let index = self.0.iter().position(|(candidate, _)| candidate == key)?;
        Some(self.0.remove(index).1)
    }

    /// All entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Value, Value)> {
        self.0.iter()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A map of entries whose keys are known to differ. Decoders of objects
    /// with many keys use it to avoid a search for each entry.
    pub fn from_distinct(entries: Vec<(Value, Value)>) -> Self {
        Self(entries)
    }
}

impl PartialEq for MapValue {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl FromIterator<(Value, Value)> for MapValue {
    /// Of entries with the same key the last one counts, at the place of the
    /// first.
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl From<Vec<(Value, Value)>> for MapValue {
    /// Of entries with the same key the last one counts, at the place of the
    /// first. Takes time in proportion to the number of entries, so that large
    /// foreign maps can be made with it.
    fn from(entries: Vec<(Value, Value)>) -> Self {
        if entries.len() <= FEW_ENTRIES {
            let repeats = |at: usize| entries[..at].iter().any(|(key, _)| *key == entries[at].0);
            if !(1..entries.len()).any(repeats) {
                return Self(entries);
            }
        }
        let hashes = RandomState::default();
        let mut places = HashMap::with_capacity_and_hasher(entries.len(), hashes.clone());
        let unique = entries
            .iter()
            .enumerate()
            .all(|(at, (key, _))| places.insert(hashes.hash_one(key), at).is_none());
        if unique {
            return Self(entries);
        }
        places.clear();
        let mut map = Self(Vec::with_capacity(entries.len()));
        for (key, value) in entries {
            match places.entry(hashes.hash_one(&key)) {
                Entry::Vacant(place) => {
                    place.insert(map.len());
                    map.0.push((key, value));
                }
                Entry::Occupied(place) if map.0[*place.get()].0 == key => {
                    map.0[*place.get()].1 = value;
                }
                // Another key with the same hash.
                Entry::Occupied(_) => map.insert(key, value),
            }
        }
        map
    }
}

/// Up to here a search through all entries is faster than hashing.
const FEW_ENTRIES: usize = 8;

impl<'a> IntoIterator for &'a MapValue {
    type Item = &'a (Value, Value);
    type IntoIter = std::slice::Iter<'a, (Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Int8(value) => value.hash(state),
            Self::Int16(value) => value.hash(state),
            Self::Int32(value) | Self::Date(value) | Self::Time(value) => value.hash(state),
            Self::Int64(value) | Self::Timestamp(value) => value.hash(state),
            // Adding zero makes -0.0, which equals 0.0, hash like it.
            Self::Float32(value) => (value + 0.0).to_bits().hash(state),
            Self::Float64(value) => (value + 0.0).to_bits().hash(state),
            Self::Boolean(value) => value.hash(state),
            Self::String(value) => value.hash(state),
            Self::Bytes(value) => value.hash(state),
            Self::Decimal(value) => value.hash(state),
            Self::Array(values) => values.hash(state),
            // The order of entries does not matter.
            Self::Map(entries) => entries.len().hash(state),
            Self::Struct(value) => value.values().hash(state),
        }
    }
}

impl Value {
    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an integer of any width, not of a logical type.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int8(value) => Some(i64::from(*value)),
            Self::Int16(value) => Some(i64::from(*value)),
            Self::Int32(value) => Some(i64::from(*value)),
            Self::Int64(value) => Some(*value),
            _ => None,
        }
    }

    /// The truth value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The struct.
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(value) => Some(value),
            _ => None,
        }
    }

    /// The map.
    pub fn as_map(&self) -> Option<&MapValue> {
        match self {
            Self::Map(value) => Some(value),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(value) => Some(value),
            _ => None,
        }
    }

    /// The Java class of such a value, as error messages of the reference show
    /// it.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int8(_) => "java.lang.Byte",
            Self::Int16(_) => "java.lang.Short",
            Self::Int32(_) => "java.lang.Integer",
            Self::Int64(_) => "java.lang.Long",
            Self::Float32(_) => "java.lang.Float",
            Self::Float64(_) => "java.lang.Double",
            Self::Boolean(_) => "java.lang.Boolean",
            Self::String(_) => "java.lang.String",
            Self::Bytes(_) => "[B",
            Self::Decimal(_) => "java.math.BigDecimal",
            Self::Date(_) | Self::Time(_) | Self::Timestamp(_) => "java.util.Date",
            Self::Array(_) => "java.util.ArrayList",
            Self::Map(_) => "java.util.HashMap",
            Self::Struct(_) => "org.apache.kafka.connect.data.Struct",
        }
    }
}

impl fmt::Display for Value {
    /// Java's `toString`: `[1, 2]`, `{k=v}`, `Struct{a=1}`, `1.0E7`. Dates and
    /// times are printed in ISO form and bytes as their length, where Java's
    /// text would be locale-bound or an object address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Int8(value) => value.fmt(f),
            Self::Int16(value) => value.fmt(f),
            Self::Int32(value) => value.fmt(f),
            Self::Int64(value) => value.fmt(f),
            Self::Float32(value) => f.write_str(&java_f32(*value)),
            Self::Float64(value) => f.write_str(&java_f64(*value)),
            Self::Boolean(value) => value.fmt(f),
            Self::String(value) => f.write_str(value),
            Self::Bytes(value) => write!(f, "[{} bytes]", value.len()),
            Self::Decimal(value) => value.fmt(f),
            Self::Date(days) => super::logical::Date(*days).fmt(f),
            Self::Time(millis) => super::logical::Time(*millis).fmt(f),
            Self::Timestamp(millis) => super::logical::Timestamp(*millis).fmt(f),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}={value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Struct(value) => value.fmt(f),
        }
    }
}

macro_rules! from {
    ($($variant:ident($kind:ty) $(=> $wrap:expr)?),* $(,)?) => {
        $(impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                $(let value = $wrap(value);)?
                Self::$variant(value)
            }
        })*
    };
}

from! {
    Int8(i8), Int16(i16), Int32(i32), Int64(i64), Float32(f32), Float64(f64), Boolean(bool),
    String(Text), String(&str) => Text::from, String(String) => Text::from, Bytes(Bytes),
    Decimal(Decimal) => Arc::new, Array(Vec<Value>) => Arc::new, Map(MapValue) => Arc::new,
    Struct(Struct) => Arc::new,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_javas() {
        let map: MapValue = [(Value::from("k"), Value::from(1.0e7))]
            .into_iter()
            .collect();
        let value = Value::from(vec![Value::from(1i32), Value::Null, map.into()]);
        assert_eq!(value.to_string(), "[1, null, {k=1.0E7}]");
    }

    #[test]
    fn the_last_entry_of_a_key_counts() {
        let entries = (0..100).map(|n| (Value::Int32(n % 50), Value::Int32(n)));
        let map: MapValue = entries.collect();
        assert_eq!(map.len(), 50);
        assert_eq!(map.get(&Value::Int32(7)), Some(&Value::Int32(57)));
        assert_eq!(
            map.iter().next(),
            Some(&(Value::Int32(0), Value::Int32(50)))
        );
    }

    #[test]
    fn a_value_fits_in_five_words() {
        assert!(size_of::<Value>() <= 40, "{}", size_of::<Value>());
    }
}
