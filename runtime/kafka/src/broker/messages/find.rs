//! Where the coordinator of a group or of transactions is.

use std::ops::RangeInclusive;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_text};

/// What a broker coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoordinatorKind {
    /// A group of consumers or workers.
    Group = 0,
    /// The transactions of a producer.
    Transaction = 1,
}

/// Asks which broker coordinates a group or the transactions of a producer.
#[derive(Debug, Clone)]
pub struct FindCoordinator {
    /// Which of both.
    pub kind: CoordinatorKind,
    /// The id of the group, or the transactional id.
    pub id: String,
}

/// The broker that coordinates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator {
    /// Why there is none at present.
    pub error: ErrorCode,
    /// What the broker says about that.
    pub message: Option<String>,
    /// The number of the broker.
    pub node: i32,
    /// Where it is.
    pub host: String,
    /// Where it is.
    pub port: i32,
}

impl Request for FindCoordinator {
    const KEY: i16 = 10;
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    type Response = Coordinator;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.id, out)?;
        out.push(self.kind as u8);
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        Ok(Coordinator {
            error: reader.int16("the error")?,
            message: reader.nullable_text("the message")?.map(str::to_owned),
            node: reader.int32("the number of the broker")?,
            host: reader.text("the host of the broker")?.to_owned(),
            port: reader.int32("the port of the broker")?,
        })
    }
}
