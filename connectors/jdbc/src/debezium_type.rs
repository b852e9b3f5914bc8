//! Debezium's logical types, by the names of schemas, and the columns that
//! values were read from, by the parameters that
//! `column.propagate.source.type` adds (spec section 6.3).

use tether_api::data::Schema;

use crate::config::TypeMapping;

const TIME: &str = "io.debezium.time.";
const DATA: &str = "io.debezium.data.";

/// What a number of time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    /// A number in microseconds; `None` if that is out of range. The rest of
    /// nanoseconds is rounded half up, as the reference's driver of PostgreSQL
    /// does.
    pub(crate) fn micros(self, number: i64) -> Option<i64> {
        match self {
            Self::Millis => number.checked_mul(1000),
            Self::Micros => Some(number),
            Self::Nanos => {
                let rest = number.rem_euclid(1000);
                Some(number.div_euclid(1000) + i64::from(rest >= 500))
            }
        }
    }

    /// The same without the rest of nanoseconds, as the reference's drivers of
    /// MySQL and MariaDB do.
    pub(crate) fn whole_micros(self, number: i64) -> Option<i64> {
        match self {
            Self::Nanos => Some(number.div_euclid(1000)),
            unit => unit.micros(number),
        }
    }

    /// The digits of a second's fraction.
    pub(crate) fn digits(self) -> i32 {
        match self {
            Self::Millis => 3,
            Self::Micros | Self::Nanos => 6,
        }
    }
}

/// A logical type of Debezium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DebeziumType {
    /// Days since the epoch.
    Date,
    /// Time since midnight.
    Time(Unit),
    /// Wall clock, as time since the epoch.
    Timestamp(Unit),
    /// A time with an offset, as text.
    ZonedTime,
    /// An instant, as text.
    ZonedTimestamp,
    /// A year, as a number.
    Year,
    /// A duration in microseconds.
    MicroDuration,
    /// A UUID, as text.
    Uuid,
    /// JSON, as text.
    Json,
    /// XML, as text.
    Xml,
    /// A path of labels, as text.
    Ltree,
    /// A document for full text search, as text.
    Tsvector,
    /// A word of a list, as text.
    Enum,
    /// Words of a list with commas between them, as text.
    EnumSet,
    /// Bits, the lowest byte first.
    Bits,
    /// A struct of a scale and an unscaled number.
    VariableScaleDecimal,
    /// A struct with `x` and `y`.
    Point,
    /// A struct with `wkb` and `srid`.
    Geometry,
    /// A geometry on the globe.
    Geography,
    /// A struct with `center` and `radius`.
    Circle,
    /// A struct with `a`, `b` and `c`.
    Line,
    /// An array of doubles.
    DoubleVector,
    /// An array of floats.
    FloatVector,
    /// A struct with `dimensions` and `vector`.
    SparseDoubleVector,
}

impl DebeziumType {
    /// The type of a schema, if it has one of Debezium's and the mapping knows
    /// them.
    pub(crate) fn of(mapping: TypeMapping, schema: &Schema) -> Option<Self> {
        if mapping == TypeMapping::Connect {
            return None;
        }
        let name = schema.name()?;
        if let Some(name) = name.strip_prefix(TIME) {
            return Some(match name {
                "Date" => Self::Date,
                "Time" => Self::Time(Unit::Millis),
                "MicroTime" => Self::Time(Unit::Micros),
                "NanoTime" => Self::Time(Unit::Nanos),
                "Timestamp" => Self::Timestamp(Unit::Millis),
                "MicroTimestamp" => Self::Timestamp(Unit::Micros),
                "NanoTimestamp" => Self::Timestamp(Unit::Nanos),
                "ZonedTime" => Self::ZonedTime,
                "ZonedTimestamp" => Self::ZonedTimestamp,
                "Year" => Self::Year,
                "MicroDuration" => Self::MicroDuration,
                _ => return None,
            });
        }
        Some(match name.strip_prefix(DATA)? {
            "Uuid" => Self::Uuid,
            "Json" => Self::Json,
            "Xml" => Self::Xml,
            "Ltree" => Self::Ltree,
            "Tsvector" => Self::Tsvector,
            "Enum" => Self::Enum,
            "EnumSet" => Self::EnumSet,
            "Bits" => Self::Bits,
            "VariableScaleDecimal" => Self::VariableScaleDecimal,
            "geometry.Point" => Self::Point,
            "geometry.Geometry" => Self::Geometry,
            "geometry.Geography" => Self::Geography,
            "geometry.Circle" => Self::Circle,
            "geometry.Line" => Self::Line,
            "DoubleVector" => Self::DoubleVector,
            "FloatVector" => Self::FloatVector,
            "SparseDoubleVector" => Self::SparseDoubleVector,
            _ => return None,
        })
    }
}

/// The column that values were read from, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SourceColumn<'s> {
    /// Its type, in the source's words: `VARCHAR`.
    pub(crate) type_name: Option<&'s str>,
    /// Its length or precision.
    pub(crate) length: Option<u32>,
    /// Its scale.
    pub(crate) scale: Option<u32>,
}

impl<'s> SourceColumn<'s> {
    /// What a schema says of it.
    pub(crate) fn of(schema: &'s Schema) -> Self {
        let parameter = |name| schema.parameters().get(name).map(|text| &**text);
        let number = |name| parameter(name).and_then(|text| text.parse().ok());
        Self {
            type_name: parameter("__debezium.source.column.type"),
            length: number("__debezium.source.column.length"),
            scale: number("__debezium.source.column.scale"),
        }
    }

