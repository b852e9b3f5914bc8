//! Entries for fuzz targets, which see the crate from outside; only with the
//! feature `fuzzing`.

use crate::broker::messages::{
    AddPartitionsToTxn, EndTxn, Fetch, InitProducerId, Metadata, Produce, Request, decode_body,
};

/// Connects to a broker that says these bytes, with a password, and sends a
/// heartbeat.
pub fn broker_answers(bytes: &[u8]) {
    crate::broker::fuzz_answers(bytes);
}

/// Reads the first message of a server of SCRAM.
pub fn scram_challenge(bytes: &[u8]) {
    crate::broker::fuzz_scram(bytes);
}

/// Reads the records of a partition, as clients with and without a look at the
/// checksums and at transactions do.
pub fn record_batches(bytes: &[u8]) {
    crate::records::fuzz(bytes);
}

/// Reads the answer to a fetch and the records in it.
pub fn fetch_answer(bytes: &[u8]) {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    for version in Fetch::VERSIONS {
        if let Ok(fetched) = decode_body::<Fetch>(version, &bytes) {
            let partitions = fetched.topics.iter().flat_map(|topic| &topic.partitions);
            for partition in partitions {
                crate::records::fuzz(&partition.records);
            }
        }
    }
}

/// Reads the answers to what a producer asks.
pub fn producer_answers(bytes: &[u8]) {
    fn read<R: Request>(bytes: &bytes::Bytes) {
        for version in R::VERSIONS {
            let _ = decode_body::<R>(version, bytes);
        }
    }
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    read::<Metadata>(&bytes);
    read::<Produce>(&bytes);
    read::<InitProducerId>(&bytes);
    read::<AddPartitionsToTxn>(&bytes);
    read::<EndTxn>(&bytes);
}
