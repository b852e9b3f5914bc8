//! Strings of bits.

use tether_api::data::{Bytes, Value};

/// The bits of a text of zeros and ones, the last one first, in as many bytes
/// as there are up to the highest one; `None` for other texts.
pub(super) fn little_endian(text: &[u8]) -> Option<Bytes> {
    let first = text
        .iter()
        .position(|bit| *bit != b'0')
        .unwrap_or(text.len());
    let significant = &text[first..];
    let mut bytes = vec![0_u8; significant.len().div_ceil(8)];
    for (index, bit) in significant.iter().rev().enumerate() {
        match bit {
            b'0' => {}
            b'1' => bytes[index / 8] |= 1 << (index % 8),
            _ => return None,
        }
    }
    Some(bytes.into())
}

/// The only bit of a text.
pub(super) fn single(text: &[u8]) -> Option<Value> {
    match text {
        b"0" => Some(Value::Boolean(false)),
        b"1" => Some(Value::Boolean(true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_from_the_right() {
        let bytes = |text: &str| little_endian(text.as_bytes()).map(|bytes| bytes.to_vec());
        assert_eq!(bytes("10100"), Some(vec![0x14]));
        assert_eq!(bytes("00000"), Some(vec![]));
        assert_eq!(bytes(""), Some(vec![]));
        assert_eq!(bytes("100000001"), Some(vec![1, 1]));
        assert_eq!(bytes("000000011"), Some(vec![3]));
        assert_eq!(bytes("12"), None);
        assert_eq!(single(b"1"), Some(Value::Boolean(true)));
        assert_eq!(single(b""), None);
    }
}