    /// Whether the type has one of these names, in any case.
    pub(crate) fn is_one_of(&self, names: &[&str]) -> bool {
        let is = |name: &&str| {
            self.type_name
                .is_some_and(|of| of.eq_ignore_ascii_case(name))
        };
        names.iter().any(is)
    }

    /// Whether it holds texts of one length.
    pub(crate) fn is_char(&self) -> bool {
        self.is_one_of(&["CHAR", "CHARACTER", "BPCHAR", "NCHAR"])
    }

    /// Whether it holds texts up to a length.
    pub(crate) fn is_varchar(&self) -> bool {
        self.is_one_of(&[
            "VARCHAR",
            "VARCHAR2",
            "CHARACTER VARYING",
            "NVARCHAR",
            "NVARCHAR2",
        ])
    }

    /// Whether the type has this name in upper case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.type_name == Some(name)
    }

    /// The digits of a second's fraction, if the column kept some. MySQL's
    /// connector says them as the length.
    pub(crate) fn time_digits(&self) -> Option<u32> {
        let digits = self.scale.or(self.length)?;
        (1..=6).contains(&digits).then_some(digits)
    }
}

/// The number of bits of a value (`length`); `None` if it varies.
pub(crate) fn bit_length(schema: &Schema) -> Option<u32> {
    let length: u32 = schema.parameters().get("length")?.parse().ok()?;
    (length != i32::MAX as u32).then_some(length)
}

/// The most bits that a value is filled up to. A schema may say any number.
const MOST_BITS: usize = 1 << 20;

/// Appends bits as digits, the highest first. `None` if there are too many.
pub(crate) fn push_bits(bytes: &[u8], length: Option<u32>, out: &mut Vec<u8>) -> Option<()> {
    let is_set = |bit: usize| {
        let byte = bytes.get(bit / 8).copied().unwrap_or(0);
        byte >> (bit % 8) & 1 == 1
    };
    let width = match length {
        Some(length) => length as usize,
        // As many as there are up to the highest that is set.
        None => (0..bytes.len() * 8)
            .rev()
            .find(|bit| is_set(*bit))
            .map_or(0, |bit| bit + 1),
    };
    if width > MOST_BITS.max(bytes.len().saturating_mul(8)) {
        return None;
    }
    out.extend((0..width).rev().map(|bit| b'0' + u8::from(is_set(bit))));
    Some(())
}

#[cfg(test)]
mod tests {
    use tether_api::data::{SchemaBuilder, Type};

    use super::*;

    fn schema(name: &str) -> tether_api::data::SchemaRef {
        SchemaBuilder::new(Type::String)
            .name(name)
            .parameter("__debezium.source.column.type", "TIMESTAMP")
            .parameter("__debezium.source.column.length", "3")
            .parameter("length", "2147483647")
            .build()
    }

    #[test]
    fn names_are_types_unless_the_mapping_is_connects() {
        let of = |name| DebeziumType::of(TypeMapping::Debezium, &schema(name));
        let nanos = DebeziumType::Timestamp(Unit::Nanos);
        assert_eq!(of("io.debezium.time.NanoTimestamp"), Some(nanos));
        assert_eq!(
            of("io.debezium.data.geometry.Point"),
            Some(DebeziumType::Point)
        );
        assert_eq!(of("io.debezium.time.IsoDate"), None);
        assert_eq!(of("org.apache.kafka.connect.data.Date"), None);
        let json = schema("io.debezium.data.Json");
        assert_eq!(DebeziumType::of(TypeMapping::Connect, &json), None);
    }

    #[test]
    fn the_source_of_a_column() {
        let schema = schema("x");
        let source = SourceColumn::of(&schema);
        assert!(source.is("TIMESTAMP") && !source.is("timestamp"));
        assert_eq!(source.time_digits(), Some(3));
        assert_eq!(bit_length(&schema), None);
        let nothing = SchemaBuilder::new(Type::String).build();
        assert_eq!(SourceColumn::of(&nothing), SourceColumn::default());
    }

    #[test]
    fn numbers_of_time() {
        assert_eq!(Unit::Millis.micros(2), Some(2000));
        assert_eq!(Unit::Millis.micros(i64::MAX), None);
        for (nanos, micros) in [(1499, 1), (1500, 2), (-1499, -1), (-1500, -1), (-1501, -2)] {
            assert_eq!(Unit::Nanos.micros(nanos), Some(micros), "{nanos}");
        }
        assert!(Unit::Nanos.micros(i64::MIN).is_some());
        assert_eq!(Unit::Nanos.whole_micros(1999), Some(1));
        assert_eq!(Unit::Nanos.whole_micros(-1), Some(-1));
    }

    #[test]
    fn bits_as_digits() {
        let digits = |bytes: &[u8], length| {
            let mut out = Vec::new();
            push_bits(bytes, length, &mut out)?;
            String::from_utf8(out).ok()
        };
        assert_eq!(digits(&[0b101], Some(3)).as_deref(), Some("101"));
        assert_eq!(digits(&[0b101], Some(10)).as_deref(), Some("0000000101"));
        assert_eq!(digits(&[0b101, 1], None).as_deref(), Some("100000101"));
        assert_eq!(digits(&[], None).as_deref(), Some(""));
        assert_eq!(digits(&[0xff, 0xff], Some(9)).as_deref(), Some("111111111"));
        assert_eq!(digits(&[1], Some(u32::MAX)), None);
    }
}
