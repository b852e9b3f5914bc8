//! Records that cannot be written among others that can.

use tether_api::ErrorKind;
use tether_api::data::{SchemaRef, Struct, Type, Value};
use tether_api::record::SinkRecord;

use crate::support::{Sink, Topic, int, optional, structure};

const TOLERANT: (&str, &str) = ("errors.tolerance", "all");
const BY_KEY: [(&str, &str); 4] = [
    ("insert.mode", "upsert"),
    ("pk.mode", "record_key"),
    ("pk.fields", "id"),
    TOLERANT,
];
const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER CHECK (a >= 0))";

fn schema() -> SchemaRef {
    structure(&[("a", int())])
}

fn records(topic: &mut Topic, rows: &[(i32, i32)]) -> Vec<SinkRecord> {
    let rows = rows.iter();
    rows.map(|(key, a)| topic.record(*key, &schema(), vec![(*a).into()]))
        .collect()
}

#[tokio::test]
async fn bad_records_are_reported_and_the_rest_is_written() {
    for bad in [vec![0], vec![49], vec![99], vec![0, 1, 50, 98, 99]] {
        let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
        sink.execute(TABLE);
        let rows: Vec<_> = (0..100)
            .map(|key| {
                (
                    key,
                    if bad.contains(&i64::from(key)) {
                        -1
                    } else {
                        key
                    },
                )
            })
            .collect();
        let delivery = records(&mut Topic::named("t"), &rows);
        sink.put(&delivery).await.unwrap();
        let reported = reports.take();
        let offsets: Vec<_> = reported.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, bad);
        let (offset, error) = &reported[0];
        for part in [
            "Exception chain:\nerror code 275: CHECK constraint failed",
            &format!("During: UPSERT of 1 record in table \"t\" (t-0 offset {offset})"),
            "Columns: id INT32 (java.lang.Integer), a INT32 (java.lang.Integer)",
            "Connector: sink",
        ] {
            assert!(error.contains(part), "{error}");
        }
        let count = (100 - bad.len()).to_string();
        assert_eq!(sink.rows("SELECT count(*) FROM t WHERE a = id"), [count]);
    }
}

#[tokio::test]
async fn all_records_may_be_bad() {
    let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let delivery = records(&mut topic, &[(1, -1), (2, -1), (3, -1)]);
    sink.put(&delivery).await.unwrap();
    assert_eq!(reports.offsets(), [0, 1, 2]);
    sink.put(&records(&mut topic, &[(1, 1)])).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|1"]);
}

#[tokio::test]
async fn rows_of_other_tables_are_written_with_the_same_transaction() {
    let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
    sink.execute(TABLE);
    sink.execute("CREATE TABLE u (id INTEGER PRIMARY KEY, a INTEGER)");
    let (mut first, mut second) = (Topic::named("t"), Topic::named("u"));
    let mut delivery = records(&mut first, &[(1, 1), (2, -1)]);
    delivery.extend(records(&mut second, &[(1, -1), (2, -2)]));
    delivery.extend(records(&mut first, &[(3, 3)]));
    sink.put(&delivery).await.unwrap();
    assert_eq!(reports.offsets(), [1]);
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|1", "3|3"]);
    assert_eq!(sink.rows("SELECT * FROM u"), ["1|-1", "2|-2"]);
}

#[tokio::test]
async fn records_that_do_not_fit_are_reported_as_well() {
    let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
    sink.execute(TABLE);
    let mut topic = Topic::named("t");
    let wider = structure(&[("a", int()), ("b", optional(Type::Int32))]);
    let inner = structure(&[("x", optional(Type::Int32))]);
    let nested = structure(&[("a", inner.clone())]);
    let mut delivery = records(&mut topic, &[(1, 1)]);
    // No value, a column that may not be added, no key, and a value that is none of its schema.
    delivery.push(topic.tombstone(2i32));
    for key in [3i32, 4] {
        delivery.push(topic.record(key, &wider, vec![1i32.into(), Value::Null]));
    }
    delivery.push(topic.raw(None, Value::Null, Some(schema()), Value::Null));
    let value: Value = Struct::new(inner).unwrap().into();
    delivery.push(topic.record(5i32, &nested, vec![value]));
    delivery.extend(records(&mut topic, &[(6, 6)]));
    sink.put(&delivery).await.unwrap();
    let reported = reports.take();
    let offsets: Vec<_> = reported.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, [1, 2, 3, 4, 5], "{reported:?}");
    for (offset, error) in &reported {
        assert!(error.contains(&format!("offset={offset}")), "{error}");
    }
    assert!(reported[1].1.contains("auto-evolution is disabled"));
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|1", "6|6"]);
}

