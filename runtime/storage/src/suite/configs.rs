//! What every configuration store does.

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Lasting;
use crate::{
    ConfigSnapshot, ConfigStore, ConfigUpdate, ConnectorEntry, RestartRequest, SessionKey,
    TargetState,
};

fn config(value: &str) -> ConfigMap {
    [("connector.class", "File"), ("value", value)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn entry(store: &dyn ConfigStore, name: &str) -> Arc<ConnectorEntry> {
    store.snapshot().connector(name).expect(name).clone()
}

/// What changed since the last call. Every write was read back, so that nothing
/// is still on its way.
fn changes(updates: &mut UnboundedReceiver<ConfigUpdate>) -> Vec<ConfigUpdate> {
    std::iter::from_fn(|| updates.try_recv().ok()).collect()
}

fn task_values(snapshot: &ConfigSnapshot, name: &str) -> Vec<String> {
    let tasks = snapshot.tasks(name);
    let configs = tasks.iter().map(|id| snapshot.task_config(id).unwrap());
    configs.map(|config| config["value"].clone()).collect()
}

/// Runs the suite.
pub async fn config_store<S: ConfigStore>(open: impl AsyncFn() -> Arc<S>, lasting: Lasting) {
    let store = open().await;
    store.start().await.unwrap();
    let mut updates = store.take_updates().unwrap();
    assert!(store.take_updates().is_none(), "updates have one reader");
    assert!(store.snapshot().connectors.is_empty());
    connectors(store.as_ref(), &mut updates).await;
    tasks(store.as_ref(), &mut updates).await;
    target_states(store.as_ref(), &mut updates).await;
    events(store.as_ref(), &mut updates).await;
    session_keys(store.as_ref(), &mut updates).await;
    let before = store.snapshot();
    store.refresh(Duration::from_secs(30)).await.unwrap();
    assert_eq!(store.snapshot().offset, before.offset);
    store.stop().await;
    if lasting == Lasting::Yes {
        reopened(open().await.as_ref(), &before).await;
    }
}

async fn connectors(store: &dyn ConfigStore, updates: &mut UnboundedReceiver<ConfigUpdate>) {
    let put = async |value| {
        store
            .put_connector_config("c-1", &config(value), None)
            .await
            .unwrap();
    };
    put("a \"quoted\" ☃ 😀").await;
    let found = entry(store, "c-1");
    assert_eq!(found.config, config("a \"quoted\" ☃ 😀"));
    assert_eq!(found.target_state, TargetState::Started);
    assert_eq!((found.task_count, found.task_generation), (0, None));
    put("b").await;
    assert_eq!(entry(store, "c-1").config, config("b"));
    let changed = || ConfigUpdate::ConnectorConfig("c-1".to_owned());
    assert_eq!(changes(updates), [changed(), changed()]);

    store
        .put_connector_config("paused", &config("p"), Some(TargetState::Paused))
        .await
        .unwrap();
    assert_eq!(entry(store, "paused").target_state, TargetState::Paused);
    assert_eq!(
        changes(updates),
        [ConfigUpdate::ConnectorConfig("paused".to_owned())],
        "the initial state goes without saying"
    );

    store.remove_connector("paused").await.unwrap();
    assert!(store.snapshot().connector("paused").is_none());
    assert_eq!(
        changes(updates),
        [ConfigUpdate::ConnectorRemoved("paused".to_owned())]
    );
    store
        .put_connector_config("paused", &config("again"), None)
        .await
        .unwrap();
    assert_eq!(entry(store, "paused").target_state, TargetState::Started);
    changes(updates);
}

async fn tasks(store: &dyn ConfigStore, updates: &mut UnboundedReceiver<ConfigUpdate>) {
    let put = async |values: &[&str]| {
        let configs: Vec<ConfigMap> = values.iter().map(|value| config(value)).collect();
        store.put_task_configs("c-1", &configs).await.unwrap();
        task_values(&store.snapshot(), "c-1")
    };
    let before = store.snapshot();
    assert_eq!(put(&["0", "1", "2"]).await, ["0", "1", "2"]);
    let found = entry(store, "c-1");
    assert!(!found.inconsistent && found.pending_fencing);
    assert_eq!((found.task_count, found.task_generation), (3, Some(0)));
    assert_eq!(found.applied_config, Some(found.config.clone()));
    assert!(before.tasks("c-1").is_empty(), "a snapshot does not change");
    assert_eq!(put(&["x"]).await, ["x"]);
    assert!(put(&[]).await.is_empty());
    assert_eq!(put(&["0", "1"]).await, ["0", "1"]);
    let found = entry(store, "c-1");
    assert_eq!((found.task_count, found.task_generation), (2, Some(3)));
    let changed = || ConfigUpdate::Tasks("c-1".to_owned());
    assert_eq!(
        changes(updates),
        [changed(), changed(), changed(), changed()]
    );

    // A count of producers says that those of earlier commits are fenced.
    store.put_task_count_record("c-1", 2).await.unwrap();
    let found = entry(store, "c-1");
    assert_eq!(
        (found.task_count_record, found.pending_fencing),
        (Some(2), false)
    );

    // A changed configuration is not applied before the next commit.
    store
        .put_connector_config("c-1", &config("changed"), None)
        .await
        .unwrap();
    let found = entry(store, "c-1");
    assert_eq!(found.applied_config, Some(config("b")));
    assert_eq!(found.tasks.len(), 2);
    changes(updates);

    // A connector of the same name has nothing of one that was deleted.
    store
        .put_connector_config("gone", &config("g"), None)
        .await
        .unwrap();
    store
        .put_task_configs("gone", &[config("g")])
        .await
        .unwrap();
    store.remove_connector("gone").await.unwrap();
    assert!(store.snapshot().tasks("gone").is_empty());
    store
        .put_connector_config("gone", &config("g"), None)
        .await
        .unwrap();
    let found = entry(store, "gone");
    assert!(found.tasks.is_empty() && found.applied_config.is_none());
    store.remove_connector("gone").await.unwrap();
    changes(updates);
}

async fn target_states(store: &dyn ConfigStore, updates: &mut UnboundedReceiver<ConfigUpdate>) {
    for (state, told) in [
        (TargetState::Stopped, 1),
        (TargetState::Stopped, 0),
        (TargetState::Started, 1),
        (TargetState::Paused, 1),
    ] {
        store.put_target_state("c-1", state).await.unwrap();
        assert_eq!(entry(store, "c-1").target_state, state);
        let expected = vec![ConfigUpdate::TargetState("c-1".to_owned()); told];
        assert_eq!(changes(updates), expected);
    }
}

async fn events(store: &dyn ConfigStore, updates: &mut UnboundedReceiver<ConfigUpdate>) {
    let request = RestartRequest {
        connector: "c-1".to_owned(),
        only_failed: true,
        include_tasks: true,
    };
    store.put_restart_request(&request).await.unwrap();
    store.put_logger_level("org.x", "DEBUG").await.unwrap();
    assert_eq!(
        changes(updates),
        [
            ConfigUpdate::Restart(request),
            ConfigUpdate::LoggerLevel {
                logger: "org.x".to_owned(),
                level: "DEBUG".to_owned()
            }
        ]
    );
}

async fn session_keys(store: &dyn ConfigStore, updates: &mut UnboundedReceiver<ConfigUpdate>) {
    for secret in [[1_u8; 32], [2; 32]] {
        let key = SessionKey {
            key: Arc::from(secret),
            algorithm: "HmacSHA256".to_owned(),
            created: 1_700_000_000_000,
        };
        store.put_session_key(&key).await.unwrap();
        assert_eq!(changes(updates), [ConfigUpdate::SessionKey]);
        assert_eq!(store.snapshot().session_key, Some(key));
    }
}

async fn reopened(store: &dyn ConfigStore, before: &ConfigSnapshot) {
    store.start().await.unwrap();
    let mut updates = store.take_updates().unwrap();
    let snapshot = store.snapshot();
    assert_eq!(snapshot.offset, before.offset);
    assert_eq!(snapshot.connectors, before.connectors);
    assert_eq!(snapshot.session_key, before.session_key);
    assert_eq!(changes(&mut updates), [], "old news");
    store.remove_connector("c-1").await.unwrap();
    assert_eq!(
        changes(&mut updates),
        [ConfigUpdate::ConnectorRemoved("c-1".to_owned())]
    );
    store.stop().await;
}
