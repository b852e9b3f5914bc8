//! From the text of a value to the value, for each type and mode.

use tether_api::data::{Bytes, SchemaRef, Text, Value};

use super::array::{self, Element};
use super::decimal::DecimalForm;
use super::interval::Interval;
use super::money::MoneyForm;
use super::temporal::{self, DateForm, TimeForm, TimestampForm};
use super::{Phase, bits, geometry, number, vector};
use crate::config::{BinaryMode, HstoreMode, IntervalMode};

/// What is done to the text of a value.
#[derive(Debug, Clone)]
pub(super) enum Conversion {
    Boolean,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    /// The text as it is.
    Text,
    /// The text of a query; the reference overlooks the type in the stream.
    QueriedText,
    Decimal(DecimalForm),
    Money(MoneyForm),
    /// `bytea`.
    Binary(BinaryMode),
    /// The text itself as bytes.
    Opaque(BinaryMode),
    /// The same of a geometric type, with numbers as Java writes them.
    OpaqueShape(BinaryMode),
    Bit,
    Bits,
    Date(DateForm),
    Time(TimeForm),
    Timestamp(TimestampForm),
    ZonedTime,
    /// With so many digits of a fraction; 0 for as many as are needed.
    ZonedTimestamp(usize),
    Interval(IntervalMode),
    Point,
    Geometry,
    DoubleVector,
    FloatVector,
    SparseVector,
    Hstore(HstoreMode),
    Array(Box<ArrayConversion>),
    /// The reference has a schema for the type and no values that fit it.
    Never,
}

/// What is done to the text of an array.
#[derive(Debug, Clone)]
pub(super) struct ArrayConversion {
    /// What is done to its elements.
    pub(super) element: Conversion,
    /// What stands between them.
    pub(super) delimiter: u8,
    /// Whether they may be null.
    pub(super) nullable: bool,
    /// How many arrays there are in each other, of those that the schema has.
    pub(super) depth: u8,
}

/// Which way a value takes in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The driver reads it from a result.
    Query,
    /// The reference reads it from a message.
    Stream,
    /// The driver reads it from the text of an array.
    Element,
    /// None: the value is what it is (`tether.values=correct`).
    Correct,
}

impl From<Phase> for Route {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Snapshot => Self::Query,
            Phase::Streaming => Self::Stream,
        }
    }
}

/// Why a text has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    /// It is not what the server writes.
    #[error("the text is no value of this type")]
    Text,
    /// It is no UTF-8.
    #[error("the text is not encoded in UTF-8")]
    Encoding,
    /// It is NaN or an infinity.
    #[error(
        "Got a special value (NaN/Infinity) for Decimal type but current mode does not handle it. \
         If you need to support it then set decimal handling mode to 'string'."
    )]
    SpecialNumber,
    /// Its number does not fit the form. The reference takes such a value for
    /// null where it can.
    #[error(
        "the value is outside the representable range for INT64 epoch nanoseconds; use \
         'time.precision.mode=microseconds' or 'isostring' for such values"
    )]
    Range,
    /// The reference cannot do it either.
    #[error("values of this type cannot be converted")]
    Unsupported,
}

/// A text, which is checked to be one.
pub(super) fn utf8(text: &Bytes) -> Result<Text, Misfit> {
    Text::try_from(text.clone()).map_err(|_| Misfit::Encoding)
}

impl Conversion {
    /// The value of a text, of this schema.
    pub(super) fn value(
        &self,
        text: &Bytes,
        route: Route,
        schema: &SchemaRef,
    ) -> Result<Value, Misfit> {
        let value = match self {
            Self::Boolean => Some(Value::Boolean(text.eq_ignore_ascii_case(b"t"))),
            Self::Int16 => number::integer(text).map(Value::Int16),
            Self::Int32 => number::integer(text).map(Value::Int32),
            Self::Int64 => number::integer(text).map(Value::Int64),
            Self::Float32 => number::float(text).map(Value::Float32),
            Self::Float64 => number::double(text).map(Value::Float64),
            Self::Text => return utf8(text).map(Value::String),
            Self::QueriedText => match route {
                Route::Stream => Some(Value::Null),
                Route::Query | Route::Element | Route::Correct => {
                    return utf8(text).map(Value::String);
                }
            },
            Self::Decimal(form) => return form.value(text, schema, route),
            Self::Money(form) => return form.value(text),
            Self::Binary(mode) => mode.value_of_hex(text),
            Self::Opaque(mode) => Some(mode.value(text.clone())),
            Self::OpaqueShape(mode) => {
                geometry::java_text(text).map(|text| mode.value(text.into()))
            }
            Self::Bit => bits::single(text),
            Self::Bits => bits::little_endian(text).map(Value::Bytes),
            Self::Date(form) => temporal::date(text).map(|date| date.value(*form, route)),
            Self::Time(form) => temporal::time(text).map(|micros| match route {
                Route::Query | Route::Stream | Route::Correct => form.value(micros),
                Route::Element => form.element(micros),
            }),
            Self::Timestamp(form) => {
                let stamp = temporal::timestamp(text).ok_or(Misfit::Text)?;
                return stamp.value(*form, route).ok_or(Misfit::Range);
            }
            Self::ZonedTime => temporal::offset_time(text)
                .map(|micros| Value::String(temporal::zoned_time(micros, route))),
            Self::ZonedTimestamp(digits) => temporal::zoned_timestamp(text)
                .map(|stamp| Value::String(stamp.zoned(*digits, route))),
            Self::Interval(mode) => Interval::parse(text).map(|interval| interval.value(*mode)),
            Self::Point => geometry::point(schema, text),
            Self::Geometry => geometry::geometry(schema, text),
            Self::DoubleVector => {
                vector::elements(text, |element| number::double(element).map(Value::Float64))
            }
            Self::FloatVector => {
                vector::elements(text, |element| number::float(element).map(Value::Float32))
            }
            Self::SparseVector => vector::sparse(schema, text),
            Self::Hstore(mode) => return mode.value(text),
            Self::Array(array) => return array.value(text, route, schema),
            Self::Never => return Err(Misfit::Unsupported),
        };
        value.ok_or(Misfit::Text)
    }

