//! Reads the parts of a message, none beyond its end.

use bytes::Bytes;

use crate::lsn::Lsn;

/// The server's epoch, 2000-01-01T00:00Z, in microseconds since 1970.
const SERVER_EPOCH: i64 = 946_684_800_000_000;

/// Why a part cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the message ends within the {0}")]
    Short(&'static str),
    #[error("the {0} has no end")]
    Unterminated(&'static str),
    #[error("the {0} is not UTF-8, although the connection asks for it")]
    NotUtf8(&'static str),
    #[error("the {part} has the negative length {length}")]
    Negative { part: &'static str, length: i32 },
    #[error("the {part} is {value:#04x}, which protocol version 1 does not know")]
    Unknown { part: &'static str, value: u8 },
    #[error(
        "a column is in binary form, although text is asked for: is `binary` set in slot.stream.params?"
    )]
    Binary,
    #[error("{0} bytes follow the end of the message")]
    Trailing(usize),
}

/// A message that is read from its beginning to its end.
pub(super) struct Reader {
    bytes: Bytes,
    at: usize,
}

impl Reader {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes are left, which bounds how many parts can follow.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn u8(&mut self, part: &'static str) -> Result<u8, Fault> {
        self.array::<1>(part).map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self, part: &'static str) -> Result<u16, Fault> {
        self.array(part).map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self, part: &'static str) -> Result<u32, Fault> {
        self.array(part).map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self, part: &'static str) -> Result<i32, Fault> {
        self.array(part).map(i32::from_be_bytes)
    }

    pub(super) fn lsn(&mut self, part: &'static str) -> Result<Lsn, Fault> {
        self.array(part).map(u64::from_be_bytes).map(Lsn)
    }

    /// An instant, in microseconds since 1970-01-01T00:00Z.
    pub(super) fn instant(&mut self, part: &'static str) -> Result<i64, Fault> {
        let since_2000 = self.array(part).map(i64::from_be_bytes)?;
        Ok(since_2000.saturating_add(SERVER_EPOCH))
    }

    /// A length of 32 bits that is no less than 0.
    pub(super) fn length(&mut self, part: &'static str) -> Result<usize, Fault> {
        let length = self.i32(part)?;
        usize::try_from(length).map_err(|_| Fault::Negative { part, length })
    }

    /// A slice of the message.
    pub(super) fn bytes(&mut self, length: usize, part: &'static str) -> Result<Bytes, Fault> {
        if length > self.remaining() {
            return Err(Fault::Short(part));
        }
        let start = self.at;
        self.at += length;
        Ok(self.bytes.slice(start..self.at))
    }

    /// A text that ends with a zero byte, as a slice of the message.
    pub(super) fn text(&mut self, part: &'static str) -> Result<Bytes, Fault> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == 0);
        let text = self.bytes(length.ok_or(Fault::Unterminated(part))?, part)?;
        self.at += 1;
        Ok(text)
    }

    /// A name, which ends with a zero byte.
    pub(super) fn name(&mut self, part: &'static str) -> Result<String, Fault> {
        let text = self.text(part)?;
        match std::str::from_utf8(&text) {
            Ok(name) => Ok(name.to_owned()),
            Err(_) => Err(Fault::NotUtf8(part)),
        }
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(Fault::Trailing(left)),
        }
    }

    fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], Fault> {
        let rest = &self.bytes[self.at..];
        let array = *rest.first_chunk().ok_or(Fault::Short(part))?;
        self.at += N;
        Ok(array)
    }
}
