//! A pull parser for JSON text: values are read where they stand, no tree is
//! built.
//!
//! It accepts what Jackson accepts as the reference configures it: RFC 8259,
//! plus leading zeros. Nesting is limited.

use std::borrow::Cow;

use memchr::memchr2;
use tether_api::ConnectError;

/// The deepest nesting that is read: half of what the reference reads, so that
/// whatever walks through the values stays far from the end of the stack.
pub(super) const MAX_DEPTH: usize = 500;
/// The longest number that is read, in characters, as in the reference.
const MAX_NUMBER_LENGTH: usize = 1000;

/// The digits of the largest exponent that a decimal can have for sure.
const MAX_EXPONENT_DIGITS: usize = 9;

/// Text that is not JSON. As small as a pointer, so that results are cheap to
/// hand on.
#[derive(Debug, thiserror::Error)]
#[error("{} at byte {}", .0.reason, .0.position)]
pub(crate) struct SyntaxError(Box<Mistake>);

#[derive(Debug)]
struct Mistake {
    reason: Cow<'static, str>,
    position: usize,
}

impl SyntaxError {
    /// The error for bytes that are not UTF-8 from this position on.
    pub(super) fn not_text(position: usize) -> Self {
        Self::new("Invalid UTF-8", position)
    }

    #[cold]
    fn new(reason: impl Into<Cow<'static, str>>, position: usize) -> Self {
        let reason = reason.into();
        Self(Box::new(Mistake { reason, position }))
    }
}

impl From<SyntaxError> for ConnectError {
    fn from(error: SyntaxError) -> Self {
        // The space at the end is the reference's.
        Self::data("Converting byte[] to Kafka Connect data failed due to serialization error: ")
            .caused_by(
                Self::data(error.to_string())
                    .with_class("org.apache.kafka.common.errors.SerializationException"),
            )
    }
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// The kind of a value, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean(bool),
    Null,
}

impl Kind {
    /// The name in messages (`JsonNodeType`).
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "OBJECT",
            Self::Array => "ARRAY",
            Self::String => "STRING",
            Self::Number => "NUMBER",
            Self::Boolean(_) => "BOOLEAN",
            Self::Null => "NULL",
        }
    }
}

/// A number as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberText<'a> {
    pub(super) text: &'a str,
    /// Whether it has neither fraction nor exponent.
    pub(super) integral: bool,
}

