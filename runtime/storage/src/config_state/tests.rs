//! Scenarios of the reference's `KafkaConfigBackingStoreTest`, and faults.

use super::*;
use crate::RestartRequest;

fn map(value: &str) -> ConfigMap {
    [("key".to_owned(), value.to_owned())].into()
}

fn connector(value: &str) -> ConfigRecord {
    ConfigRecord::Connector("c".to_owned(), Some(map(value)))
}

fn deleted() -> ConfigRecord {
    ConfigRecord::Connector("c".to_owned(), None)
}

fn target(state: Option<TargetState>) -> ConfigRecord {
    ConfigRecord::TargetState("c".to_owned(), state)
}

fn task(number: u32, value: &str) -> ConfigRecord {
    ConfigRecord::Task(TaskId::new("c", number), map(value))
}

fn commit(tasks: u32) -> ConfigRecord {
    ConfigRecord::Commit("c".to_owned(), tasks)
}

fn tasks_changed() -> Option<ConfigUpdate> {
    Some(ConfigUpdate::Tasks("c".to_owned()))
}

/// A state that read these records, and its updates.
fn read(
    records: impl IntoIterator<Item = ConfigRecord>,
) -> (ConfigState, Vec<Option<ConfigUpdate>>) {
    let mut state = ConfigState::default();
    let updates = records
        .into_iter()
        .zip(0..)
        .map(|(record, offset)| state.apply(offset, record))
        .collect();
    (state, updates)
}

fn tasks(state: &mut ConfigState) -> Vec<String> {
    let snapshot = state.snapshot();
    snapshot
        .tasks("c")
        .iter()
        .map(|id| snapshot.task_config(id).unwrap()["key"].clone())
        .collect()
}

fn entry(state: &mut ConfigState) -> Arc<ConnectorEntry> {
    state.snapshot().connector("c").unwrap().clone()
}

#[test]
fn nothing_read() {
    let (mut state, _) = read([]);
    assert_eq!(state.snapshot().offset, -1);
    assert!(state.snapshot().connectors.is_empty());
}

#[test]
fn restore() {
    // testRestore: a second configuration and a lone task record after the
    // commit; fencing records of this and another connector.
    let (mut state, updates) = read([
        ConfigRecord::TaskCount("c".to_owned(), 6),
        connector("0"),
        task(0, "a"),
        task(1, "b"),
        connector("1"),
        commit(2),
        ConfigRecord::TaskCount("other".to_owned(), 9),
        connector("2"),
        task(0, "later"),
    ]);
    let snapshot = state.snapshot();
    assert_eq!(snapshot.offset, 9);
    assert_eq!(snapshot.connectors.len(), 1);
    assert_eq!(tasks(&mut state), ["a", "b"]);
    let entry = entry(&mut state);
    assert_eq!(
        *entry,
        ConnectorEntry {
            config: map("2"),
            target_state: TargetState::Started,
            tasks: [(0, map("a")), (1, map("b"))].into(),
            task_count: 2,
            task_generation: Some(0),
            applied_config: Some(map("1")),
            inconsistent: false,
            task_count_record: Some(6),
            pending_fencing: true,
        }
    );
    assert_eq!(updates[5], tasks_changed());
    assert_eq!(updates[8], None);
}

#[test]
fn task_records_without_commit_are_invisible() {
    // A leader was killed between its task records and the commit.
    let (mut state, updates) = read([
        connector("0"),
        task(0, "a"),
        commit(1),
        task(0, "new"),
        task(1, "new"),
    ]);
    assert_eq!(tasks(&mut state), ["a"]);
    assert_eq!(updates[3..], [None, None]);
    // The next leader writes all of them anew, fewer this time.
    state.apply(5, task(0, "newest"));
    assert_eq!(state.apply(6, commit(1)), tasks_changed());
    assert_eq!(tasks(&mut state), ["newest"]);
    assert_eq!(entry(&mut state).task_generation, Some(1));
}

#[test]
fn restore_zero_tasks() {
    // testRestoreZeroTasks: fewer tasks than deferred records.
    let (mut state, _) = read([
        connector("0"),
        task(0, "a"),
        task(1, "b"),
        connector("1"),
        commit(2),
        connector("2"),
        task(0, "c"),
        commit(0),
    ]);
    assert_eq!(state.offset(), 8);
    assert!(tasks(&mut state).is_empty());
    let entry = entry(&mut state);
    assert!(!entry.inconsistent);
    assert_eq!((entry.task_count, entry.task_generation), (0, Some(1)));
    assert_eq!(entry.applied_config, Some(map("2")));
}

