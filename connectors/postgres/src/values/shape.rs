//! The schema and the conversion of each type in each mode.

use tether_api::data::{Schema, SchemaBuilder, Text, Type, logical};

use super::conversion::{ArrayConversion, Conversion};
use super::decimal::DecimalForm;
use super::money::MoneyForm;
use super::temporal::{DateForm, TimeForm, TimestampForm};
use super::{geometry, vector};
use crate::config::{DecimalMode, HstoreMode, IntervalMode, TimePrecision, ValueSettings};
use crate::types::{ColumnType, PgType, TypeKind, TypeSize, oid};

/// The schema of a column, not optional and without a default, and what is
/// done to its values.
pub(super) type Shape = (SchemaBuilder, Conversion);

/// The shape of a column, declared with so many dimensions; `None` for a column
/// that is left out.
pub(super) fn of(column: &ColumnType, dimensions: u8, modes: &ValueSettings) -> Option<Shape> {
    match &column.element {
        Some(element) => array(element, column.size, dimensions, modes),
        None => scalar(&column.root, column.size, modes)
            .or_else(|| opaque(&column.root, modes))
            .or_else(|| unknown(modes)),
    }
}

/// A column of such a type as the server writes it, if values are to be right.
fn unknown(modes: &ValueSettings) -> Option<Shape> {
    let text = || (Schema::builder(Type::String), Conversion::Text);
    modes.correct.then(text)
}

/// A column of a type that nothing is known of, if such are asked for.
fn opaque(entry: &PgType, modes: &ValueSettings) -> Option<Shape> {
    let conversion = match entry.oid {
        oid::LINE | oid::LSEG | oid::BOX | oid::PATH | oid::POLYGON | oid::CIRCLE => {
            Conversion::OpaqueShape(modes.binary)
        }
        _ => Conversion::Opaque(modes.binary),
    };
    modes
        .include_unknown
        .then(|| (Schema::builder(modes.binary.kind()), conversion))
}

/// As many dimensions as an array of the server's can have.
const MOST_DIMENSIONS: u8 = 6;

fn array(element: &PgType, size: TypeSize, dimensions: u8, modes: &ValueSettings) -> Option<Shape> {
    match element.oid {
        _ if modes.correct => {}
        // The reference takes an array of bits for one of its elements.
        oid::BIT => return Some((bits(size).0, Conversion::Never)),
        oid::MONEY
        | oid::NAME
        | oid::INTERVAL
        | oid::VARBIT
        | oid::XML
        | oid::POINT
        | oid::REFCURSOR => return None,
        _ => {}
    }
    let known = scalar(element, size, modes);
    let nullable = modes.correct || known.is_some() && has_nullable_elements(element);
    let (schema, conversion) = known
        .or_else(|| opaque(element, modes))
        .or_else(|| unknown(modes))?;
    let elements = match nullable {
        true => schema.optional(),
        false => schema,
    };
    let depth = match modes.correct {
        true => dimensions.clamp(1, MOST_DIMENSIONS),
        false => 1,
    };
    let conversion = ArrayConversion {
        element: conversion,
        delimiter: element.delimiter,
        nullable,
        depth,
    };
    let innermost = SchemaBuilder::array(elements.build());
    let schema = (1..depth).fold(innermost, |inner, _| SchemaBuilder::array(inner.build()));
    Some((schema, Conversion::Array(Box::new(conversion))))
}

/// Whether the schema of elements of a known type lets them be null, as that of
/// most does.
fn has_nullable_elements(element: &PgType) -> bool {
    match element.oid {
        oid::TSVECTOR => false,
        known if known < FIRST_OF_USER => true,
        _ => matches!(
            (&element.kind, &*element.name),
            (
                TypeKind::Base,
                "geometry" | "geography" | "citext" | "hstore" | "ltree"
            )
        ),
    }
}

/// Numbers below this one are of the server's own types.
const FIRST_OF_USER: u32 = 16_384;

