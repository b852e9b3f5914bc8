//! How much each member runs, and how it is kept even. Connectors and tasks are
//! balanced each for themselves, by the same rules.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use tether_storage::TaskId;

use crate::Work;

/// What each member runs.
pub(super) type Loads = BTreeMap<String, Work>;

/// Connectors, or tasks.
pub(super) trait Kind: Ord + Clone {
    fn of(work: &Work) -> &BTreeSet<Self>;
    fn of_mut(work: &mut Work) -> &mut BTreeSet<Self>;
}

impl Kind for String {
    fn of(work: &Work) -> &BTreeSet<Self> {
        &work.connectors
    }

    fn of_mut(work: &mut Work) -> &mut BTreeSet<Self> {
        &mut work.connectors
    }
}

impl Kind for TaskId {
    fn of(work: &Work) -> &BTreeSet<Self> {
        &work.tasks
    }

    fn of_mut(work: &mut Work) -> &mut BTreeSet<Self> {
        &mut work.tasks
    }
}

/// Everything that any member runs.
pub(super) fn all(loads: &Loads) -> Work {
    let mut all = Work::default();
    loads.values().for_each(|work| all.add(work));
    all
}

/// What more than one member runs.
pub(super) fn duplicated(loads: &Loads) -> Work {
    let (mut seen, mut duplicated) = (Work::default(), Work::default());
    for work in loads.values() {
        duplicated.add(&work.common(&seen));
        seen.add(work);
    }
    duplicated
}

/// Adds work to that of members.
pub(super) fn add(to: &mut Loads, more: &Loads) {
    for (member, work) in more {
        to.entry(member.clone()).or_default().add(work);
    }
}

/// Removes work from that of members.
pub(super) fn remove(from: &mut Loads, less: &Loads) {
    for (member, work) in from {
        if let Some(less) = less.get(member) {
            work.remove(less);
        }
    }
}

/// What members have to give up so that nobody runs more than an even share of
/// what is configured: first of what they `run`, then of what they are to run.
/// Nobody gives up anything if that share can be reached by what is still to be
/// dealt out.
pub(super) fn surplus(loads: &Loads, run: &Loads, configured: &Work) -> Loads {
    if loads.values().all(Work::is_empty) || configured.is_empty() {
        return Loads::new();
    }
    let mut surplus = Loads::new();
    surplus_of::<String>(loads, run, configured, &mut surplus);
    surplus_of::<TaskId>(loads, run, configured, &mut surplus);
    surplus
}

fn surplus_of<K: Kind>(loads: &Loads, run: &Loads, configured: &Work, surplus: &mut Loads) {
    let share = K::of(configured).len() / loads.len();
    // So many members run one more.
    let mut larger = K::of(configured).len() % loads.len();
    let with = |count: usize| {
        let has_it = |work: &&Work| K::of(work).len() == count;
        loads.values().filter(has_it).count()
    };
    if with(share + 1) == larger && with(share) + larger == loads.len() {
        return;
    }
    for (member, work) in loads {
        let held = K::of(work);
        if held.len() <= share {
            continue;
        }
        let most = if larger > 0 {
            larger -= 1;
            share + 1
        } else {
            share
        };
        let runs = |item: &K| run.get(member).is_some_and(|run| K::of(run).contains(item));
        let (first, then): (Vec<_>, Vec<_>) = held.iter().partition(|item| runs(item));
        let given_up = first.into_iter().chain(then).take(held.len() - most);
        let given_up: BTreeSet<_> = given_up.cloned().collect();
        if !given_up.is_empty() {
            let work = surplus.entry(member.clone()).or_default();
            K::of_mut(work).extend(given_up);
        }
    }
}

/// Gives work, the first before the second, to those who have least of its kind.
pub(super) fn deal(loads: &mut Loads, first: Work, second: Work) {
    deal_kind(loads, first.connectors.into_iter().chain(second.connectors));
    deal_kind(loads, first.tasks.into_iter().chain(second.tasks));
}

fn deal_kind<K: Kind>(loads: &mut Loads, items: impl Iterator<Item = K>) {
    let mut members: Vec<_> = loads.values_mut().map(K::of_mut).collect();
    // Among equals it is the turn of the one that had less to begin with.
    members.sort_by_key(|held| held.len());
    let mut least: BinaryHeap<_> = members
        .iter()
        .enumerate()
        .map(|(turn, held)| Reverse((held.len(), turn)))
        .collect();
    for item in items {
        let Some(mut first) = least.peek_mut() else {
            return;
        };
        let Reverse((count, turn)) = *first;
        members[turn].insert(item);
        *first = Reverse((count + 1, turn));
    }
}
