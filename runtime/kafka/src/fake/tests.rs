use super::*;
use crate::{
    ConsumerEvent, OutgoingRecord, RecordMetadata, Subscription, TopicPartitionOffset,
    fence_producers,
};

const SOON: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Reports(Mutex<Vec<(usize, Option<i64>)>>);

impl Reports {
    fn seen(&self) -> Vec<(usize, Option<i64>)> {
        self.0.lock().unwrap().clone()
    }
}

impl DeliveryHandler for Reports {
    fn delivered(&self, token: usize, outcome: Result<RecordMetadata>) {
        let offset = outcome.ok().map(|metadata| metadata.offset);
        self.0.lock().unwrap().push((token, offset));
    }
}

fn record<'a>(topic: &'a str, value: &'a str) -> OutgoingRecord<'a> {
    OutgoingRecord {
        topic,
        partition: None,
        key: None,
        value: Some(value.as_bytes()),
        timestamp: None,
        headers: &[],
    }
}

fn failure() -> KafkaError {
    KafkaError::new(KafkaErrorKind::Retriable, "scripted")
}

fn group_properties() -> ConfigMap {
    [("group.id", "g"), ("auto.offset.reset", "earliest")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}

fn at(topic: &str, partition: i32, offset: i64) -> TopicPartitionOffset {
    TopicPartitionOffset {
        partition: TopicPartition::new(topic, partition),
        offset,
    }
}

async fn values(consumer: &dyn Consumer, max: usize) -> Vec<String> {
    match consumer.poll(SOON, max).await.unwrap() {
        ConsumerEvent::Records(records) => records
            .into_iter()
            .map(|record| String::from_utf8(record.value.unwrap().to_vec()).unwrap())
            .collect(),
        other => panic!("{other:?}"),
    }
}

async fn joined(kafka: &FakeKafka) -> Arc<dyn Consumer> {
    let consumer = kafka.consumer(&group_properties()).unwrap();
    consumer
        .subscribe(&Subscription::Pattern("t.*".to_owned()))
        .unwrap();
    consumer
}

async fn accept(consumer: &dyn Consumer) -> Vec<TopicPartition> {
    match consumer.poll(SOON, 1).await.unwrap() {
        ConsumerEvent::Assigned(partitions) => {
            consumer.accept_assignment(&partitions).unwrap();
            partitions
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn sends_meet_their_faults() {
    let kafka = FakeKafka::new();
    let reports = Arc::new(Reports::default());
    let producer = kafka.producer(&ConfigMap::new(), reports.clone()).unwrap();
    kafka.script(
        Operation::Send,
        [
            Fault::Pass,
            Fault::Hold,
            Fault::Reject(failure()),
            Fault::FailAfter(failure()),
            Fault::Lose(failure()),
            Fault::Slow(Duration::from_millis(10)),
        ],
    );
    for token in 0..6 {
        let sent = producer.send(&record("t", &token.to_string()), token);
        assert_eq!(sent.is_err(), token == 2);
    }
    assert!(producer.flush(Duration::from_secs(1)).await.is_err());
    assert_eq!(
        reports.seen(),
        [(0, Some(0)), (3, None), (4, None), (5, Some(3))]
    );
    assert_eq!(kafka.held(Operation::Send), 1);
    kafka.release(Operation::Send);
    producer.flush(SOON).await.unwrap();
    assert_eq!(reports.seen().last(), Some(&(1, Some(1))));
    let written: Vec<_> = kafka.records("t").into_iter().map(|r| r.value).collect();
    assert_eq!(written, ["0", "1", "3", "5"].map(|v| Some(v.into())));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_and_a_purge() {
    let kafka = FakeKafka::new();
    kafka.limit_queue(1);
    kafka.always(Operation::Send, Fault::Hold);
    let reports = Arc::new(Reports::default());
    let producer = kafka.producer(&ConfigMap::new(), reports.clone()).unwrap();
    producer.send(&record("t", "a"), 1).unwrap();
    let full = producer.send(&record("t", "b"), 2).unwrap_err();
    assert_eq!(full.kind, KafkaErrorKind::QueueFull);
    producer.purge();
    producer.flush(SOON).await.unwrap();
    assert_eq!(reports.seen(), [(1, None)]);
    kafka.release(Operation::Send);
    tokio::task::yield_now().await;
    assert_eq!(reports.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_reads_commits_and_seeks() {
    let kafka = FakeKafka::new();
    let consumer = joined(&kafka).await;
    for value in ["a", "b", "c"] {
        kafka.append_text("t1", 0, "k", value);
    }
    assert_eq!(accept(&*consumer).await, [TopicPartition::new("t1", 0)]);
    assert_eq!(values(&*consumer, 2).await, ["a", "b"]);
    let positions = consumer
        .positions(&consumer.assignment(), SOON)
        .await
        .unwrap();
    assert_eq!(positions, [at("t1", 0, 2)]);
    consumer.commit(&positions).await.unwrap();
    assert_eq!(kafka.committed("g")[&TopicPartition::new("t1", 0)], 2);
    consumer.seek(&[at("t1", 0, 1)]).await.unwrap();
    assert_eq!(values(&*consumer, 9).await, ["b", "c"]);
    consumer.pause(&consumer.assignment()).unwrap();
    kafka.append_text("t1", 0, "k", "d");
    assert!(values(&*consumer, 9).await.is_empty());
    consumer.resume(&consumer.assignment()).unwrap();
    assert_eq!(values(&*consumer, 9).await, ["d"]);
}

#[tokio::test(start_paused = true)]
async fn partitions_move_after_they_were_given_up() {
    let kafka = FakeKafka::new();
    kafka.add_topic("t1", 2);
    let first = joined(&kafka).await;
    assert_eq!(accept(&*first).await.len(), 2);
    let second = joined(&kafka).await;
    let ConsumerEvent::Revoked(revoked) = first.poll(SOON, 1).await.unwrap() else {
        panic!("expected a revocation");
    };
    first.commit(&[at("t1", 0, 0)]).await.unwrap();
    assert!(values(&*second, 1).await.is_empty());
    first.accept_revocation(&revoked).unwrap();
    let fenced = first.commit(&[at("t1", 1, 0)]).await.unwrap_err();
    assert_eq!(fenced.kind, KafkaErrorKind::Fenced);
    assert_eq!(accept(&*first).await.len(), 1);
    assert_eq!(accept(&*second).await.len(), 1);
    second.close().await;
    assert!(matches!(
        first.poll(SOON, 1).await.unwrap(),
        ConsumerEvent::Revoked(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn lost_partitions_cannot_be_committed() {
    let kafka = FakeKafka::new();
    kafka.add_topic("t1", 1);
    let consumer = joined(&kafka).await;
    let partitions = accept(&*consumer).await;
    kafka.lose("g", &partitions);
    let fenced = consumer.commit(&[at("t1", 0, 0)]).await.unwrap_err();
    assert_eq!(fenced.kind, KafkaErrorKind::Fenced);
    let ConsumerEvent::Lost(lost) = consumer.poll(SOON, 1).await.unwrap() else {
        panic!("expected a loss");
    };
    consumer.accept_revocation(&lost).unwrap();
    kafka.assign("g", &lost);
    assert_eq!(accept(&*consumer).await, lost);
}

#[tokio::test(start_paused = true)]
async fn groups_with_members_are_protected() {
    let kafka = FakeKafka::new();
    kafka.add_topic("t1", 1);
    kafka.set_committed("g", TopicPartition::new("t1", 0), 5);
    let consumer = joined(&kafka).await;
    let error = kafka.delete_group("g", SOON).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::GroupNotEmpty);
    consumer.close().await;
    let error = kafka
        .alter_group_offsets("g", &[(TopicPartition::new("t9", 0), 1)].into(), SOON)
        .await
        .unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::NotFound);
    kafka.delete_group("g", SOON).await.unwrap();
    assert_eq!(kafka.group("g", SOON).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn calls_can_be_held_and_lose_their_reply() {
    let kafka = FakeKafka::new();
    kafka.script(
        Operation::CreateTopic,
        [Fault::Hold, Fault::FailAfter(failure())],
    );
    let topic = |name: &str| NewTopic {
        name: name.to_owned(),
        partitions: 1,
        replication_factor: 1,
        config: BTreeMap::new(),
    };
    let created = tokio::spawn({
        let (kafka, topic) = (kafka.clone(), topic("a"));
        async move { kafka.create_topic(&topic, SOON).await }
    });
    kafka
        .until(|kafka| kafka.held(Operation::CreateTopic) == 1)
        .await
        .unwrap();
    kafka.release_one(Operation::CreateTopic);
    created.await.unwrap().unwrap();
    kafka.create_topic(&topic("b"), SOON).await.unwrap_err();
    assert!(kafka.topic("b").is_some());
    assert_eq!(kafka.calls(Operation::CreateTopic), 2);
}

/// A producer with this id that has taken it over.
async fn transactional(kafka: &FakeKafka, id: &str) -> Arc<dyn TransactionalProducer> {
    let mut properties = ConfigMap::new();
    properties.insert("transactional.id".to_owned(), id.to_owned());
    let producer = kafka
        .transactional_producer(&properties, Arc::new(Reports::default()))
        .unwrap();
    producer.init_transactions(PATIENCE).await.unwrap();
    producer
}

#[tokio::test]
async fn records_are_there_with_the_commit() {
    let kafka = FakeKafka::new();
    let producer = transactional(&kafka, "id").await;
    let refused = producer.send(&record("t", "early"), 0).unwrap_err();
    assert_eq!(refused.kind, KafkaErrorKind::Abortable);
    for (value, commit) in [("kept", true), ("gone", false)] {
        producer.begin_transaction().unwrap();
        producer.send(&record("t", value), 1).unwrap();
        producer.flush(PATIENCE).await.unwrap();
        if commit {
            assert!(kafka.records("t").is_empty());
            producer.commit_transaction(PATIENCE).await.unwrap();
        } else {
            producer.abort_transaction(PATIENCE).await.unwrap();
        }
        assert_eq!(kafka.records("t").len(), 1);
    }
}

#[tokio::test]
async fn the_newer_producer_fences_the_older_one() {
    let kafka = FakeKafka::new();
    let older = transactional(&kafka, "id").await;
    older.begin_transaction().unwrap();
    older.send(&record("t", "lost"), 1).unwrap();
    fence_producers(&kafka, &ConfigMap::new(), vec!["id".to_owned()], PATIENCE)
        .await
        .unwrap();
    for error in [
        older.send(&record("t", "late"), 2).unwrap_err(),
        older.commit_transaction(PATIENCE).await.unwrap_err(),
        older.begin_transaction().unwrap_err(),
    ] {
        assert_eq!(error.kind, KafkaErrorKind::Fenced);
    }
    assert!(kafka.records("t").is_empty());
    assert_eq!(kafka.epoch("id"), 2);
}

#[tokio::test]
async fn a_lost_reply_is_no_lost_commit() {
    let kafka = FakeKafka::new();
    let producer = transactional(&kafka, "id").await;
    let lost = KafkaError::new(KafkaErrorKind::Fatal, "the reply is lost");
    kafka.script(Operation::CommitTransaction, [Fault::FailAfter(lost)]);
    producer.begin_transaction().unwrap();
    producer.send(&record("t", "v"), 1).unwrap();
    assert!(producer.commit_transaction(PATIENCE).await.is_err());
    assert_eq!(kafka.records("t").len(), 1);
}
