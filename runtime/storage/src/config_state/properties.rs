//! What holds for every history of the config topic.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// A change that a worker writes as a whole.
#[derive(Debug, Clone)]
enum Change {
    /// A connector and its tasks.
    Configure(u8, String, Option<TargetState>, u32),
    Target(u8, TargetState),
    Delete(u8),
}

impl Change {
    fn records(&self) -> Vec<ConfigRecord> {
        let name = |number: &u8| format!("c{number}");
        match self {
            Self::Configure(number, value, state, tasks) => {
                let config: ConfigMap = [("value".to_owned(), value.clone())].into();
                let configs = vec![config.clone(); *tasks as usize];
                let (tasks, commit) = ConfigRecord::tasks(&name(number), &configs).unwrap();
                ConfigRecord::connector(&name(number), &config, *state)
                    .into_iter()
                    .chain(tasks)
                    .chain([commit])
                    .collect()
            }
            Self::Target(number, state) => {
                vec![ConfigRecord::TargetState(name(number), Some(*state))]
            }
            Self::Delete(number) => ConfigRecord::removal(&name(number)).to_vec(),
        }
    }
}

fn target() -> impl Strategy<Value = TargetState> {
    prop_oneof![
        Just(TargetState::Started),
        Just(TargetState::Paused),
        Just(TargetState::Stopped),
    ]
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (0..3u8, "[a-z]{1,3}", proptest::option::of(target()), 0..4u32)
            .prop_map(|(number, value, state, tasks)| {
                Change::Configure(number, value, state, tasks)
            }),
        1 => (0..3u8, target()).prop_map(|(number, state)| Change::Target(number, state)),
        1 => (0..3u8).prop_map(Change::Delete),
    ];
    proptest::collection::vec(change, 0..12)
}

fn replay(records: &[(i64, ConfigRecord)]) -> Arc<ConfigSnapshot> {
    let mut state = ConfigState::default();
    for (offset, record) in records {
        state.apply(*offset, record.clone());
    }
    state.snapshot()
}

fn log(changes: &[Change]) -> Vec<(i64, ConfigRecord)> {
    (0..)
        .zip(changes.iter().flat_map(Change::records))
        .collect()
}

/// What matters to a worker, without counters that history makes.
fn essence(snapshot: &ConfigSnapshot) -> BTreeMap<String, ConnectorEntry> {
    let connectors = snapshot.connectors.iter();
    connectors
        .map(|(name, entry)| {
            let mut entry = ConnectorEntry::clone(entry);
            entry.task_generation = None;
            entry.pending_fencing = false;
            (name.clone(), entry)
        })
        .collect()
}

/// The log after the cleaner went over its first records: of each key only the
/// last record there is left, tombstones perhaps not at all.
fn compacted(
    records: &[(i64, ConfigRecord)],
    cleaned: usize,
    keep_tombstones: bool,
) -> Vec<(i64, ConfigRecord)> {
    let (head, rest) = records.split_at(cleaned);
    let mut last = HashMap::new();
    for (offset, record) in head {
        last.insert(record.encode().0, *offset);
    }
    head.iter()
        .filter(|(offset, record)| {
            let (key, value) = record.encode();
            last[&key] == *offset && (keep_tombstones || value.is_some())
        })
        .chain(rest)
        .cloned()
        .collect()
}

proptest! {
    #[test]
    fn compaction_changes_nothing_that_matters(
        changes in changes(),
        keep_tombstones in any::<bool>(),
    ) {
        let records = log(&changes);
        let cleaned = compacted(&records, records.len(), keep_tombstones);
        prop_assert_eq!(essence(&replay(&cleaned)), essence(&replay(&records)));
    }

    #[test]
    fn a_commit_takes_effect_as_a_whole_or_not_at_all(
        changes in changes(),
        cut in any::<prop::sample::Index>(),
    ) {
        // The writer dies after any record: each connector has the tasks of its
        // last commit, all of one kind.
        let records = log(&changes);
        let records = &records[..cut.index(records.len() + 1)];
        for entry in replay(records).connectors.values() {
            prop_assert!(!entry.inconsistent);
            prop_assert_eq!(entry.tasks.len(), entry.task_count);
            prop_assert!(entry.tasks.values().all(|task| Some(task) == entry.applied_config.as_ref()));
        }
    }

    #[test]
    fn a_partly_cleaned_log_never_mixes_tasks(
        changes in changes(),
        cleaned in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let records = log(&changes);
        let records = compacted(&records, cleaned.index(records.len() + 1), true);
        let records = &records[..cut.index(records.len() + 1)];
        for entry in replay(records).connectors.values() {
            if entry.inconsistent {
                prop_assert!(entry.tasks.is_empty());
            } else {
                prop_assert_eq!(entry.tasks.len(), entry.task_count);
                let first = entry.tasks.values().next();
                prop_assert!(entry.tasks.values().all(|task| Some(task) == first));
            }
        }
    }
}
