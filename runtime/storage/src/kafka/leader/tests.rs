use std::collections::BTreeMap;
use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_kafka::fake::{FakeKafka, Fault, Operation};
use tether_kafka::{KafkaError, KafkaErrorKind};

use crate::kafka::{InternalTopic, KafkaConfigStore};
use crate::suite::{Lasting, config_store};
use crate::{ConfigStore, TargetState};

const TOPIC: &str = "configs";
const FAILURE: &str = "Failed to write to config topic; this may be due to a transient error and \
                       the request can be safely retried";

/// The store of a worker whose leader writes in transactions.
fn store(kafka: &FakeKafka) -> Arc<KafkaConfigStore> {
    let topic = InternalTopic {
        name: TOPIC.to_owned(),
        partitions: 1,
        replication_factor: 1,
        settings: BTreeMap::new(),
        properties: ConfigMap::new(),
        client_id: "g-configs".to_owned(),
        read_committed: true,
    };
    let producer = [(
        "transactional.id".to_owned(),
        "connect-cluster-g".to_owned(),
    )]
    .into();
    let (clients, admin) = (Arc::new(kafka.clone()), Arc::new(kafka.clone()));
    Arc::new(KafkaConfigStore::with_transactional_leader(
        clients, admin, topic, producer,
    ))
}

async fn leader(kafka: &FakeKafka) -> Arc<KafkaConfigStore> {
    let store = store(kafka);
    store.start().await.unwrap();
    store.claim_write_privileges().await.unwrap();
    store
}

async fn put(store: &KafkaConfigStore, value: &str) -> Result<(), String> {
    let config = [("value".to_owned(), value.to_owned())].into();
    let put = store.put_connector_config("c", &config, None);
    put.await.map_err(|error| error.message().to_owned())
}

#[tokio::test]
async fn suite() {
    let kafka = FakeKafka::new();
    let open = async || {
        let store = store(&kafka);
        store.claim_write_privileges().await.unwrap();
        store
    };
    config_store(open, Lasting::Yes).await;
}

#[tokio::test]
async fn readers_see_committed_records_only() {
    let kafka = FakeKafka::new();
    let _store = leader(&kafka).await;
    let clients = kafka.clients();
    assert!(clients.iter().any(|client| {
        client
            .get("isolation.level")
            .is_some_and(|level| level == "read_committed")
    }));
}

#[tokio::test]
async fn a_leader_that_was_replaced_cannot_write() {
    let kafka = FakeKafka::new();
    let old = leader(&kafka).await;
    put(&old, "1").await.unwrap();
    let new = leader(&kafka).await;
    assert_eq!(put(&old, "2").await, Err(FAILURE.to_owned()));
    put(&new, "3").await.unwrap();
    // Wishes of users go through any worker.
    old.put_target_state("c", TargetState::Paused)
        .await
        .unwrap();
    let snapshot = old.snapshot();
    let entry = snapshot.connector("c").unwrap();
    assert_eq!(entry.config["value"], "3");
    assert_eq!(entry.target_state, TargetState::Paused);
    // It is the leader again.
    old.claim_write_privileges().await.unwrap();
    put(&old, "4").await.unwrap();
    assert_eq!(put(&new, "5").await, Err(FAILURE.to_owned()));
}

#[tokio::test]
async fn nothing_is_written_without_the_right_to() {
    let kafka = FakeKafka::new();
    let store = store(&kafka);
    store.start().await.unwrap();
    assert_eq!(put(&store, "1").await, Err(FAILURE.to_owned()));
    assert!(kafka.records(TOPIC).is_empty());
}

#[tokio::test]
async fn a_write_that_failed_is_claimed_anew() {
    let kafka = FakeKafka::new();
    let store = leader(&kafka).await;
    for (operation, fault) in [
        (Operation::CommitTransaction, Fault::Reject as fn(_) -> _),
        (Operation::CommitTransaction, Fault::FailAfter),
        (Operation::BeginTransaction, Fault::Reject),
        (Operation::Send, Fault::Lose),
    ] {
        let error = KafkaError::new(KafkaErrorKind::Fatal, "a fault");
        kafka.script(operation, [fault(error)]);
        assert_eq!(put(&store, "lost").await, Err(FAILURE.to_owned()));
        assert_eq!(put(&store, "too early").await, Err(FAILURE.to_owned()));
        store.claim_write_privileges().await.unwrap();
        put(&store, "done").await.unwrap();
        assert_eq!(
            store.snapshot().connector("c").unwrap().config["value"],
            "done"
        );
    }
}

#[tokio::test]
async fn writes_about_different_connectors_take_turns_at_the_producer() {
    let kafka = FakeKafka::new();
    let store = leader(&kafka).await;
    let config = ConfigMap::new();
    let (a, b, c) = tokio::join!(
        store.put_task_configs("a", std::slice::from_ref(&config)),
        store.put_task_configs("b", std::slice::from_ref(&config)),
        store.put_connector_config("c", &config, None),
    );
    for outcome in [a, b, c] {
        outcome.unwrap();
    }
    let snapshot = store.snapshot();
    assert!(snapshot.connector("c").is_some());
    store.stop().await;
}
