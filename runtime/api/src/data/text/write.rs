//! Values to text (`Values.convertToString`).

use std::io::Write as _;

use crate::data::Value;
use crate::data::logical::{Date, MILLIS_PER_DAY, Time, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends the text of a value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    write_part(value, false, out);
}

/// Appends the text of a value. Within another value, text is quoted.
fn write_part(value: &Value, embedded: bool, out: &mut Vec<u8>) {
    match value {
        Value::String(text) if embedded => write_quoted(text, out),
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => {
            let text = STANDARD.encode(bytes);
            if embedded {
                write_quoted(&text, out);
            } else {
                out.extend_from_slice(text.as_bytes());
            }
        }
        Value::Date(days) => write_instant(i64::from(*days) * MILLIS_PER_DAY, out),
        Value::Time(millis) => write_instant(i64::from(*millis), out),
        Value::Timestamp(millis) => write_instant(*millis, out),
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                write_separator(index, out);
                write_part(value, true, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                write_separator(index, out);
                write_part(key, true, out);
                out.push(b':');
                write_part(value, true, out);
            }
            out.push(b'}');
        }
        Value::Struct(value) => {
            out.push(b'{');
            for field in value.schema().fields() {
                write_separator(field.index, out);
                write_quoted(&field.name, out);
                out.push(b':');
                write_part(value.get_at(field.index).unwrap_or(&Value::Null), true, out);
            }
            out.push(b'}');
        }
        value => append(out, format_args!("{value}")),
    }
}

fn write_separator(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn write_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// An instant says by its value alone what it is taken for: the first day of
/// the epoch, and all before it, is a time of day.
fn write_instant(millis: i64, out: &mut Vec<u8>) {
    if millis < MILLIS_PER_DAY {
        let time = Time(millis.rem_euclid(MILLIS_PER_DAY) as i32);
        append(out, format_args!("{time}Z"));
    } else if millis % MILLIS_PER_DAY == 0
        && let Ok(days) = i32::try_from(millis / MILLIS_PER_DAY)
    {
        append(out, format_args!("{}", Date(days)));
    } else {
        append(out, format_args!("{}", Timestamp(millis)));
    }
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = out.write_fmt(text);
}
