//! Failed tasks that are restarted by themselves.

use std::sync::Arc;

use tether_storage::{MemoryConfigStore, RestartRequest, State, StatusStore, TaskId};

use super::{Fixture, herder};
use crate::herder::Herder;

/// Waits until the task has failed so often, counting each status; a failure
/// that is restarted by itself is written twice, the second time with a note.
async fn until_failures(fixture: &Fixture, writes: usize) -> String {
    let log = &fixture.around.statuses.log;
    log.until(|lines| lines.iter().filter(|line| *line == "a-0 FAILED").count() >= writes)
        .await;
    let status = fixture.around.statuses.task(&TaskId::new("a", 0));
    status.and_then(|status| status.trace).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_comes_back_when_the_cause_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("there");
    let name = file.display().to_string();
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let config = [
        ("needs", name.as_str()),
        ("errors.restart.max.attempts", "5"),
        ("errors.restart.backoff.ms", "200"),
    ];
    fixture.create("a", &config, None).await;
    let trace = until_failures(&fixture, 2).await;
    assert!(
        trace.contains("something is missing") && trace.contains("Automatic restart 1 of 5"),
        "{trace}"
    );
    until_failures(&fixture, 4).await;
    let log = &fixture.around.statuses.log;
    let starts = log.count("a-0 RUNNING");
    std::fs::write(&file, "").unwrap();
    log.until(|_| log.count("a-0 RUNNING") > starts).await;
    log.none_for(std::time::Duration::from_secs(30)).await;
    fixture.until("a", State::Running, &[State::Running]).await;
    fixture.herder.stop().await;
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_a_person_gives_new_ones() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let config = [
        ("needs", "/no/such/file"),
        ("errors.restart.max.attempts", "2"),
        ("errors.restart.backoff.ms", "10"),
    ];
    fixture.create("a", &config, None).await;
    let trace = until_failures(&fixture, 6).await;
    assert!(trace.contains("used up"), "{trace}");
    let log = &fixture.around.statuses.log;
    log.none_for(std::time::Duration::from_secs(30)).await;

    fixture
        .herder
        .restart_connector_and_tasks(RestartRequest {
            connector: "a".to_owned(),
            only_failed: true,
            include_tasks: true,
        })
        .await
        .unwrap();
    let restarts = fixture.worker.task_restarts().of(&TaskId::new("a", 0));
    assert_eq!(restarts.get(), 2);
    let trace = until_failures(&fixture, 8).await;
    assert!(trace.contains("Automatic restart 1 of 2"), "{trace}");
    fixture.herder.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_key_a_failed_task_stays_failed() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    fixture
        .create("a", &[("needs", "/no/such/file")], None)
        .await;
    let trace = until_failures(&fixture, 1).await;
    assert!(!trace.contains("Automatic"), "{trace}");
    let log = &fixture.around.statuses.log;
    log.none_for(std::time::Duration::from_secs(30)).await;
    fixture.herder.stop().await;
}
