//! What every status store does.

use std::sync::Arc;

use super::Lasting;
use crate::{ConnectorStatus, State, StatusStore, TaskId, TaskStatus, TopicStatus};

fn connector(name: &str, state: State, worker: &str, generation: i32) -> ConnectorStatus {
    ConnectorStatus {
        connector: name.to_owned(),
        state,
        trace: (state == State::Failed).then(|| "bad: \"☃\"\n\tat here\n".to_owned()),
        worker_id: worker.to_owned(),
        generation,
        version: Some("1.0".to_owned()),
    }
}

fn task(name: &str, number: u32, state: State, worker: &str, generation: i32) -> TaskStatus {
    TaskStatus {
        id: TaskId::new(name, number),
        state,
        trace: None,
        worker_id: worker.to_owned(),
        generation,
        version: None,
    }
}

fn topic(connector: &str, topic: &str) -> TopicStatus {
    TopicStatus {
        topic: topic.to_owned(),
        connector: connector.to_owned(),
        task: 3,
        discovered: 1_700_000_000_000,
    }
}

fn topics(store: &dyn StatusStore, connector: &str) -> Vec<String> {
    let topics = store.topics(connector).into_iter();
    topics.map(|status| status.topic).collect()
}

/// Runs the suite.
pub async fn status_store<S: StatusStore>(open: impl AsyncFn() -> Arc<S>, lasting: Lasting) {
    let opened = open().await;
    let store = opened.as_ref();
    store.start().await.unwrap();
    own_writes_are_read(store);
    store.flush().await;
    own_writes_are_read_later(store);
    safe_writes(store);
    store.flush().await;
    deletion(store).await;
    used_topics(store).await;
    store.stop().await;
    if lasting == Lasting::Yes {
        let store = open().await;
        store.start().await.unwrap();
        own_writes_are_read_later(store.as_ref());
        assert_eq!(store.connectors(), ["c-1", "safe"]);
        assert_eq!(topics(store.as_ref(), "c-1"), ["t.3"]);
        assert_eq!(store.topics("c-1"), [topic("c-1", "t.3")]);
        store.stop().await;
    }
}

fn own_writes_are_read(store: &dyn StatusStore) {
    assert!(store.connectors().is_empty());
    assert_eq!(store.connector("c-1"), None);
    store.put_connector(connector("c-1", State::Unassigned, "w:1", 1));
    for (number, state) in [(10, State::Running), (2, State::Failed), (0, State::Paused)] {
        store.put_task(task("c-1", number, state, "w:1", 1));
    }
    store.put_connector(connector("c-1", State::Failed, "w:1", 1));
    own_writes_are_read_later(store);
}

fn own_writes_are_read_later(store: &dyn StatusStore) {
    assert_eq!(
        store.connector("c-1"),
        Some(connector("c-1", State::Failed, "w:1", 1))
    );
    assert_eq!(
        store.tasks("c-1"),
        [
            task("c-1", 0, State::Paused, "w:1", 1),
            task("c-1", 2, State::Failed, "w:1", 1),
            task("c-1", 10, State::Running, "w:1", 1)
        ]
    );
    assert_eq!(
        store.task(&TaskId::new("c-1", 10)),
        Some(task("c-1", 10, State::Running, "w:1", 1))
    );
    assert_eq!(store.task(&TaskId::new("c-1", 1)), None);
    assert!(store.tasks("c").is_empty());
}

fn safe_writes(store: &dyn StatusStore) {
    let state = || store.connector("safe").unwrap().state;
    store.put_connector_safe(connector("safe", State::Running, "new:1", 5));
    store.put_connector_safe(connector("safe", State::Unassigned, "old:1", 4));
    assert_eq!(state(), State::Running, "a later owner has written");
    store.put_connector_safe(connector("safe", State::Unassigned, "old:1", 5));
    assert_eq!(state(), State::Unassigned);
    store.put_task(task("safe", 0, State::Running, "new:1", 5));
    store.put_task_safe(task("safe", 0, State::Failed, "old:1", 4));
    assert_eq!(store.tasks("safe")[0].state, State::Running);
    store.put_task_safe(task("safe", 0, State::Paused, "new:1", 4));
    assert_eq!(store.tasks("safe")[0].state, State::Paused);
}

async fn deletion(store: &dyn StatusStore) {
    store.put_connector(connector("gone", State::Running, "w:1", 5));
    store.put_task(task("gone", 0, State::Running, "w:1", 5));
    store.put_task(task("gone", 1, State::Running, "w:1", 5));
    store.flush().await;
    store.put_task(task("gone", 1, State::Destroyed, "w:1", 5));
    assert_eq!(store.tasks("gone").len(), 1);
    store.put_connector(connector("gone", State::Destroyed, "w:1", 5));
    assert_eq!(store.connector("gone"), None);
    assert!(
        store.tasks("gone").is_empty(),
        "tasks go with their connector"
    );
    // Made again at once: the tombstone does not hit the new tasks.
    store.put_task(task("gone", 0, State::Running, "w:1", 5));
    store.flush().await;
    assert_eq!(store.tasks("gone").len(), 1);
    store.put_task(task("gone", 0, State::Destroyed, "w:1", 5));
    store.flush().await;
    assert!(store.tasks("gone").is_empty());
}

async fn used_topics(store: &dyn StatusStore) {
    store.put_topic(topic("c-1", "t.2"));
    store.put_topic(topic("c-1", "t.1"));
    let mut again = topic("c-1", "t.1");
    again.discovered += 1;
    store.put_topic(again);
    store.put_topic(topic("other", "t.1"));
    assert_eq!(
        store.topics("c-1"),
        [topic("c-1", "t.1"), topic("c-1", "t.2")]
    );
    assert!(store.has_topic("c-1", "t.1"));
    assert!(!store.has_topic("c-1", "t.3"));
    store.flush().await;
    store.reset_topics("c-1");
    assert!(store.topics("c-1").is_empty());
    assert_eq!(topics(store, "other"), ["t.1"]);
    store.put_topic(topic("c-1", "t.3"));
    store.flush().await;
    assert_eq!(topics(store, "c-1"), ["t.3"]);
}
