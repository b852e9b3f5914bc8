//! Reads what was fetched of a partition.

use std::fmt;
use std::io::Read;
use std::ops::Range;

use bytes::Bytes;
use tether_api::offset::TopicPartition;
use tether_api::record::TimestampType;

use super::aborted::Aborted;
use super::batch::{Batch, Batches, Header};
use super::compression::damage;
use super::record::{Extent, RawRecord, extent};
use super::{AbortedTransaction, Damage, Names};
use crate::{ConsumedRecord, KafkaError, KafkaErrorKind, RecordHeader, Result};

/// How much of a compressed batch is decompressed at once, in bytes. Records
/// that are kept keep such a piece.
const PIECE: usize = 64 * 1024;

/// Bytes that a record of a compressed batch may have. Of those that are not
/// compressed no broker takes more either (`socket.request.max.bytes`).
const LARGEST_RECORD: usize = 100 * 1024 * 1024;

/// The type of a marker that a transaction was aborted (`ControlRecordType`).
const ABORT: [u8; 2] = [0, 0];

/// How batches are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadOptions {
    /// `check.crcs`.
    pub(crate) check_crcs: bool,
    /// `isolation.level`: whether aborted records are left out.
    pub(crate) read_committed: bool,
}

/// Reads one partition's part of a fetch.
#[derive(Debug)]
pub(crate) struct RecordReader {
    partition: TopicPartition,
    batches: Batches,
    batch: Option<OpenBatch>,
    aborted: Aborted,
    /// The offset of the next record to return, or later.
    position: i64,
    options: ReadOptions,
}

impl RecordReader {
    /// What was fetched from this offset on.
    pub(crate) fn new(
        partition: TopicPartition,
        position: i64,
        batches: Batches,
        aborted: Vec<AbortedTransaction>,
        options: ReadOptions,
    ) -> Self {
        Self {
            partition,
            batches,
            batch: None,
            aborted: Aborted::new(aborted),
            position,
            options,
        }
    }

    /// The offset after all records that were returned, and after what no
    /// reader gets.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Whether there is nothing more.
    pub(crate) fn is_at_end(&self) -> bool {
        self.batch.is_none() && self.batches.len() == 0
    }

    /// Appends at most so many records, and stops once those that were read
    /// have so many bytes of keys and values. Returns how many.
    ///
    /// # Errors
    /// Fatal, if the bytes are damaged; the records before are appended.
    pub(crate) fn read(
        &mut self,
        most: usize,
        enough_bytes: usize,
        names: &mut Names,
        out: &mut Vec<ConsumedRecord>,
    ) -> Result<usize> {
        let (end, mut bytes) = (out.len() + most, 0);
        self.read_records(end, enough_bytes, names, out, &mut bytes)
            .map_err(|damage| {
                KafkaError::new(
                    KafkaErrorKind::Fatal,
                    format!(
                        "Encountered corrupt message when fetching offset {} for topic-partition \
                         {}: {damage}",
                        self.position, self.partition
                    ),
                )
            })?;
        Ok(bytes)
    }

    fn read_records(
        &mut self,
        end: usize,
        enough_bytes: usize,
        names: &mut Names,
        out: &mut Vec<ConsumedRecord>,
        bytes: &mut usize,
    ) -> std::result::Result<(), Damage> {
        while out.len() < end && *bytes < enough_bytes {
            let batch = match &mut self.batch {
                Some(batch) => batch,
                None => match self.batches.take()? {
                    Some(batch) => {
                        self.open(&batch)?;
                        continue;
                    }
                    None => return Ok(()),
                },
            };
            let Some(record) = batch.next()? else {
                self.position = self.position.max(batch.header.next_offset);
                self.batch = None;
                continue;
            };
            let offset = batch.offset(&record)?;
            // A batch begins before the position that is within it.
            if offset < self.position {
                continue;
            }
            *bytes += length(&record.key) + length(&record.value);
            out.push(batch.consumed(&self.partition, offset, &record, names)?);
            self.position = offset + 1;
        }
        Ok(())
    }

    /// Goes on with a batch, or past it if nobody is to see it.
    fn open(&mut self, batch: &Batch) -> std::result::Result<(), Damage> {
        if self.options.check_crcs {
            batch.check()?;
        }
        let header = &batch.header;
        if self.options.read_committed {
            self.aborted.advance(header.next_offset - 1);
            if header.control && is_abort(batch)? {
                self.aborted.end(header.producer_id);
            }
        }
        let aborted = header.transactional && self.aborted.contains(header.producer_id);
        if header.control || aborted || header.next_offset <= self.position {
            self.position = self.position.max(header.next_offset);
        } else {
            self.batch = Some(OpenBatch::new(batch)?);
        }
        Ok(())
    }
}

