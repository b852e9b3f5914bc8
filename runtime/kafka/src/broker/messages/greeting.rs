//! Which versions a broker understands.

use std::ops::RangeInclusive;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader};

/// Asks which versions a broker understands. Every broker understands this one.
#[derive(Debug, Clone, Copy)]
pub struct ApiVersions;

/// The versions of each kind of request that a broker understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedVersions {
    /// Why it does not say.
    pub error: ErrorCode,
    /// Kind, first and last version.
    versions: Vec<(i16, i16, i16)>,
}

impl SupportedVersions {
    /// These versions by the kind of request.
    pub fn new(versions: impl IntoIterator<Item = (i16, RangeInclusive<i16>)>) -> Self {
        let versions = versions.into_iter();
        Self {
            error: 0,
            versions: versions
                .map(|(key, range)| (key, *range.start(), *range.end()))
                .collect(),
        }
    }

    /// The latest version of a kind of request that both sides know.
    pub fn latest<R: Request>(&self) -> Option<i16> {
        let (_, first, last) = self.versions.iter().find(|(key, ..)| *key == R::KEY)?;
        let latest = (*last).min(*R::VERSIONS.end());
        (latest >= *first && latest >= *R::VERSIONS.start()).then_some(latest)
    }
}

impl Request for ApiVersions {
    const KEY: i16 = 18;
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    type Response = SupportedVersions;

    fn encode(&self, _version: i16, _out: &mut Vec<u8>) -> Result<(), BytesError> {
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        let error = reader.int16("the error")?;
        let mut versions = Vec::new();
        for _ in 0..reader.count("the kinds of requests")? {
            versions.push((
                reader.int16("a kind of request")?,
                reader.int16("its first version")?,
                reader.int16("its last version")?,
            ));
        }
        Ok(SupportedVersions { error, versions })
    }
}
