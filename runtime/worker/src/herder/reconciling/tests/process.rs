//! A process that is started again.

use super::*;

#[tokio::test]
async fn a_new_process_finds_everything_as_it_was() {
    let configs = Arc::new(MemoryConfigStore::new());
    let first = herder(&configs).await;
    first.create("running", &[("count", "2")], None).await;
    first.create("paused", &[], Some(TargetState::Paused)).await;
    first
        .create("stopped", &[], Some(TargetState::Stopped))
        .await;
    first
        .until("running", State::Running, &[State::Running; 2])
        .await;
    first.until("paused", State::Paused, &[]).await;
    first.until("stopped", State::Stopped, &[]).await;
    first.herder.stop().await;
    assert_eq!(
        first
            .around
            .statuses
            .task(&TaskId::new("running", 0))
            .unwrap()
            .state,
        State::Unassigned
    );

    let second = herder(&reopened(&configs).await).await;
    second
        .until("running", State::Running, &[State::Running; 2])
        .await;
    second.until("paused", State::Paused, &[]).await;
    second.until("stopped", State::Stopped, &[]).await;
}

/// A store with the same records.
async fn reopened(configs: &MemoryConfigStore) -> Arc<MemoryConfigStore> {
    let copy = MemoryConfigStore::new();
    for (name, entry) in &configs.snapshot().connectors {
        copy.put_connector_config(name, &entry.config, Some(entry.target_state))
            .await
            .unwrap();
        let tasks: Vec<ConfigMap> = entry.tasks.values().cloned().collect();
        if entry.task_generation.is_some() {
            copy.put_task_configs(name, &tasks).await.unwrap();
        }
    }
    Arc::new(copy)
}
