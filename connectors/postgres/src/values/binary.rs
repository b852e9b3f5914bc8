//! Bytes and what they are written as.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use tether_api::data::{Bytes, Text, Type, Value};

use crate::config::BinaryMode;

impl BinaryMode {
    /// The type of such values.
    pub fn kind(self) -> Type {
        match self {
            Self::Bytes => Type::Bytes,
            Self::Base64 | Self::Base64UrlSafe | Self::Hex => Type::String,
        }
    }

    /// The value of these bytes.
    pub fn value(self, bytes: Bytes) -> Value {
        match self {
            Self::Bytes => Value::Bytes(bytes),
            Self::Base64 => STANDARD.encode(bytes).into(),
            Self::Base64UrlSafe => URL_SAFE.encode(bytes).into(),
            Self::Hex => hex(&bytes).into(),
        }
    }

    /// The value of a text of hexadecimal digits after `\x`, as the server
    /// writes `bytea`; `None` for other texts.
    pub(super) fn value_of_hex(self, text: &Bytes) -> Option<Value> {
        let digits = text.strip_prefix(b"\\x")?;
        if self == Self::Hex
            && digits
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Text::try_from(text.slice(2..)).ok().map(Value::String);
        }
        unhex(digits).map(|bytes| self.value(bytes.into()))
    }
}

/// Two digits in lower case for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The bytes of hexadecimal digits.
pub(crate) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_asked() {
        let value = |mode: BinaryMode| mode.value_of_hex(&Bytes::from_static(b"\\x00ff3e3f"));
        let bytes = Bytes::from_static(&[0, 0xFF, 0x3E, 0x3F]);
        assert_eq!(value(BinaryMode::Bytes), Some(Value::Bytes(bytes)));
        assert_eq!(value(BinaryMode::Base64), Some("AP8+Pw==".into()));
        assert_eq!(value(BinaryMode::Base64UrlSafe), Some("AP8-Pw==".into()));
        assert_eq!(value(BinaryMode::Hex), Some("00ff3e3f".into()));
        for wrong in ["", "00", "\\x0", "\\xzz"] {
            let text = Bytes::from_static(wrong.as_bytes());
            assert_eq!(BinaryMode::Bytes.value_of_hex(&text), None);
        }
    }
}