fn scalar(entry: &PgType, size: TypeSize, modes: &ValueSettings) -> Option<Shape> {
    let plain = |kind, conversion| Some((Schema::builder(kind), conversion));
    let text = |conversion| plain(Type::String, conversion);
    match entry.oid {
        oid::BOOL => plain(Type::Boolean, Conversion::Boolean),
        oid::INT2 => plain(Type::Int16, Conversion::Int16),
        oid::INT4 => plain(Type::Int32, Conversion::Int32),
        oid::INT8 | oid::OID => plain(Type::Int64, Conversion::Int64),
        oid::FLOAT4 => plain(Type::Float32, Conversion::Float32),
        oid::FLOAT8 => plain(Type::Float64, Conversion::Float64),
        oid::NUMERIC => Some(numeric(size, modes)),
        oid::MONEY => Some(money(modes)),
        oid::CHAR
        | oid::BPCHAR
        | oid::VARCHAR
        | oid::TEXT
        | oid::INET
        | oid::CIDR
        | oid::MACADDR
        | oid::MACADDR8
        | oid::INT4RANGE
        | oid::INT8RANGE
        | oid::NUMRANGE
        | oid::TSRANGE
        | oid::TSTZRANGE
        | oid::DATERANGE => text(Conversion::Text),
        oid::NAME if modes.include_unknown || modes.correct => text(Conversion::Text),
        oid::NAME => text(Conversion::QueriedText),
        oid::XML => Some(named_text("io.debezium.data.Xml")),
        oid::UUID => Some(named_text("io.debezium.data.Uuid")),
        oid::JSON | oid::JSONB => Some(named_text(JSON)),
        oid::TSVECTOR => Some(named_text("io.debezium.data.Tsvector")),
        oid::BYTEA => plain(modes.binary.kind(), Conversion::Binary(modes.binary)),
        oid::BIT | oid::VARBIT => Some(bits(size)),
        oid::DATE => Some(date(modes.times)),
        oid::TIME => Some(time(modes.times, size.scale)),
        oid::TIMESTAMP => Some(timestamp(modes.times, size.scale)),
        oid::TIMETZ => Some(named(
            Type::String,
            "io.debezium.time.ZonedTime",
            Conversion::ZonedTime,
        )),
        oid::TIMESTAMPTZ => {
            let digits = usize::try_from(size.scale).unwrap_or_default();
            let conversion = Conversion::ZonedTimestamp(digits);
            Some(named(
                Type::String,
                "io.debezium.time.ZonedTimestamp",
                conversion,
            ))
        }
        oid::INTERVAL => Some(interval(modes.intervals)),
        oid::POINT => Some((geometry::point_schema(), Conversion::Point)),
        _ => match &entry.kind {
            TypeKind::Enum { labels } => Some(enumeration(labels)),
            TypeKind::Base => of_extension(&entry.name, modes),
            _ => None,
        },
    }
}

/// Types of extensions, which the reference knows by their names.
fn of_extension(name: &str, modes: &ValueSettings) -> Option<Shape> {
    Some(match name {
        "citext" | "isbn" => (Schema::builder(Type::String), Conversion::Text),
        "ltree" => named_text("io.debezium.data.Ltree"),
        "hstore" => hstore(modes.hstore),
        "geometry" => (geometry::geometry_schema(), Conversion::Geometry),
        "geography" => (geometry::geography_schema(), Conversion::Geometry),
        "vector" => (vector::double_schema(), Conversion::DoubleVector),
        "halfvec" => (vector::float_schema(), Conversion::FloatVector),
        "sparsevec" => (vector::sparse_schema(), Conversion::SparseVector),
        _ => return None,
    })
}

const JSON: &str = "io.debezium.data.Json";

fn named(kind: Type, name: &'static str, conversion: Conversion) -> Shape {
    (Schema::builder(kind).name(name).version(1), conversion)
}

fn named_text(name: &'static str) -> Shape {
    named(Type::String, name, Conversion::Text)
}

fn numeric(size: TypeSize, modes: &ValueSettings) -> Shape {
    let variable = size.is_variable_scale();
    let size = match modes.correct {
        true => size.without_negative_scale(),
        false => size,
    };
    match modes.decimals {
        DecimalMode::Double => (
            Schema::builder(Type::Float64),
            Conversion::Decimal(DecimalForm::Double),
        ),
        DecimalMode::String => {
            let scale = (!variable).then_some(size.scale);
            let form = DecimalForm::String(scale);
            (Schema::builder(Type::String), Conversion::Decimal(form))
        }
        DecimalMode::Precise if variable => (
            variable_decimal(),
            Conversion::Decimal(DecimalForm::Variable),
        ),
        DecimalMode::Precise => {
            let schema = logical::decimal_builder(size.scale)
                .parameter("connect.decimal.precision", size.length.to_string());
            (schema, Conversion::Decimal(DecimalForm::Fixed(size.scale)))
        }
    }
}

fn variable_decimal() -> SchemaBuilder {
    SchemaBuilder::structure()
        .name("io.debezium.data.VariableScaleDecimal")
        .version(1)
        .doc("Variable scaled decimal")
        .field("scale", Schema::primitive(Type::Int32, false))
        .field("value", Schema::primitive(Type::Bytes, false))
}