/// A place in JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    /// The start of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The position in bytes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Moves to a position that an earlier parse of the same text reached.
    pub(super) fn with_position(mut self, at: usize, depth: usize) -> Self {
        self.at = at;
        self.depth = depth;
        self
    }

    fn error<T>(&self, reason: impl Into<Cow<'static, str>>) -> Result<T> {
        Err(SyntaxError::new(reason, self.at))
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space; the byte after it, if there is one.
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Whether only white space is left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.skip_space().is_none()
    }

    /// The kind of the value that follows. Literals are checked here, and
    /// consumed by [`Cursor::literal`].
    pub(super) fn kind(&mut self) -> Result<Kind> {
        match self.skip_space() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't') if self.starts_with("true") => Ok(Kind::Boolean(true)),
            Some(b'f') if self.starts_with("false") => Ok(Kind::Boolean(false)),
            Some(b'n') if self.starts_with("null") => Ok(Kind::Null),
            Some(_) => self.error("Unexpected character where a value should begin"),
            None => self.error("Unexpected end of input where a value should begin"),
        }
    }

    fn starts_with(&self, literal: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(literal.as_bytes())
    }

    /// Consumes a literal that [`Cursor::kind`] announced.
    pub(super) fn literal(&mut self, kind: Kind) -> Result<()> {
        self.at += match kind {
            Kind::Boolean(false) => 5,
            _ => 4,
        };
        match self.byte() {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$') => {
                self.error("Unrecognized token")
            }
            _ => Ok(()),
        }
    }

    /// Consumes these bytes if they follow just so.
    pub(super) fn skip_exactly(&mut self, bytes: &[u8]) -> bool {
        let follows = self.text.as_bytes()[self.at..].starts_with(bytes);
        if follows {
            self.at += bytes.len();
        }
        follows
    }

    /// Consumes an integer within an array or object if it surely fits in 64
    /// bits; most do, and need not be looked at twice.
    pub(super) fn small_integer(&mut self) -> Option<i64> {
        /// So many digits are below 2^63.
        const SAFE_DIGITS: usize = 18;
        if self.depth == 0 {
            // What may follow a number on its own is up to `number`.
            return None;
        }
        let bytes = &self.text.as_bytes()[self.at..];
        let negative = bytes.first() == Some(&b'-');
        let digits = &bytes[usize::from(negative)..];
        let mut value = 0i64;
        for (length, byte) in digits.iter().take(SAFE_DIGITS + 1).enumerate() {
            match byte {
                b'0'..=b'9' if length < SAFE_DIGITS => value = value * 10 + i64::from(byte - b'0'),
                b',' | b'}' | b']' if length > 0 => {
                    self.at += usize::from(negative) + length;
                    return Some(if negative { -value } else { value });
                }
                _ => return None,
            }
        }
        None
    }

    /// Consumes a number.
    pub(super) fn number(&mut self) -> Result<NumberText<'a>> {
        let start = self.at;
        let mut integral = true;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        self.digits()?;
        if self.byte() == Some(b'.') {
            integral = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            integral = false;
            self.exponent()?;
        }
        let text = &self.text[start..self.at];
        if text.len() > MAX_NUMBER_LENGTH {
            return self.error(format!(
                "Number value length ({}) exceeds the maximum allowed ({MAX_NUMBER_LENGTH})",
                text.len()
            ));
        }
        if self.depth == 0
            && let Some(byte) = self.byte()
            && !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
        {
            return self.error("Unexpected character after a number");
        }
        Ok(NumberText { text, integral })
    }

    fn exponent(&mut self) -> Result<()> {
        self.at += 1;
        if let Some(b'+' | b'-') = self.byte() {
            self.at += 1;
        }
        let start = self.at;
        self.digits()?;
        if self.text[start..self.at].trim_start_matches('0').len() > MAX_EXPONENT_DIGITS {
            return self.error("Exponent overflow");
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start {
            return self.error("Expected a digit");
        }
        Ok(())
    }

    /// Consumes a string: a slice of the text where it has no escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        self.at = next_special(self.text.as_bytes(), start);
        match self.byte() {
            Some(b'"') => {
                let text = &self.text[start..self.at];
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            _ => self.escaped_string(start).map(Cow::Owned),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<String> {
        let mut out = String::with_capacity(2 * (self.at - start) + 16);
        let mut run = start;
        loop {
            out.push_str(&self.text[run..self.at]);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let escaped = self.escape()?;
                    out.push(escaped);
                }
                Some(_) => return self.error("Control character within a string"),
                None => return self.error("Unexpected end of input within a string"),
            }
            run = self.at;
            self.at = next_special(self.text.as_bytes(), run);
        }
    }

    /// Consumes what follows a backslash.
    fn escape(&mut self) -> Result<char> {
        let Some(byte) = self.byte() else {
            return self.error("Unexpected end of input within a string");
        };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex()?;
                return self.surrogates(unit);
            }
            _ => return self.error("Unrecognized character escape"),
        })
    }

    /// The character that a UTF-16 unit and perhaps the escape after it stand
    /// for. Half of a pair, which Java keeps, is no character here.
    fn surrogates(&mut self, unit: u32) -> Result<char> {
        if (0xD800..0xDC00).contains(&unit) && self.starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.error("Expected a hexadecimal digit");
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Consumes the `{` or `[` of a value whose kind is known.
    pub(super) fn open(&mut self) -> Result<()> {
        if self.depth == MAX_DEPTH {
            return self.error(format!("Nesting exceeds the maximum allowed ({MAX_DEPTH})"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Consumes the separator before the next element of an array or its end;
    /// whether there is another element.
    pub(super) fn next_element(&mut self, first: bool) -> Result<bool> {
        self.next_part(b']', first)
    }

    /// Consumes the separator, name and colon of the next member of an object
    /// or its end; the name if there is another member.
    pub(super) fn next_member(&mut self, first: bool) -> Result<Option<Cow<'a, str>>> {
        if !self.next_part(b'}', first)? {
            return Ok(None);
        }
        if self.skip_space() != Some(b'"') {
            return self.error("Expected a name in double quotes");
        }
        let name = self.string()?;
        if self.skip_space() != Some(b':') {
            return self.error("Expected a colon after a name");
        }
        self.at += 1;
        Ok(Some(name))
    }

    fn next_part(&mut self, close: u8, first: bool) -> Result<bool> {
        match self.skip_space() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if first => Ok(true),
            Some(_) => self.error(format!("Expected a comma or '{}'", char::from(close))),
            None => self.error("Unexpected end of input within an object or array"),
        }
    }

    /// Consumes a whole value without looking at it; its text.
    pub(crate) fn skip(&mut self) -> Result<&'a str> {
        let mut kind = self.kind()?;
        let start = self.at;
        let outer = self.depth;
        // Whether each open value is an object, outermost first.
        let mut open = Vec::new();
        loop {
            match kind {
                Kind::Object | Kind::Array => {
                    self.open()?;
                    open.push((kind == Kind::Object, true));
                }
                Kind::String => drop(self.string()?),
                Kind::Number => drop(self.number()?),
                Kind::Boolean(_) | Kind::Null => self.literal(kind)?,
            }
            while let Some((object, first)) = open.last_mut() {
                let more = if *object {
                    self.next_member(*first)?.is_some()
                } else {
                    self.next_element(*first)?
                };
                *first = false;
                if more {
                    break;
                }
                open.pop();
            }
            if self.depth == outer {
                return Ok(&self.text[start..self.at]);
            }
            kind = self.kind()?;
        }
    }
}

/// The position of the next quote, backslash or control character, or the end.
fn next_special(bytes: &[u8], from: usize) -> usize {
    /// After so many bytes it is a long text.
    const LONG: usize = 32;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = special(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at - from == LONG {
            return next_special_far(bytes, at);
        }
    }
    while let Some(byte) = bytes.get(at)
        && !matches!(byte, b'"' | b'\\' | 0..0x20)
    {
        at += 1;
    }
    at
}

/// The same for long texts: both passes go over many bytes at a time.
fn next_special_far(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..];
    let length = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
    let plain = &rest[..length];
    let lowest = plain.iter().copied().fold(u8::MAX, u8::min);
    let control = (lowest < 0x20).then(|| plain.iter().position(|byte| *byte < 0x20));
    from + control.flatten().unwrap_or(length)
}

