//! Offsets that are stored with the rows.

use proptest::collection::vec;
use proptest::prelude::*;
use tether_api::ErrorKind;
use tether_api::connector::AlteredOffsets;
use tether_api::data::SchemaRef;
use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;

use crate::support::{Sink, Topic, int, structure};

/// Plain inserts without a key: a record that is written twice is there twice.
const ONCE: [(&str, &str); 2] = [
    ("delivery.guarantee", "exactly_once"),
    ("auto.create", "true"),
];
const OFFSETS: &str =
    "SELECT connector, topic, partition, next_offset, epoch FROM __connect_sink_offsets";

fn schema() -> SchemaRef {
    structure(&[("a", int())])
}

/// Records of topic `t` with offsets from 0, each with its offset as the value.
fn records(count: i32) -> Vec<SinkRecord> {
    let mut topic = Topic::named("t");
    (0..count)
        .map(|a| topic.record(a, &schema(), vec![a.into()]))
        .collect()
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

#[tokio::test]
async fn a_task_goes_on_where_the_database_is() {
    let log = records(10);
    let mut sink = Sink::start(&ONCE).await;
    assert_eq!(sink.open().await, None);
    assert!(sink.task.stores_offsets());
    assert_eq!(sink.rows(OFFSETS), ["sink|t|0|-1|1"]);
    sink.put(&log[..4]).await.unwrap();
    assert_eq!(sink.rows(OFFSETS), ["sink|t|0|4|1"]);
    // It is killed before the group's offset is committed.
    let mut next = sink.another(&ONCE).await;
    assert_eq!(next.open().await, Some(4));
    next.put(&log[4..]).await.unwrap();
    assert_eq!(next.rows(OFFSETS), ["sink|t|0|10|2"]);
    assert_eq!(
        next.rows("SELECT count(*), count(DISTINCT a) FROM t"),
        ["10|10"]
    );
}

#[tokio::test]
async fn a_task_that_was_taken_for_dead_writes_nothing() {
    let log = records(10);
    let mut zombie = Sink::start(&ONCE).await;
    zombie.open().await;
    zombie.put(&log[..4]).await.unwrap();
    let mut sink = zombie.another(&ONCE).await;
    assert_eq!(sink.open().await, Some(4));
    for _ in 0..2 {
        let error = zombie.put(&log[4..6]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(
            error
                .to_string()
                .contains("has taken over t-0 of connector sink"),
            "{error}"
        );
    }
    sink.put(&log[4..]).await.unwrap();
    assert!(zombie.put(&log[4..6]).await.is_err());
    assert_eq!(
        sink.rows("SELECT count(*), count(DISTINCT a) FROM t"),
        ["10|10"]
    );
}

#[tokio::test]
async fn records_that_come_again_after_an_error_are_written_once() {
    let log = records(6);
    let mut sink = Sink::start(&[&ONCE[..], &[("retry.backoff.ms", "0")]].concat()).await;
    sink.open().await;
    sink.put(&log[..2]).await.unwrap();
    // Another writer has the lock: nothing is written, and all comes again.
    let impatient = [("connection.busy_timeout", "1")];
    let mut sink = sink.another(&[&ONCE[..], &impatient].concat()).await;
    assert_eq!(sink.open().await, Some(2));
    let locker = sink.connection();
    locker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = sink.put(&log[2..4]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    locker.execute_batch("COMMIT").unwrap();
    sink.put(&log[2..4]).await.unwrap();
    sink.put(&log[4..]).await.unwrap();
    assert_eq!(
        sink.rows("SELECT count(*), count(DISTINCT a) FROM t"),
        ["6|6"]
    );
}

#[tokio::test]
async fn a_topic_that_was_created_again_is_not_skipped() {
    let log = records(6);
    let mut sink = Sink::start(&ONCE).await;
    sink.open().await;
    sink.put(&log).await.unwrap();
    // It has other records now, with offsets that were there before.
    let error = sink.put(&log[..2]).await.unwrap_err().to_string();
    for part in [
        "Offset 0 of t-0 came, but table __connect_sink_offsets has all before offset 6",
        "deleted and created again",
        "DELETE /connectors/sink/offsets",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let mut sink = sink.another(&ONCE).await;
    assert_eq!(sink.open().await, Some(6));
    assert!(sink.put(&log[..2]).await.is_err());
    assert_eq!(sink.rows("SELECT count(*) FROM t"), ["6"]);
}

#[tokio::test]
async fn offsets_follow_records_that_leave_nothing_to_write() {
    let log = records(4);
    let mut sink = Sink::start(&ONCE).await;
    sink.open().await;
    // Nothing is known, and nothing can be committed, before there is something.
    let begin = Offsets::from([(partition(), 0)]);
    assert_eq!(sink.task.pre_commit(&begin).await.unwrap(), begin);
    sink.put(&log).await.unwrap();
    let behind = Offsets::from([(partition(), 3), (TopicPartition::new("t", 1), 5)]);
    let committed = sink.task.pre_commit(&behind).await.unwrap();
    assert_eq!(committed, Offsets::from([(partition(), 3)]));
    // A transformation dropped what followed.
    let ahead = Offsets::from([(partition(), 9)]);
    assert_eq!(sink.task.pre_commit(&ahead).await.unwrap(), ahead);
    assert_eq!(sink.rows(OFFSETS), ["sink|t|0|9|1"]);
    sink.task.close(&[partition()]).await.unwrap();
    assert!(sink.task.pre_commit(&ahead).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_reported_before_offsets_pass_it() {
    let settings = [
        &ONCE[..1],
        &[("errors.tolerance", "all"), ("retry.backoff.ms", "0")],
    ]
    .concat();
    let (mut sink, reports) = Sink::reporting(&settings).await;
    sink.execute("CREATE TABLE t (a INTEGER CHECK (a <> 2))");
    sink.open().await;
    let log = records(5);
    let error = sink.put(&log).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    assert_eq!(reports.offsets(), [2]);
    assert_eq!(sink.rows(OFFSETS), ["sink|t|0|-1|1"]);
    assert!(sink.rows("SELECT * FROM t").is_empty());
    // The worker comes again when the report is safe.
    sink.put(&log).await.unwrap();
    assert!(reports.offsets().is_empty());
    assert_eq!(sink.rows(OFFSETS), ["sink|t|0|5|1"]);
    assert_eq!(sink.rows("SELECT * FROM t"), ["0", "1", "3", "4"]);
}

#[tokio::test]
async fn offsets_are_set_and_forgotten_by_request() {
    let log = records(6);
    let mut sink = Sink::start(&ONCE).await;
    sink.open().await;
    sink.put(&log).await.unwrap();
    let connector = sink.connector();
    let change = |offset| AlteredOffsets::Sink([(partition(), offset)].into());
    let config = sink.config.clone();
    let altered = connector.alter_offsets(&config, &change(Some(2))).await;
    assert!(altered.unwrap());
    assert_eq!(sink.rows(OFFSETS), ["sink|t|0|2|2"]);
    // A task that still runs is not the owner any more.
    assert!(sink.put(&records(7)[6..]).await.is_err());
    let mut sink = sink.another(&ONCE).await;
    assert_eq!(sink.open().await, Some(2));
    sink.put(&log[2..]).await.unwrap();
    assert_eq!(sink.rows("SELECT count(*) FROM t"), ["10"]);
    connector
        .alter_offsets(&config, &change(None))
        .await
        .unwrap();
    assert!(sink.rows(OFFSETS).is_empty());
    sink.execute(
        "INSERT INTO __connect_sink_offsets VALUES ('sink', 'gone', 0, 7, 1, ''), \
         ('other', 't', 0, 7, 1, '')",
    );
    // The group knows nothing of the topic that is gone.
    let none = AlteredOffsets::Sink([].into());
    assert!(connector.reset_offsets(&config, &none).await.unwrap());
    assert_eq!(sink.rows(OFFSETS), ["other|t|0|7|1"]);
}

#[tokio::test]
async fn names_are_values_in_statements() {
    let hostile = "s'); DROP TABLE t; --\\'";
    let settings = [
        ONCE[0],
        ONCE[1],
        ("name", hostile),
        ("offset.table.name", "my offsets"),
    ];
    let mut sink = Sink::start(&settings).await;
    sink.open().await;
    sink.put(&records(2)).await.unwrap();
    assert_eq!(
        sink.rows("SELECT connector, next_offset FROM `my offsets`"),
        [format!("{hostile}|2")]
    );
}

/// What happens to tasks.
#[derive(Debug, Clone)]
enum Step {
    /// The task gets so many records.
    Deliver(usize),
    /// It is killed, and its group's offset was so many records behind.
    Kill(usize),
    /// A task that was taken for dead gets so many records.
    Zombie(usize),
    /// Another writer is in the way, so that a delivery of so many records comes again.
    Obstruct(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1usize..8).prop_map(Step::Deliver),
        (0usize..8).prop_map(Step::Kill),
        (1usize..8).prop_map(Step::Zombie),
        (1usize..8).prop_map(Step::Obstruct),
    ]
}

async fn run(steps: &[Step]) {
    let log = records(500);
    let settings = [
        ONCE[0],
        ONCE[1],
        ("connection.busy_timeout", "1"),
        ("retry.backoff.ms", "0"),
        ("max.retries", "1000"),
    ];
    let mut sink = Sink::start(&settings).await;
    sink.open().await;
    let mut zombies: Vec<(Sink, usize)> = Vec::new();
    let mut next = 0;
    for step in steps {
        match step {
            Step::Deliver(count) => {
                sink.put(&log[next..next + count]).await.unwrap();
                next += count;
            }
            Step::Kill(behind) => {
                let mut killed = sink.another(&settings).await;
                std::mem::swap(&mut sink, &mut killed);
                zombies.push((killed, next));
                // It reads on from the group's offset unless the task knows better.
                let group = next.saturating_sub(*behind);
                next = sink.open().await.map_or(group, |offset| offset as usize);
            }
            Step::Zombie(count) => {
                if let Some((zombie, from)) = zombies.last_mut() {
                    assert!(zombie.put(&log[*from..*from + count]).await.is_err());
                }
            }
            Step::Obstruct(count) => {
                let delivery = &log[next..next + count];
                let other = sink.connection();
                other.execute_batch("BEGIN IMMEDIATE").unwrap();
                assert!(sink.put(delivery).await.unwrap_err().is_retriable());
                other.execute_batch("ROLLBACK").unwrap();
                sink.put(delivery).await.unwrap();
                next += count;
            }
        }
    }
    sink.put(&log[next..=next]).await.unwrap();
    let count = next + 1;
    assert_eq!(
        sink.rows("SELECT count(*), count(DISTINCT a), min(a), max(a) FROM t"),
        [format!("{count}|{count}|0|{next}")]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn each_record_is_written_once_whatever_happens(steps in vec(step(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&steps));
    }
}
