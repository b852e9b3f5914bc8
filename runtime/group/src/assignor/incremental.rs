//! Only what has to move does (`IncrementalCooperativeAssignor`, KIP-415).

use std::collections::{BTreeMap, BTreeSet};

use super::loads::{self, Loads};
use crate::Work;

/// The delay before members give work up once more to even it out, at first and
/// how it grows, in milliseconds.
const BACKOFF: i64 = 40;

/// The state of the group that is to be dealt with.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// All connectors and tasks that there are.
    pub configured: &'a Work,
    /// What each member runs, by its own account.
    pub members: &'a BTreeMap<String, Work>,
    /// The latest generation of the group in which this leader got an assignment
    /// itself.
    pub completed_generation: i32,
    /// The generation that is being formed.
    pub generation: i32,
    /// Milliseconds of a clock that does not go back.
    pub now_ms: i64,
}

/// What the members are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What each member is to run in addition.
    pub assigned: BTreeMap<String, Work>,
    /// What members are to stop.
    pub revoked: BTreeMap<String, Work>,
    /// What each member runs when it has done both.
    pub complete: BTreeMap<String, Work>,
    /// After how many milliseconds all are to join again; 0 if they need not.
    pub delay_ms: i64,
}

/// The leader's memory between rounds. Another leader starts without one.
///
/// Nothing has two owners: work is dealt out only when no member says that it
/// runs it, and what has to move is revoked in one round and dealt out in the
/// next, which the member that stopped it asks for.
#[derive(Debug)]
pub struct IncrementalAssignor {
    max_delay_ms: i64,
    previous: Previous,
    delay: Delay,
    /// Work was revoked in the round before to even it out.
    has_revoked: bool,
    /// How often in a row that was put off.
    put_off: u32,
}

/// What came of the round before.
#[derive(Debug, Default)]
struct Previous {
    /// What members run and what is lost.
    assignment: Work,
    /// What they were to stop.
    revocation: Work,
    generation: Option<i32>,
    members: BTreeSet<String>,
}

/// The wait for members that went away and may come back.
#[derive(Debug, Default)]
struct Delay {
    /// When it is over, if there is one.
    until_ms: Option<i64>,
    /// How much of it was left in the latest round.
    left_ms: i64,
    /// Members that ran nothing meanwhile, the earlier ones first: perhaps those
    /// that are waited for, under new ids.
    candidates: Vec<String>,
}

impl IncrementalAssignor {
    /// Waits up to so many milliseconds for members that went away
    /// (`scheduled.rebalance.max.delay.ms`).
    pub fn new(max_delay_ms: i64) -> Self {
        Self {
            max_delay_ms: max_delay_ms.max(0),
            previous: Previous::default(),
            delay: Delay::default(),
            has_revoked: false,
            put_off: 0,
        }
    }

    /// Deals out what has no owner, and takes from those who have too much.
    pub fn assign(&mut self, round: &Round<'_>) -> Outcome {
        let Round {
            configured,
            members,
            ..
        } = *round;
        if self.previous.generation != Some(round.completed_generation) {
            // That round did not reach the members, or not all of them.
            self.previous.assignment = Work::default();
        }
        let active = loads::all(members);
        let revocation = std::mem::take(&mut self.previous.revocation);
        if !revocation.common(&active).is_empty() {
            // It did not take effect.
            self.previous.assignment = active.clone();
        }
        let previous = std::mem::take(&mut self.previous.assignment);
        // The reference looks at what was assigned alone, so that what is deleted
        // while another leads would run on.
        let mut deleted = previous.clone();
        deleted.add(&active);
        let deleted = deleted.without([configured]);
        let duplicated = loads::duplicated(members);
        let lost = previous.without([&active, &deleted]);
        let created = configured.without([&previous, &active]);

        let mut revoked = Loads::new();
        for (member, work) in members {
            let mut stops = work.common(&deleted);
            stops.add(&work.common(&duplicated));
            if !stops.is_empty() {
                revoked.insert(member.clone(), stops);
            }
        }
        let mut next = members.clone();
        loads::remove(&mut next, &revoked);
        let found = self.handle_lost(round.now_ms, &lost, &mut next);
        if self.delay.left_ms == 0 {
            let surplus = loads::surplus(&next, members, configured);
            if self.may_revoke(round.now_ms, !surplus.is_empty()) {
                loads::add(&mut revoked, &surplus);
                loads::remove(&mut next, &surplus);
            }
        } else {
            self.has_revoked = false;
        }
        loads::deal(&mut next, created, found);

        let mut assigned = next.clone();
        for (member, work) in &mut assigned {
            if let Some(runs) = members.get(member) {
                // What it runs twice over is stopped, and not assigned anew.
                work.remove(&runs.without([&deleted]));
            }
        }
        let all_revoked = loads::all(&revoked);
        let mut assignment = loads::all(&next).without([&all_revoked]);
        assignment.add(&lost);
        self.previous = Previous {
            assignment,
            revocation: all_revoked,
            generation: Some(round.generation),
            members: members.keys().cloned().collect(),
        };
        Outcome {
            assigned,
            revoked,
            complete: next,
            delay_ms: self.delay.left_ms,
        }
    }

