//! The scenarios are those of the reference's `IncrementalCooperativeAssignorTest`
//! at 4.0, told anew.

use proptest::prelude::*;
use tether_storage::TaskId;

use super::*;

const MAX_DELAY: i64 = 300_000;

/// A group whose members do what they are told.
struct Group {
    assignor: IncrementalAssignor,
    configured: Work,
    members: Loads,
    completed_generation: i32,
    generation: i32,
    now_ms: i64,
    outcome: Outcome,
}

fn connector(configured: &mut Work, name: &str, tasks: u32) {
    configured.connectors.insert(name.to_owned());
    let tasks = (0..tasks).map(|task| TaskId::new(name, task));
    configured.tasks.extend(tasks);
}

impl Group {
    /// One member, and connectors of four tasks each.
    fn new(max_delay_ms: i64, connectors: &[&str]) -> Self {
        let mut configured = Work::default();
        for name in connectors {
            connector(&mut configured, name, 4);
        }
        let mut group = Self {
            assignor: IncrementalAssignor::new(max_delay_ms),
            configured,
            members: Loads::new(),
            completed_generation: 0,
            generation: 0,
            now_ms: 1_000_000,
            outcome: Outcome::default(),
        };
        group.join(&["worker1"]);
        group
    }

    fn join(&mut self, members: &[&str]) {
        for member in members {
            self.members.insert((*member).to_owned(), Work::default());
        }
    }

    fn leave(&mut self, member: &str) {
        self.members.remove(member);
    }

    fn delete(&mut self, name: &str) {
        self.configured.connectors.remove(name);
        self.configured.tasks.retain(|task| task.connector != name);
    }

    fn later(&mut self, ms: i64) {
        self.now_ms += ms;
    }

    /// The leader deals out, and nobody hears of it.
    fn assign(&mut self) {
        self.generation += 1;
        self.outcome = self.assignor.assign(&Round {
            configured: &self.configured,
            members: &self.members,
            completed_generation: self.completed_generation,
            generation: self.generation,
            now_ms: self.now_ms,
        });
    }

    fn rebalance(&mut self) {
        self.assign();
        self.completed_generation = self.generation;
        loads::remove(&mut self.members, &self.outcome.revoked);
        loads::add(&mut self.members, &self.outcome.assigned);
        assert_eq!(self.members, self.outcome.complete);
    }

    fn held(&self, count: impl Fn(&Work) -> usize) -> Vec<usize> {
        let mut held: Vec<_> = self.members.values().map(count).collect();
        held.sort_unstable();
        held
    }

    fn assert_held(&self, connectors: &[usize], tasks: &[usize]) {
        assert_eq!(self.held(|work| work.connectors.len()), connectors);
        assert_eq!(self.held(|work| work.tasks.len()), tasks);
    }

    /// Everything runs, and once.
    fn assert_complete(&self) {
        assert_eq!(loads::all(&self.members), self.configured);
        assert!(loads::duplicated(&self.members).is_empty());
    }

    fn assert_nothing_new(&self) {
        assert!(self.outcome.assigned.values().all(Work::is_empty));
        assert!(self.outcome.revoked.is_empty());
    }

    fn delay(&self) -> i64 {
        self.outcome.delay_ms
    }
}

fn two() -> Group {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2"]);
    group.join(&["worker2"]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[1, 1], &[4, 4]);
    group.assert_complete();
    group
}

#[test]
fn a_member_that_joins_gets_its_share_in_two_rounds() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2"]);
    group.rebalance();
    group.assert_held(&[2], &[8]);
    group.assert_complete();
    group.join(&["worker2"]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[0, 1], &[0, 4]);
    group.rebalance();
    assert!(group.outcome.revoked.is_empty());
    assert_eq!(group.delay(), 0);
    group.assert_held(&[1, 1], &[4, 4]);
    group.assert_complete();
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_nothing_new();
}

#[test]
fn members_that_join_one_after_the_other_do_not_stop_everything_each_time() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2", "connector3"]);
    group.rebalance();
    group.assert_held(&[3], &[12]);
    group.join(&["worker2"]);
    group.rebalance();
    group.assert_held(&[0, 2], &[0, 6]);
    group.join(&["worker3"]);
    group.rebalance();
    assert_eq!(group.delay(), 40);
    group.assert_held(&[0, 1, 2], &[3, 3, 6]);
    group.later(group.delay());
    group.join(&["worker4"]);
    group.rebalance();
    group.assert_held(&[0, 0, 1, 1], &[0, 3, 3, 3]);
    group.join(&["worker5"]);
    group.rebalance();
    assert_eq!(group.delay(), 1600);
    group.assert_held(&[0, 0, 1, 1, 1], &[1, 2, 3, 3, 3]);
    group.later(group.delay());
    group.join(&["worker6"]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[0, 0, 0, 1, 1, 1], &[0, 1, 2, 2, 2, 2]);
    group.rebalance();
    group.assert_held(&[0, 0, 0, 1, 1, 1], &[2, 2, 2, 2, 2, 2]);
    group.assert_complete();
}