#[tokio::test]
async fn a_record_that_a_bad_one_would_have_replaced_is_written() {
    let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
    sink.execute(TABLE);
    let delivery = records(&mut Topic::named("t"), &[(1, 1), (2, 2), (1, -1)]);
    sink.put(&delivery).await.unwrap();
    assert_eq!(reports.offsets(), [2]);
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|1", "2|2"]);
}

#[tokio::test]
async fn without_tolerance_nothing_is_written() {
    let settings = &BY_KEY[..3];
    let (mut sink, reports) = Sink::reporting(settings).await;
    sink.execute(TABLE);
    let delivery = records(&mut Topic::named("t"), &[(1, 1), (2, -1), (3, -1)]);
    let error = sink.put(&delivery).await.unwrap_err();
    assert_eq!(error.to_string(), "Tolerance exceeded in error handler");
    assert_eq!(reports.offsets(), [1]);
    assert!(sink.rows("SELECT * FROM t").is_empty());

    let mut sink = Sink::start(settings).await;
    sink.execute(TABLE);
    let error = sink.put(&delivery).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(error.to_string().contains("(t-0 offset 1)"), "{error}");
    assert!(sink.rows("SELECT * FROM t").is_empty());
}

#[tokio::test]
async fn with_neither_log_nor_queue_bad_records_are_left_out() {
    let mut sink = Sink::start(&BY_KEY).await;
    sink.execute(TABLE);
    let delivery = records(&mut Topic::named("t"), &[(1, -1), (2, 2)]);
    sink.put(&delivery).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["2|2"]);
}

#[tokio::test]
async fn what_no_record_is_to_blame_for_is_not_reported() {
    let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
    let mut topic = Topic::named("t");
    let error = sink.put(&records(&mut topic, &[(1, 1)])).await.unwrap_err();
    assert!(error.to_string().contains("is missing and auto-creation"));
    assert!(reports.take().is_empty());

    // A constraint that is checked with the commit, and by SQLite in no other way.
    let settings = [&BY_KEY[..], &[("connection.foreign_keys", "true")]].concat();
    let (mut sink, reports) = Sink::reporting(&settings).await;
    sink.execute(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, \
         a INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    let error = sink.put(&records(&mut topic, &[(1, 1)])).await.unwrap_err();
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    assert!(reports.take().is_empty());
    sink.execute("INSERT INTO p VALUES (1)");
    sink.put(&records(&mut topic, &[(1, 1)])).await.unwrap();
}

#[tokio::test]
async fn as_confluents_connector_does_all_is_tried_again_before() {
    let retries = [
        ("retry.policy", "confluent"),
        ("max.retries", "2"),
        ("retry.backoff.ms", "0"),
    ];
    let (mut sink, reports) = Sink::reporting(&[&BY_KEY[..], &retries].concat()).await;
    sink.execute(TABLE);
    let delivery = records(&mut Topic::named("t"), &[(1, -1), (2, 2)]);
    for _ in 0..2 {
        let error = sink.put(&delivery).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
        assert!(reports.take().is_empty());
    }
    sink.put(&delivery).await.unwrap();
    assert_eq!(reports.offsets(), [0]);
    assert_eq!(sink.rows("SELECT * FROM t"), ["2|2"]);
}

#[tokio::test]
async fn what_the_database_said_may_be_left_out() {
    let settings = [&BY_KEY[..], &[("trim.sensitive.log", "true")]].concat();
    let (mut sink, reports) = Sink::reporting(&settings).await;
    sink.execute(TABLE);
    sink.execute("CREATE TRIGGER w BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 's3cret'); END");
    sink.put(&records(&mut Topic::named("t"), &[(1, 4711)]))
        .await
        .unwrap();
    let reported = reports.take();
    assert!(!reported[0].1.contains("s3cret"), "{reported:?}");
    assert!(reported[0].1.contains("(t-0 offset 0)"), "{reported:?}");
}

#[tokio::test]
async fn an_error_that_ends_the_transaction_lets_nothing_be_written_without_one() {
    let (mut sink, reports) = Sink::reporting(&BY_KEY).await;
    sink.execute(TABLE);
    sink.execute(
        "CREATE TRIGGER w BEFORE INSERT ON t WHEN new.a = 2 \
         BEGIN SELECT RAISE(ROLLBACK, 'not two'); END",
    );
    let delivery = records(&mut Topic::named("t"), &[(1, 1), (2, 2), (3, 3)]);
    let error = sink.put(&delivery).await.unwrap_err().to_string();
    assert!(
        error.contains("not two") && error.contains("that the error ended"),
        "{error}"
    );
    assert!(reports.take().is_empty());
    assert!(sink.rows("SELECT * FROM t").is_empty());
    sink.put(&delivery[2..]).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["3|3"]);
}
