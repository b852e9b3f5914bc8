//! Batches on their way to a broker: records are coded where they will lie, one
//! behind the other, and the header in front is written when nothing more comes.

use std::io::Read;

use bytes::Bytes;

use super::Damage;
use super::batch::{CHECKED, HEADER, LENGTH_END};
use super::compression::{Codec, Compression, damage};
use super::record::{Extent, extent, varint, varlong};
use crate::OutgoingRecord;

/// The most bytes of a number in a record.
const LONGEST_NUMBER: usize = 10;

/// What the header says beside what the records tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    /// The producer and its epoch; -1 for none.
    pub(crate) producer_id: i64,
    /// As above.
    pub(crate) producer_epoch: i16,
    /// The number of the first record among those of this producer and
    /// partition; -1 for none.
    pub(crate) base_sequence: i32,
    /// Whether the records belong to a transaction.
    pub(crate) transactional: bool,
}

impl Seal {
    /// That of a batch which may count twice.
    pub(crate) const PLAIN: Self = Self {
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        transactional: false,
    };
}

/// A batch that is being filled, or is full.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    /// Room for the header, then records, compressed or not.
    bytes: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    compression: Option<Compression>,
}

impl Filling {
    /// An empty batch in the memory of this buffer.
    pub(crate) fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(HEADER, 0);
        Self {
            bytes: buffer,
            ..Self::default()
        }
    }

    /// How many records it has.
    pub(crate) fn count(&self) -> i32 {
        self.count
    }

    /// How many bytes it takes, its header included.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a record of this time.
    pub(crate) fn push(&mut self, record: &OutgoingRecord<'_>, timestamp: i64) {
        let delta = self.timestamp_delta(timestamp);
        let (offset, headers) = (i64::from(self.count), record.headers);
        let headers_length: usize = headers
            .iter()
            .map(|(name, value)| nullable_length(Some(name.as_bytes())) + nullable_length(*value))
            .sum();
        // The attributes, which are in no use, have one byte.
        let length = 1
            + number_length(delta)
            + number_length(offset)
            + nullable_length(record.key)
            + nullable_length(record.value)
            + number_length(headers.len() as i64)
            + headers_length;
        self.bytes.reserve(length + LONGEST_NUMBER);
        let mut start = Short::default();
        start.number(length as i64);
        start.byte(0);
        start.number(delta);
        start.number(offset);
        self.bytes.extend_from_slice(start.bytes());
        put_nullable(record.key, &mut self.bytes);
        put_nullable(record.value, &mut self.bytes);
        put_number(headers.len() as i64, &mut self.bytes);
        for (name, value) in headers {
            put_nullable(Some(name.as_bytes()), &mut self.bytes);
            put_nullable(*value, &mut self.bytes);
        }
        self.count += 1;
    }

    /// Appends a record of another batch: what follows its offset there.
    fn push_coded(&mut self, timestamp: i64, rest: &[u8]) {
        let delta = self.timestamp_delta(timestamp);
        let offset = i64::from(self.count);
        let length = 1 + number_length(delta) + number_length(offset) + rest.len();
        put_number(length as i64, &mut self.bytes);
        self.bytes.push(0);
        put_number(delta, &mut self.bytes);
        put_number(offset, &mut self.bytes);
        self.bytes.extend_from_slice(rest);
        self.count += 1;
    }

    fn timestamp_delta(&mut self, timestamp: i64) -> i64 {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        timestamp.wrapping_sub(self.base_timestamp)
    }

    /// Compresses the records, unless they are.
    ///
    /// # Errors
    /// What the codec says.
    pub(crate) fn compress(&mut self, codec: Codec) -> Result<(), Damage> {
        if self.compression.is_some() {
            return Ok(());
        }
        if let Some(compressed) = codec
            .compress(&self.bytes, HEADER)
            .map_err(|error| damage(&error))?
        {
            self.bytes = compressed;
        }
        self.compression = Some(codec.kind());
        Ok(())
    }

    /// Writes the header, for as long as it is not written anew.
    pub(crate) fn seal(&mut self, seal: Seal) {
        let compression = self.compression.unwrap_or(Compression::None);
        let transactional = if seal.transactional { 0x10 } else { 0 };
        let attributes: u16 = compression.number() | transactional;
        let length = (self.bytes.len() - LENGTH_END) as u32;
        let mut header = [0; HEADER];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(8, &length.to_be_bytes());
        // Clients do not know the epoch of the leader.
        put(12, &(-1_i32).to_be_bytes());
        put(16, &[2]);
        put(21, &attributes.to_be_bytes());
        put(23, &(self.count - 1).to_be_bytes());
        put(27, &self.base_timestamp.to_be_bytes());
        put(35, &self.max_timestamp.to_be_bytes());
        put(43, &seal.producer_id.to_be_bytes());
        put(51, &seal.producer_epoch.to_be_bytes());
        put(53, &seal.base_sequence.to_be_bytes());
        put(57, &self.count.to_be_bytes());
        self.bytes[..HEADER].copy_from_slice(&header);
        let checksum = crc32c::crc32c(&self.bytes[CHECKED..]);
        self.bytes[CHECKED - 4..CHECKED].copy_from_slice(&checksum.to_be_bytes());
    }

    /// Lends the bytes, which [`Filling::give_back`] takes when nobody else has
    /// them.
    pub(crate) fn lend(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.bytes))
    }

    /// Takes bytes back that were lent.
    pub(crate) fn give_back(&mut self, bytes: Bytes) {
        self.bytes = bytes.into();
    }

    /// The memory of the batch, for another one.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// The first half of the records and the second one, each with at least one,
    /// as they were before they were compressed.
    ///
    /// # Errors
    /// If this is not what [`Filling::push`] made.
    pub(crate) fn split(self) -> Result<(Self, Self), Damage> {
        let count = self.count;
        let (base, bytes) = (self.base_timestamp, Bytes::from(self.bytes));
        let content = bytes.slice(HEADER..);
        let compression = self.compression.unwrap_or(Compression::None);
        let content = match compression.reader(content.clone())? {
            None => content,
            Some(mut reader) => {
                let mut all = Vec::new();
                reader
                    .read_to_end(&mut all)
                    .map_err(|error| damage(&error))?;
                all.into()
            }
        };
        let (mut first, mut second) = (Self::new(Vec::new()), Self::new(Vec::new()));
        let mut at = 0;
        for index in 0..count {
            let Extent::Known { start, end } = extent(&content, at)? else {
                return Err(Damage::new("a batch has fewer records than it says"));
            };
            let mut rest = start + 1;
            let timestamp = base.wrapping_add(varlong(&content, &mut rest)?);
            varint(&content, &mut rest)?;
            let half = if index < count / 2 {
                &mut first
            } else {
                &mut second
            };
            let rest = content
                .get(rest..end)
                .ok_or_else(|| Damage::new("a record ends behind its batch"))?;
            half.push_coded(timestamp, rest);
            at = end;
        }
        Ok((first, second))
    }
}

