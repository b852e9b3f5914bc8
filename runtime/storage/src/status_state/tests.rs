//! The rules of spec section 3.4, and faults.

use super::*;

fn task(state: State, worker: &str, generation: i32) -> TaskStatus {
    TaskStatus {
        id: TaskId::new("c", 0),
        state,
        trace: None,
        worker_id: worker.to_owned(),
        generation,
        version: None,
    }
}

fn connector(state: State, worker: &str, generation: i32) -> ConnectorStatus {
    ConnectorStatus {
        connector: "c".to_owned(),
        state,
        trace: None,
        worker_id: worker.to_owned(),
        generation,
        version: None,
    }
}

fn topic(name: &str) -> TopicStatus {
    TopicStatus {
        topic: name.to_owned(),
        connector: "c".to_owned(),
        task: 0,
        discovered: 1,
    }
}

impl StatusState {
    fn put_task(&mut self, state: State, worker: &str, generation: i32) -> StatusWrite {
        self.put(Status::Task(task(state, worker, generation)), false)
            .unwrap()
    }

    fn read_task(&mut self, offset: i64, state: State, worker: &str, generation: i32) {
        let status = Status::Task(task(state, worker, generation));
        self.read(0, offset, status.key(), Some(status));
    }

    fn task_now(&self) -> Option<(State, i32)> {
        let status = self.task(&TaskId::new("c", 0))?;
        Some((status.state, status.generation))
    }
}

fn connector_key() -> StatusKey {
    StatusKey::Connector("c".to_owned())
}

fn task_key() -> StatusKey {
    StatusKey::Task(TaskId::new("c", 0))
}

#[test]
fn own_writes_are_seen_at_once() {
    let mut state = StatusState::default();
    let write = state.put_task(State::Running, "me", 1);
    assert_eq!(write.key.encode(), "status-task-c-0");
    assert_eq!(state.task_now(), Some((State::Running, 1)));
    assert!(state.is_writing(state.latest_write()));
    state.written(&write, 5);
    assert_eq!(state.task_now(), Some((State::Running, 1)));
    assert!(!state.is_writing(state.latest_write()));
}

#[test]
fn records_before_ones_own_are_outdated() {
    let mut state = StatusState::default();
    let first = state.put_task(State::Running, "me", 1);
    let second = state.put_task(State::Failed, "me", 1);
    // The own first record is read while the second is on its way.
    state.read_task(5, State::Running, "me", 1);
    assert_eq!(state.task_now(), Some((State::Failed, 1)));
    state.written(&first, 5);
    state.written(&second, 7);
    // A record in between is read after the acknowledgement.
    state.read_task(6, State::Running, "other", 1);
    assert_eq!(state.task_now(), Some((State::Failed, 1)));
    state.read_task(7, State::Failed, "me", 1);
    state.read_task(8, State::Running, "other", 2);
    assert_eq!(state.task_now(), Some((State::Running, 2)));
}

#[test]
fn a_later_record_of_another_worker_wins_over_a_late_acknowledgement() {
    let mut state = StatusState::default();
    let write = state.put_task(State::Paused, "me", 1);
    state.read_task(5, State::Paused, "me", 1);
    state.read_task(6, State::Running, "other", 2);
    assert_eq!(
        state.task_now(),
        Some((State::Paused, 1)),
        "still one's own"
    );
    state.written(&write, 5);
    assert_eq!(state.task_now(), Some((State::Running, 2)));
}

#[test]
fn safe_writes_yield_to_later_owners() {
    let mut state = StatusState::default();
    state.read_task(0, State::Running, "other", 5);
    let mut safe = |worker: &str, generation| {
        let status = task(State::Unassigned, worker, generation);
        state.put(Status::Task(status), true).is_some()
    };
    assert!(!safe("me", 4), "another worker and a higher generation");
    assert!(safe("other", 4), "the same worker");
    assert!(safe("me", 5), "the same generation");
    let mut state = StatusState::default();
    let status = connector(State::Running, "other", 5);
    state.read(0, 0, connector_key(), Some(Status::Connector(status)));
    let failed = connector(State::Failed, "me", 4);
    assert_eq!(state.put(Status::Connector(failed.clone()), true), None);
    assert!(state.put(Status::Connector(failed), false).is_some());
}

