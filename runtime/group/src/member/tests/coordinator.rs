//! A coordinator of one group in memory, as a broker's classic one
//! (`GroupMetadataManager`, the part about classic groups).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

pub(super) const NONE: i16 = 0;
pub(super) const NOT_AVAILABLE: i16 = 15;
pub(super) const NOT_COORDINATOR: i16 = 16;
const ILLEGAL_GENERATION: i16 = 22;
const INCONSISTENT_PROTOCOL: i16 = 23;
const UNKNOWN_MEMBER: i16 = 25;
const REBALANCING: i16 = 27;
const ID_REQUIRED: i16 = 79;

pub(super) type Offered = Vec<(String, Vec<u8>)>;

#[derive(Debug, Clone)]
pub(super) struct JoinRequest {
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
    pub(super) member: String,
    pub(super) offered: Offered,
}

#[derive(Debug, Clone, Default)]
pub(super) struct JoinAnswer {
    pub(super) error: i16,
    pub(super) generation: i32,
    pub(super) protocol: String,
    pub(super) leader: String,
    pub(super) member: String,
    pub(super) members: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SyncAnswer {
    pub(super) error: i16,
    pub(super) assignment: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Empty,
    /// Members join until then.
    Preparing(Instant),
    /// The leader deals out work, and members ask for theirs until then.
    Completing(Instant),
    Stable,
}

#[derive(Debug)]
struct Member {
    offered: Offered,
    session: Duration,
    rebalance: Duration,
    expires: Instant,
    joining: Option<oneshot::Sender<JoinAnswer>>,
    syncing: Option<oneshot::Sender<SyncAnswer>>,
    has_synced: bool,
    assignment: Vec<u8>,
}

/// What survives when another broker takes the group over: what was written when
/// the latest round was complete.
#[derive(Debug, Clone, Default)]
struct Written {
    generation: i32,
    protocol: String,
    leader: Option<String>,
    members: BTreeMap<String, (Offered, Duration, Duration, Vec<u8>)>,
}

#[derive(Debug)]
pub(super) struct Group {
    /// `group.initial.rebalance.delay.ms`
    pub(super) initial_delay: Duration,
    phase: Phase,
    generation: i32,
    protocol: String,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// Ids that were given and not used yet, and until when they may be.
    pending: BTreeMap<String, Instant>,
    ids: u32,
    written: Written,
}

impl Group {
    pub(super) fn new() -> Self {
        Self {
            initial_delay: Duration::ZERO,
            phase: Phase::Empty,
            generation: 0,
            protocol: String::new(),
            leader: None,
            members: BTreeMap::new(),
            pending: BTreeMap::new(),
            ids: 0,
            written: Written::default(),
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &String> {
        self.members.keys()
    }

    pub(super) fn generation(&self) -> i32 {
        self.generation
    }

    pub(super) fn is_joining(&self, member: &str) -> bool {
        let member = self.members.get(member);
        member.is_some_and(|member| member.joining.is_some())
    }

    pub(super) fn is_syncing(&self, member: &str) -> bool {
        let member = self.members.get(member);
        member.is_some_and(|member| member.syncing.is_some())
    }

    pub(super) fn join(&mut self, request: JoinRequest, answer: oneshot::Sender<JoinAnswer>) {
        let now = Instant::now();
        let refuse = |error, member: &str| JoinAnswer {
            error,
            generation: -1,
            member: member.to_owned(),
            ..JoinAnswer::default()
        };
        if request.member.is_empty() {
            self.ids += 1;
            let id = format!("member-{:04}", self.ids);
            self.pending.insert(id.clone(), now + request.session);
            let _gone = answer.send(refuse(ID_REQUIRED, &id));
            return;
        }
        let names = |offered: &Offered| -> BTreeSet<String> {
            offered.iter().map(|(name, _)| name.clone()).collect()
        };
        let common = self.members.values().map(|member| names(&member.offered));
        let common = common.fold(names(&request.offered), |common, names| &common & &names);
        if common.is_empty() {
            let _gone = answer.send(refuse(INCONSISTENT_PROTOCOL, &request.member));
            return;
        }
        let is_new = self.pending.remove(&request.member).is_some();
        let Some(member) = self.members.get_mut(&request.member) else {
            if !is_new {
                let _gone = answer.send(refuse(UNKNOWN_MEMBER, &request.member));
                return;
            }
            self.members.insert(
                request.member.clone(),
                Member {
                    offered: request.offered,
                    session: request.session,
                    rebalance: request.rebalance,
                    expires: now + request.session,
                    joining: Some(answer),
                    syncing: None,
                    has_synced: false,
                    assignment: Vec::new(),
                },
            );
            self.prepare();
            return;
        };
        let is_same = member.offered == request.offered;
        let is_leader = self.leader.as_ref() == Some(&request.member);
        member.offered = request.offered;
        member.expires = now + member.session;
        let begins = match self.phase {
            Phase::Preparing(_) | Phase::Empty => true,
            Phase::Completing(_) => !is_same,
            Phase::Stable => is_leader || !is_same,
        };
        if begins {
            member.joining = Some(answer);
            self.prepare();
        } else {
            let answered = self.joined(&request.member);
            let _gone = answer.send(answered);
        }
    }

    pub(super) fn sync(
        &mut self,
        member: &str,
        generation: i32,
        mut assignments: BTreeMap<String, Vec<u8>>,
        answer: oneshot::Sender<SyncAnswer>,
    ) {
        let refuse = |error| SyncAnswer {
            error,
            ..SyncAnswer::default()
        };
        let error = match (self.members.get(member), self.phase) {
            (None, _) => UNKNOWN_MEMBER,
            (Some(_), _) if generation != self.generation => ILLEGAL_GENERATION,
            (Some(_), Phase::Preparing(_)) => REBALANCING,
            (Some(_), Phase::Empty) => UNKNOWN_MEMBER,
            (Some(_), Phase::Completing(_) | Phase::Stable) => NONE,
        };
        let Some(known) = self.members.get_mut(member).filter(|_| error == NONE) else {
            let _gone = answer.send(refuse(error));
            return;
        };
        known.expires = Instant::now() + known.session;
        known.has_synced = true;
        if self.phase == Phase::Stable {
            let assignment = known.assignment.clone();
            let _gone = answer.send(SyncAnswer {
                error: NONE,
                assignment,
            });
            return;
        }
        known.syncing = Some(answer);
        if self.leader.as_deref() != Some(member) {
            return;
        }
        let now = Instant::now();
        for (id, member) in &mut self.members {
            member.assignment = assignments.remove(id).unwrap_or_default();
            if let Some(answer) = member.syncing.take() {
                member.expires = now + member.session;
                let assignment = member.assignment.clone();
                let _gone = answer.send(SyncAnswer {
                    error: NONE,
                    assignment,
                });
            }
        }
        self.phase = Phase::Stable;
        self.written = Written {
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: self
                .members
                .iter()
                .map(|(id, member)| {
                    let Member {
                        offered,
                        session,
                        rebalance,
                        assignment,
                        ..
                    } = member;
                    let written = (offered.clone(), *session, *rebalance, assignment.clone());
                    (id.clone(), written)
                })
                .collect(),
        };
    }

    pub(super) fn heartbeat(&mut self, member: &str, generation: i32) -> i16 {
        let Some(member) = self.members.get_mut(member) else {
            return UNKNOWN_MEMBER;
        };
        if generation != self.generation {
            return ILLEGAL_GENERATION;
        }
        member.expires = Instant::now() + member.session;
        match self.phase {
            Phase::Empty => UNKNOWN_MEMBER,
            Phase::Preparing(_) => REBALANCING,
            Phase::Completing(_) | Phase::Stable => NONE,
        }
    }

    pub(super) fn leave(&mut self, member: &str) -> i16 {
        if self.pending.remove(member).is_some() {
            self.maybe_complete();
            return NONE;
        }
        match self.remove(member) {
            true => NONE,
            false => UNKNOWN_MEMBER,
        }
    }

    /// Drops a member, as an administrator or the end of its session does.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let Some(member) = self.members.remove(id) else {
            return false;
        };
        if let Some(answer) = member.joining {
            let _gone = answer.send(JoinAnswer {
                error: UNKNOWN_MEMBER,
                ..JoinAnswer::default()
            });
        }
        if self.leader.as_deref() == Some(id) {
            self.leader = None;
        }
        match self.phase {
            Phase::Empty => {}
            Phase::Preparing(_) => self.maybe_complete(),
            Phase::Completing(_) | Phase::Stable => self.prepare(),
        }
        true
    }

