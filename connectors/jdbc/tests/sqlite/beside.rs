//! Deliveries that are written while the worker gets the next one.

use tether_api::data::{SchemaRef, Type};
use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;

use crate::support::{Sink, Topic, optional, structure};

const BY_KEY: [(&str, &str); 3] = [
    ("insert.mode", "upsert"),
    ("pk.mode", "record_key"),
    ("pk.fields", "id"),
];
const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER CHECK (a >= 0))";

fn schema() -> SchemaRef {
    structure(&[("a", optional(Type::Int32))])
}

/// Records with these keys, of which those named are refused by the database.
fn records(topic: &mut Topic, keys: std::ops::Range<i32>, bad: &[i32]) -> Vec<SinkRecord> {
    keys.map(|key| {
        let a = if bad.contains(&key) { -1 } else { key };
        topic.record(key, &schema(), vec![a.into()])
    })
    .collect()
}

fn put_so_far(offset: i64) -> Offsets {
    [(TopicPartition::new("t", 0), offset)].into()
}

fn count(sink: &Sink) -> Vec<String> {
    sink.rows("SELECT count(*) FROM t")
}

#[tokio::test]
async fn many_records_are_taken_and_written_before_their_commit() {
    let mut sink = Sink::start(&BY_KEY).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    for round in 1..=3 {
        let mut batch = records(&mut topic, 0..500, &[]);
        sink.task.put_batch(&mut batch).await.unwrap();
        assert!(batch.is_empty(), "the task has the records");
        // The worker comes back soon, even if nothing else comes.
        assert!(sink.context.take_requests().retry_after.is_some());
        let offsets = put_so_far(500 * round);
        assert_eq!(sink.task.pre_commit(&offsets).await.unwrap(), offsets);
        assert_eq!(count(&sink), ["500"]);
    }
    // The memory of a delivery serves others.
    let mut batch = records(&mut topic, 0..300, &[]);
    sink.task.put_batch(&mut batch).await.unwrap();
    assert!(batch.capacity() > 0);
    // A few are written at once, after those before.
    let mut few = records(&mut topic, 300..301, &[]);
    sink.task.put_batch(&mut few).await.unwrap();
    assert_eq!(few.len(), 1);
    sink.task.stop().await.unwrap();
}

#[tokio::test]
async fn a_failure_comes_with_the_next_call() {
    let mut sink = Sink::start(&BY_KEY).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let mut batch = records(&mut topic, 0..300, &[]);
    sink.task.put_batch(&mut batch).await.unwrap();
    let mut batch = records(&mut topic, 300..600, &[450]);
    sink.task.put_batch(&mut batch).await.unwrap();
    // What was written is committed, and nothing behind it.
    let committed = sink.task.pre_commit(&put_so_far(600)).await.unwrap();
    assert_eq!(committed, put_so_far(300));
    let mut batch = records(&mut topic, 600..900, &[]);
    let error = sink.task.put_batch(&mut batch).await.unwrap_err();
    assert!(!error.is_retriable());
    assert!(error.to_string().contains("CHECK constraint"), "{error}");
    assert_eq!(batch.len(), 300, "the records stay with the worker");
    let committed = sink.task.pre_commit(&put_so_far(600)).await.unwrap();
    assert_eq!(committed, put_so_far(300));
    assert_eq!(count(&sink), ["300"]);
}

#[tokio::test]
async fn records_are_left_out_where_errors_are_tolerated() {
    let settings = [BY_KEY.as_slice(), &[("errors.tolerance", "all")]].concat();
    let mut sink = Sink::start(&settings).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let mut batch = records(&mut topic, 0..300, &[7, 299]);
    sink.task.put_batch(&mut batch).await.unwrap();
    sink.put(&[]).await.unwrap();
    let offsets = put_so_far(300);
    assert_eq!(sink.task.pre_commit(&offsets).await.unwrap(), offsets);
    assert_eq!(count(&sink), ["298"]);
}

