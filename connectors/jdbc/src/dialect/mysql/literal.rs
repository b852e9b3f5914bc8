//! Values as literals.
//!
//! Whatever a value holds, its literal ends where it should: numbers are made
//! of digits, signs, points and `e`; bytes are hexadecimal; and a text between
//! quotes holds no backslash, which some modes of the server take for an
//! escape, and each quote in it is doubled, which holds in all modes. The
//! session's character set is UTF-8, in which no byte of a longer character is
//! a quote. A text with a backslash or a NUL is hexadecimal as well.

use std::io::Write as _;

use tether_api::data::logical::{MILLIS_PER_DAY, civil};
use tether_api::data::{Decimal, Value};

use crate::time::TimeError;

const MICROS_PER_DAY: i64 = MILLIS_PER_DAY * 1000;

/// The most digits of a decimal that is written out.
const LONGEST_DECIMAL: usize = 1000;

/// From so many digits on the server would not take a number for what it is.
/// A text keeps all of them where the column is one.
const LONGEST_NUMBER: usize = 60;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Why a value has no literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LiteralError {
    /// A float that is none.
    #[error("MySQL has no NaN and no infinity")]
    NotFinite,
    /// A decimal of very many digits.
    #[error("the number has more than {LONGEST_DECIMAL} digits")]
    TooManyDigits,
    /// A date or timestamp.
    #[error("{0}")]
    Time(#[from] TimeError),
    /// A text with a NUL character as a default.
    #[error("it contains a NUL character")]
    Nul,
    /// A value with parts.
    #[error("values with parts are not supported")]
    HasParts,
}

/// Appends a value that is not an instant, a date or a time of day.
pub(crate) fn push(value: &Value, out: &mut Vec<u8>) -> Result<(), LiteralError> {
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Boolean(flag) => out.push(if *flag { b'1' } else { b'0' }),
        Value::Int8(number) => push_integer(i64::from(*number), out),
        Value::Int16(number) => push_integer(i64::from(*number), out),
        Value::Int32(number) => push_integer(i64::from(*number), out),
        Value::Int64(number) => push_integer(*number, out),
        // The server reads a double and makes a float of it, which gives the
        // same float only if the double is exactly that.
        Value::Float32(number) => push_float(f64::from(*number), out)?,
        Value::Float64(number) => push_float(*number, out)?,
        Value::Decimal(number) => push_decimal(number, out)?,
        Value::String(text) => push_text(text, out),
        Value::Bytes(bytes) => push_bytes(bytes, out),
        Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
            return Err(TimeError::OutOfRange.into());
        }
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => return Err(LiteralError::HasParts),
    }
    Ok(())
}

/// Appends an integer.
pub(crate) fn push_integer(number: i64, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{number}");
}

fn push_float(number: f64, out: &mut Vec<u8>) -> Result<(), LiteralError> {
    if !number.is_finite() {
        return Err(LiteralError::NotFinite);
    }
    // Without an exponent it would be a decimal.
    let _ = write!(out, "{number:e}");
    Ok(())
}

fn push_decimal(number: &Decimal, out: &mut Vec<u8>) -> Result<(), LiteralError> {
    let text = number
        .to_plain_string(LONGEST_DECIMAL)
        .ok_or(LiteralError::TooManyDigits)?;
    match text.len() > LONGEST_NUMBER {
        true => push_text(&text, out),
        false => out.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}

/// Appends a text.
pub(crate) fn push_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'\\', 0, bytes).is_some() {
        out.extend_from_slice(b"_utf8mb4 ");
        push_bytes(bytes, out);
        return;
    }
    out.push(b'\'');
    let mut start = 0;
    for quote in memchr::memchr_iter(b'\'', bytes) {
        out.extend_from_slice(&bytes[start..=quote]);
        start = quote;
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'\'');
}

/// Appends a text as a column's default. MariaDB writes a hexadecimal one down
/// in a form that it cannot read again, so backslashes are doubled, which takes
/// a session without the mode `NO_BACKSLASH_ESCAPES`.
///
/// # Errors
/// If it has a NUL character.
pub(crate) fn push_default_text(text: &str, out: &mut Vec<u8>) -> Result<(), LiteralError> {
    if text.contains('\0') {
        return Err(LiteralError::Nul);
    }
    out.push(b'\'');
    for byte in text.bytes() {
        if matches!(byte, b'\'' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'\'');
    Ok(())
}

fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2 + 3);
    out.extend_from_slice(b"x'");
    for byte in bytes {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
    out.push(b'\'');
}

/// Appends a day since the epoch: `'2001-03-15'`.
///
/// # Errors
/// If its year has not four digits.
pub(crate) fn push_date(day: i64, out: &mut Vec<u8>) -> Result<(), LiteralError> {
    out.push(b'\'');
    push_plain_date(day, out)?;
    out.push(b'\'');
    Ok(())
}

/// Appends microseconds since midnight, with so many digits of the second's
/// fraction: `'01:02:03.004'`.
pub(crate) fn push_time(micros: i64, digits: usize, out: &mut Vec<u8>) {
    out.push(b'\'');
    push_plain_time(micros, digits, out);
    out.push(b'\'');
}

/// Appends a wall clock in microseconds since the epoch, with so many digits
/// of the second's fraction: `'2001-03-15 01:02:03.004'`.
///
/// # Errors
/// If its year has not four digits.
pub(crate) fn push_timestamp(
    local: i64,
    digits: usize,
    out: &mut Vec<u8>,
) -> Result<(), LiteralError> {
    out.push(b'\'');
    push_plain_date(local.div_euclid(MICROS_PER_DAY), out)?;
    out.push(b' ');
    push_plain_time(local.rem_euclid(MICROS_PER_DAY), digits, out);
    out.push(b'\'');
    Ok(())
}

fn push_plain_date(day: i64, out: &mut Vec<u8>) -> Result<(), LiteralError> {
    let (year, month, day) = civil(day);
    if !(0..=9999).contains(&year) {
        return Err(TimeError::OutOfRange.into());
    }
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
    Ok(())
}

fn push_plain_time(micros: i64, digits: usize, out: &mut Vec<u8>) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(out, "{hours:02}:{minutes:02}:{rest:02}");
    match digits {
        3 => {
            let _ = write!(out, ".{:03}", fraction / 1000);
        }
        _ => {
            let _ = write!(out, ".{fraction:06}");
        }
    }
}

#[cfg(test)]
mod tests;