fn money(modes: &ValueSettings) -> Shape {
    let digits = modes.money_fraction_digits;
    let schema = match modes.decimals {
        DecimalMode::Precise => logical::decimal_builder(digits.into()),
        DecimalMode::Double => Schema::builder(Type::Float64),
        DecimalMode::String => Schema::builder(Type::String),
    };
    let form = MoneyForm {
        mode: modes.decimals,
        digits,
    };
    (schema, Conversion::Money(form))
}

fn bits(size: TypeSize) -> Shape {
    if size.length <= 1 {
        return (Schema::builder(Type::Boolean), Conversion::Bit);
    }
    let schema = Schema::builder(Type::Bytes)
        .name("io.debezium.data.Bits")
        .version(1)
        .parameter("length", size.length.to_string());
    (schema, Conversion::Bits)
}

fn date(mode: TimePrecision) -> Shape {
    match mode {
        TimePrecision::Connect => (logical::date_builder(), Conversion::Date(DateForm::Connect)),
        TimePrecision::IsoString => named(
            Type::String,
            "io.debezium.time.IsoDate",
            Conversion::Date(DateForm::Iso),
        ),
        TimePrecision::Adaptive
        | TimePrecision::AdaptiveTimeMicroseconds
        | TimePrecision::Microseconds
        | TimePrecision::Nanoseconds => named(
            Type::Int32,
            "io.debezium.time.Date",
            Conversion::Date(DateForm::Days),
        ),
    }
}

/// The most digits of a fraction that milliseconds have.
const MILLIS: i32 = 3;

fn time(mode: TimePrecision, digits: i32) -> Shape {
    let (kind, name, form) = match mode {
        TimePrecision::Connect => {
            return (logical::time_builder(), Conversion::Time(TimeForm::Connect));
        }
        TimePrecision::IsoString => (Type::String, "io.debezium.time.IsoTime", TimeForm::Iso),
        TimePrecision::Adaptive if digits <= MILLIS => {
            (Type::Int32, "io.debezium.time.Time", TimeForm::Millis)
        }
        TimePrecision::Nanoseconds => (Type::Int64, "io.debezium.time.NanoTime", TimeForm::Nanos),
        TimePrecision::Adaptive
        | TimePrecision::AdaptiveTimeMicroseconds
        | TimePrecision::Microseconds => {
            (Type::Int64, "io.debezium.time.MicroTime", TimeForm::Micros)
        }
    };
    named(kind, name, Conversion::Time(form))
}

fn timestamp(mode: TimePrecision, digits: i32) -> Shape {
    let (kind, name, form) = match mode {
        TimePrecision::Connect => {
            let conversion = Conversion::Timestamp(TimestampForm::Connect);
            return (logical::timestamp_builder(), conversion);
        }
        TimePrecision::IsoString => (
            Type::String,
            "io.debezium.time.IsoTimestamp",
            TimestampForm::Iso,
        ),
        TimePrecision::Adaptive | TimePrecision::AdaptiveTimeMicroseconds if digits <= MILLIS => (
            Type::Int64,
            "io.debezium.time.Timestamp",
            TimestampForm::Millis,
        ),
        TimePrecision::Nanoseconds => (
            Type::Int64,
            "io.debezium.time.NanoTimestamp",
            TimestampForm::Nanos,
        ),
        TimePrecision::Adaptive
        | TimePrecision::AdaptiveTimeMicroseconds
        | TimePrecision::Microseconds => (
            Type::Int64,
            "io.debezium.time.MicroTimestamp",
            TimestampForm::Micros,
        ),
    };
    named(kind, name, Conversion::Timestamp(form))
}

fn interval(mode: IntervalMode) -> Shape {
    let (kind, name) = match mode {
        IntervalMode::Numeric => (Type::Int64, "io.debezium.time.MicroDuration"),
        IntervalMode::String => (Type::String, "io.debezium.time.Interval"),
    };
    named(kind, name, Conversion::Interval(mode))
}

fn enumeration(labels: &[Text]) -> Shape {
    let labels: Vec<&str> = labels.iter().map(|label| &**label).collect();
    let schema = Schema::builder(Type::String)
        .name("io.debezium.data.Enum")
        .version(1)
        .parameter("allowed", labels.join(","));
    (schema, Conversion::Text)
}

fn hstore(mode: HstoreMode) -> Shape {
    let schema = match mode {
        HstoreMode::Json => Schema::builder(Type::String).name(JSON).version(1),
        HstoreMode::Map => SchemaBuilder::map(
            Schema::primitive(Type::String, false),
            Schema::primitive(Type::String, true),
        ),
    };
    (schema, Conversion::Hstore(mode))
}
