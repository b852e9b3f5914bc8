use proptest::prelude::*;
use tether_api::data::Bytes;

use super::*;

fn literal(value: impl Into<Value>) -> String {
    let mut out = Vec::new();
    push(&value.into(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn texts_end_where_they_should() {
    assert_eq!(literal("it's"), "'it''s'");
    assert_eq!(literal("''"), "''''''");
    assert_eq!(literal(""), "''");
    assert_eq!(literal("größe 😀"), "'größe 😀'");
    assert_eq!(literal("\\'; DROP TABLE t; --"), {
        let digits: String = "\\'; DROP TABLE t; --"
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("_utf8mb4 x'{digits}'")
    });
    assert_eq!(literal("a\0"), "_utf8mb4 x'6100'");
}

#[test]
fn defaults_escape_backslashes() {
    let mut out = Vec::new();
    push_default_text("it's \\", &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "'it''s \\\\'");
    assert!(push_default_text("a\0", &mut Vec::new()).is_err());
}

#[test]
fn numbers() {
    assert_eq!(literal(i64::MIN), "-9223372036854775808");
    assert_eq!(literal(true), "1");
    assert_eq!(literal(Value::Float64(1.5)), "1.5e0");
    assert_eq!(literal(Value::Float64(-1e300)), "-1e300");
    assert_eq!(literal(Value::Float32(0.1)), "1.0000000149011612e-1");
    assert_eq!(literal(Value::from(Decimal::new(-1234, 2))), "-12.34");
    let long = Decimal::new(1, 80);
    assert_eq!(literal(Value::from(long)), format!("'0.{:0>80}'", 1));
    let mut out = Vec::new();
    for number in [f64::NAN, f64::INFINITY] {
        let error = push(&Value::Float64(number), &mut out).unwrap_err();
        assert_eq!(error, LiteralError::NotFinite);
    }
    let huge = Value::from(Decimal::new(1, i32::MIN));
    assert_eq!(push(&huge, &mut out), Err(LiteralError::TooManyDigits));
}

#[test]
fn times() {
    let mut out = Vec::new();
    push_timestamp(-1, 6, &mut out).unwrap();
    push_timestamp(0, 3, &mut out).unwrap();
    push_date(11_396, &mut out).unwrap();
    push_time(3_661_001_000, 3, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "'1969-12-31 23:59:59.999999''1970-01-01 00:00:00.000''2001-03-15''01:01:01.001'"
    );
    let mut out = Vec::new();
    assert!(push_date(2_932_897, &mut out).is_err());
    assert!(push_date(-719_529, &mut out).is_err());
    assert!(push_date(2_932_896, &mut out).is_ok());
    assert!(push_timestamp(i64::MAX, 6, &mut out).is_err());
}

proptest! {
    /// With or without backslash escapes the server finds the end of the text
    /// at the end of the literal, and the text itself between.
    #[test]
    fn any_text_is_read_as_itself(text in "[\\PC\\x00-\\x1f'\\\\]{0,20}") {
        let literal = literal(text.as_str());
        if let Some(digits) = literal.strip_prefix("_utf8mb4 x'") {
            let digits = digits.strip_suffix('\'').unwrap();
            prop_assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let bytes: Vec<u8> = (0..digits.len() / 2)
                .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), text);
        } else {
            let inner = literal.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
            prop_assert!(!inner.contains('\\'));
            prop_assert!(!inner.replace("''", "").contains('\''));
            prop_assert_eq!(inner.replace("''", "'"), text);
        }
    }

    #[test]
    fn any_bytes_are_hexadecimal(bytes: Vec<u8>) {
        let literal = literal(Value::Bytes(Bytes::from(bytes.clone())));
        let digits = literal.strip_prefix("x'").unwrap().strip_suffix('\'').unwrap();
        prop_assert_eq!(digits.len(), bytes.len() * 2);
        prop_assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn any_float_is_read_as_itself(number: f32) {
        let mut out = Vec::new();
        if push(&Value::Float32(number), &mut out).is_ok() {
            let double: f64 = std::str::from_utf8(&out).unwrap().parse().unwrap();
            prop_assert_eq!(double as f32, number);
        }
    }
}