    /// Decides whether what nobody runs any more is dealt out, or its members are
    /// waited for. Returns what is to be dealt out to all.
    fn handle_lost(&mut self, now_ms: i64, lost: &Work, next: &mut Loads) -> Work {
        if lost.is_empty() && !self.has_revoked {
            self.delay = Delay::default();
            return Work::default();
        }
        let is_complete = || {
            let mut members = self.previous.members.iter();
            members.all(|member| next.contains_key(member))
        };
        // With all members there, some of them did not get the last assignment.
        if self.delay.until_ms.is_none() && is_complete() || self.max_delay_ms == 0 {
            return lost.clone();
        }
        match self.delay.until_ms {
            Some(until_ms) if now_ms >= until_ms => {
                let candidates = std::mem::take(&mut self.delay).candidates;
                self.has_revoked = false;
                deal_in_turn(lost, &candidates, next)
            }
            until_ms => {
                for (member, work) in next {
                    if work.is_empty() && !self.delay.candidates.contains(member) {
                        self.delay.candidates.push(member.clone());
                    }
                }
                let left_ms = until_ms.map_or(self.max_delay_ms, |until_ms| until_ms - now_ms);
                self.delay.left_ms = left_ms.min(self.max_delay_ms);
                self.delay.until_ms = Some(now_ms + self.delay.left_ms);
                Work::default()
            }
        }
    }

    /// Whether members give work up now, if they have too much. Not in two rounds
    /// in a row: while members join one after the other, work would be stopped
    /// and started again and again.
    fn may_revoke(&mut self, now_ms: i64, has_surplus: bool) -> bool {
        match (self.has_revoked, has_surplus) {
            (true, true) => {
                self.put_off = self.put_off.saturating_add(1);
                let backoff = BACKOFF.saturating_pow(self.put_off).min(self.max_delay_ms);
                if backoff > 0 {
                    self.delay.left_ms = backoff;
                    self.delay.until_ms = Some(now_ms + backoff);
                }
                backoff == 0
            }
            (false, true) => {
                self.has_revoked = true;
                true
            }
            (_, false) => {
                if self.has_revoked {
                    self.put_off = 0;
                }
                self.has_revoked = false;
                false
            }
        }
    }
}

/// Gives lost work to those candidates that are still there. Returns it if there
/// are none.
fn deal_in_turn(lost: &Work, candidates: &[String], next: &mut Loads) -> Work {
    let is_there = |candidate: &&String| next.contains_key(*candidate);
    let candidates: Vec<_> = candidates.iter().filter(is_there).collect();
    if candidates.is_empty() {
        return lost.clone();
    }
    for (connector, member) in lost.connectors.iter().zip(candidates.iter().cycle()) {
        let work = next.entry((*member).clone()).or_default();
        work.connectors.insert(connector.clone());
    }
    for (task, member) in lost.tasks.iter().zip(candidates.iter().cycle()) {
        let work = next.entry((*member).clone()).or_default();
        work.tasks.insert(task.clone());
    }
    Work::default()
}

#[cfg(test)]
mod tests;
