//! Java's modified UTF-8: no zero bytes, and characters beyond the basic plane
//! as two surrogates of three bytes each.

/// Appends a text.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    for unit in text.encode_utf16() {
        match unit {
            // Not zero, and one byte.
            1..=0x7F => out.push(unit as u8),
            0..=0x7FF => out.extend([0xC0 | (unit >> 6) as u8, continued(unit)]),
            _ => out.extend([
                0xE0 | (unit >> 12) as u8,
                continued(unit >> 6),
                continued(unit),
            ]),
        }
    }
}

fn continued(unit: u16) -> u8 {
    0x80 | (unit & 0x3F) as u8
}

/// Reads a text; `None` if it is none.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&first) = rest.next() {
        let mut next = || match rest.next() {
            Some(byte) if byte & 0xC0 == 0x80 => Some(u16::from(byte & 0x3F)),
            _ => None,
        };
        let first_bits = u16::from(first);
        units.push(match first {
            0..=0x7F => first_bits,
            0xC0..=0xDF => (first_bits & 0x1F) << 6 | next()?,
            0xE0..=0xEF => (first_bits & 0x0F) << 12 | next()? << 6 | next()?,
            _ => return None,
        });
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zero_and_large_characters_are_special() {
        let mut out = Vec::new();
        encode("a\0é😀", &mut out);
        assert_eq!(
            out,
            [
                b'a', 0xC0, 0x80, 0xC3, 0xA9, 0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80
            ]
        );
        assert_eq!(decode(&[0xED, 0xA0, 0xBD]), None);
        assert_eq!(decode(&[0xC3]), None);
        assert_eq!(decode(&[0xF0, 0x9F, 0x98, 0x80]), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text: String) {
            let mut out = Vec::new();
            encode(&text, &mut out);
            prop_assert_eq!(decode(&out), Some(text));
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            decode(&bytes);
        }
    }
}