/// The most bytes that a record takes in a batch of its own
/// (`AbstractRecords.estimateSizeInBytesUpperBound`).
pub(crate) fn largest_size(record: &OutgoingRecord<'_>) -> usize {
    let headers: usize = record
        .headers
        .iter()
        .map(|(name, value)| nullable_length(Some(name.as_bytes())) + nullable_length(*value))
        .sum();
    HEADER
        + LARGEST_OVERHEAD
        + nullable_length(record.key)
        + nullable_length(record.value)
        + number_length(record.headers.len() as i64)
        + headers
}

/// Length, attributes, time and offset of a record.
const LARGEST_OVERHEAD: usize = 5 + 1 + LONGEST_NUMBER + 5;

fn nullable_length(bytes: Option<&[u8]>) -> usize {
    match bytes {
        None => 1,
        Some(bytes) => number_length(bytes.len() as i64) + bytes.len(),
    }
}

/// How many bytes a number takes.
#[inline]
fn number_length(number: i64) -> usize {
    let bits = 64 - (zigzag(number) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[inline]
fn zigzag(number: i64) -> u64 {
    (number << 1).cast_unsigned() ^ (number >> 63).cast_unsigned()
}

/// Some numbers one behind the other.
#[derive(Default)]
struct Short {
    bytes: [u8; 32],
    length: usize,
}

impl Short {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Seven bits a byte, the lowest first; all but the last have their highest
    /// bit set.
    #[inline]
    fn number(&mut self, number: i64) {
        let mut rest = zigzag(number);
        while rest >= 0x80 {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[inline]
fn put_number(number: i64, out: &mut Vec<u8>) {
    let short = zigzag(number);
    if short < 0x80 {
        out.push(short as u8);
        return;
    }
    let mut bytes = Short::default();
    bytes.number(number);
    out.extend_from_slice(bytes.bytes());
}

#[inline]
fn put_nullable(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        None => put_number(-1, out),
        Some(bytes) => {
            put_number(bytes.len() as i64, out);
            out.extend_from_slice(bytes);
        }
    }
}
