//! What the leader does in a round: it reads what the members told, and says what
//! each is to do.

use std::collections::BTreeMap;
use std::time::Duration;

use tether_kafka::broker::bytes::BytesError;
use tether_kafka::broker::messages::MemberMetadata;
use tokio::time::Instant;

use super::{Configured, Owners};
use crate::Work;
use crate::assignor::{IncrementalAssignor, Round, assign_eagerly};
use crate::protocol::{Assignment, AssignmentError, Metadata, Protocol};

/// What the members of a round told.
#[derive(Debug)]
pub(super) struct Told {
    members: BTreeMap<String, Metadata>,
    /// Members that told what cannot be read. They get nothing to do, rather than
    /// that nobody does.
    unreadable: Vec<String>,
}

impl Told {
    pub(super) fn read(members: &[MemberMetadata]) -> Self {
        let mut told = Self {
            members: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        for MemberMetadata { member, metadata } in members {
            match Metadata::decode(metadata) {
                Ok(metadata) => {
                    told.members.insert(member.clone(), metadata);
                }
                Err(error) => {
                    tracing::error!(
                        "The member {member} gets no connectors and tasks, because what it told \
                         about itself cannot be read ({error}): is it a Connect worker?"
                    );
                    told.unreadable.push(member.clone());
                }
            }
        }
        told
    }

    /// The offset of the config topic that some member has read up to.
    pub(super) fn config_offset(&self) -> i64 {
        let offsets = self.members.values().map(|member| member.config_offset);
        offsets.max().unwrap_or(0)
    }

    fn urls(&self) -> BTreeMap<String, String> {
        let members = self.members.iter();
        members
            .map(|(member, metadata)| (member.clone(), metadata.url.clone()))
            .collect()
    }

    fn allocations(&self) -> BTreeMap<String, Work> {
        let members = self.members.iter();
        members
            .map(|(member, metadata)| {
                let allocation = metadata.allocation.as_ref();
                let work = allocation.map(|allocation| allocation.assigned.clone());
                (member.clone(), work.unwrap_or_default())
            })
            .collect()
    }
}

/// The round that is being formed.
#[derive(Debug)]
pub(super) struct Forming<'a> {
    pub(super) protocol: Protocol,
    pub(super) leader: &'a str,
    pub(super) leader_url: &'a str,
    pub(super) generation: i32,
    /// The latest one in which this member got an assignment.
    pub(super) completed_generation: i32,
}

/// What a round comes to.
#[derive(Debug)]
pub(super) struct Dealt {
    /// What each member is told, by its id.
    pub(super) assignments: Vec<(String, Vec<u8>)>,
    /// Who runs what then, if work was dealt out.
    pub(super) owners: Option<Owners>,
}

/// Deals out work, and remembers how it did.
#[derive(Debug)]
pub(super) struct Dealer {
    assignor: IncrementalAssignor,
    started: Instant,
}

impl Dealer {
    pub(super) fn new(max_delay: Duration) -> Self {
        let max_delay_ms = i32::try_from(max_delay.as_millis()).unwrap_or(i32::MAX);
        Self {
            assignor: IncrementalAssignor::new(max_delay_ms.into()),
            started: Instant::now(),
        }
    }

    /// Says what each member is to do; without what is configured, that this is
    /// not known as far as somebody has read it.
    ///
    /// # Errors
    /// If a name is too long for the messages.
    pub(super) fn deal(
        &mut self,
        forming: &Forming<'_>,
        told: &Told,
        configured: Option<Configured>,
    ) -> Result<Dealt, BytesError> {
        let protocol = forming.protocol;
        let nothing = Assignment {
            error: None,
            leader: forming.leader.to_owned(),
            leader_url: forming.leader_url.to_owned(),
            config_offset: told.config_offset(),
            assigned: Work::default(),
            revoked: Work::default(),
            delay_ms: 0,
        };
        let Some(Configured {
            config_offset,
            work,
        }) = configured
        else {
            let failed = Assignment {
                error: Some(AssignmentError::ConfigMismatch),
                ..nothing
            };
            let members = told.members.keys().chain(&told.unreadable);
            let assignments = members
                .map(|member| Ok((member.clone(), failed.encode(protocol)?)))
                .collect::<Result<_, BytesError>>()?;
            return Ok(Dealt {
                assignments,
                owners: None,
            });
        };
        let nothing = Assignment {
            config_offset,
            ..nothing
        };
        let mut assigned;
        let mut revoked = BTreeMap::new();
        let mut delay_ms = 0;
        let owners;
        if protocol == Protocol::Eager {
            assigned = assign_eagerly(&work, &told.members.keys().cloned().collect());
            owners = Owners::new(told.urls(), &assigned);
        } else {
            let outcome = self.assignor.assign(&Round {
                configured: &work,
                members: &told.allocations(),
                completed_generation: forming.completed_generation,
                generation: forming.generation,
                now_ms: i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX),
            });
            assigned = outcome.assigned;
            revoked = outcome.revoked;
            delay_ms = i32::try_from(outcome.delay_ms).unwrap_or(i32::MAX);
            owners = Owners::new(told.urls(), &outcome.complete);
        }
        let mut assignments = Vec::new();
        for member in told.members.keys() {
            let assignment = Assignment {
                assigned: assigned.remove(member).unwrap_or_default(),
                revoked: revoked.remove(member).unwrap_or_default(),
                delay_ms,
                ..nothing.clone()
            };
            assignments.push((member.clone(), assignment.encode(protocol)?));
        }
        for member in &told.unreadable {
            assignments.push((member.clone(), nothing.encode(protocol)?));
        }
        Ok(Dealt {
            assignments,
            owners: Some(owners),
        })
    }
}
