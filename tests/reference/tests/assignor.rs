//! Who runs what, after the same events in a group, as the reference's leader
//! decides.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use serde_json::{Value as Json, json};
use tether_group::Work;
use tether_group::assignor::{IncrementalAssignor, Outcome as Assigned, Round};
use tether_reference_tests::{Outcome, ask};
use tether_storage::TaskId;

use crate::cases::generate;

/// How many groups are compared.
const GROUPS: usize = 500;

/// What may happen between two rounds.
#[derive(Debug, Clone)]
enum Event {
    Join(u8),
    Leave(u8),
    Configure(u8, u32),
    Delete(u8),
    Later(i64),
    /// The assignment does not arrive, at anybody or at the followers.
    Fail {
        leader_too: bool,
    },
    /// A member comes back with what it ran when another has it.
    Twice(u8, u8),
}

fn events() -> impl Strategy<Value = (i32, Vec<Event>)> {
    let member = || 0..5_u8;
    let connector = || 0..7_u8;
    let event = prop_oneof![
        3 => member().prop_map(Event::Join),
        2 => member().prop_map(Event::Leave),
        3 => (connector(), 0..6_u32).prop_map(|(name, tasks)| Event::Configure(name, tasks)),
        1 => connector().prop_map(Event::Delete),
        3 => (0..200_000_i64).prop_map(Event::Later),
        1 => prop_oneof![Just(true), Just(false)].prop_map(|leader_too| Event::Fail { leader_too }),
        1 => (member(), connector()).prop_map(|(member, name)| Event::Twice(member, name)),
    ];
    let max_delay = prop_oneof![Just(0), Just(1), Just(300_000)];
    (max_delay, vec(event, 1..25))
}

/// A group, and the rounds that it went through.
struct Group {
    assignor: IncrementalAssignor,
    configured: BTreeMap<String, u32>,
    members: BTreeMap<String, Work>,
    generation: i32,
    completed: i32,
    now_ms: i64,
    rounds: Vec<Json>,
    outcomes: Vec<Json>,
}

fn tasks(connector: &str, count: u32) -> impl Iterator<Item = TaskId> {
    (0..count).map(move |task| TaskId::new(connector, task))
}

fn work_to_json(work: &Work) -> Json {
    let tasks = work
        .tasks
        .iter()
        .map(|task| json!([task.connector, task.task]));
    json!({"connectors": work.connectors, "tasks": tasks.collect::<Vec<_>>()})
}

impl Group {
    fn new(max_delay_ms: i32) -> Self {
        Self {
            assignor: IncrementalAssignor::new(max_delay_ms.into()),
            configured: [("c0".to_owned(), 3)].into(),
            members: [("m0".to_owned(), Work::default())].into(),
            generation: 0,
            completed: -1,
            now_ms: 1,
            rounds: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Join(member) => {
                self.members.entry(format!("m{member}")).or_default();
            }
            Event::Leave(member) if self.members.len() > 1 => {
                self.members.remove(&format!("m{member}"));
            }
            Event::Leave(_) => {}
            Event::Configure(name, tasks) => {
                self.configured.insert(format!("c{name}"), tasks);
            }
            Event::Delete(name) => {
                self.configured.remove(&format!("c{name}"));
            }
            Event::Later(ms) => self.now_ms += ms,
            Event::Fail { leader_too } => {
                self.assign();
                if !leader_too {
                    self.completed = self.generation;
                }
            }
            Event::Twice(member, name) => {
                let name = format!("c{name}");
                let work = self.members.entry(format!("m{member}")).or_default();
                work.tasks.extend(tasks(&name, 2));
                work.connectors.insert(name);
            }
        }
    }

    fn assign(&mut self) -> Assigned {
        self.generation += 1;
        let mut configured = Work::default();
        for (name, count) in &self.configured {
            configured.connectors.insert(name.clone());
            configured.tasks.extend(tasks(name, *count));
        }
        let outcome = self.assignor.assign(&Round {
            configured: &configured,
            members: &self.members,
            completed_generation: self.completed,
            generation: self.generation,
            now_ms: self.now_ms,
        });
        let of_members = |works: &BTreeMap<String, Work>| -> Json {
            let work = |member: &String| {
                let work = works.get(member).cloned().unwrap_or_default();
                (member.clone(), work_to_json(&work))
            };
            Json::Object(self.members.keys().map(work).collect())
        };
        self.rounds.push(json!({
            "configured": self.configured,
            "members": of_members(&self.members),
            "completed": self.completed,
            "generation": self.generation,
            "now": self.now_ms,
        }));
        self.outcomes.push(json!({
            "assigned": of_members(&outcome.assigned),
            "revoked": of_members(&outcome.revoked),
            "delay": outcome.delay_ms,
        }));
        outcome
    }

    fn rebalance(&mut self) {
        let outcome = self.assign();
        self.completed = self.generation;
        for (member, work) in &mut self.members {
            if let Some(revoked) = outcome.revoked.get(member) {
                work.remove(revoked);
            }
            if let Some(assigned) = outcome.assigned.get(member) {
                work.add(assigned);
            }
        }
    }
}

/// Whether a member goes on with something that is not configured. The reference
/// does not see what was deleted while another worker led.
fn lets_deleted_run_on(round: &Json, outcome: &Json) -> bool {
    let count = |name: &Json| round["configured"].get(name.as_str()?)?.as_u64();
    let is_configured = |instance: &Json| match instance {
        Json::Array(task) => count(&task[0]) > task[1].as_u64(),
        connector => count(connector).is_some(),
    };
    let members = round["members"].as_object().into_iter().flatten();
    let mut running = members.flat_map(|(member, work)| {
        ["connectors", "tasks"].into_iter().flat_map(move |kind| {
            let instances = work[kind].as_array().into_iter().flatten();
            instances.map(move |instance| (member, kind, instance))
        })
    });
    running.any(|(member, kind, instance)| {
        let revoked = outcome["revoked"][member][kind].as_array();
        !is_configured(instance) && !revoked.is_some_and(|revoked| revoked.contains(instance))
    })
}

#[test]
fn the_cooperative_leader_deals_out_as_the_references_does() {
    for (max_delay, events) in generate(&events(), GROUPS) {
        let mut group = Group::new(max_delay);
        for event in &events {
            group.happens(event);
            group.rebalance();
        }
        let question = json!({"op": "assign", "max_delay": max_delay, "rounds": group.rounds});
        let answer = ask(&question, |answer| Ok(answer["outcomes"].clone())).unwrap();
        let Outcome::Returned(outcomes) = answer else {
            panic!("{answer:?}");
        };
        for (index, ours) in group.outcomes.iter().enumerate() {
            let round = &group.rounds[index];
            if lets_deleted_run_on(round, &outcomes[index]) {
                assert!(
                    !lets_deleted_run_on(round, ours),
                    "round {index} of {events:?}: {round}"
                );
                // From here on members run something else.
                break;
            }
            assert_eq!(
                *ours, outcomes[index],
                "round {index} of {events:?}: {round}"
            );
        }
    }
}
