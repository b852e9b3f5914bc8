//! To come, to stay and to go.

use std::ops::RangeInclusive;

use super::{ErrorCode, Request};
use crate::broker::bytes::{BytesError, Reader, put_bytes, put_count, put_text};

/// Asks to be a member of the next generation of a group. The answer comes when
/// all members have asked.
#[derive(Debug, Clone)]
pub struct JoinGroup {
    /// The id of the group.
    pub group: String,
    /// After so many milliseconds without a heartbeat a member is taken for dead.
    pub session_timeout_ms: i32,
    /// So many milliseconds are members waited for.
    pub rebalance_timeout_ms: i32,
    /// The id that the coordinator gave; empty before it did.
    pub member: String,
    /// The type of the group.
    pub protocol_type: String,
    /// What the member can agree on, the best first.
    pub protocols: Vec<OfferedProtocol>,
}

/// A protocol that a member can agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedProtocol {
    /// Its name.
    pub name: String,
    /// What the member tells the leader in it.
    pub metadata: Vec<u8>,
}

/// A generation of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Why it is none.
    pub error: ErrorCode,
    /// Its number.
    pub generation: i32,
    /// What all members agree on.
    pub protocol: String,
    /// The id of the leader.
    pub leader: String,
    /// The id of this member.
    pub member: String,
    /// All members, if this one is the leader.
    pub members: Vec<MemberMetadata>,
}

/// What a member told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberMetadata {
    /// Its id.
    pub member: String,
    /// What it told the leader.
    pub metadata: Vec<u8>,
}

impl Request for JoinGroup {
    const KEY: i16 = 11;
    /// From 4 on, a coordinator gives an id first and expects to be asked again.
    const VERSIONS: RangeInclusive<i16> = 2..=4;
    type Response = Joined;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.group, out)?;
        out.extend_from_slice(&self.session_timeout_ms.to_be_bytes());
        out.extend_from_slice(&self.rebalance_timeout_ms.to_be_bytes());
        put_text(&self.member, out)?;
        put_text(&self.protocol_type, out)?;
        put_count(self.protocols.len(), out)?;
        for protocol in &self.protocols {
            put_text(&protocol.name, out)?;
            put_bytes(&protocol.metadata, out)?;
        }
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        Ok(Joined {
            error: reader.int16("the error")?,
            generation: reader.int32("the generation")?,
            protocol: reader.text("the protocol")?.to_owned(),
            leader: reader.text("the leader")?.to_owned(),
            member: reader.text("the id of the member")?.to_owned(),
            members: {
                let mut members = Vec::new();
                for _ in 0..reader.count("the members")? {
                    let member = reader.text("the id of a member")?.to_owned();
                    let metadata = reader.nullable_bytes("what a member told")?;
                    let metadata = metadata.unwrap_or_default().to_vec();
                    members.push(MemberMetadata { member, metadata });
                }
                members
            },
        })
    }
}

/// Hands in what members are to do, if it is the leader, and asks what this one
/// is to do.
#[derive(Debug, Clone)]
pub struct SyncGroup {
    /// The id of the group.
    pub group: String,
    /// The generation that the member joined.
    pub generation: i32,
    /// The id of the member.
    pub member: String,
    /// The leader's: what each member is to do, by its id.
    pub assignments: Vec<(String, Vec<u8>)>,
}

/// What a member is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// Why it is not known.
    pub error: ErrorCode,
    /// What the leader handed in for it.
    pub assignment: Vec<u8>,
}

impl Request for SyncGroup {
    const KEY: i16 = 14;
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    type Response = Synced;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.group, out)?;
        out.extend_from_slice(&self.generation.to_be_bytes());
        put_text(&self.member, out)?;
        put_count(self.assignments.len(), out)?;
        for (member, assignment) in &self.assignments {
            put_text(member, out)?;
            put_bytes(assignment, out)?;
        }
        Ok(())
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        let error = reader.int16("the error")?;
        let assignment = reader.nullable_bytes("the assignment")?;
        Ok(Synced {
            error,
            assignment: assignment.unwrap_or_default().to_vec(),
        })
    }
}

/// Says that the member is alive, and asks whether the group stays as it is.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// The id of the group.
    pub group: String,
    /// The generation that the member joined.
    pub generation: i32,
    /// The id of the member.
    pub member: String,
}

impl Request for Heartbeat {
    const KEY: i16 = 12;
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    type Response = ErrorCode;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.group, out)?;
        out.extend_from_slice(&self.generation.to_be_bytes());
        put_text(&self.member, out)
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        reader.int16("the error")
    }
}

/// Leaves, so that nobody has to wait until the member is taken for dead.
#[derive(Debug, Clone)]
pub struct LeaveGroup {
    /// The id of the group.
    pub group: String,
    /// The id of the member.
    pub member: String,
}

impl Request for LeaveGroup {
    const KEY: i16 = 13;
    const VERSIONS: RangeInclusive<i16> = 1..=2;
    type Response = ErrorCode;

    fn encode(&self, _version: i16, out: &mut Vec<u8>) -> Result<(), BytesError> {
        put_text(&self.group, out)?;
        put_text(&self.member, out)
    }

    fn decode(_version: i16, reader: &mut Reader<'_>) -> Result<Self::Response, BytesError> {
        reader.int32("the throttle time")?;
        reader.int16("the error")
    }
}