    /// Whether there are values of the type that have none in the schema: numbers
    /// that are none.
    pub(super) fn is_partial(&self) -> bool {
        match self {
            Self::Decimal(form) => matches!(form, DecimalForm::Fixed(_) | DecimalForm::Variable),
            Self::Array(array) => array.element.is_partial(),
            _ => false,
        }
    }

    /// What a column becomes that may not be null and is: because an old row
    /// carries its key only, or the column is not read.
    pub(super) fn fallback(&self, schema: &SchemaRef) -> Value {
        match self {
            Self::Boolean | Self::Bit => Value::Boolean(false),
            Self::Int16 => Value::Int16(0),
            Self::Int32 => Value::Int32(0),
            Self::Int64 => Value::Int64(0),
            Self::Float32 => Value::Float32(0.0),
            Self::Float64 => Value::Float64(0.0),
            Self::Text | Self::QueriedText => Value::String(Text::new()),
            Self::Decimal(form) => form.fallback(schema),
            Self::Money(form) => form.fallback(),
            Self::Binary(mode) | Self::Opaque(mode) | Self::OpaqueShape(mode) => {
                mode.value(Bytes::new())
            }
            Self::Bits => Value::Bytes(Bytes::new()),
            Self::Date(form) => form.fallback(),
            Self::Time(form) => form.fallback(),
            Self::Timestamp(form) => form.fallback(),
            Self::ZonedTime => Value::String(Text::from_static("00:00:00Z")),
            Self::ZonedTimestamp(_) => Value::String(Text::from_static("1970-01-01T00:00:00Z")),
            Self::Interval(mode) => Interval::default().value(*mode),
            Self::Point => geometry::point_at(schema, 0.0, 0.0).unwrap_or_default(),
            Self::Geometry => geometry::empty(schema),
            Self::DoubleVector | Self::FloatVector | Self::Array(_) => Vec::new().into(),
            Self::SparseVector => vector::empty_sparse(schema),
            Self::Hstore(mode) => mode.empty(),
            Self::Never => Value::Null,
        }
    }
}

impl ArrayConversion {
    fn value(&self, text: &Bytes, route: Route, schema: &SchemaRef) -> Result<Value, Misfit> {
        let elements = schema.value_schema().ok_or(Misfit::Unsupported)?;
        if route == Route::Correct {
            return self.nested(text, schema);
        }
        let mut values = Vec::new();
        array::elements(text, self.delimiter, Misfit::Text, |element| {
            values.push(match element {
                // The reference has no schema for arrays of arrays.
                Element::Null | Element::Array(_) if self.nullable => Value::Null,
                Element::Null | Element::Array(_) => return Err(Misfit::Unsupported),
                Element::Text(text) => match self.element.value(&text, Route::Element, elements) {
                    Err(Misfit::Range) if self.nullable => Value::Null,
                    value => value?,
                },
            });
            Ok(())
        })?;
        Ok(values.into())
    }

    /// The arrays in each other of which the schema is. An array of fewer
    /// dimensions is the only element of what is around it; the innermost of one
    /// of more dimensions has all their elements.
    fn nested(&self, text: &Bytes, schema: &SchemaRef) -> Result<Value, Misfit> {
        match array::dimensions(text) {
            0 => Ok(Vec::new().into()),
            dimensions => self.level(text, (self.depth, dimensions), schema),
        }
    }

    fn level(
        &self,
        text: &Bytes,
        (depth, dimensions): (u8, usize),
        schema: &SchemaRef,
    ) -> Result<Value, Misfit> {
        let inner = schema.value_schema().ok_or(Misfit::Unsupported)?;
        let mut values = Vec::new();
        if depth <= 1 {
            self.flatten(text, inner, &mut values)?;
        } else if dimensions < usize::from(depth) {
            values.push(self.level(text, (depth - 1, dimensions), inner)?);
        } else {
            array::elements(
                text,
                self.delimiter,
                Misfit::Text,
                |element| match element {
                    Element::Array(row) => {
                        values.push(self.level(&row, (depth - 1, dimensions - 1), inner)?);
                        Ok(())
                    }
                    Element::Null | Element::Text(_) => Err(Misfit::Text),
                },
            )?;
        }
        Ok(values.into())
    }

    /// The elements of an array of any dimensions, row by row.
    fn flatten(
        &self,
        text: &Bytes,
        schema: &SchemaRef,
        values: &mut Vec<Value>,
    ) -> Result<(), Misfit> {
        let mut rows = vec![text.clone()];
        while let Some(row) = rows.pop() {
            let mut inner = Vec::new();
            array::elements(&row, self.delimiter, Misfit::Text, |element| {
                match element {
                    Element::Null => values.push(Value::Null),
                    Element::Array(row) => inner.push(row),
                    Element::Text(text) => {
                        values.push(self.element.value(&text, Route::Correct, schema)?);
                    }
                }
                Ok(())
            })?;
            rows.extend(inner.into_iter().rev());
        }
        Ok(())
    }
}