#[test]
fn first_commit_of_zero_tasks_has_no_generation() {
    // testPutTaskConfigsZeroTasks
    let (mut state, updates) = read([connector("0"), commit(0)]);
    assert_eq!(updates[1], tasks_changed());
    let entry = entry(&mut state);
    assert!(!entry.inconsistent && entry.pending_fencing);
    assert_eq!(entry.task_generation, None);
    assert_eq!(entry.applied_config, Some(map("0")));
}

#[test]
fn compaction_left_an_incomplete_set() {
    // testPutTaskConfigsDoesNotResolveAllInconsistencies
    let (mut state, updates) = read([connector("0"), task(0, "a"), task(2, "c"), commit(3)]);
    assert_eq!(updates[3], tasks_changed());
    let found = entry(&mut state);
    assert!(found.inconsistent);
    assert_eq!((found.task_count, found.task_generation), (3, None));
    assert!(tasks(&mut state).is_empty());
    // What was deferred is gone: an incomplete set stays incomplete.
    state.apply(4, task(1, "b"));
    state.apply(5, commit(3));
    assert!(entry(&mut state).inconsistent);
    // A complete commit heals it.
    state.apply(6, task(0, "a"));
    state.apply(7, commit(1));
    assert_eq!(tasks(&mut state), ["a"]);
    assert!(!entry(&mut state).inconsistent);
}

#[test]
fn task_missing_after_a_good_commit() {
    // The newest records of task 1 are a later, uncommitted generation's.
    let (mut state, _) = read([
        connector("0"),
        task(0, "a"),
        commit(1),
        task(0, "new"),
        commit(2),
        task(1, "newest"),
    ]);
    let found = entry(&mut state);
    assert!(found.inconsistent && found.tasks.is_empty());
    assert_eq!(found.applied_config, Some(map("0")));
}

#[test]
fn tasks_that_are_too_many_do_no_harm() {
    // Compaction removed task 0 of the older set, task 1 is left from it.
    let (mut state, _) = read([connector("0"), task(1, "old"), task(0, "a"), commit(1)]);
    assert_eq!(tasks(&mut state), ["a"]);
    assert!(!entry(&mut state).inconsistent);
}

#[test]
fn a_commit_that_was_written_twice() {
    let (mut state, _) = read([
        connector("0"),
        task(0, "a"),
        task(1, "b"),
        commit(2),
        commit(2),
    ]);
    let found = entry(&mut state);
    assert!(!found.inconsistent);
    assert_eq!(found.task_generation, Some(0));
    assert_eq!(tasks(&mut state), ["a", "b"]);
    // Another number is no repetition.
    state.apply(5, commit(3));
    assert!(entry(&mut state).inconsistent);
    // Neither is one while inconsistent.
    state.apply(6, commit(3));
    assert!(entry(&mut state).inconsistent);
}

#[test]
fn reading_everything_again_leads_to_the_same() {
    let records = || {
        [
            connector("0"),
            task(0, "a"),
            task(1, "b"),
            commit(2),
            target(Some(TargetState::Paused)),
        ]
    };
    let (mut state, _) = read(records().into_iter().chain(records()));
    assert_eq!(tasks(&mut state), ["a", "b"]);
    assert_eq!(entry(&mut state).target_state, TargetState::Paused);
}

#[test]
fn deletion_then_stale_commit() {
    // testRestoreConnectorDeletion
    let (mut state, updates) = read([
        connector("0"),
        task(0, "a"),
        task(1, "b"),
        deleted(),
        target(None),
        commit(2),
    ]);
    assert!(state.snapshot().connectors.is_empty());
    assert_eq!(
        updates[3..],
        [
            Some(ConfigUpdate::ConnectorRemoved("c".to_owned())),
            None,
            None
        ]
    );
    // A connector of that name starts afresh.
    state.apply(6, connector("new"));
    state.apply(7, commit(2));
    assert!(tasks(&mut state).is_empty());
    assert!(entry(&mut state).inconsistent);
}

#[test]
fn background_deletion_of_a_running_connector() {
    // testBackgroundConnectorDeletion
    let (mut state, _) = read([connector("0"), task(0, "a"), task(1, "b"), commit(2)]);
    assert_eq!(tasks(&mut state).len(), 2);
    state.apply(4, deleted());
    assert_eq!(state.apply(5, target(None)), None);
    let snapshot = state.snapshot();
    assert_eq!(snapshot.offset, 6);
    assert!(snapshot.connector("c").is_none());
    assert!(snapshot.tasks("c").is_empty());
    // Target state, tasks and the applied configuration are gone for good, the
    // generation goes on.
    state.apply(6, connector("new"));
    let found = entry(&mut state);
    assert_eq!(found.target_state, TargetState::Started);
    assert_eq!(found.applied_config, None);
    assert_eq!(found.task_count, 0);
    assert_eq!(found.task_generation, Some(0));
}