#[test]
fn without_a_delay_work_moves_at_once() {
    let mut group = Group::new(0, &["connector1", "connector2", "connector3"]);
    group.rebalance();
    group.join(&["worker2"]);
    group.rebalance();
    group.assert_held(&[0, 2], &[0, 6]);
    group.join(&["worker3"]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[0, 1, 1], &[3, 3, 4]);
    group.rebalance();
    assert!(group.outcome.revoked.is_empty());
    group.assert_held(&[1, 1, 1], &[4, 4, 4]);
    group.assert_complete();
}

#[test]
fn the_delay_is_never_longer_than_configured() {
    let mut group = Group::new(1, &["connector1", "connector2", "connector3"]);
    group.rebalance();
    group.join(&["worker2"]);
    group.rebalance();
    group.assert_held(&[0, 2], &[0, 6]);
    group.join(&["worker3"]);
    group.rebalance();
    assert_eq!(group.delay(), 1);
    group.assert_held(&[0, 1, 2], &[3, 3, 6]);
}

#[test]
fn nothing_is_revoked_while_a_delay_goes_on() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2", "connector3"]);
    group.rebalance();
    group.join(&["worker2"]);
    group.rebalance();
    group.join(&["worker3"]);
    group.rebalance();
    assert!(group.delay() > 0);
    assert!(group.outcome.revoked.is_empty());
    group.assert_held(&[0, 1, 2], &[3, 3, 6]);
    group.later(group.delay() / 2);
    group.join(&["worker4"]);
    group.rebalance();
    assert!(group.delay() > 0);
    assert!(group.outcome.revoked.is_empty());
    group.assert_held(&[0, 0, 1, 2], &[0, 3, 3, 6]);
    group.later(group.delay());
    group.join(&["worker5"]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[0, 0, 0, 1, 1], &[0, 0, 2, 3, 3]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    assert!(group.outcome.revoked.is_empty());
    group.assert_held(&[0, 0, 1, 1, 1], &[2, 2, 2, 3, 3]);
    group.assert_complete();
}

#[test]
fn the_work_of_a_member_that_is_gone_waits_for_it() {
    let mut group = two();
    group.leave("worker2");
    group.rebalance();
    assert_eq!(group.delay(), MAX_DELAY);
    group.assert_nothing_new();
    group.later(MAX_DELAY / 2);
    group.rebalance();
    assert_eq!(group.delay(), MAX_DELAY / 2);
    group.assert_nothing_new();
    group.later(MAX_DELAY / 2 + 1);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[2], &[8]);
    group.assert_complete();
}

#[test]
fn a_member_that_comes_back_gets_its_work_back() {
    let mut group = two();
    group.leave("worker2");
    group.rebalance();
    group.later(MAX_DELAY / 2);
    group.rebalance();
    group.later(MAX_DELAY / 4);
    group.join(&["worker2"]);
    group.rebalance();
    assert_eq!(group.delay(), MAX_DELAY / 4);
    group.assert_nothing_new();
    let rest = group.members["worker1"].clone();
    group.later(MAX_DELAY / 4);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    assert!(group.outcome.revoked.is_empty());
    assert_eq!(group.members["worker1"], rest);
    group.assert_held(&[1, 1], &[4, 4]);
    group.assert_complete();
}

#[test]
fn candidates_that_are_gone_again_get_nothing() {
    let mut group = two();
    group.leave("worker2");
    group.rebalance();
    group.join(&["worker3"]);
    group.rebalance();
    group.leave("worker3");
    group.later(MAX_DELAY);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[2], &[8]);
    group.assert_complete();
}

#[test]
fn a_new_leader_waits_for_nobody() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2"]);
    group.join(&["worker2", "worker3"]);
    group.rebalance();
    group.assert_held(&[0, 1, 1], &[2, 3, 3]);
    group.leave("worker1");
    group.assignor = IncrementalAssignor::new(MAX_DELAY);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[1, 1], &[4, 4]);
    group.assert_complete();
    group.join(&["worker1"]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[0, 1, 1], &[0, 3, 3]);
    group.rebalance();
    group.assert_held(&[0, 1, 1], &[2, 3, 3]);
    group.assert_complete();
}

#[test]
fn a_first_round_that_fails_is_repeated() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2"]);
    group.join(&["worker2"]);
    group.assign();
    group.assert_held(&[0, 0], &[0, 0]);
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[1, 1], &[4, 4]);
    group.assert_complete();
}

#[test]
fn a_later_round_that_reached_the_leader_alone_is_put_off() {
    for reached_leader in [true, false] {
        let mut group = two();
        group.join(&["worker3"]);
        group.assign();
        if reached_leader {
            group.completed_generation = group.generation;
        }
        group.assert_held(&[0, 1, 1], &[0, 4, 4]);
        group.rebalance();
        assert!(group.delay() > 0);
        group.assert_held(&[0, 1, 1], &[0, 4, 4]);
        group.later(group.delay());
        group.rebalance();
        assert_eq!(group.delay(), 0);
        group.assert_held(&[0, 1, 1], &[0, 3, 3]);
        group.rebalance();
        group.assert_held(&[0, 1, 1], &[2, 3, 3]);
        group.assert_complete();
    }
}

