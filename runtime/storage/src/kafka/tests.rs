//! Stores against a cluster in memory, and faults.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tether_api::config::ConfigMap;
use tether_kafka::fake::{FakeKafka, Fault, Operation};
use tether_kafka::{Admin as _, KafkaError, KafkaErrorKind, NewTopic};

use super::*;
use crate::suite::{Lasting, config_store, offset_store, status_store};
use crate::{
    ConfigStore, ConnectorStatus, OffsetStore, RestartRequest, State, StatusStore, TargetState,
};

const TOPIC: &str = "internal";

fn topic(partitions: i32) -> InternalTopic {
    let properties = [
        ("bootstrap.servers", "b:9092"),
        ("group.id", "connect-cluster"),
        ("acks", "1"),
        ("security.protocol", "SSL"),
        ("producer.security.protocol", "PLAINTEXT"),
    ];
    InternalTopic {
        name: TOPIC.to_owned(),
        partitions,
        replication_factor: 3,
        settings: BTreeMap::from([
            ("cleanup.policy".to_owned(), "delete".to_owned()),
            ("min.insync.replicas".to_owned(), "2".to_owned()),
        ]),
        properties: properties
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        client_id: "connect-cluster-configs".to_owned(),
        read_committed: false,
    }
}

fn configs(kafka: &FakeKafka) -> Arc<KafkaConfigStore> {
    let (clients, admin) = (Arc::new(kafka.clone()), Arc::new(kafka.clone()));
    Arc::new(KafkaConfigStore::new(clients, admin, topic(25)))
}

fn offsets(kafka: &FakeKafka) -> Arc<KafkaOffsetStore> {
    let (clients, admin) = (Arc::new(kafka.clone()), Arc::new(kafka.clone()));
    Arc::new(KafkaOffsetStore::new(clients, admin, topic(3)))
}

fn statuses(kafka: &FakeKafka) -> Arc<KafkaStatusStore> {
    let (clients, admin) = (Arc::new(kafka.clone()), Arc::new(kafka.clone()));
    Arc::new(KafkaStatusStore::new(clients, admin, topic(5)))
}

fn error(kind: KafkaErrorKind) -> KafkaError {
    KafkaError::new(kind, "a fault")
}

fn config(value: &str) -> ConfigMap {
    [("value".to_owned(), value.to_owned())].into()
}

