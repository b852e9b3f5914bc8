//! Connectors whose variables get other values.

use std::sync::Arc;
use std::time::Duration;

use tether_storage::{MemoryConfigStore, State};

use super::herder_with;

#[tokio::test(start_paused = true)]
async fn a_connector_and_its_tasks_start_anew_when_values_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.properties");
    std::fs::write(&file, "password=1").unwrap();
    let properties = [
        ("config.providers", "f"),
        ("config.providers.f.class", "FileConfigProvider"),
        ("config.providers.f.param.ttl.ms", "100"),
    ];
    let fixture = herder_with(&Arc::new(MemoryConfigStore::new()), &properties).await;
    let variable = format!("${{f:{}:password}}", file.display());
    let config = [("count", "2"), ("password", variable.as_str())];
    fixture.create("a", &config, None).await;
    let kept = [&config[..], &[("config.action.reload", "none")]].concat();
    fixture.create("kept", &kept, None).await;
    fixture
        .until("kept", State::Running, &[State::Running; 2])
        .await;
    let log = &fixture.around.statuses.log;
    log.until(|_| log.count("a-1 RUNNING") == 1).await;
    log.none_for(Duration::from_secs(3)).await;

    std::fs::write(&file, "password=2").unwrap();
    log.until(|_| {
        ["a RUNNING", "a-0 RUNNING", "a-1 RUNNING"]
            .iter()
            .all(|line| log.count(line) == 2)
    })
    .await;
    log.none_for(Duration::from_secs(3)).await;
    assert_eq!(log.count("kept RUNNING"), 1);
    fixture.herder.stop().await;
}
