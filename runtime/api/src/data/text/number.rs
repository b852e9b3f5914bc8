//! Text to the narrowest number that holds it.

use crate::data::{Decimal, Schema, SchemaAndValue, SchemaRef, Type, Value, logical};
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

/// The longest text that is tried: numbers take time with the square of their
/// length.
const MAX_LENGTH: usize = 10_000;

/// The number, if the text is one.
pub(super) fn parse(text: &str) -> Option<SchemaAndValue> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let decimal: Decimal = text.parse().ok()?;
    if let Some(number) = integer(&decimal) {
        return Some(narrowest(number));
    }
    if decimal.scale() != 0 {
        if let Some(number) = text.parse::<f32>().ok().filter(|n| n.is_finite()) {
            return Some(plain(Type::Float32, number.into()));
        }
        if let Some(number) = text.parse::<f64>().ok().filter(|n| n.is_finite()) {
            return Some(plain(Type::Float64, number.into()));
        }
    }
    Some(SchemaAndValue::new(
        logical::decimal_schema(decimal.scale()),
        decimal.into(),
    ))
}

/// The decimal as an integer of 64 bits, if it is one.
fn integer(decimal: &Decimal) -> Option<i64> {
    let unscaled = &*decimal.unscaled();
    if unscaled.is_zero() {
        return Some(0);
    }
    let scale = i64::from(decimal.scale());
    // The number of digits before the point. Only few are looked at, so that
    // an exponent is never expanded to many digits.
    let whole = unscaled.magnitude().to_string().len() as i64 - scale;
    if !(1..=19).contains(&whole) {
        return None;
    }
    let power = BigInt::from(10).pow(scale.unsigned_abs() as u32);
    if scale <= 0 {
        (unscaled * power).to_i64()
    } else if (unscaled % &power).is_zero() {
        (unscaled / power).to_i64()
    } else {
        None
    }
}

fn narrowest(number: i64) -> SchemaAndValue {
    if let Ok(number) = i8::try_from(number) {
        plain(Type::Int8, number.into())
    } else if let Ok(number) = i16::try_from(number) {
        plain(Type::Int16, number.into())
    } else if let Ok(number) = i32::try_from(number) {
        plain(Type::Int32, number.into())
    } else {
        plain(Type::Int64, number.into())
    }
}

fn plain(kind: Type, value: Value) -> SchemaAndValue {
    let schema: SchemaRef = Schema::primitive(kind, false);
    SchemaAndValue::new(schema, value)
}
