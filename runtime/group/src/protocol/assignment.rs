//! What the leader tells a member to do.

use tether_kafka::broker::bytes::{BytesError, Reader, put_text};

use super::Protocol;
use super::work::{put_work, read_work};
use crate::Work;

/// Why there is no work in an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentError {
    /// The leader has not read all configurations that a member has.
    ConfigMismatch,
    /// A reason that this version does not know.
    Other(i16),
}

/// What the leader tells a member (`ExtendedAssignment`); also what a member
/// tells that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The version that it was read from or, from [`Assignment::encode`], is
    /// Why it is no assignment, if it is none.
    pub error: Option<AssignmentError>,
    /// The id of the leader.
    pub leader: String,
    /// Where the leader's REST API is.
    pub leader_url: String,
    /// The state of the configurations that it was made for: the offset of the
    /// next record.
    pub config_offset: i64,
    /// What the member is to run, with the cooperative protocols besides what it
    /// runs.
    pub assigned: Work,
    /// What it is to stop.
    pub revoked: Work,
    /// After how many milliseconds it is to join again; 0 if it need not.
    pub delay_ms: i32,
}

impl Assignment {
    /// The bytes for members that agree on this protocol.
    ///
    /// # Errors
    /// If a name is too long for them.
    pub fn encode(&self, protocol: Protocol) -> Result<Vec<u8>, BytesError> {
        let mut out = Vec::new();
        out.extend_from_slice(&protocol.version().to_be_bytes());
        let error = match self.error {
            None => 0,
            Some(AssignmentError::ConfigMismatch) => 1,
            Some(AssignmentError::Other(code)) => code,
        };
        out.extend_from_slice(&error.to_be_bytes());
        put_text(&self.leader, &mut out)?;
        put_text(&self.leader_url, &mut out)?;
        out.extend_from_slice(&self.config_offset.to_be_bytes());
        put_work(&self.assigned, &mut out)?;
        if protocol != Protocol::Eager {
            put_work(&self.revoked, &mut out)?;
            out.extend_from_slice(&self.delay_ms.to_be_bytes());
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
        let error = match reader.int16("the error")? {
            0 => None,
            1 => Some(AssignmentError::ConfigMismatch),
            code => Some(AssignmentError::Other(code)),
        };
        let leader = reader.text("the leader")?.to_owned();
        let leader_url = reader.text("the URL of the leader")?.to_owned();
        let config_offset = reader.int64("the config offset")?;
        let assigned = read_work(&mut reader, "the assigned connectors")?;
        let revoked = match reader.is_at_end() {
            true => Work::default(),
            false => read_work(&mut reader, "the revoked connectors")?,
        };
        let delay_ms = match reader.is_at_end() {
            true => 0,
            false => reader.int32("the delay")?.max(0),
        };
        Ok(Self {
            error,
            leader,
            leader_url,
            config_offset,
            assigned,
            revoked,
            delay_ms,
        })
    }
}

/// Reads the version that a message begins with. Later versions only add fields
/// at the end.
pub(super) fn read_version(reader: &mut Reader<'_>) -> Result<i16, BytesError> {
    match reader.int16("the version")? {
        version if version < 0 => Err(reader.error(format!("the version is {version}"))),
        version => Ok(version),
    }
}