#[test]
fn commit_after_compaction_of_the_whole_connector() {
    let (mut state, updates) = read([task(0, "a"), commit(1)]);
    assert_eq!(updates, [None, None]);
    assert!(state.snapshot().connectors.is_empty());
    assert!(state.deferred.is_empty());
}

#[test]
fn target_state_before_its_connector() {
    // testPutConnectorConfigWithTargetState, testRestoreTargetState
    let (mut state, updates) = read([target(Some(TargetState::Stopped)), connector("0")]);
    assert_eq!(
        updates,
        [None, Some(ConfigUpdate::ConnectorConfig("c".to_owned()))]
    );
    assert_eq!(entry(&mut state).target_state, TargetState::Stopped);
}

#[test]
fn target_state_changes_are_told_once() {
    // testBackgroundUpdateTargetState, testSameTargetState
    let changed = Some(ConfigUpdate::TargetState("c".to_owned()));
    let (_, updates) = read([
        connector("0"),
        target(Some(TargetState::Started)),
        target(Some(TargetState::Paused)),
        target(Some(TargetState::Paused)),
        target(Some(TargetState::Stopped)),
    ]);
    assert_eq!(updates[1..], [None, changed.clone(), None, changed]);
}

#[test]
fn target_state_deleted_without_its_connector() {
    // testRestoreTargetStateUnexpectedDeletion
    let (mut state, updates) = read([
        connector("0"),
        target(Some(TargetState::Paused)),
        target(None),
        target(Some(TargetState::Started)),
    ]);
    assert_eq!(entry(&mut state).target_state, TargetState::Started);
    assert_eq!(updates[2..], [None, None]);
}

#[test]
fn target_state_survives_a_deletion_without_its_tombstone() {
    let (mut state, _) = read([
        connector("0"),
        target(Some(TargetState::Paused)),
        deleted(),
        connector("1"),
    ]);
    assert_eq!(entry(&mut state).target_state, TargetState::Paused);
}

#[test]
fn task_counts_and_generations() {
    // testTaskCountRecordsAndGenerations
    let (mut state, _) = read([connector("0")]);
    let facts = |state: &mut ConfigState| {
        let entry = entry(state);
        (
            entry.pending_fencing,
            entry.task_count_record,
            entry.task_generation,
        )
    };
    assert_eq!(facts(&mut state), (false, None, None));
    for (offset, record) in (1..).zip([task(0, "a"), task(1, "b"), commit(2)]) {
        state.apply(offset, record);
    }
    assert_eq!(facts(&mut state), (true, None, Some(0)));
    state.apply(4, ConfigRecord::TaskCount("c".to_owned(), 4));
    assert_eq!(facts(&mut state), (false, Some(4), Some(0)));
    // The record outlives the connector.
    state.apply(5, deleted());
    state.apply(6, connector("0"));
    assert_eq!(facts(&mut state), (false, Some(4), Some(0)));
}

#[test]
fn events_are_not_part_of_the_state() {
    let request = RestartRequest {
        connector: "c".to_owned(),
        only_failed: true,
        include_tasks: true,
    };
    let (mut state, updates) = read([
        ConfigRecord::Restart(request.clone()),
        ConfigRecord::LoggerLevel("root".to_owned(), "WARN".to_owned()),
    ]);
    assert_eq!(
        updates,
        [
            Some(ConfigUpdate::Restart(request)),
            Some(ConfigUpdate::LoggerLevel {
                logger: "root".to_owned(),
                level: "WARN".to_owned()
            })
        ]
    );
    assert_eq!(state.snapshot().offset, 2);
    assert!(state.snapshot().connectors.is_empty());
}

#[test]
fn a_snapshot_does_not_change() {
    let (mut state, _) = read([connector("0"), task(0, "a"), commit(1)]);
    let before = state.snapshot();
    assert!(Arc::ptr_eq(&before, &state.snapshot()));
    state.apply(3, connector("1"));
    state.apply(4, deleted());
    assert_eq!(before.offset, 3);
    assert_eq!(before.connector("c").unwrap().config, map("0"));
    state.skip(9);
    assert_eq!(state.snapshot().offset, 10);
}
