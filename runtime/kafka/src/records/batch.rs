//! Batches and their headers (`DefaultRecordBatch`).

use bytes::Bytes;

use super::Damage;
use super::compression::Compression;

/// Bytes of a batch's first offset and length, which the length does not count.
pub(super) const LENGTH_END: usize = 12;

/// Bytes until the magic is known.
const MAGIC_END: usize = 17;

/// Bytes of a header.
pub(super) const HEADER: usize = 61;

/// What the checksum is of begins here.
pub(super) const CHECKED: usize = 21;

/// The only format that is read.
const MAGIC: i8 = 2;

/// Whole batches of one partition, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batches {
    bytes: Bytes,
    /// The offset after all of them; `None` if there are none.
    pub(crate) next_offset: Option<i64>,
    /// The epoch of the leader that wrote the last one; -1 if it is not known.
    pub(crate) leader_epoch: i32,
}

impl Batches {
    /// Those in the answer to a fetch. The last one may be there in part, as a
    /// broker cuts what it reads where its limit is.
    ///
    /// # Errors
    /// A length that is none, or another format.
    pub(crate) fn new(mut bytes: Bytes) -> Result<Self, Damage> {
        let (mut end, mut next_offset, mut leader_epoch) = (0, None, -1);
        while let Some(length) = length(&bytes[end..])? {
            let Some(batch) = bytes[end..].get(..length) else {
                break;
            };
            let header = Header::parse(batch)?;
            next_offset = Some(header.next_offset);
            leader_epoch = header.leader_epoch;
            end += length;
        }
        bytes.truncate(end);
        Ok(Self {
            bytes,
            next_offset,
            leader_epoch,
        })
    }

    /// How many bytes they take.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next batch, which is not among the others any more.
    pub(super) fn take(&mut self) -> Result<Option<Batch>, Damage> {
        let Some(length) = length(&self.bytes)?.filter(|length| *length <= self.bytes.len()) else {
            return Ok(None);
        };
        let bytes = self.bytes.split_to(length);
        Ok(Some(Batch {
            header: Header::parse(&bytes)?,
            bytes,
        }))
    }
}

/// The whole length of the batch that begins here; `None` if that is not there.
fn length(bytes: &[u8]) -> Result<Option<usize>, Damage> {
    let Some([.., a, b, c, d]) = bytes.first_chunk::<LENGTH_END>() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes([*a, *b, *c, *d]);
    // Of an old format it may be shorter; what it is decides the magic.
    match usize::try_from(length) {
        Ok(length) if length >= MAGIC_END - LENGTH_END => Ok(Some(length + LENGTH_END)),
        _ => Err(Damage::new(format!("a batch has a length of {length}"))),
    }
}

/// A whole batch.
pub(super) struct Batch {
    pub(super) header: Header,
    bytes: Bytes,
}

impl Batch {
    /// # Errors
    /// If the batch is not as it was written.
    pub(super) fn check(&self) -> Result<(), Damage> {
        let found = crc32c::crc32c(&self.bytes[CHECKED..]);
        if found == self.header.checksum {
            return Ok(());
        }
        Err(Damage::new(format!(
            "the checksum of a batch is {found:08x} where it says {:08x}",
            self.header.checksum
        )))
    }

    /// What follows the header: the records, compressed or not.
    pub(super) fn content(&self) -> Bytes {
        self.bytes.slice(HEADER..)
    }
}

/// What a batch says of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) base_offset: i64,
    /// The offset after the last one, whether or not it has a record.
    pub(super) next_offset: i64,
    leader_epoch: i32,
    checksum: u32,
    pub(super) compression: Compression,
    /// Whether the time of all records is that of the last one, when the broker
    /// got them.
    pub(super) log_append_time: bool,
    pub(super) transactional: bool,
    /// Whether the batch is for clients themselves, such as a transaction's
    /// marker.
    pub(super) control: bool,
    pub(super) base_timestamp: i64,
    pub(super) max_timestamp: i64,
    pub(super) producer_id: i64,
    /// How many records there are.
    pub(super) count: i32,
}

impl Header {
    fn parse(batch: &[u8]) -> Result<Self, Damage> {
        let magic = batch
            .get(MAGIC_END - 1)
            .map_or(0, |byte| byte.cast_signed());
        if magic != MAGIC {
            return Err(Damage::new(format!(
                "a batch has the message format {magic}, where only format {MAGIC} can be read, \
                 which Kafka writes since 0.11; have what is older written anew"
            )));
        }
        let Some(header) = batch.first_chunk() else {
            return Err(Damage::new("a batch ends within its header"));
        };
        let base_offset = i64::from_be_bytes(part(header, 0));
        let attributes = u16::from_be_bytes(part(header, 21));
        let last_delta = i32::from_be_bytes(part(header, 23));
        let count = i32::from_be_bytes(part(header, 57));
        // Offsets end before the largest number, so that there is one after each.
        let next_offset = base_offset
            .checked_add(i64::from(last_delta))
            .and_then(|last| last.checked_add(1))
            .filter(|_| base_offset >= 0 && last_delta >= 0 && count >= 0)
            .ok_or_else(|| {
                Damage::new(format!(
                    "a batch of {count} records has the offsets {base_offset} + 0 to {last_delta}"
                ))
            })?;
        Ok(Self {
            base_offset,
            next_offset,
            leader_epoch: i32::from_be_bytes(part(header, 12)),
            checksum: u32::from_be_bytes(part(header, 17)),
            compression: Compression::of(attributes),
            log_append_time: attributes & 0x08 != 0,
            transactional: attributes & 0x10 != 0,
            control: attributes & 0x20 != 0,
            base_timestamp: i64::from_be_bytes(part(header, 27)),
            max_timestamp: i64::from_be_bytes(part(header, 35)),
            producer_id: i64::from_be_bytes(part(header, 43)),
            count,
        })
    }

    /// How far the last offset is from the first.
    pub(super) fn last_delta(&self) -> i64 {
        self.next_offset - 1 - self.base_offset
    }
}

/// The bytes of a number.
fn part<const N: usize>(header: &[u8; HEADER], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&header[at..at + N]);
    part
}
