//! Fencing of the producers of earlier sets of tasks.

use std::sync::Arc;

use tether_kafka::fake::{Fault, Operation};
use tether_kafka::{KafkaError, KafkaErrorKind};
use tether_storage::{ConfigStore as _, MemoryConfigStore, State, TaskId};

use super::{Fixture, config, herder_with};
use crate::herder::Herder;
use crate::testing::EXACTLY_ONCE;

/// The count of producers of the connector `a`, and whether it is outdated.
fn counted(configs: &MemoryConfigStore) -> (Option<u32>, bool) {
    let snapshot = configs.snapshot();
    let entry = snapshot.connector("a").unwrap();
    (entry.task_count_record, entry.pending_fencing)
}

/// How often the transactional ids of tasks were taken.
fn epochs(fixture: &Fixture) -> [u64; 3] {
    [0, 1, 2].map(|task| fixture.around.kafka.epoch(&format!("g-a-{task}")))
}

async fn configure(fixture: &Fixture, tasks: &str) {
    let config = config("a", &[("count", tasks)]);
    fixture
        .herder
        .put_connector_config("a", config)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn as_many_producers_are_fenced_as_there_were() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder_with(&configs, &EXACTLY_ONCE).await;
    configure(&fixture, "2").await;
    fixture
        .until("a", State::Running, &[State::Running; 2])
        .await;
    // Nobody had written before.
    assert_eq!(counted(&configs), (Some(2), false));
    assert_eq!(epochs(&fixture), [1, 1, 0]);

    configure(&fixture, "3").await;
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;
    assert_eq!(counted(&configs), (Some(3), false));
    // Fenced, and taken by the new tasks.
    assert_eq!(epochs(&fixture), [3, 3, 1]);

    // The same set of tasks needs no fencing: each fences its own earlier run.
    let id = TaskId::new("a", 0);
    fixture.herder.restart_task(&id).await.unwrap();
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;
    assert_eq!(epochs(&fixture), [4, 3, 1]);
    fixture.herder.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_task_starts_while_a_zombie_may_write() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder_with(&configs, &EXACTLY_ONCE).await;
    configure(&fixture, "2").await;
    fixture
        .until("a", State::Running, &[State::Running; 2])
        .await;
    let refusal = KafkaError::new(KafkaErrorKind::NotAuthorized, "not allowed");
    let kafka = &fixture.around.kafka;
    kafka.always(Operation::InitTransactions, Fault::Reject(refusal));
    configure(&fixture, "3").await;
    fixture
        .until("a", State::Running, &[State::Failed; 3])
        .await;
    assert_eq!(counted(&configs), (Some(2), true));
    kafka.clear(Operation::InitTransactions);
    for task in 0..3 {
        let id = TaskId::new("a", task);
        fixture.herder.restart_task(&id).await.unwrap();
    }
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;
    assert_eq!(counted(&configs), (Some(3), false));
    fixture.herder.stop().await;
}
