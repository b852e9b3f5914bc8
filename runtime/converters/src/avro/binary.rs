//! Avro's binary encoding.

use tether_api::data::{Bytes, Text};

/// Bytes that are not what their schema says.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum DecodeError {
    #[error("the record ends at byte {0}, within a value")]
    End(usize),
    #[error("invalid {what} at byte {position}")]
    Invalid { what: &'static str, position: usize },
    #[error("nested too deeply at byte {0}")]
    Depth(usize),
    /// The schema that data is read as has no place for it.
    #[error("{0}")]
    Unresolved(Box<str>),
}

type Result<T> = std::result::Result<T, DecodeError>;

/// Appends an integer: seven bits a byte, small magnitudes first.
pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends bytes with their length.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

/// A place in encoded bytes. Nothing is taken that is not there.
pub(super) struct Input<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl<'a> Input<'a> {
    /// Bytes from a position on.
    pub(super) fn new(bytes: &'a Bytes, at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn invalid<T>(&self, what: &'static str) -> Result<T> {
        Err(DecodeError::Invalid {
            what,
            position: self.at,
        })
    }

    pub(super) fn too_deep<T>(&self) -> Result<T> {
        Err(DecodeError::Depth(self.at))
    }

    fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub(super) fn long(&mut self) -> Result<i64> {
        match self.bytes.get(self.at) {
            // Most lengths, branches and small numbers.
            Some(byte) if byte & 0x80 == 0 => {
                self.at += 1;
                let byte = i64::from(*byte);
                Ok((byte >> 1) ^ -(byte & 1))
            }
            _ => self.long_of_many(),
        }
    }

    fn long_of_many(&mut self) -> Result<i64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(byte) = self.bytes.get(self.at) else {
                return Err(DecodeError::End(self.at));
            };
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        self.invalid("integer")
    }

    pub(super) fn int(&mut self) -> Result<i32> {
        match i32::try_from(self.long()?) {
            Ok(value) => Ok(value),
            Err(_) => self.invalid("int"),
        }
    }

    /// Anything but 1 is false, as in Java.
    pub(super) fn boolean(&mut self) -> Result<bool> {
        Ok(self.take(1)? == [1])
    }

    pub(super) fn float(&mut self) -> Result<f32> {
        let bytes = self.take(4)?;
        Ok(f32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    pub(super) fn double(&mut self) -> Result<f64> {
        let bytes = self.take(8)?;
        Ok(f64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    /// So many bytes.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        if length > self.remaining() {
            return Err(DecodeError::End(self.bytes.len()));
        }
        let start = self.at;
        self.at += length;
        Ok(&self.bytes[start..self.at])
    }

    /// Bytes after their length.
    #[inline]
    pub(super) fn sized(&mut self) -> Result<&'a [u8]> {
        match usize::try_from(self.long()?) {
            Ok(length) => self.take(length),
            Err(_) => self.invalid("length"),
        }
    }

    /// A slice of the input that shares its memory.
    pub(super) fn share(&self, part: &'a [u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }

    /// A text after its length, sharing the input's memory. What is no UTF-8
    /// is replaced, as in Java.
    #[inline]
    pub(super) fn text(&mut self) -> Result<Text> {
        let bytes = self.sized()?;
        let shared = self.bytes.slice(self.at - bytes.len()..self.at);
        Ok(match Text::try_from(shared) {
            Ok(text) => text,
            Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
        })
    }

    /// The number of items in the next block of an array or map; 0 is its end.
    /// `least` is the size of the smallest item.
    pub(super) fn block(&mut self, least: usize) -> Result<usize> {
        let mut count = self.long()?;
        if count < 0 {
            // The size of the block in bytes, with which it could be skipped.
            self.long()?;
            count = count.checked_neg().unwrap_or(i64::MAX);
        }
        let most = match least {
            0 => MAX_EMPTY_ITEMS,
            least => self.remaining() / least,
        };
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => self.invalid("number of items"),
        }
    }
}

/// The most items in a block whose items take no bytes.
const MAX_EMPTY_ITEMS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        write_long(value, &mut out);
        out
    }

    #[test]
    fn integers_take_few_bytes() {
        for (value, bytes) in [
            (0, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
        ] {
            assert_eq!(encoded(value), bytes);
        }
    }

    #[test]
    fn hostile_lengths_are_refused() {
        let input = |bytes: Vec<u8>| Bytes::from(bytes);
        let huge = input(encoded(i64::MAX));
        assert!(Input::new(&huge, 0).sized().is_err());
        assert!(Input::new(&huge, 0).block(1).is_err());
        assert!(Input::new(&huge, 0).block(0).is_err());
        let negative = input([encoded(i64::MIN), encoded(0)].concat());
        assert!(Input::new(&negative, 0).sized().is_err());
        assert!(Input::new(&negative, 0).block(1).is_err());
        let endless = input(vec![0xff; 20]);
        assert!(Input::new(&endless, 0).long().is_err());
    }

    proptest! {
        #[test]
        fn integers_round_trip(value: i64) {
            let bytes = Bytes::from(encoded(value));
            prop_assert_eq!(Input::new(&bytes, 0).long(), Ok(value));
        }
    }
}
