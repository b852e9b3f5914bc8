//! Where the coordinator of a group is.

use std::ops::RangeInclusive;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_text};

/// The kind of coordinator that groups have; the other one is for transactions.
const GROUP: u8 = 0;

/// Asks which broker coordinates a group.
#[derive(Debug, Clone)]
pub struct FindCoordinator {
    /// The id of the group.
    pub group: String,
}

/// The broker that coordinates a group.
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
        put_text(&self.group, out)?;
        out.push(GROUP);
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
