//! Requests to the broker that keeps a group together, and what it answers:
//! Kafka's classic group protocol, and what a connection begins with.
//!
//! Of each kind those versions are here that every broker from 2.1 on
//! understands and that a group without static members needs. They are written
//! here rather than taken from a library of all of Kafka's messages, whose
//! decoder takes memory for as many elements as an array says it has.

mod find;
mod greeting;
mod membership;
mod sasl;

use std::ops::RangeInclusive;

use crate::bytes::{BytesError, Reader, put_text};

pub use find::{Coordinator, FindCoordinator};
pub use greeting::{ApiVersions, SupportedVersions};
pub use membership::{
    Heartbeat, JoinGroup, Joined, LeaveGroup, MemberMetadata, OfferedProtocol, SyncGroup, Synced,
};
pub use sasl::{Authenticated, Mechanisms, SaslAuthenticate, SaslHandshake};

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

/// Appends a request with its header (version 1) and, in front, the length of
/// both.
///
/// # Errors
/// If a part is too long for it.
pub fn encode_frame<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Result<Vec<u8>, BytesError> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&R::KEY.to_be_bytes());
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&correlation_id.to_be_bytes());
    put_text(client_id, &mut out)?;
    request.encode(version, &mut out)?;
    let mut length = Vec::new();
    crate::bytes::put_count(out.len() - 4, &mut length)?;
    out[..4].copy_from_slice(&length);
    Ok(out)
}

/// Reads the answer to the request of this version and number from a frame
/// without its length.
///
/// # Errors
/// What is wrong, and where; also if it answers another request, or has more
/// than it should.
pub fn decode_frame<R: Request>(
    version: i16,
    correlation_id: i32,
    frame: &[u8],
) -> Result<R::Response, BytesError> {
    let mut reader = Reader::new(frame);
    let answered = reader.int32("the number of the request")?;
    if answered != correlation_id {
        let message = format!("request {answered} is answered instead of {correlation_id}");
        return Err(reader.error(message));
    }
    let response = R::decode(version, &mut reader)?;
    match reader.is_at_end() {
        true => Ok(response),
        false => Err(reader.error("the answer goes on behind its end")),
    }
}

#[cfg(test)]
mod tests;
