//! Kafka's primitive types: big-endian numbers, and texts and arrays behind
//! their lengths. No memory is taken for a length before its bytes are there.

use bytes::Bytes;

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at byte {position}")]
pub struct BytesError {
    message: String,
    position: usize,
}

/// Reads a message from its start.
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// What `bytes` are, if parts of them may be shared.
    shared: Option<&'a Bytes>,
}

impl<'a> Reader<'a> {
    /// At the first of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            shared: None,
        }
    }

    /// At the first of these bytes, of which [`Reader::nullable_shared_bytes`]
    /// are slices.
    pub fn sharing(bytes: &'a Bytes) -> Self {
        Self {
            bytes,
            position: 0,
            shared: Some(bytes),
        }
    }

    /// Whether everything has been read.
    pub fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// An error at this place.
    pub fn error(&self, message: impl Into<String>) -> BytesError {
        BytesError {
            message: message.into(),
            position: self.position,
        }
    }

    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], BytesError> {
        let end = self.position.checked_add(length);
        match end.and_then(|end| self.bytes.get(self.position..end)) {
            Some(taken) => {
                self.position += length;
                Ok(taken)
            }
            None => Err(self.error(format!("the message ends within {what}"))),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], BytesError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// A number of 8 bits.
    ///
    /// # Errors
    /// If the message ends before it; `what` names it.
    pub fn int8(&mut self, what: &str) -> Result<i8, BytesError> {
        self.array(what).map(i8::from_be_bytes)
    }

    /// A number of 16 bits.
    ///
    /// # Errors
    /// If the message ends within it, which `what` names.
    pub fn int16(&mut self, what: &str) -> Result<i16, BytesError> {
        self.array(what).map(i16::from_be_bytes)
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// If the message ends within it, which `what` names.
    pub fn int32(&mut self, what: &str) -> Result<i32, BytesError> {
        self.array(what).map(i32::from_be_bytes)
    }

    /// A number of 64 bits.
    ///
    /// # Errors
    /// If the message ends within it, which `what` names.
    pub fn int64(&mut self, what: &str) -> Result<i64, BytesError> {
        self.array(what).map(i64::from_be_bytes)
    }

    /// A text.
    ///
    /// # Errors
    /// If the message ends within it or it is not UTF-8; `what` names it.
    pub fn text(&mut self, what: &str) -> Result<&'a str, BytesError> {
        let length = self.int16(what)?;
        let Ok(length) = usize::try_from(length) else {
            return Err(self.error(format!("{what} has the length {length}")));
        };
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map_err(|_| self.error(format!("{what} is not UTF-8")))
    }

    /// A text, or null.
    ///
    /// # Errors
    /// If the message ends within it or it is not UTF-8; `what` names it.
    pub fn nullable_text(&mut self, what: &str) -> Result<Option<&'a str>, BytesError> {
        match self.bytes.get(self.position..) {
            Some([0xff, 0xff, ..]) => self.int16(what).map(|_| None),
            _ => self.text(what).map(Some),
        }
    }

    /// Bytes, or null.
    ///
    /// # Errors
    /// If the message ends within it, which `what` names.
    pub fn nullable_bytes(&mut self, what: &str) -> Result<Option<&'a [u8]>, BytesError> {
        match self.int32(what)? {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(length) => self.take(length, what).map(Some),
                Err(_) => Err(self.error(format!("{what} has the length {length}"))),
            },
        }
    }

    /// Bytes, or null, that the caller keeps: a slice of what is read, if that
    /// is shared, else a copy.
    ///
    /// # Errors
    /// If the message ends within it, which `what` names.
    pub fn nullable_shared_bytes(&mut self, what: &str) -> Result<Option<Bytes>, BytesError> {
        let shared = self.shared;
        let taken = self.nullable_bytes(what)?;
        Ok(taken.map(|taken| match shared {
            Some(shared) => shared.slice_ref(taken),
            None => Bytes::copy_from_slice(taken),
        }))
    }

    /// The length of an array; null is empty.
    ///
    /// # Errors
    /// If the message ends within it or it is negative.
    pub fn count(&mut self, what: &str) -> Result<i32, BytesError> {
        match self.int32(what)? {
            -1 => Ok(0),
            count if count < 0 => Err(self.error(format!("{what} are {count}"))),
            count => Ok(count),
        }
    }
}

/// Appends a text.
///
/// # Errors
/// If it is longer than the protocol can say.
pub fn put_text(text: &str, out: &mut Vec<u8>) -> Result<(), BytesError> {
    let length = i16::try_from(text.len()).map_err(|_| {
        let start: String = text.chars().take(32).collect();
        too_long(
            &format!("{start}…"),
            text.len(),
            i16::MAX.unsigned_abs().into(),
            out,
        )
    })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Appends bytes.
///
/// # Errors
/// If they are more than the protocol can say.
pub fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), BytesError> {
    put_count(bytes.len(), out)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends null in place of bytes.
pub fn put_null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
}

/// Appends the length of an array.
///
/// # Errors
/// If it is more than the protocol can say.
pub fn put_count(count: usize, out: &mut Vec<u8>) -> Result<(), BytesError> {
    let number = i32::try_from(count)
        .map_err(|_| too_long("an array", count, i32::MAX.unsigned_abs(), out))?;
    out.extend_from_slice(&number.to_be_bytes());
    Ok(())
}

fn too_long(what: &str, length: usize, longest: u32, out: &[u8]) -> BytesError {
    BytesError {
        message: format!("{what} has a length of {length}, which is more than {longest}"),
        position: out.len(),
    }
}
