//! All anew, each time (`EagerAssignor`).

use std::collections::{BTreeMap, BTreeSet};

use crate::Work;

/// Deals all connectors in turn, then goes on with the tasks: a connector of one
/// task would otherwise always have both on members that follow each other, and
/// of an even number of members half would get nothing but connectors, which
/// are less work than tasks.
///
/// Without members there is nothing to say.
pub fn assign(configured: &Work, members: &BTreeSet<String>) -> BTreeMap<String, Work> {
    let mut dealt: Vec<_> = members
        .iter()
        .map(|member| (member.clone(), Work::default()))
        .collect();
    let count = dealt.len();
    if count > 0 {
        for (turn, connector) in configured.connectors.iter().enumerate() {
            dealt[turn % count].1.connectors.insert(connector.clone());
        }
        let first = configured.connectors.len();
        for (turn, task) in (first..).zip(&configured.tasks) {
            dealt[turn % count].1.tasks.insert(task.clone());
        }
    }
    dealt.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use tether_storage::TaskId;

    use super::*;

    #[test]
    fn tasks_go_on_where_connectors_end() {
        let configured = Work {
            connectors: ["a", "b", "c"].map(str::to_owned).into(),
            tasks: [("a", 0), ("b", 0), ("b", 1), ("c", 0)]
                .map(|(connector, task)| TaskId::new(connector, task))
                .into(),
        };
        let members = ["1", "2"].map(str::to_owned).into();
        let dealt = assign(&configured, &members);
        assert_eq!(dealt["1"].connectors, ["a", "c"].map(str::to_owned).into());
        assert_eq!(dealt["2"].connectors, ["b".to_owned()].into());
        let tasks = |member: &str| -> Vec<String> {
            dealt[member]
                .tasks
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(tasks("2"), ["a-0", "b-1"]);
        assert_eq!(tasks("1"), ["b-0", "c-0"]);
    }

    #[test]
    fn nobody_gets_nothing() {
        assert!(assign(&Work::default(), &BTreeSet::new()).is_empty());
    }
}
