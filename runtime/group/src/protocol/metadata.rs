//! What a member tells when it joins.

use tether_kafka::broker::bytes::{BytesError, Reader, put_bytes, put_null, put_text};

use super::assignment::read_version;
use super::{Assignment, Protocol};

/// What a member tells the leader (`ExtendedWorkerState`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Where the others reach its REST API.
    pub url: String,
    /// How far it has read the topic of configurations: the offset of the next
    /// record.
    pub config_offset: i64,
    /// What it runs. `None` if it runs nothing, and always with
    /// [`Protocol::Eager`], whose members stop all before they join.
    pub allocation: Option<Assignment>,
}

impl Metadata {
    /// The bytes for members that agree on this protocol.
    ///
    /// # Errors
    /// If a name is too long for them.
    pub fn encode(&self, protocol: Protocol) -> Result<Vec<u8>, BytesError> {
        let mut out = Vec::new();
        out.extend_from_slice(&protocol.version().to_be_bytes());
        put_text(&self.url, &mut out)?;
        out.extend_from_slice(&self.config_offset.to_be_bytes());
        match &self.allocation {
            _ if protocol == Protocol::Eager => {}
            Some(allocation) => put_bytes(&allocation.encode(protocol)?, &mut out)?,
            None => put_null(&mut out),
        }
        Ok(out)
    }

    /// Reads bytes of any version.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn decode(bytes: &[u8]) -> Result<Self, BytesError> {
        let mut reader = Reader::new(bytes);
        read_version(&mut reader)?;
        let url = reader.text("the URL of the member")?.to_owned();
        let config_offset = reader.int64("the config offset")?;
        let allocation = if reader.is_at_end() {
            None
        } else {
            reader.nullable_bytes("the allocation")?
        };
        let allocation = match allocation {
            None | Some([]) => None,
            Some(bytes) => Some(Assignment::decode(bytes)?),
        };
        Ok(Self {
            url,
            config_offset,
            allocation,
        })
    }
}
