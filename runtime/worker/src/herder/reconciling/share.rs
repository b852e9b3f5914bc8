//! What of all connectors and tasks is this worker's.

use std::collections::BTreeSet;
use std::sync::Arc;

use tether_group::Work;
use tether_storage::{ConfigSnapshot, ConnectorEntry, TaskId};

/// The connectors and tasks that this worker runs, if they are configured.
#[derive(Debug, Clone)]
pub(super) enum Share {
    /// All: there is no group.
    Everything,
    /// What the leader of the group has assigned.
    Part(Arc<Part>),
}

/// An assignment that has come into force.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// What it assigns.
    pub(super) work: Work,
    /// What the leader knew of the config topic when it made it.
    pub(super) configs: Arc<ConfigSnapshot>,
}

impl Share {
    /// Whether the instance of a connector is here.
    pub(super) fn has_connector(&self, connector: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Part(part) => part.work.connectors.contains(connector),
        }
    }

    /// Whether a task is here.
    pub(super) fn has_task(&self, id: &TaskId) -> bool {
        match self {
            Self::Everything => true,
            Self::Part(part) => part.work.tasks.contains(id),
        }
    }

    /// The tasks of a connector that are to run here. None do once new ones are
    /// committed, until an assignment comes that knows of them: other workers
    /// may still run old ones, and two tasks would do the same work.
    pub(super) fn tasks(&self, connector: &str, entry: &ConnectorEntry) -> BTreeSet<u32> {
        let tasks = entry.tasks.keys().copied();
        match self {
            Self::Everything => tasks.collect(),
            Self::Part(part) if part.knows_tasks(connector, entry) => tasks
                .filter(|task| part.work.tasks.contains(&TaskId::new(connector, *task)))
                .collect(),
            Self::Part(_) => BTreeSet::new(),
        }
    }
}

impl Part {
    /// Whether the assignment was made with these tasks of a connector in mind.
    fn knows_tasks(&self, connector: &str, entry: &ConnectorEntry) -> bool {
        self.configs
            .connector(connector)
            .is_some_and(|known| known.task_generation == entry.task_generation)
    }

    /// Whether the assignment was made with this state of a connector in mind,
    /// as far as it matters to who runs what; `None` is a deleted connector.
    pub(super) fn knows(&self, connector: &str, entry: Option<&ConnectorEntry>) -> bool {
        match entry {
            Some(entry) => self.knows_tasks(connector, entry),
            None => self.configs.connector(connector).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(generation: u64) -> ConnectorEntry {
        ConnectorEntry {
            tasks: [0, 1, 2].map(|task| (task, Default::default())).into(),
            task_generation: Some(generation),
            ..ConnectorEntry::default()
        }
    }

    fn part() -> Part {
        Part {
            work: Work {
                connectors: BTreeSet::new(),
                tasks: [0, 2].map(|task| TaskId::new("c", task)).into(),
            },
            configs: Arc::new(ConfigSnapshot {
                connectors: [("c".to_owned(), Arc::new(entry(4)))].into(),
                ..ConfigSnapshot::default()
            }),
        }
    }

    #[test]
    fn tasks_wait_for_an_assignment_that_knows_them() {
        let share = Share::Part(Arc::new(part()));
        assert_eq!(share.tasks("c", &entry(4)), [0, 2].into());
        assert_eq!(share.tasks("c", &entry(5)), [].into());
        assert_eq!(share.tasks("d", &entry(4)), [].into());
        assert_eq!(Share::Everything.tasks("c", &entry(5)), [0, 1, 2].into());
    }

    #[test]
    fn news_are_what_the_assignment_does_not_know() {
        let part = part();
        assert!(part.knows("c", Some(&entry(4))));
        assert!(!part.knows("c", Some(&entry(5))));
        assert!(!part.knows("c", None));
        assert!(!part.knows("d", Some(&entry(4))));
        assert!(part.knows("d", None));
    }
}
