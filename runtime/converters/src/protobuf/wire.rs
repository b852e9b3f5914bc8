//! Protobuf's binary encoding.

use tether_api::data::Bytes;

/// How a value is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Len = 2,
    StartGroup = 3,
    EndGroup = 4,
    Fixed32 = 5,
}

/// Bytes that are no message of their type.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub(super) enum WireError {
    #[error("the message ends at byte {0}, within a value")]
    End(usize),
    #[error("invalid {what} at byte {position}")]
    Invalid { what: &'static str, position: usize },
    #[error("nested too deeply at byte {0}")]
    Depth(usize),
    #[error("Message missing required fields: {0}")]
    Required(String),
    /// A message that is right but no value of its logical type.
    #[error("{message}")]
    Value {
        class: &'static str,
        message: String,
    },
}

type Result<T> = std::result::Result<T, WireError>;

/// Appends an integer, seven bits a byte.
pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number that begins a field.
pub(super) fn tag(number: i32, wire: WireType) -> u64 {
    (number as u64) << 3 | wire as u64
}

/// Small magnitudes first.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The number that was written so.
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Puts the length of what was appended since `start` before it. Only what is
/// longer than 127 bytes has to be moved for it.
pub(super) fn close_length(start: usize, out: &mut Vec<u8>) {
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    write_varint(length as u64, &mut prefix);
    out.splice(start..=start, prefix);
}

/// Makes room for a length; [`close_length`] fills it in.
pub(super) fn open_length(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len() - 1
}

/// A place in encoded bytes. Nothing is taken that is not there.
#[derive(Clone)]
pub(super) struct Input<'a> {
    bytes: &'a Bytes,
    at: usize,
    end: usize,
}

impl<'a> Input<'a> {
    /// All bytes from a position on.
    pub(super) fn new(bytes: &'a Bytes, at: usize) -> Self {
        Self {
            bytes,
            at,
            end: bytes.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn invalid<T>(&self, what: &'static str) -> Result<T> {
        Err(WireError::Invalid {
            what,
            position: self.at,
        })
    }

    fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn varint(&mut self) -> Result<u64> {
        let rest = self.remaining();
        // Most are one byte long.
        if let Some(byte) = rest.first()
            && *byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(*byte));
        }
        let mut value = 0u64;
        for (index, byte) in rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.at += index + 1;
                return Ok(value);
            }
        }
        if rest.len() < 10 {
            return Err(WireError::End(self.at));
        }
        self.invalid("integer")
    }

    pub(super) fn fixed32(&mut self) -> Result<u32> {
        match self.remaining().first_chunk() {
            Some(bytes) => {
                self.at += 4;
                Ok(u32::from_le_bytes(*bytes))
            }
            None => Err(WireError::End(self.at)),
        }
    }

    pub(super) fn fixed64(&mut self) -> Result<u64> {
        match self.remaining().first_chunk() {
            Some(bytes) => {
                self.at += 8;
                Ok(u64::from_le_bytes(*bytes))
            }
            None => Err(WireError::End(self.at)),
        }
    }

    /// What follows its length, as a place of its own.
    pub(super) fn delimited(&mut self) -> Result<Self> {
        let length = self.varint()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.end - self.at {
            return Err(WireError::End(self.at));
        }
        let inner = Self {
            bytes: self.bytes,
            at: self.at,
            end: self.at + length,
        };
        self.at = inner.end;
        Ok(inner)
    }

    /// All that is left, as a slice of the input.
    pub(super) fn rest(&self) -> Bytes {
        self.bytes.slice(self.at.min(self.end)..self.end)
    }

    /// All that is left, to look at.
    pub(super) fn rest_slice(&self) -> &'a [u8] {
        self.remaining()
    }

    /// The number and form of the next field.
    pub(super) fn tag(&mut self) -> Result<(i32, WireType)> {
        let position = self.at;
        let invalid = WireError::Invalid {
            what: "tag",
            position,
        };
        // Like the reference's, only 32 bits count.
        let tag = self.varint()? as u32;
        let wire = match tag & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Len,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            5 => WireType::Fixed32,
            _ => return Err(invalid),
        };
        match tag >> 3 {
            0 => Err(invalid),
            number => Ok((number as i32, wire)),
        }
    }

    /// Reads over the value of a field that nobody knows.
    pub(super) fn skip(&mut self, number: i32, wire: WireType, depth: usize) -> Result<()> {
        match wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Len => self.delimited().map(drop),
            WireType::EndGroup => self.invalid("end of a group"),
            WireType::StartGroup => {
                if depth == 0 {
                    return Err(WireError::Depth(self.at));
                }
                loop {
                    let (inner, wire) = self.tag()?;
                    if wire == WireType::EndGroup {
                        if inner == number {
                            return Ok(());
                        }
                        return self.invalid("end of a group");
                    }
                    self.skip(inner, wire, depth - 1)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_are_read_as_they_were_written(value: u64, signed: i64) {
            let mut out = Vec::new();
            write_varint(value, &mut out);
            write_varint(zigzag(signed), &mut out);
            let bytes = Bytes::from(out);
            let mut input = Input::new(&bytes, 0);
            prop_assert_eq!(input.varint(), Ok(value));
            prop_assert_eq!(input.varint().map(unzigzag), Ok(signed));
            prop_assert!(input.is_empty());
        }

        #[test]
        fn lengths_are_put_before(length in 0usize..70_000) {
            let mut out = vec![9];
            let start = open_length(&mut out);
            out.resize(out.len() + length, 7);
            close_length(start, &mut out);
            let bytes = Bytes::from(out);
            let mut input = Input::new(&bytes, 1);
            let inner = input.delimited().unwrap();
            prop_assert!(input.is_empty());
            prop_assert_eq!(inner.rest().len(), length);
        }

        #[test]
        fn any_bytes_are_skipped_or_refused(bytes: Vec<u8>) {
            let bytes = Bytes::from(bytes);
            let mut input = Input::new(&bytes, 0);
            while let Ok((number, wire)) = input.tag() {
                if input.skip(number, wire, 100).is_err() {
                    break;
                }
            }
        }
    }
}
