//! The columns that Debezium's connector makes on PostgreSQL
//! (spec section 6.3).

use tether_api::Result;
use tether_api::data::logical::{Logical, decimal_scale};
use tether_api::data::{Schema, Type, Value};

use crate::config::TypeMapping;
use crate::debezium_type::{DebeziumType, SourceColumn, Unit, bit_length};
use crate::dialect::no_literal;
use crate::fields::SinkField;
use crate::time::{TimeError, date_text, time_text, timestamp_text};

/// The most digits that a declared precision keeps, and those of a decimal
/// with a scale alone (`Dialect.getDefaultDecimalPrecision`).
const MOST_DIGITS: u32 = 38;
/// The longest text that a length can be declared for.
const LONGEST_TEXT: u32 = 10_485_760;
/// The length of vectors of any dimension.
const ANY_LENGTH: u32 = i32::MAX as u32;

/// Columns with the type of the source's column, which is not looked for if
/// the schema has a name that is known.
const SOURCE_TYPES: [&str; 18] = [
    "SMALLSERIAL",
    "SERIAL",
    "BIGSERIAL",
    "MONEY",
    "XML",
    "INT4RANGE",
    "INT8RANGE",
    "NUMRANGE",
    "TSRANGE",
    "TSTZRANGE",
    "DATERANGE",
    "CIDR",
    "MACADDR",
    "MACADDR8",
    "INET",
    "CITEXT",
    "OID",
    "BIT",
];

/// Elements of arrays with the type of the source's elements.
const SOURCE_ELEMENTS: [&str; 11] = [
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "jsonb",
];

/// What the types of columns depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) mapping: TypeMapping,
    /// The schema with PostGIS's types, quoted.
    pub(super) postgis: &'a str,
}

impl Types<'_> {
    /// The type of a column; `None` if no type holds the values.
    pub(super) fn of(self, schema: &Schema) -> Option<String> {
        let source = SourceColumn::of(schema);
        if let Some(debezium) = DebeziumType::of(self.mapping, schema) {
            return Some(self.debezium(debezium, schema, source));
        }
        let digits = source.time_digits().unwrap_or(6);
        match Logical::of(schema) {
            Some(Logical::Decimal) => return Some(decimal(schema)),
            Some(Logical::Date) => return Some("date".to_owned()),
            Some(Logical::Time) => return Some(format!("time({digits})")),
            Some(Logical::Timestamp) => return Some(format!("timestamp({digits})")),
            None => {}
        }
        if let Some(name) = SOURCE_TYPES.iter().find(|name| source.is(name)) {
            return Some(name.to_lowercase());
        }
        Some(match schema.kind() {
            Type::Int8 | Type::Int16 => "smallint".to_owned(),
            Type::Int32 => "integer".to_owned(),
            Type::Int64 => "bigint".to_owned(),
            Type::Float32 => "real".to_owned(),
            Type::Float64 => "double precision".to_owned(),
            Type::Boolean => "boolean".to_owned(),
            Type::String => text(source),
            Type::Bytes => "bytea".to_owned(),
            Type::Map => "hstore".to_owned(),
            Type::Array => format!("{}[]", self.element(schema, source)?),
            Type::Struct => return None,
        })
    }

    fn debezium(self, debezium: DebeziumType, schema: &Schema, source: SourceColumn<'_>) -> String {
        let digits = source.time_digits().unwrap_or(6);
        let vector = |name: &str| match source.length.filter(|length| *length != ANY_LENGTH) {
            Some(length) => format!("{name}({length})"),
            None => name.to_owned(),
        };
        match debezium {
            DebeziumType::Date => "date".to_owned(),
            DebeziumType::Time(_) => format!("time({digits})"),
            DebeziumType::Timestamp(_) => format!("timestamp({digits})"),
            DebeziumType::ZonedTime => format!("time({digits}) with time zone"),
            DebeziumType::ZonedTimestamp => format!("timestamp({digits}) with time zone"),
            DebeziumType::Year => "integer".to_owned(),
            DebeziumType::MicroDuration => "interval".to_owned(),
            DebeziumType::Uuid => "uuid".to_owned(),
            DebeziumType::Json if source.is("HSTORE") => "hstore".to_owned(),
            DebeziumType::Json if source.is("JSONB") => "jsonb".to_owned(),
            DebeziumType::Json => "json".to_owned(),
            DebeziumType::Xml => "xml".to_owned(),
            DebeziumType::Ltree => "ltree".to_owned(),
            DebeziumType::Tsvector => "tsvector".to_owned(),
            // Such types have to be made by hand.
            DebeziumType::Enum | DebeziumType::EnumSet => text(source),
            DebeziumType::Bits => match bit_length(schema) {
                None => "bit varying".to_owned(),
                Some(length) if source.is("VARBIT") => format!("bit varying({length})"),
                Some(length) => format!("bit({length})"),
            },
            DebeziumType::VariableScaleDecimal => match self.mapping {
                TypeMapping::Extended => "numeric".to_owned(),
                TypeMapping::Connect | TypeMapping::Debezium => "double precision".to_owned(),
            },
            DebeziumType::Point => "point".to_owned(),
            DebeziumType::Geometry => match native_geometry(source) {
                Some(name) => name.to_owned(),
                None => format!("{}.geometry", self.postgis),
            },
            DebeziumType::Geography => format!("{}.geography", self.postgis),
            DebeziumType::Circle => "circle".to_owned(),
            DebeziumType::Line => "line".to_owned(),
            DebeziumType::DoubleVector => vector("vector"),
            DebeziumType::FloatVector => vector("halfvec"),
            DebeziumType::SparseDoubleVector => vector("sparsevec"),
        }
    }

    fn element(self, schema: &Schema, source: SourceColumn<'_>) -> Option<String> {
        let elements = schema.value_schema()?;
        let of_source = source.type_name.and_then(|name| name.strip_prefix('_'));
        let of_source = of_source.map(str::to_lowercase);
        if let Some(name) = of_source.filter(|name| SOURCE_ELEMENTS.contains(&name.as_str())) {
            return Some(name);
        }
        match DebeziumType::of(self.mapping, elements) {
            // Exact, unlike the column of a single such number.
            Some(DebeziumType::VariableScaleDecimal) => Some("numeric".to_owned()),
            _ => self.of(elements),
        }
    }
}