/// Whether the marker in a batch says that the transaction was aborted. One of
/// a compacted partition may be gone.
fn is_abort(batch: &Batch) -> std::result::Result<bool, Damage> {
    let mut marker = OpenBatch::new(batch)?;
    let Some(record) = marker.next()? else {
        return Ok(false);
    };
    let key = record.key.map_or(&[][..], |key| &marker.bytes[key]);
    // A version comes first.
    Ok(key.get(2..4) == Some(&ABORT))
}

fn length(part: &Option<Range<usize>>) -> usize {
    part.as_ref().map_or(0, Range::len)
}

/// A batch that is being read.
struct OpenBatch {
    header: Header,
    /// How many records have not been read.
    left: i32,
    /// What is decompressed, or all.
    bytes: Bytes,
    /// Where the next record begins.
    at: usize,
    /// Where more of it comes from, if it is compressed.
    more: Option<Box<dyn Read + Send>>,
}

impl fmt::Debug for OpenBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBatch")
            .field("header", &self.header)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl OpenBatch {
    fn new(batch: &Batch) -> std::result::Result<Self, Damage> {
        let header = batch.header.clone();
        let content = batch.content();
        // All records of a compacted batch may be gone, and then nothing is there.
        let more = match header.count {
            0 => None,
            _ => header.compression.reader(content.clone())?,
        };
        Ok(Self {
            left: header.count,
            bytes: if more.is_some() {
                Bytes::new()
            } else {
                content
            },
            at: 0,
            more,
            header,
        })
    }

    /// The next record, of which `self.bytes` has the parts.
    fn next(&mut self) -> std::result::Result<Option<RawRecord>, Damage> {
        if self.left == 0 {
            return match self.at == self.bytes.len() && !self.refill(1)? {
                true => Ok(None),
                false => Err(Damage::new("a batch has more records than it says")),
            };
        }
        let (start, end) = loop {
            let missing = match extent(&self.bytes, self.at)? {
                Extent::Known { start, end } if end <= self.bytes.len() => break (start, end),
                Extent::Known { end, .. } => end - self.at,
                Extent::Unknown => self.bytes.len() - self.at + 1,
            };
            if !self.refill(missing)? {
                return Err(Damage::new("a batch has fewer records than it says"));
            }
        };
        let record = RawRecord::parse(&self.bytes, start, end)?;
        self.at = end;
        self.left -= 1;
        Ok(Some(record))
    }

    /// Decompresses the next piece, so that at least so many bytes follow; false
    /// if there are fewer. Memory is taken as bytes come.
    fn refill(&mut self, needed: usize) -> std::result::Result<bool, Damage> {
        let Some(more) = &mut self.more else {
            return Ok(false);
        };
        if needed > LARGEST_RECORD {
            return Err(Damage::new(format!(
                "a record has {needed} bytes, where {LARGEST_RECORD} are allowed"
            )));
        }
        let mut piece = Vec::with_capacity(PIECE);
        piece.extend_from_slice(&self.bytes[self.at..]);
        let room = needed.max(PIECE).saturating_sub(piece.len());
        let mut more = more.take(room as u64);
        more.read_to_end(&mut piece)
            .map_err(|error| damage(&error))?;
        let enough = piece.len() >= needed;
        self.bytes = piece.into();
        self.at = 0;
        Ok(enough)
    }

    fn offset(&self, record: &RawRecord) -> std::result::Result<i64, Damage> {
        let delta = i64::from(record.offset_delta);
        match (0..=self.header.last_delta()).contains(&delta) {
            true => Ok(self.header.base_offset + delta),
            false => Err(Damage::new("the offset of a record is not of its batch")),
        }
    }

    fn consumed(
        &self,
        partition: &TopicPartition,
        offset: i64,
        record: &RawRecord,
        names: &mut Names,
    ) -> std::result::Result<ConsumedRecord, Damage> {
        let slice = |part: &Option<Range<usize>>| part.clone().map(|part| self.bytes.slice(part));
        let (timestamp, timestamp_type) = self.time(record);
        let headers = match record.header_count {
            0 => Vec::new(),
            _ => record
                .headers(&self.bytes)
                .map(|header| {
                    let (name, value) = header?;
                    Ok((names.shared(&self.bytes[name]), slice(&value)))
                })
                .collect::<std::result::Result<Vec<RecordHeader>, Damage>>()?,
        };
        Ok(ConsumedRecord {
            topic: partition.topic.clone(),
            partition: partition.partition,
            offset,
            timestamp,
            timestamp_type,
            key: slice(&record.key),
            value: slice(&record.value),
            headers,
        })
    }

    /// The time of a record and what it means; -1 is none.
    fn time(&self, record: &RawRecord) -> (Option<i64>, TimestampType) {
        let (time, meaning) = match self.header.log_append_time {
            true => (self.header.max_timestamp, TimestampType::LogAppendTime),
            false => (
                self.header
                    .base_timestamp
                    .wrapping_add(record.timestamp_delta),
                TimestampType::CreateTime,
            ),
        };
        match time {
            -1 => (None, TimestampType::NoTimestampType),
            time => (Some(time), meaning),
        }
    }
}