#[test]
fn an_old_owners_farewell_is_ignored_on_reading() {
    let mut state = StatusState::default();
    state.read_task(0, State::Running, "new", 3);
    state.read_task(1, State::Unassigned, "old", 3);
    assert_eq!(state.task_now(), Some((State::Running, 3)));
    state.read_task(2, State::Unassigned, "old", 4);
    assert_eq!(state.task_now(), Some((State::Unassigned, 4)));
    // Only RUNNING is defended, and only against UNASSIGNED.
    state.read_task(3, State::Paused, "new", 5);
    state.read_task(4, State::Unassigned, "old", 4);
    assert_eq!(state.task_now(), Some((State::Unassigned, 4)));
}

#[test]
fn failed_writes_are_repeated_while_they_are_the_newest() {
    let mut state = StatusState::default();
    let first = state.put_task(State::Running, "me", 1);
    assert!(state.retries(&first));
    let second = state.put_task(State::Failed, "me", 1);
    assert!(!state.retries(&first), "a newer write was queued");
    assert!(state.retries(&second));
    // A put of a new generation, of whatever.
    let other = connector(State::Running, "me", 2);
    state.put(Status::Connector(other), false);
    assert!(!state.retries(&second));
    assert_eq!(state.task_now(), None, "what the topic has shows again");
}

#[test]
fn a_failed_safe_write_looks_again() {
    let mut state = StatusState::default();
    let status = task(State::Unassigned, "me", 1);
    let write = state.put(Status::Task(status), true).unwrap();
    assert!(state.retries(&write));
    state.read_task(0, State::Running, "other", 2);
    assert!(!state.retries(&write));
    assert_eq!(state.task_now(), Some((State::Running, 2)));
}

#[test]
fn a_failed_write_is_not_repeated_after_a_deletion() {
    let mut state = StatusState::default();
    let write = state.put_task(State::Running, "me", 1);
    state.read(0, 3, task_key(), None);
    assert!(!state.retries(&write));
    let write = state.put_task(State::Running, "me", 1);
    state.read(1, 0, connector_key(), None);
    assert!(!state.retries(&write));
    assert!(state.entries.is_empty());
}

#[test]
fn another_workers_deletion_removes_connector_and_tasks() {
    let mut state = StatusState::default();
    let status = Status::Connector(connector(State::Running, "other", 1));
    state.read(1, 0, connector_key(), Some(status));
    state.read_task(0, State::Running, "other", 1);
    state.read(1, 1, connector_key(), None);
    assert_eq!((state.connector("c"), state.task_now()), (None, None));
    assert!(state.connectors().is_empty());
    assert!(state.entries.is_empty(), "nothing is kept");
}

#[test]
fn ones_own_deletion_spares_the_tasks_of_a_new_connector() {
    // The tombstone is read before or after its acknowledgement, and before or
    // after the new connector's status is put.
    for (acknowledged_first, recreated_first) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let mut state = StatusState::default();
        state.read_task(0, State::Running, "me", 1);
        let destroyed = Status::Connector(connector(State::Destroyed, "me", 1));
        let tombstone = state.put(destroyed, false).unwrap();
        assert_eq!(tombstone.value, None);
        assert_eq!((state.connector("c"), state.task_now()), (None, None));
        let running = || Status::Connector(connector(State::Running, "me", 1));
        if recreated_first {
            state.put(running(), false).unwrap();
        }
        let write = state.put_task(State::Running, "me", 1);
        state.written(&write, 1);
        if acknowledged_first {
            state.written(&tombstone, 0);
        }
        state.read(1, 0, connector_key(), None);
        if !acknowledged_first {
            state.written(&tombstone, 0);
        }
        assert_eq!(state.task_now(), Some((State::Running, 1)));
        assert_eq!(state.connector("c").is_some(), recreated_first);
    }
}