/// Whether a column of a field may have a default. Where the reference fails
/// because it cannot write one, the column has none.
pub(super) fn takes_default(field: &SinkField) -> bool {
    if field.mapping == TypeMapping::Connect {
        return true;
    }
    let source = SourceColumn::of(&field.schema);
    let is_serial = source
        .type_name
        .is_some_and(|name| name.ends_with("SERIAL"));
    let has_parts = !field.schema.kind().is_primitive();
    !has_parts && !is_serial && field.debezium() != Some(DebeziumType::Bits)
}

/// The default of a field whose values are not written as what they are.
pub(super) fn literal(field: &SinkField, value: &Value) -> Option<Result<String>> {
    let debezium = field.debezium()?;
    let number = value.as_i64();
    let out_of_range = || no_literal(field, TimeError::OutOfRange);
    let micros = |unit: Unit| {
        let micros = number.and_then(|number| unit.micros(number));
        micros.ok_or_else(out_of_range)
    };
    let text = match debezium {
        DebeziumType::Date => number
            .and_then(|days| i32::try_from(days).ok())
            .map(|days| date_text(days.into()))
            .ok_or_else(out_of_range),
        DebeziumType::Time(unit) => micros(unit).map(|micros| time_text(micros, 6)),
        DebeziumType::Timestamp(unit) => micros(unit).map(|micros| timestamp_text(micros, 6)),
        DebeziumType::MicroDuration => {
            let micros = number.unwrap_or_default();
            Ok(format!("{micros} microseconds"))
        }
        _ => return None,
    };
    Some(text.map(|text| format!("'{text}'")))
}

/// The geometric type of PostgreSQL itself that a geometry was read from.
pub(crate) fn native_geometry(source: SourceColumn<'_>) -> Option<&'static str> {
    ["box", "lseg", "path", "polygon"]
        .into_iter()
        .find(|name| source.is_one_of(&[name]))
}

/// A scale below zero is none, as there are no such columns elsewhere.
fn decimal(schema: &Schema) -> String {
    let scale = decimal_scale(schema).unwrap_or(0).max(0);
    let precision = schema.parameters().get("connect.decimal.precision");
    match precision.and_then(|text| text.parse::<u32>().ok()) {
        Some(precision) if precision > 0 => {
            format!("numeric({},{scale})", precision.min(MOST_DIGITS))
        }
        _ if scale != 0 => format!("numeric({MOST_DIGITS},{scale})"),
        _ => "numeric".to_owned(),
    }
}

/// The type of a text, with the length of the source's column.
fn text(source: SourceColumn<'_>) -> String {
    let length = source.length.filter(|length| *length > 0);
    if length.is_some_and(|length| length > LONGEST_TEXT) {
        return "text".to_owned();
    }
    if source.is_char() {
        return format!("char({})", length.unwrap_or(1));
    }
    match length {
        Some(length) if source.is_varchar() => format!("varchar({length})"),
        _ => "text".to_owned(),
    }
}
