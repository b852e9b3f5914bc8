//! JSON strings as Jackson writes them.

use super::scan::special;

/// Appends a string with its quotes. Characters outside the basic plane become
/// two `\u` escapes, everything else beyond ASCII stays as it is.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    write_escaped::<true>(text, out);
}

/// Appends a string with its quotes as Jackson writes it to text instead of
/// bytes: all characters beyond ASCII stay as they are.
pub(crate) fn write_string_of_text(text: &str, out: &mut Vec<u8>) {
    write_escaped::<false>(text, out);
}

fn write_escaped<const SURROGATES: bool>(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut run = 0;
    let mut at = next_escaped::<SURROGATES>(bytes, 0);
    while at < bytes.len() {
        out.extend_from_slice(&bytes[run..at]);
        let Some(character) = text[at..].chars().next() else {
            break;
        };
        write_escape(character, out);
        run = at + character.len_utf8();
        at = next_escaped::<SURROGATES>(bytes, run);
    }
    out.extend_from_slice(&bytes[run..]);
    out.push(b'"');
}

fn write_escape(character: char, out: &mut Vec<u8>) {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\t' => b't',
        '\n' => b'n',
        '\u{c}' => b'f',
        '\r' => b'r',
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(b"\\u");
                for shift in [12, 8, 4, 0] {
                    out.push(DIGITS[usize::from(*unit >> shift & 0xF)]);
                }
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// The position of the next character that is escaped, or the end.
fn next_escaped<const SURROGATES: bool>(bytes: &[u8], from: usize) -> usize {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    loop {
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            let found = special(word) | (word & HIGH_BITS);
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            Some(b'"' | b'\\' | 0..0x20) | None => return at.min(bytes.len()),
            Some(0xF0..) if SURROGATES => return at,
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_jacksons() {
        assert_eq!(
            written("a\"\\\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é\u{2028}😀!"),
            "\"a\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001F\u{7f}é\u{2028}\\uD83D\\uDE00!\""
        );
    }

    #[test]
    fn text_keeps_its_characters() {
        let mut out = Vec::new();
        write_string_of_text("é😀\n\u{1}", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"é😀\\n\\u0001\"");
    }

    proptest! {
        #[test]
        fn every_string_reads_back(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).ok(), Some(text));
        }
    }
}