#[test]
fn what_is_deleted_is_stopped() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2", "connector3"]);
    group.join(&["worker2"]);
    group.rebalance();
    group.assert_held(&[1, 2], &[6, 6]);
    group.delete("connector3");
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[1, 1], &[4, 4]);
    group.assert_complete();
}

/// The reference lets it run on.
#[test]
fn what_was_deleted_while_another_led_is_stopped_too() {
    let mut group = Group::new(MAX_DELAY, &["connector1", "connector2"]);
    group.join(&["worker2"]);
    group.rebalance();
    group.delete("connector2");
    group.assignor = IncrementalAssignor::new(MAX_DELAY);
    group.rebalance();
    group.rebalance();
    group.assert_complete();
    let mut all = Work::default();
    group.members.values().for_each(|work| all.add(work));
    assert_eq!(all, group.configured);
}

#[test]
fn the_work_of_a_member_that_is_gone_moves_at_once_without_a_delay() {
    let mut group = Group::new(0, &["connector1", "connector2"]);
    group.join(&["worker2"]);
    group.rebalance();
    group.leave("worker2");
    group.rebalance();
    assert_eq!(group.delay(), 0);
    group.assert_held(&[2], &[8]);
    group.assert_complete();
}

#[test]
fn what_runs_twice_is_stopped_everywhere_first() {
    for deleted in [false, true] {
        let mut group = Group::new(MAX_DELAY, &["connector1", "connector2"]);
        group.rebalance();
        if deleted {
            group.delete("connector1");
        }
        let mut twice = Work::default();
        connector(&mut twice, "connector1", 4);
        group.members.insert("worker2".to_owned(), twice);
        group.rebalance();
        assert_eq!(group.delay(), 0);
        group.assert_held(&[0, 1], if deleted { &[0, 2] } else { &[0, 4] });
        group.rebalance();
        assert_eq!(group.delay(), 0);
        assert!(group.outcome.revoked.is_empty());
        group.assert_complete();
        group.rebalance();
        group.assert_nothing_new();
    }
}

/// What may happen to a group between two rounds.
#[derive(Debug, Clone)]
enum Event {
    Join(u8),
    Leave(u8),
    Create(u8, u32),
    Delete(u8),
    Later(i64),
    /// The leader is another one.
    Forget,
    /// The next assignment does not arrive.
    Fail,
    /// The next assignment arrives at some members only.
    Half,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..6_u8).prop_map(Event::Join),
        (0..6_u8).prop_map(Event::Leave),
        ((0..8_u8), (0..6_u32)).prop_map(|(name, tasks)| Event::Create(name, tasks)),
        (0..8_u8).prop_map(Event::Delete),
        (0..400_000_i64).prop_map(Event::Later),
        Just(Event::Forget),
        Just(Event::Fail),
        Just(Event::Half),
    ]
}

proptest! {
    /// Nothing has two owners at any time, and once nothing happens any more,
    /// everything is evenly spread and stays where it is.
    #[test]
    fn groups_settle_without_two_owners(
        max_delay in prop_oneof![Just(0), Just(1), Just(MAX_DELAY)],
        events in prop::collection::vec(event(), 0..40),
    ) {
        let mut group = Group::new(max_delay, &["c0"]);
        for event in events {
            match event {
                Event::Join(member) => {
                    group.members.entry(format!("w{member}")).or_default();
                }
                Event::Leave(member) if group.members.len() > 1 => {
                    group.members.remove(&format!("w{member}"));
                }
                Event::Leave(_) => {}
                Event::Create(name, tasks) => {
                    let name = format!("c{name}");
                    group.configured.tasks.retain(|task| task.connector != name);
                    connector(&mut group.configured, &name, tasks);
                }
                Event::Delete(name) => group.delete(&format!("c{name}")),
                Event::Later(ms) => group.later(ms),
                Event::Forget => group.assignor = IncrementalAssignor::new(max_delay),
                Event::Fail => group.assign(),
                Event::Half => {
                    group.assign();
                    group.completed_generation = group.generation;
                    let told: Vec<_> = group.members.keys().step_by(2).cloned().collect();
                    for member in told {
                        let work = group.members.entry(member.clone()).or_default();
                        if let Some(revoked) = group.outcome.revoked.get(&member) {
                            work.remove(revoked);
                        }
                        if let Some(assigned) = group.outcome.assigned.get(&member) {
                            work.add(assigned);
                        }
                    }
                }
            }
            prop_assert!(loads::duplicated(&group.members).is_empty());
            group.rebalance();
            prop_assert!(loads::duplicated(&group.members).is_empty());
        }
        // As long as there is work to move, members join again.
        for _ in 0..20 {
            group.later(group.delay());
            group.rebalance();
        }
        group.assert_complete();
        group.assert_nothing_new();
        for held in [group.held(|work| work.connectors.len()), group.held(|work| work.tasks.len())] {
            prop_assert!(held.last().zip(held.first()).is_none_or(|(most, least)| most - least <= 1));
        }
    }
}
