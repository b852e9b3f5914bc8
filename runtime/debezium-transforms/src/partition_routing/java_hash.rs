//! Numbers for values as Java makes them.

use tether_api::data::{BigInt, Value, java_hash, logical};

use super::murmur;

/// `Object.hashCode`. Of structs only the values count, as the hash of a schema
/// differs from one JVM to the next.
pub(super) fn java(value: &Value) -> i32 {
    match value {
        Value::Null => 0,
        Value::Int8(value) => i32::from(*value),
        Value::Int16(value) => i32::from(*value),
        Value::Int32(value) => *value,
        Value::Int64(value) => of_long(*value),
        Value::Float32(value) if value.is_nan() => 0x7fc0_0000,
        Value::Float32(value) => value.to_bits().cast_signed(),
        Value::Float64(value) if value.is_nan() => of_long(0x7ff8_0000_0000_0000),
        Value::Float64(value) => of_long(value.to_bits().cast_signed()),
        Value::Boolean(true) => 1231,
        Value::Boolean(false) => 1237,
        Value::String(text) => java_hash(text),
        // A buffer's, which starts at its end; an array's is its address.
        Value::Bytes(bytes) => bytes.iter().rev().fold(1i32, |hash, byte| {
            hash.wrapping_mul(31)
                .wrapping_add(i32::from(byte.cast_signed()))
        }),
        Value::Decimal(value) => of_integer(&value.unscaled())
            .wrapping_mul(31)
            .wrapping_add(value.scale()),
        Value::Date(days) => of_long(i64::from(*days) * logical::MILLIS_PER_DAY),
        Value::Time(millis) => of_long(i64::from(*millis)),
        Value::Timestamp(millis) => of_long(*millis),
        Value::Array(values) => of_all(values),
        Value::Map(entries) => entries.iter().fold(0i32, |sum, (key, value)| {
            sum.wrapping_add(java(key) ^ java(value))
        }),
        Value::Struct(value) => of_all(value.values()),
    }
}

/// `MurmurHash3.hash(Object)`: of texts their UTF-8, of other values their
/// `hashCode`.
pub(super) fn murmur(value: &Value) -> i32 {
    match value {
        Value::String(text) => murmur::hash(text.as_bytes()),
        value => murmur::hash(&java(value).to_le_bytes()),
    }
}

fn of_long(value: i64) -> i32 {
    let bits = value.cast_unsigned();
    ((bits ^ (bits >> 32)) as u32).cast_signed()
}

/// `BigInteger.hashCode`.
fn of_integer(value: &BigInt) -> i32 {
    let digits = value.magnitude().iter_u32_digits().rev();
    let hash = digits.fold(0u32, |hash, digit| {
        hash.wrapping_mul(31).wrapping_add(digit)
    });
    let hash = hash.cast_signed();
    if *value < BigInt::ZERO {
        hash.wrapping_neg()
    } else {
        hash
    }
}

fn of_all(values: &[Value]) -> i32 {
    values.iter().fold(1i32, |sum, value| {
        sum.wrapping_mul(31).wrapping_add(java(value))
    })
}
