//! JSON as the internal topics have it: what Java's `JsonConverter` without
//! schemas writes (compact, Jackson's escapes) and what it accepts.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// Appends a string in quotes, as Jackson writes it: short escapes where there
/// are some, `\u00XX` in upper case for other control characters, and two
/// escapes for a character outside the basic plane. Everything else is raw.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut raw = 0;
    for (index, character) in text.char_indices() {
        let short = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\0'..'\u{20}' | '\u{10000}'.. => "",
            _ => continue,
        };
        out.push_str(&text[raw..index]);
        raw = index + character.len_utf8();
        if short.is_empty() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04X}");
            }
        } else {
            out.push_str(short);
        }
    }
    out.push_str(&text[raw..]);
    out.push('"');
}

/// Appends a string in quotes, or `null`.
pub(crate) fn push_optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.push_str("null"),
    }
}

/// Reads the first JSON value and ignores what follows, as the reference does.
/// No bytes, white space and `null` are nothing.
///
/// # Errors
/// Says what is wrong with the syntax and where; never shows the content, which
/// may be secret.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Json>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    serde_json::Deserializer::from_slice(bytes)
        .into_iter::<Json>()
        .next()
        .transpose()
        .map(|value| value.filter(|value| !value.is_null()))
        .map_err(|error| {
            format!(
                "not valid JSON at line {} column {}",
                error.line(),
                error.column()
            )
        })
}

/// The integer of a JSON number; one beyond 64 bits wraps, as `longValue` of
/// Java's `BigInteger` does. `None` for a number with a fraction or an exponent.
pub(crate) fn integer(number: &serde_json::Number) -> Option<i64> {
    if let Some(value) = number.as_i64() {
        return Some(value);
    }
    let text = number.as_str();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let value = digits.bytes().fold(0_i64, |value, digit| {
        value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'))
    });
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// What a JSON value is, for messages that must not show it.
pub(crate) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        push_string(&mut out, text);
        out
    }

    #[test]
    fn strings_are_escaped_as_jackson_does() {
        assert_eq!(written("a\"b\\c/d"), r#""a\"b\\c/d""#);
        assert_eq!(
            written("\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}"),
            "\"\\b\\t\\n\\f\\r\\u0000\\u001F\u{7f}\""
        );
        assert_eq!(written("é\u{2028}😀"), "\"é\u{2028}\\uD83D\\uDE00\"");
    }

    #[test]
    fn the_first_value_counts() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b" \n"), Ok(None));
        assert_eq!(parse(b"null"), Ok(None));
        assert_eq!(
            parse(b"{} garbage"),
            Ok(Some(Json::Object(Default::default())))
        );
        assert_eq!(
            parse(b"{\"password\":secret}"),
            Err("not valid JSON at line 1 column 13".to_owned())
        );
        assert!(parse(&b"[".repeat(100_000)).is_err());
    }

    #[test]
    fn large_integers_wrap() {
        let number = |text: &str| match parse(text.as_bytes()) {
            Ok(Some(Json::Number(number))) => integer(&number),
            other => panic!("{other:?}"),
        };
        assert_eq!(number("-5"), Some(-5));
        assert_eq!(number("18446744073709551615"), Some(-1));
        assert_eq!(number("9223372036854775808"), Some(i64::MIN));
        assert_eq!(number("-18446744073709551617"), Some(-1));
        assert_eq!(number("1.0"), None);
        assert_eq!(number("1e3"), None);
    }

    proptest! {
        #[test]
        fn strings_come_back(text in any::<String>()) {
            let json = parse(written(&text).as_bytes());
            prop_assert_eq!(json, Ok(Some(Json::String(text))));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
