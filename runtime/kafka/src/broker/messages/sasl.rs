//! Who asks.

use std::ops::RangeInclusive;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_bytes, put_text};

/// Chooses how to prove who asks.
#[derive(Debug, Clone)]
pub struct SaslHandshake {
    /// The mechanism, such as `PLAIN`.
    pub mechanism: String,
}

/// What a broker accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mechanisms {
    /// Whether it accepts the chosen one.
    pub error: ErrorCode,
    /// The mechanisms that it accepts.
    pub accepted: Vec<String>,
}

impl Request for SaslHandshake {
    const KEY: i16 = 17;
    const VERSIONS: RangeInclusive<i16> = 1..=1;
    type Response = Mechanisms;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.mechanism, out)
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        let error = reader.int16("the error")?;
        let mut accepted = Vec::new();
        for _ in 0..reader.count("the mechanisms")? {
            accepted.push(reader.text("a mechanism")?.to_owned());
        }
        Ok(Mechanisms { error, accepted })
    }
}

/// A step of a mechanism. It has secrets, so it cannot be printed.
#[derive(Clone)]
pub struct SaslAuthenticate {
    /// What the mechanism says.
    pub bytes: Vec<u8>,
}

/// What a broker says to a step.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Whether it refuses.
    pub error: ErrorCode,
    /// Why.
    pub message: Option<String>,
    /// What the mechanism answers.
    pub bytes: Vec<u8>,
    /// After so many milliseconds it wants a new proof (KIP-368); 0 for never.
    pub lifetime_ms: i64,
}

impl Request for SaslAuthenticate {
    const KEY: i16 = 36;
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    type Response = Authenticated;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_bytes(&self.bytes, out)
    }

    fn decode(version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        Ok(Authenticated {
            error: reader.int16("the error")?,
            message: reader.nullable_text("the message")?.map(str::to_owned),
            bytes: reader
                .nullable_bytes("the answer")?
                .unwrap_or_default()
                .to_vec(),
            lifetime_ms: match version {
                0 => 0,
                _ => reader.int64("the lifetime")?,
            },
        })
    }
}
