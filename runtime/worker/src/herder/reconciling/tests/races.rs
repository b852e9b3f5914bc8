//! Changes that come while an actor is busy, and writes that cross a change.

use std::sync::Arc;

use tether_storage::{ConfigStore as _, MemoryConfigStore, State, TargetState};

use super::{config, gate, herder};
use crate::herder::Herder as _;
use crate::testing::map;

/// The actor of the connector finds it as it was before, but without tasks.
#[tokio::test]
async fn a_connector_that_was_deleted_and_made_again_has_tasks() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder(&configs).await;
    let whole = map(&[
        ("connector.class", "t.Obedient"),
        ("tasks.max", "1"),
        ("start.gate", "made-again"),
    ]);
    let make = || configs.put_connector_config("a", &whole, None);
    make().await.unwrap();
    gate("made-again").add_permits(1);
    fixture.until("a", State::Running, &[State::Running]).await;
    let generation = || configs.snapshot().connector("a").unwrap().task_generation;
    let before = generation();
    configs.remove_connector("a").await.unwrap();
    make().await.unwrap();
    gate("made-again").add_permits(1);
    let made_again = async {
        while generation() == before {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, made_again).await.unwrap();
    fixture.until("a", State::Running, &[State::Running]).await;
    fixture.herder.stop().await;
}

/// Somebody else was making task configurations while the connector was stopped.
#[tokio::test]
async fn a_stopped_connector_gets_no_tasks() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder(&configs).await;
    fixture.create("a", &[], None).await;
    fixture.until("a", State::Running, &[State::Running]).await;
    let herder = &fixture.herder;
    let stopped = TargetState::Stopped;
    herder.set_target_state("a", stopped).await.unwrap();
    fixture.until("a", State::Stopped, &[]).await;
    let late = config("a", &[("number", "0")]);
    herder.put_task_configs("a", vec![late]).await.unwrap();
    assert!(herder.task_infos("a").await.unwrap().is_empty());

    // Some that were written nevertheless do not run.
    let late = [map(&[("number", "0")])];
    configs.put_task_configs("a", &late).await.unwrap();
    herder.restart_connector("a").await.unwrap();
    assert!(fixture.worker.tasks().is_empty());
    let started = TargetState::Started;
    herder.set_target_state("a", started).await.unwrap();
    fixture.until("a", State::Running, &[State::Running]).await;
    herder.stop().await;
}
