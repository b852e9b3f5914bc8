//! Requests to brokers, and what they answer: Kafka's classic group protocol,
//! fetches, writes, transactions, and what a connection begins with.
//!
//! Of each kind those versions are here that every broker from 2.1 on
//! understands and that a group without static members needs. They are written
//! here rather than taken from a library of all of Kafka's messages, whose
//! decoder takes memory for as many elements as an array says it has.

mod epochs;
mod errors;
mod fetch;
mod find;
mod greeting;
mod membership;
mod metadata;
mod produce;
mod sasl;
mod transactions;

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::broker::bytes::{BytesError, Reader};

pub(crate) use epochs::{EpochEnd, EpochOfPartition, OffsetForLeaderEpoch};
pub(crate) use errors::*;
pub(crate) use fetch::{Fetch, FetchPartition, FetchTopic, Fetched, FetchedPartition};
pub use find::{Coordinator, CoordinatorKind, FindCoordinator};
pub use greeting::{ApiVersions, SupportedVersions};
pub use membership::{
    Heartbeat, JoinGroup, Joined, LeaveGroup, MemberMetadata, OfferedProtocol, SyncGroup, Synced,
};
pub(crate) use metadata::{BrokerMetadata, ClusterMetadata, Metadata, TopicMetadata};
pub(crate) use produce::{Produce, ProduceAnswer, ProducePartition, Produced};
pub use sasl::{Authenticated, Mechanisms, SaslAuthenticate, SaslHandshake};
pub(crate) use transactions::{
    AddPartitionsToTxn, AddedPartition, EndTxn, InitProducerId, InitializedProducer,
    ProducerIdentity,
};

/// Kafka's number for what went wrong; 0 is nothing.
pub type ErrorCode = i16;

/// A request of one kind.
pub trait Request {
    /// Kafka's number of the kind.
    const KEY: i16;
    /// The versions that can be written and read here.
    const VERSIONS: RangeInclusive<i16>;
    /// What the broker answers.
    type Response;

    /// Appends the request in this version.
    ///
    /// # Errors
    /// If a part is too long for it.
    fn encode(&self, version: i16, out: &mut Vec<u8>) -> Result<(), BytesError>;

    /// Reads the answer to a request in this version.
    ///
    /// # Errors
    /// What is wrong, and where.
    fn decode(version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError>;
}

/// Reads the answer to a request of this version. Long parts of it are slices
/// of these bytes.
///
/// # Errors
/// What is wrong, and where; also if there is more than the answer.
pub fn decode_body<R: Request>(version: i16, body: &Bytes) -> Result<R::Response, BytesError> {
    let mut reader = Reader::sharing(body);
    let response = R::decode(version, &mut reader)?;
    match reader.is_at_end() {
        true => Ok(response),
        false => Err(reader.error("the answer goes on behind its end")),
    }
}

#[cfg(test)]
mod tests;