/// Marks the high bit of each byte that is a quote, backslash or control
/// character. Only the lowest mark is exact, as carries may add marks above it.
pub(super) fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let quotes = word ^ (ONES * b'"' as u64);
    let slashes = word ^ (ONES * b'\\' as u64);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let slashes = slashes.wrapping_sub(ONES) & !slashes;
    (quotes | slashes | below_space) & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skip(text: &str) -> std::result::Result<&str, String> {
        Cursor::new(text).skip().map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_value_is_skipped() {
        for text in [
            r#"{"a":[1,-2.5e+3,{"b":"\"]}"}],"c":null}"#,
            "[]",
            "{}",
            "\"x\"",
            "007",
            "[ [ ] , { } ]",
        ] {
            assert_eq!(skip(&format!(" {text} trailing")), Ok(text));
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{,}",
            "nul",
            "nulls",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "5x",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[1 2]",
            "{a:1}",
        ] {
            assert!(skip(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_and_numbers_are_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(skip(&nested(MAX_DEPTH)).is_ok());
        assert!(skip(&nested(MAX_DEPTH + 1)).is_err());
        assert!(skip(&"1".repeat(MAX_NUMBER_LENGTH)).is_ok());
        assert!(skip(&"1".repeat(MAX_NUMBER_LENGTH + 1)).is_err());
    }

    #[test]
    fn escapes_are_resolved() {
        let text = r#""a\"\\\/\b\f\n\r\t\u0041\ud83d\ude00\ud83dx\u00e9""#;
        let mut cursor = Cursor::new(text);
        assert_eq!(
            cursor.string().ok().as_deref(),
            Some("a\"\\/\u{8}\u{c}\n\r\tA\u{1F600}\u{FFFD}xé")
        );
    }

    fn mostly_plain() -> impl Strategy<Value = u8> {
        prop_oneof![99 => 0x23..0x5b_u8, 1 => any::<u8>()]
    }

    proptest! {
        #[test]
        fn special_bytes_are_found(bytes in proptest::collection::vec(mostly_plain(), 0..200)) {
            let expected = bytes
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
                .unwrap_or(bytes.len());
            prop_assert_eq!(next_special(&bytes, 0), expected);
        }

        #[test]
        fn any_text_is_skipped_or_refused(text in "[\\[\\]{}:,\"\\\\0-9a-e.\\- truefalsn]{0,60}") {
            let _ = skip(&text);
            // serde_json refuses leading zeros and half surrogate pairs, which are
            // accepted here; whatever it accepts must be accepted.
            let text = format!("[{text}]");
            if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() {
                prop_assert_eq!(skip(&text), Ok(text.as_str()));
            }
        }
    }
}