#[tokio::test]
async fn what_passes_is_made_up_for_in_order() {
    let mut sink = Sink::start(&[
        ("insert.mode", "upsert"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("max.retries", "3"),
        ("connection.busy_timeout", "1"),
    ])
    .await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let other = sink.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = records(&mut topic, 0..300, &[]);
    sink.task.put_batch(&mut first).await.unwrap();
    let committed = sink.task.pre_commit(&put_so_far(300)).await.unwrap();
    assert_eq!(committed, put_so_far(0));
    let mut second: Vec<_> = (0..300)
        .map(|key| topic.record(key, &schema(), vec![1000.into()]))
        .collect();
    let error = sink.task.put_batch(&mut second).await.unwrap_err();
    assert!(error.is_retriable(), "{error}");
    assert_eq!(second.len(), 300);
    other.execute_batch("COMMIT").unwrap();
    sink.task.put_batch(&mut second).await.unwrap();
    let offsets = put_so_far(600);
    assert_eq!(sink.task.pre_commit(&offsets).await.unwrap(), offsets);
    assert_eq!(sink.rows("SELECT count(*) FROM t WHERE a = 1000"), ["300"]);
}

#[tokio::test]
async fn deliveries_wait_for_a_busy_database_and_are_written_together() {
    let settings = [
        BY_KEY.as_slice(),
        &[("batch.size", "1000"), ("connection.busy_timeout", "60000")],
    ]
    .concat();
    let mut sink = Sink::start(&settings).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let other = sink.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for value in 0..3 {
        let mut batch: Vec<_> = (0..500)
            .map(|key| topic.record(key, &schema(), vec![value.into()]))
            .collect();
        sink.task.put_batch(&mut batch).await.unwrap();
        assert!(batch.is_empty(), "the task has the records");
    }
    // There is no room for more until the first are written.
    let mut batch = records(&mut topic, 500..900, &[]);
    {
        let mut put = std::pin::pin!(sink.task.put_batch(&mut batch));
        assert!(futures::poll!(put.as_mut()).is_pending());
        other.execute_batch("COMMIT").unwrap();
        put.await.unwrap();
    }
    let offsets = put_so_far(1900);
    assert_eq!(sink.task.pre_commit(&offsets).await.unwrap(), offsets);
    assert_eq!(count(&sink), ["900"]);
    assert_eq!(sink.rows("SELECT count(*) FROM t WHERE a = 2"), ["500"]);
}

#[tokio::test]
async fn what_waits_behind_a_failure_is_not_committed() {
    let settings = [BY_KEY.as_slice(), &[("connection.busy_timeout", "60000")]].concat();
    let mut sink = Sink::start(&settings).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let other = sink.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for (keys, bad) in [(0..300, [7].as_slice()), (300..600, &[])] {
        let mut batch = records(&mut topic, keys, bad);
        sink.task.put_batch(&mut batch).await.unwrap();
    }
    other.execute_batch("COMMIT").unwrap();
    let committed = sink.task.pre_commit(&put_so_far(600)).await.unwrap();
    assert_eq!(committed, put_so_far(0));
    let error = sink.put(&[]).await.unwrap_err();
    assert!(error.to_string().contains("CHECK constraint"), "{error}");
    assert_eq!(count(&sink), ["0"]);
}

#[tokio::test]
async fn records_of_partitions_that_are_taken_away_are_forgotten() {
    let mut sink = Sink::start(&BY_KEY).await;
    sink.execute(TABLE);
    let mut batch = records(&mut Topic::named("t"), 0..300, &[0]);
    sink.task.put_batch(&mut batch).await.unwrap();
    let only = TopicPartition::new("t", 0);
    sink.task.close(&[only]).await.unwrap();
    sink.put(&[]).await.unwrap();
    assert_eq!(count(&sink), ["0"]);
}

#[tokio::test]
async fn reported_records_are_written_before_the_worker_goes_on() {
    let settings = [BY_KEY.as_slice(), &[("errors.tolerance", "all")]].concat();
    let (mut sink, reports) = Sink::reporting(&settings).await;
    sink.execute(TABLE);
    let mut batch = records(&mut Topic::named("t"), 0..300, &[5]);
    sink.task.put_batch(&mut batch).await.unwrap();
    assert_eq!(batch.len(), 300);
    assert_eq!(reports.offsets(), [5]);
    assert_eq!(count(&sink), ["299"]);
}
