//! The character sets that every Java has.

use tether_api::data::{Bytes, Text};

/// A character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// Big-endian with a mark at the start; read in either order.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    /// The names that messages suggest.
    pub(super) const NAMES: [&str; 6] = [
        "UTF-8",
        "US-ASCII",
        "ISO-8859-1",
        "UTF-16",
        "UTF-16BE",
        "UTF-16LE",
    ];

    /// The character set of this name or of one of its usual aliases.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Self::Utf8,
            "US-ASCII" | "ASCII" | "ISO646-US" => Self::Ascii,
            "ISO-8859-1" | "ISO8859_1" | "ISO_8859_1" | "ISO8859-1" | "LATIN1" | "L1" => {
                Self::Latin1
            }
            "UTF-16" | "UTF_16" | "UTF16" => Self::Utf16,
            "UTF-16BE" | "UTF_16BE" => Self::Utf16Be,
            "UTF-16LE" | "UTF_16LE" => Self::Utf16Le,
            _ => return None,
        })
    }

    /// Appends the bytes of a text; `?` for what the character set lacks.
    pub(super) fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Ascii => out.extend(text.chars().map(|c| narrow(c, 0x7f))),
            Self::Latin1 => out.extend(text.chars().map(|c| narrow(c, 0xff))),
            Self::Utf16 if text.is_empty() => {}
            Self::Utf16 => {
                out.extend_from_slice(&[0xfe, 0xff]);
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Self::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }

    /// The text of bytes; the replacement character for what is malformed.
    pub(super) fn decode(self, bytes: &Bytes) -> Text {
        match self {
            Self::Utf8 => match Text::try_from(bytes.clone()) {
                Ok(text) => text,
                Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
            },
            Self::Ascii => {
                let character = |byte: &u8| match byte {
                    0..0x80 => char::from(*byte),
                    _ => char::REPLACEMENT_CHARACTER,
                };
                bytes.iter().map(character).collect::<String>().into()
            }
            Self::Latin1 => {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                text.into()
            }
            Self::Utf16 => match &**bytes {
                [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
                [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
                rest => utf16(rest, u16::from_be_bytes),
            },
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes),
        }
    }
}

fn narrow(character: char, last: u8) -> u8 {
    u8::try_from(u32::from(character))
        .ok()
        .filter(|byte| *byte <= last)
        .unwrap_or(b'?')
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Text {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips(text: String) {
            for name in ["UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE"] {
                let charset = Charset::named(name).unwrap();
                let mut out = Vec::new();
                charset.encode(&text, &mut out);
                // A mark at the start of UTF-16 belongs to the encoding.
                prop_assert_eq!(&*charset.decode(&out.into()), text.as_str());
            }
        }

        #[test]
        fn any_bytes_are_text(bytes: Vec<u8>) {
            for name in Charset::NAMES {
                let _ = Charset::named(name).map(|charset| charset.decode(&bytes.clone().into()));
            }
        }
    }
}
