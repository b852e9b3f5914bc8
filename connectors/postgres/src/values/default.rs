//! Defaults of columns, from the expressions that the server shows for them.
//!
//! Nothing is evaluated. The reference knows literals, and it has a zero of the
//! type for what looks like a call.

use tether_api::data::{Bytes, SchemaRef, Value};

use super::conversion::{Conversion, Route};
use super::number;
use crate::table::Column;
use crate::types::{ColumnType, TypeKind, oid};

/// The default of a column for its schema, if the reference finds one.
pub(super) fn of(
    column: &Column,
    column_type: &ColumnType,
    conversion: &Conversion,
    schema: &SchemaRef,
) -> Option<Value> {
    let expression = column.default.as_deref()?;
    let value = value(expression, column_type, conversion, schema);
    if value.is_none() && !expression.starts_with("NULL::") {
        tracing::warn!(
            column = %column.name,
            r#type = %column_type.declared.name,
            "The default of a column cannot be told: its expression is none of those that are understood"
        );
    }
    value
}

fn value(
    expression: &str,
    column_type: &ColumnType,
    conversion: &Conversion,
    schema: &SchemaRef,
) -> Option<Value> {
    let declared = &column_type.declared;
    let convert = |text: String| {
        let text = Bytes::from(text);
        match conversion.value(&text, Route::Stream, schema) {
            // Connect cannot compare structs with a schema under construction
            // (KAFKA-12694), so none are defaults.
            Ok(Value::Struct(_) | Value::Null) | Err(_) => None,
            Ok(value) => Some(value),
        }
    };
    let expression = match declared.oid {
        oid::BPCHAR | oid::VARCHAR | oid::TEXT | oid::JSON | oid::JSONB | oid::XML => expression,
        _ => expression.trim(),
    };
    let placeholder = match declared.oid {
        oid::BIT => "00",
        oid::VARBIT => "0",
        oid::BOOL => "false",
        oid::BPCHAR | oid::VARCHAR | oid::TEXT | oid::XML => "",
        oid::NUMERIC | oid::FLOAT4 | oid::FLOAT8 => "0.0",
        oid::INT2 | oid::INT4 | oid::INT8 => "0",
        oid::JSON | oid::JSONB => "{}",
        oid::UUID => "00000000-0000-0000-0000-000000000000",
        oid::DATE => "1970-01-01",
        oid::TIME => "00:00:00",
        oid::TIMESTAMP => "1970-01-01 00:00:00",
        oid::TIMESTAMPTZ => "1970-01-01 00:00:00+00",
        oid::INTERVAL => "00:00:00",
        _ => match &declared.kind {
            TypeKind::Enum { .. } => return convert(label(expression, &declared.name)?),
            _ => return None,
        },
    };
    let text = literal(expression, placeholder)?;
    match declared.oid {
        oid::BOOL => Some(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        oid::BIT | oid::VARBIT => bits(&text, conversion),
        oid::UUID if !is_uuid(&text) => None,
        oid::FLOAT4 => number::float(text.trim().as_bytes()).map(Value::Float32),
        oid::FLOAT8 => number::double(text.trim().as_bytes()).map(Value::Float64),
        // Numbers that are none have no place in a decimal.
        oid::NUMERIC if text.contains(|letter: char| letter.is_ascii_alphabetic()) => None,
        oid::TIMESTAMPTZ if text.ends_with("infinity") => None,
        _ => match (conversion, text.as_str()) {
            (Conversion::Time(form), "24:00:00") => Some(form.last()),
            (Conversion::Date(form), "infinity") => Some(form.of_java(true)),
            (Conversion::Date(form), "-infinity") => Some(form.of_java(false)),
            (Conversion::Timestamp(form), "infinity") => form.of_java(true),
            (Conversion::Timestamp(form), "-infinity") => form.of_java(false),
            _ => convert(text),
        },
    }
}

/// A default of bits, of which the reference takes one alone for a boolean.
fn bits(text: &str, conversion: &Conversion) -> Option<Value> {
    let number = super::bits::little_endian(text.as_bytes())?;
    match conversion {
        Conversion::Bit => Some(Value::Boolean(!number.is_empty())),
        _ if text == "0" => Some(Value::Bytes(Bytes::from_static(&[0]))),
        _ => Some(Value::Bytes(number)),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The literal that an expression begins with, or the placeholder if it looks
/// like a call. `None` for a NULL.
fn literal(expression: &str, placeholder: &str) -> Option<String> {
    const OF_THE_CLOCK: [&str; 5] = [
        "current_timestamp",
        "current_time",
        "current_date",
        "localtime",
        "localtimestamp",
    ];
    let of_the_clock = |name: &&str| expression.eq_ignore_ascii_case(name);
    if is_call(expression) || OF_THE_CLOCK.iter().any(of_the_clock) {
        return Some(placeholder.to_owned());
    }
    if expression.starts_with("NULL::") {
        return None;
    }
    if !expression.contains('\'') {
        return Some(expression.to_owned());
    }
    quoted(expression).map(str::to_owned)
}

/// Whether there is a name, with or without a parenthesis before it, followed by
/// parentheses.
fn is_call(expression: &str) -> bool {
    let rest = expression.strip_prefix('(').unwrap_or(expression);
    let name =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
    let arguments = rest.trim_start_matches(name);
    arguments.len() < rest.len()
        && arguments
            .strip_prefix('(')
            .and_then(|arguments| {
                arguments
                    .find(|at: char| at == ')' || ends_line(at))
                    .map(|at| &arguments[at..])
            })
            .is_some_and(|end| end.starts_with(')'))
}

/// The text between the first two quotes on one line. A doubled quote ends it.
fn quoted(expression: &str) -> Option<&str> {
    let mut rest = expression;
    while let Some(start) = rest.find('\'') {
        rest = &rest[start + 1..];
        let end = rest.find(|at: char| at == '\'' || ends_line(at))?;
        if rest[end..].starts_with('\'') {
            return Some(&rest[..end]);
        }
    }
    None
}

/// What a dot does not match in a regular expression of Java.
fn ends_line(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The label in an expression such as `'sad'::mood`, if it is cast to this type.
fn label(expression: &str, type_name: &str) -> Option<String> {
    let (value, cast) = expression.rsplit_once("::")?;
    let name = unqualified(cast);
    let label = value.strip_prefix('\'')?.strip_suffix('\'')?;
    (name == type_name).then(|| label.to_owned())
}

/// The last part of a name, without quotes.
fn unqualified(name: &str) -> &str {
    match name.strip_suffix('"') {
        Some(quoted) => quoted.rsplit_once('"').map_or(quoted, |(_, name)| name),
        None => name.rsplit_once('.').map_or(name, |(_, name)| name),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_end_at_the_first_quote() {
        let of = |expression| literal(expression, "placeholder");
        assert_eq!(of("42").as_deref(), Some("42"));
        assert_eq!(of("'42'::integer").as_deref(), Some("42"));
        assert_eq!(of("('x'::text || 'y'::text)").as_deref(), Some("x"));
        assert_eq!(of("'it''s'::text").as_deref(), Some("it"));
        assert_eq!(of("''::text").as_deref(), Some(""));
        assert_eq!(of("CURRENT_USER").as_deref(), Some("CURRENT_USER"));
        assert_eq!(of("NULL::character varying"), None);
        assert_eq!(of("'a\nb'::text"), None);
    }

    #[test]
    fn calls_have_placeholders() {
        let calls = [
            "now()",
            "nextval('t_id_seq'::regclass)",
            "(now() + '1 day'::interval)",
            "CURRENT_TIMESTAMP",
            "CURRENT_TIMESTAMP(3)",
            "pg_catalog.gen_random_uuid()",
        ];
        for call in calls {
            assert_eq!(literal(call, "0").as_deref(), Some("0"), "{call}");
        }
        for other in ["(1 + 2)", "((now()))", "'now()'::text", "\"F\"()"] {
            assert_ne!(literal(other, "0").as_deref(), Some("0"), "{other}");
        }
    }

    #[test]
    fn labels_are_cast_to_their_type() {
        assert_eq!(label("'sad'::mood", "mood").as_deref(), Some("sad"));
        assert_eq!(label("'sad'::inv.mood", "mood").as_deref(), Some("sad"));
        assert_eq!(label("'x'::inv.\"Mood.1\"", "Mood.1").as_deref(), Some("x"));
        assert_eq!(label("'sad'::text", "mood"), None);
        assert_eq!(label("f()", "mood"), None);
    }

    proptest! {
        #[test]
        fn any_expression_is_read(text: String, likely in "[('):A-Za-z0-9\"\n ]{0,20}") {
            let _ = (literal(&text, ""), label(&text, "a"));
            let _ = (literal(&likely, ""), label(&likely, "a"));
        }
    }
}