#[test]
fn a_tombstone_leaves_nothing_behind() {
    for acknowledged_first in [true, false] {
        let mut state = StatusState::default();
        let write = state.put_task(State::Destroyed, "me", 1);
        if acknowledged_first {
            state.written(&write, 4);
            state.read_task(3, State::Running, "me", 1);
            assert_eq!(state.task_now(), None, "a record before it");
        }
        state.read(0, 4, task_key(), None);
        if !acknowledged_first {
            state.written(&write, 4);
        }
        assert!(state.entries.is_empty());
    }
}

#[test]
fn topics_are_noted_once() {
    let mut state = StatusState::default();
    let write = state.put(Status::Topic(topic("t")), false).unwrap();
    assert_eq!(write.key.encode(), "status-topic-t:connector-c");
    assert_eq!(state.put(Status::Topic(topic("t")), false), None);
    // It has no generation that could pass.
    state.put_task(State::Running, "me", 9);
    assert!(state.retries(&write));
    state.written(&write, 0);
    state.read(
        0,
        1,
        Status::Topic(topic("s")).key(),
        Some(Status::Topic(topic("s"))),
    );
    assert!(state.has_topic("c", "t") && !state.has_topic("d", "t"));
    let names = |state: &StatusState| -> Vec<String> {
        let topics = state.topics("c").into_iter();
        topics.map(|status| status.topic).collect()
    };
    assert_eq!(names(&state), ["s", "t"]);
    let writes = state.reset_topics("c");
    assert_eq!(writes.len(), 2);
    assert!(writes.iter().all(|write| write.value.is_none()));
    assert!(names(&state).is_empty());
    assert!(state.put(Status::Topic(topic("t")), false).is_some());
}

#[test]
fn a_topic_made_anew_is_read_anew() {
    let mut state = StatusState::default();
    state.read_task(50, State::Running, "me", 1);
    let write = state.put_task(State::Paused, "me", 1);
    state.written(&write, 51);
    state.read_task(0, State::Failed, "other", 1);
    assert_eq!(state.task_now(), Some((State::Failed, 1)));
}

#[test]
fn tasks_and_connectors_are_listed_in_order() {
    let mut state = StatusState::default();
    for (offset, (name, number)) in [("c", 10), ("c", 2), ("cc", 0), ("b", 1)]
        .into_iter()
        .enumerate()
    {
        let mut status = task(State::Running, "me", 1);
        status.id = TaskId::new(name, number);
        let status = Status::Task(status);
        state.read(
            0,
            i64::try_from(offset).unwrap(),
            status.key(),
            Some(status),
        );
        let mut status = connector(State::Running, "me", 1);
        status.connector = name.to_owned();
        state.put(Status::Connector(status), false);
    }
    let tasks = state.tasks("c");
    let numbers: Vec<u32> = tasks.iter().map(|status| status.id.task).collect();
    assert_eq!(numbers, [2, 10]);
    assert_eq!(state.connectors(), ["b", "c", "cc"]);
}

#[test]
fn records_that_are_read_after_a_deletion_do_not_come_back() {
    // Reading lags behind: everything is acknowledged, nothing was read.
    let mut state = StatusState::default();
    let write = state.put_task(State::Running, "me", 1);
    state.written(&write, 0);
    let destroyed = Status::Connector(connector(State::Destroyed, "me", 1));
    state.put(destroyed, false).unwrap();
    state.read_task(0, State::Running, "me", 1);
    assert_eq!(state.task_now(), None);
    // A tombstone of the task is still under way, and awaited.
    let mut state = StatusState::default();
    let write = state.put_task(State::Running, "me", 1);
    state.written(&write, 0);
    let tombstone = state.put_task(State::Destroyed, "me", 1);
    let destroyed = Status::Connector(connector(State::Destroyed, "me", 1));
    let connector = state.put(destroyed, false).unwrap();
    state.read_task(0, State::Running, "me", 1);
    assert_eq!(state.task_now(), None);
    state.written(&connector, 0);
    assert!(state.is_writing(state.latest_write()));
    state.written(&tombstone, 1);
    state.read(0, 1, task_key(), None);
    state.read(1, 0, connector_key(), None);
    assert!(state.entries.is_empty());
}