    /// Another broker takes the group over.
    pub(super) fn reload(&mut self) {
        for member in std::mem::take(&mut self.members).into_values() {
            if let Some(answer) = member.joining {
                let _gone = answer.send(JoinAnswer {
                    error: NOT_COORDINATOR,
                    ..JoinAnswer::default()
                });
            }
            if let Some(answer) = member.syncing {
                let _gone = answer.send(SyncAnswer {
                    error: NOT_COORDINATOR,
                    ..SyncAnswer::default()
                });
            }
        }
        let now = Instant::now();
        self.pending.clear();
        self.generation = self.written.generation;
        self.protocol = self.written.protocol.clone();
        self.leader = self.written.leader.clone();
        let members = self.written.members.clone().into_iter();
        self.members = members
            .map(|(id, (offered, session, rebalance, assignment))| {
                let member = Member {
                    offered,
                    session,
                    rebalance,
                    expires: now + session,
                    joining: None,
                    syncing: None,
                    has_synced: true,
                    assignment,
                };
                (id, member)
            })
            .collect();
        self.phase = match self.members.is_empty() {
            true => Phase::Empty,
            false => Phase::Stable,
        };
    }

    /// When something happens if nobody asks for anything before.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Preparing(at) | Phase::Completing(at) => Some(at),
            Phase::Empty | Phase::Stable => None,
        };
        let sessions = self.members.values();
        let sessions = sessions
            .filter(|member| member.joining.is_none() && member.syncing.is_none())
            .map(|member| member.expires);
        let pending = self.pending.values().copied();
        sessions.chain(pending).chain(phase).min()
    }

    /// Lets happen what is due.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        let pending = self.pending.len();
        self.pending.retain(|_, until| *until > now);
        if self.pending.len() < pending {
            self.maybe_complete();
        }
        let expired: Vec<_> = self
            .members
            .iter()
            .filter(|(_, member)| {
                member.joining.is_none() && member.syncing.is_none() && member.expires <= now
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in expired {
            self.remove(&id);
        }
        match self.phase {
            Phase::Preparing(until) if until <= now => self.complete(),
            Phase::Completing(until) if until <= now => {
                let late = self.members.iter();
                let late: Vec<_> = late
                    .filter(|(_, member)| !member.has_synced)
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in late {
                    self.remove(&id);
                }
            }
            _ => {}
        }
    }

    fn prepare(&mut self) {
        let now = Instant::now();
        if let Phase::Completing(_) = self.phase {
            for member in self.members.values_mut() {
                if let Some(answer) = member.syncing.take() {
                    member.expires = now + member.session;
                    let _gone = answer.send(SyncAnswer {
                        error: REBALANCING,
                        ..SyncAnswer::default()
                    });
                }
            }
        }
        match self.phase {
            Phase::Preparing(_) => {}
            Phase::Empty => {
                self.phase = Phase::Preparing(now + self.initial_delay);
                if !self.initial_delay.is_zero() {
                    return;
                }
            }
            Phase::Completing(_) | Phase::Stable => {
                let waits = self.members.values().map(|member| member.rebalance);
                self.phase = Phase::Preparing(now + waits.max().unwrap_or_default());
            }
        }
        self.maybe_complete();
    }

    fn maybe_complete(&mut self) {
        if let Phase::Preparing(_) = self.phase
            && self.pending.is_empty()
            && self.members.values().all(|member| member.joining.is_some())
        {
            self.complete();
        }
    }

    fn complete(&mut self) {
        self.members.retain(|_, member| member.joining.is_some());
        self.generation += 1;
        let Some(first) = self.members.keys().next().cloned() else {
            self.phase = Phase::Empty;
            self.leader = None;
            self.written = Written {
                generation: self.generation,
                ..Written::default()
            };
            return;
        };
        let leader = self.leader.take();
        let leader = leader.filter(|leader| self.members.contains_key(leader));
        self.leader = Some(leader.unwrap_or(first));
        self.protocol = self.vote();
        let now = Instant::now();
        let waits = self.members.values().map(|member| member.rebalance);
        self.phase = Phase::Completing(now + waits.max().unwrap_or_default());
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in ids {
            let joined = self.joined(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.expires = now + member.session;
                member.has_synced = false;
                if let Some(answer) = member.joining.take() {
                    let _gone = answer.send(joined);
                }
            }
        }
    }

    fn vote(&self) -> String {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let best = member.offered.iter().find(|(name, _)| {
                let mut members = self.members.values();
                members.all(|member| member.offered.iter().any(|(other, _)| other == name))
            });
            if let Some((name, _)) = best {
                *votes.entry(name).or_default() += 1;
            }
        }
        let best = votes.into_iter().max_by_key(|(_, votes)| *votes);
        best.map(|(name, _)| name.to_owned()).unwrap_or_default()
    }

    fn joined(&self, member: &str) -> JoinAnswer {
        let leader = self.leader.clone().unwrap_or_default();
        let members = match leader == member {
            true => self
                .members
                .iter()
                .map(|(id, member)| {
                    let told = member
                        .offered
                        .iter()
                        .find(|(name, _)| *name == self.protocol);
                    (
                        id.clone(),
                        told.map(|(_, told)| told.clone()).unwrap_or_default(),
                    )
                })
                .collect(),
            false => Vec::new(),
        };
        JoinAnswer {
            error: NONE,
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader,
            member: member.to_owned(),
            members,
        }
    }
}
