//! Kafka's record batches (magic 2): those that were fetched are read where they
//! lie, and those to be written are filled by [`Filling`].
//!
//! [`Batches`] says how far a partition's part of a fetch goes, which takes a
//! look at each batch's header. [`RecordReader`] reads it later, as many
//! records as its caller wants at once: records are slices of the answer of
//! the broker, or of a piece of what a compressed batch holds, which is
//! decompressed piece by piece. So a batch that holds far more than it seems
//! takes no more memory than a piece or its largest record.

mod aborted;
mod batch;
mod compression;
mod filling;
mod names;
mod reader;
mod record;
mod snappy;

use std::borrow::Cow;

pub(crate) use aborted::AbortedTransaction;
pub(crate) use batch::Batches;
pub(crate) use compression::Codec;
pub(crate) use filling::{Filling, Seal, largest_size};
pub(crate) use names::Names;
pub(crate) use reader::{ReadOptions, RecordReader};

/// What is wrong with fetched bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damage(Cow<'static, str>);

impl Damage {
    fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self(what.into())
    }
}

/// Reads batches that may be anything.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(batches) = Batches::new(bytes::Bytes::copy_from_slice(bytes)) else {
        return;
    };
    for read_committed in [false, true] {
        let options = ReadOptions {
            // Nothing that was made at random would have the right one.
            check_crcs: false,
            read_committed,
        };
        let partition = tether_api::offset::TopicPartition::new("t", 0);
        let aborted = vec![AbortedTransaction {
            producer_id: 0,
            first_offset: 0,
        }];
        let mut reader = RecordReader::new(partition, 0, batches.clone(), aborted, options);
        let mut names = Names::default();
        loop {
            let mut records = Vec::new();
            let read = reader.read(100, 1024 * 1024, &mut names, &mut records);
            if read.is_err() || records.is_empty() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