/// Keys and values of the topic, tombstones as `-`.
fn records(kafka: &FakeKafka) -> Vec<(String, String)> {
    let text = |bytes: Option<Bytes>| match bytes {
        Some(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        None => "-".to_owned(),
    };
    kafka
        .records(TOPIC)
        .into_iter()
        .map(|record| (text(record.key), text(record.value)))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn suite() {
    let kafka = FakeKafka::new();
    config_store(async || configs(&kafka), Lasting::Yes).await;
    let kafka = FakeKafka::new();
    kafka.limit_queue(100);
    offset_store(async || offsets(&kafka), Lasting::Yes).await;
    let kafka = FakeKafka::new();
    status_store(async || statuses(&kafka), Lasting::Yes).await;
}

#[tokio::test]
async fn topic_and_clients_are_made_as_the_reference_does() {
    let kafka = FakeKafka::new();
    let store = configs(&kafka);
    store.start().await.unwrap();
    let created = kafka.topic(TOPIC).unwrap();
    assert_eq!(created.partitions, 1, "whatever was asked for");
    assert_eq!(created.config["cleanup.policy"], "compact");
    assert_eq!(created.config["min.insync.replicas"], "2");
    let clients = kafka.clients();
    let [producer, consumer] = clients.as_slice() else {
        panic!("{clients:?}");
    };
    for client in [producer, consumer] {
        assert_eq!(client["client.id"], "connect-cluster-configs");
        assert_eq!(client["bootstrap.servers"], "b:9092");
        assert_eq!(client["security.protocol"], "SSL");
    }
    for (name, value) in [
        ("acks", "all"),
        ("max.in.flight.requests.per.connection", "1"),
        ("enable.idempotence", "false"),
        ("delivery.timeout.ms", "2147483647"),
    ] {
        assert_eq!(producer[name], value, "{name}");
    }
    assert_eq!(consumer["auto.offset.reset"], "earliest");
    assert_eq!(consumer["enable.auto.commit"], "false");
    assert_eq!(consumer.get("group.id"), None);
    store.stop().await;

    let kafka = FakeKafka::new();
    statuses(&kafka).start().await.unwrap();
    assert_eq!(kafka.clients()[0]["retries"], "0");
    assert_eq!(kafka.topic(TOPIC).unwrap().partitions, 5);
}

#[tokio::test]
async fn a_topic_that_would_lose_data_is_refused() {
    let kafka = FakeKafka::new();
    let create = async |partitions, policy: &str| {
        kafka
            .create_topic(
                &NewTopic {
                    name: TOPIC.to_owned(),
                    partitions,
                    replication_factor: 1,
                    config: BTreeMap::from([("cleanup.policy".to_owned(), policy.to_owned())]),
                },
                Duration::from_secs(1),
            )
            .await
            .unwrap();
    };
    create(2, "Compact , delete").await;
    let refused = offsets(&kafka).start().await.unwrap_err();
    assert_eq!(
        refused.message(),
        "Topic 'internal' supplied via the 'offset.storage.topic' property is required to have \
         'cleanup.policy=compact' to guarantee consistency and durability of source connector \
         offsets, but found the topic currently has 'cleanup.policy=compact,delete'. Continuing \
         would likely result in eventually losing source connector offsets and problems restarting \
         this Connect cluster in the future. Change the 'offset.storage.topic' property in the \
         Connect worker configurations to use a topic with 'cleanup.policy=compact'."
    );
    // The policy cannot be seen.
    kafka.script(
        Operation::TopicConfig,
        [Fault::Reject(error(KafkaErrorKind::NotAuthorized))],
    );
    offsets(&kafka).start().await.unwrap();
    kafka.script(
        Operation::TopicConfig,
        [Fault::Reject(error(KafkaErrorKind::Unsupported))],
    );
    let refused = configs(&kafka).start().await.unwrap_err();
    assert_eq!(
        refused.message(),
        "Topic 'internal' supplied via the 'config.storage.topic' property is required to have a \
         single partition in order to guarantee consistency of connector configurations, but found \
         2 partitions."
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_brokers() {
    let kafka = FakeKafka::new();
    kafka.script(
        Operation::CreateTopic,
        [
            Fault::Reject(error(KafkaErrorKind::Retriable)),
            Fault::Reject(KafkaError::new(
                KafkaErrorKind::Invalid,
                "Broker: Invalid replication factor",
            )),
        ],
    );
    let retriable = || Fault::Reject(error(KafkaErrorKind::Retriable));
    kafka.script(Operation::Topics, [retriable(), retriable()]);
    kafka.script(Operation::EndOffsets, [retriable(), retriable()]);
    kafka.script(Operation::Poll, [retriable()]);
    let store = configs(&kafka);
    store.start().await.unwrap();
    assert_eq!(store.snapshot().offset, -1);
}

#[tokio::test(start_paused = true)]
async fn a_start_gives_up_in_the_end() {
    let started = async |operation, kind| {
        let kafka = FakeKafka::new();
        kafka.always(operation, Fault::Reject(error(kind)));
        configs(&kafka)
            .start()
            .await
            .unwrap_err()
            .message()
            .to_owned()
    };
    assert!(
        started(Operation::CreateTopic, KafkaErrorKind::Retriable)
            .await
            .starts_with("Timed out while checking for or creating topic(s) 'internal'.")
    );
    assert_eq!(
        started(Operation::CreateTopic, KafkaErrorKind::Invalid).await,
        "Unable to create topic(s) 'internal': a fault"
    );
    assert!(
        started(Operation::Topics, KafkaErrorKind::Retriable)
            .await
            .starts_with("Could not look up partition metadata for topic 'internal'")
    );
    assert!(
        started(Operation::EndOffsets, KafkaErrorKind::Retriable)
            .await
            .starts_with("Fail to list offsets for topic partitions")
    );
    assert_eq!(
        started(Operation::EndOffsets, KafkaErrorKind::NotAuthorized).await,
        "a fault"
    );
    // The topic does not exist and may not be made.
    let kafka = FakeKafka::new();
    kafka.always(
        Operation::CreateTopic,
        Fault::Reject(error(KafkaErrorKind::NotAuthorized)),
    );
    let refused = configs(&kafka).start().await.unwrap_err();
    assert!(refused.message().starts_with("Could not look up partition"));
}

#[tokio::test]
async fn configurations_are_written_as_the_reference_does() {
    let kafka = FakeKafka::new();
    let store = configs(&kafka);
    store.start().await.unwrap();
    store
        .put_connector_config("c", &config("x"), Some(TargetState::Stopped))
        .await
        .unwrap();
    store
        .put_task_configs("c", &[config("0"), config("1")])
        .await
        .unwrap();
    store.put_task_configs("c", &[]).await.unwrap();
    store.remove_connector("c").await.unwrap();
    assert_eq!(
        records(&kafka),
        pairs(&[
            (
                "target-state-c",
                r#"{"state":"PAUSED","state.v2":"STOPPED"}"#
            ),
            ("connector-c", r#"{"properties":{"value":"x"}}"#),
            ("task-c-0", r#"{"properties":{"value":"0"}}"#),
            ("task-c-1", r#"{"properties":{"value":"1"}}"#),
            ("commit-c", r#"{"tasks":2}"#),
            ("commit-c", r#"{"tasks":0}"#),
            ("connector-c", "-"),
            ("target-state-c", "-"),
        ])
    );
}

#[tokio::test]
async fn odd_records_move_the_offset_as_in_the_reference() {
    let kafka = FakeKafka::new();
    kafka.append_text(TOPIC, 0, "connector-c", r#"{"properties":{"a":"b"}}"#);
    kafka.append_text(TOPIC, 0, "unknown", "{}");
    kafka.append_text(TOPIC, 0, "connector-c", "{");
    let store = configs(&kafka);
    store.start().await.unwrap();
    assert_eq!(store.snapshot().offset, 2, "no JSON does not count");
    assert!(store.snapshot().connector("c").is_some());
}

#[tokio::test(start_paused = true)]
async fn failed_writes_say_what_failed() {
    let kafka = FakeKafka::new();
    let store = configs(&kafka);
    store.start().await.unwrap();
    let refused = || Fault::Reject(error(KafkaErrorKind::NotAuthorized));
    let request = RestartRequest {
        connector: "c".to_owned(),
        only_failed: false,
        include_tasks: true,
    };
    let failures = async |prepare: &dyn Fn()| {
        let mut messages = Vec::new();
        let mut note = |result: tether_api::Result<()>| {
            messages.push(result.unwrap_err().message().to_owned());
        };
        prepare();
        note(store.put_connector_config("c", &config("x"), None).await);
        prepare();
        note(store.remove_connector("c").await);
        prepare();
        note(store.put_task_configs("c", &[config("x")]).await);
        prepare();
        note(store.put_task_configs("c", &[]).await);
        prepare();
        note(store.put_target_state("c", TargetState::Paused).await);
        prepare();
        note(store.put_restart_request(&request).await);
        prepare();
        note(store.put_logger_level("l", "INFO").await);
        messages
    };
    let expected = [
        "Error writing connector configuration to Kafka",
        "Error removing connector configuration from Kafka",
        "Error writing task configurations to Kafka",
        "Error writing root configuration to Kafka",
        "Error writing target state to Kafka",
        "Error writing restart request for {connectorName='c', onlyFailed=false, \
         includeTasks=true} to Kafka",
        "Error writing logger level to Kafka",
    ];
    // Refused at once.
    assert_eq!(
        failures(&|| kafka.script(Operation::Send, [refused()])).await,
        expected
    );
    // No answer within 30 seconds, although what was asked for happens.
    kafka.always(Operation::Send, Fault::Hold);
    let release = || kafka.release(Operation::Send);
    assert_eq!(failures(&release).await, expected);
    kafka.clear(Operation::Send);
    kafka.release(Operation::Send);
    store
        .put_connector_config("c", &config("x"), None)
        .await
        .unwrap();
    // Written, but not read back.
    kafka.always(
        Operation::EndOffsets,
        Fault::Reject(error(KafkaErrorKind::Retriable)),
    );
    let failure = store.put_target_state("c", TargetState::Paused).await;
    assert_eq!(
        failure.unwrap_err().to_string(),
        "Error writing target state to Kafka: Not done after 30 seconds"
    );
    let error = store.refresh(Duration::from_millis(10)).await.unwrap_err();
    assert!(error.is_retriable());
    assert_eq!(
        error.message(),
        "Could not read to the end of the config topic within 10 ms"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_between_tasks_and_commit_heals() {
    // A leader wrote its task records and got no further.
    let kafka = FakeKafka::new();
    let store = configs(&kafka);
    store.start().await.unwrap();
    store
        .put_connector_config("c", &config("x"), None)
        .await
        .unwrap();
    let lost = Fault::FailAfter(error(KafkaErrorKind::Fatal));
    kafka.script(Operation::Send, [Fault::Pass, lost.clone()]);
    let result = store
        .put_task_configs("c", &[config("0"), config("1")])
        .await;
    assert!(result.is_err());
    store.refresh(Duration::from_secs(5)).await.unwrap();
    assert!(store.snapshot().tasks("c").is_empty());
    // The reply to the commit is lost: it has its effect all the same.
    kafka.script(Operation::Send, [Fault::Pass, lost]);
    let result = store.put_task_configs("c", &[config("2")]).await;
    assert!(result.is_err());
    store.refresh(Duration::from_secs(5)).await.unwrap();
    assert_eq!(store.snapshot().tasks("c").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_after_a_consumer_gave_up() {
    let kafka = FakeKafka::new();
    let store = offsets(&kafka);
    store.start().await.unwrap();
    store
        .set(vec![(Bytes::from("a"), Some(Bytes::from("1")))])
        .await
        .unwrap();
    store.get(&[]).await.unwrap();
    let made = kafka.calls(Operation::CreateConsumer);
    kafka.script(
        Operation::Poll,
        [
            Fault::Reject(error(KafkaErrorKind::Fatal)),
            Fault::Reject(error(KafkaErrorKind::Retriable)),
        ],
    );
    kafka
        .until(|kafka| kafka.calls(Operation::CreateConsumer) > made)
        .await
        .unwrap();
    store
        .set(vec![(Bytes::from("b"), Some(Bytes::from("2")))])
        .await
        .unwrap();
    assert_eq!(
        store
            .get(&[Bytes::from("a"), Bytes::from("b")])
            .await
            .unwrap(),
        [Some(Bytes::from("1")), Some(Bytes::from("2"))]
    );
}

#[tokio::test(start_paused = true)]
async fn new_partitions_are_read() {
    let kafka = FakeKafka::new();
    let store = offsets(&kafka);
    store.start().await.unwrap();
    // Another worker writes to a partition that was added.
    kafka.append_text(TOPIC, 9, "foreign", "1");
    let keys = [Bytes::from_static(b"foreign")];
    while store.get(&keys).await.unwrap() == [None] {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    // One's own writes to such a partition are read back at once.
    kafka.append_text(TOPIC, 19, "foreign", "2");
    let entries: Vec<_> = (0..100)
        .map(|number| (Bytes::from(format!("k{number}")), Some(Bytes::from("v"))))
        .collect();
    let keys: Vec<Bytes> = entries.iter().map(|(key, _)| key.clone()).collect();
    store.set(entries).await.unwrap();
    let found = store.get(&keys).await.unwrap();
    assert!(found.iter().all(Option::is_some));
}

#[tokio::test]
async fn a_topic_that_lost_its_beginning_is_read() {
    let kafka = FakeKafka::new();
    kafka.append_text(TOPIC, 0, "connector-c", r#"{"properties":{}}"#);
    kafka.append_text(TOPIC, 0, "connector-c", r#"{"properties":{}}"#);
    kafka.truncate_before(TOPIC, 0, 2);
    let store = configs(&kafka);
    store.start().await.unwrap();
    assert!(store.snapshot().connectors.is_empty());
}

#[tokio::test]
async fn a_store_that_is_not_started_says_so() {
    let kafka = FakeKafka::new();
    let store = offsets(&kafka);
    let error = store.get(&[]).await.unwrap_err();
    assert!(error.is_retriable());
    assert_eq!(error.message(), "The store is not started, or was stopped");
    store.start().await.unwrap();
    store.stop().await;
    let entry = (Bytes::from("a"), None);
    assert!(store.set(vec![entry]).await.unwrap_err().is_retriable());
}

#[tokio::test]
async fn a_dropped_store_stops_reading() {
    let kafka = FakeKafka::new();
    let store = offsets(&kafka);
    store.start().await.unwrap();
    let weak = Arc::downgrade(&store.entries);
    drop(store);
    while weak.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}

fn status(state: State, generation: i32) -> ConnectorStatus {
    ConnectorStatus {
        connector: "c".to_owned(),
        state,
        trace: None,
        worker_id: "w:1".to_owned(),
        generation,
        version: None,
    }
}

fn stored(state: &str, generation: i32) -> (String, String) {
    (
        "status-connector-c".to_owned(),
        format!(
            r#"{{"state":"{state}","trace":null,"worker_id":"w:1","generation":{generation},"version":null}}"#
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn failed_statuses_are_repeated_newest_only() {
    let kafka = FakeKafka::new();
    let store = statuses(&kafka);
    store.start().await.unwrap();
    let lose = || Fault::Lose(error(KafkaErrorKind::Retriable));
    kafka.script(
        Operation::Send,
        [
            lose(),
            Fault::Reject(error(KafkaErrorKind::QueueFull)),
            lose(),
        ],
    );
    store.put_connector(status(State::Running, 1));
    store.put_connector(status(State::Failed, 1));
    assert_eq!(store.connector("c"), Some(status(State::Failed, 1)));
    store.flush().await;
    assert_eq!(records(&kafka), [stored("FAILED", 1)]);
    assert_eq!(store.connector("c"), Some(status(State::Failed, 1)));
}

#[tokio::test(start_paused = true)]
async fn statuses_of_an_old_generation_are_given_up() {
    let kafka = FakeKafka::new();
    let store = statuses(&kafka);
    store.start().await.unwrap();
    kafka.always(
        Operation::Send,
        Fault::Lose(error(KafkaErrorKind::Retriable)),
    );
    store.put_connector(status(State::Unassigned, 1));
    kafka
        .until(|kafka| kafka.calls(Operation::Send) > 3)
        .await
        .unwrap();
    let mut other = status(State::Running, 2);
    other.connector = "d".to_owned();
    store.put_connector(other.clone());
    kafka.clear(Operation::Send);
    store.flush().await;
    assert_eq!(store.connector("c"), None);
    assert_eq!(store.connector("d"), Some(other));
    // What will never be written is given up as well.
    kafka.script(
        Operation::Send,
        [
            Fault::Reject(error(KafkaErrorKind::Invalid)),
            Fault::Lose(error(KafkaErrorKind::NotAuthorized)),
        ],
    );
    store.put_connector(status(State::Running, 2));
    store.put_connector(status(State::Failed, 2));
    store.flush().await;
    assert_eq!(store.connector("c"), None);
    store.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_statuses_but_not_for_ever() {
    let kafka = FakeKafka::new();
    let store = statuses(&kafka);
    store.start().await.unwrap();
    kafka.always(Operation::Send, Fault::Hold);
    store.put_connector(status(State::Running, 1));
    store.stop().await;
    assert_eq!(records(&kafka), [stored("RUNNING", 1)]);
}
