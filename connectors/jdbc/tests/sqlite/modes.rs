//! Every insert mode with every key mode.

use tether_api::ErrorKind;
use tether_api::data::{Type, Value};

use crate::support::{Sink, Topic, int, optional, structure};

const CREATE: (&str, &str) = ("auto.create", "true");

#[tokio::test]
async fn insert_without_a_key() {
    let mut sink = Sink::start(&[CREATE]).await;
    let schema = structure(&[("a", int()), ("b", optional(Type::String))]);
    let mut topic = Topic::named("t");
    let records = [
        topic.record(1i32, &schema, vec![1i32.into(), "x".into()]),
        topic.record(1i32, &schema, vec![1i32.into(), Value::Null]),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|x", "1|null"]);
    assert_eq!(
        sink.definition("t"),
        "CREATE TABLE `t` (\n`a` INTEGER NOT NULL,\n`b` TEXT NULL)"
    );
    sink.put(&[]).await.unwrap();
}

#[tokio::test]
async fn coordinates_make_deliveries_idempotent() {
    let settings = [CREATE, ("pk.mode", "kafka"), ("insert.mode", "upsert")];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let records = [
        topic.record(1i32, &schema, vec![7i32.into()]),
        topic.record(1i32, &schema, vec![8i32.into()]),
    ];
    sink.put(&records).await.unwrap();
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["t|0|0|7", "t|0|1|8"]);
}

#[tokio::test]
async fn upsert_keeps_columns_that_the_record_does_not_have() {
    let settings = [
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("insert.mode", "upsert"),
    ];
    let mut sink = Sink::start(&settings).await;
    sink.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, own TEXT DEFAULT 'kept')");
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    for value in [1i32, 2] {
        sink.put(&[topic.record(9i32, &schema, vec![value.into()])])
            .await
            .unwrap();
        sink.execute("UPDATE t SET own = own || '!'");
    }
    assert_eq!(sink.rows("SELECT * FROM t"), ["9|2|kept!!"]);
    let mut replacing = sink
        .another(&[
            settings[0],
            settings[1],
            settings[2],
            ("sqlite.upsert.replace", "true"),
        ])
        .await;
    replacing
        .put(&[topic.record(9i32, &schema, vec![3i32.into()])])
        .await
        .unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["9|3|kept"]);
}

#[tokio::test]
async fn upsert_by_the_value() {
    let settings = [
        CREATE,
        ("pk.mode", "record_value"),
        ("pk.fields", "b,a"),
        ("insert.mode", "upsert"),
    ];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int()), ("b", optional(Type::String)), ("c", int())]);
    let mut topic = Topic::named("t");
    let records = [
        topic.record(0i32, &schema, vec![1i32.into(), "x".into(), 1i32.into()]),
        topic.record(0i32, &schema, vec![1i32.into(), "x".into(), 2i32.into()]),
        topic.record(0i32, &schema, vec![1i32.into(), "y".into(), 3i32.into()]),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t ORDER BY c"), ["1|x|2", "1|y|3"]);
    assert!(sink.definition("t").ends_with("PRIMARY KEY(`a`,`b`))"));
}

#[tokio::test]
async fn update_leaves_missing_rows_out() {
    let settings = [
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("insert.mode", "update"),
    ];
    let mut sink = Sink::start(&settings).await;
    sink.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO t VALUES (1, 0)");
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let records = [
        topic.record(1i32, &schema, vec![5i32.into()]),
        topic.record(2i32, &schema, vec![6i32.into()]),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows("SELECT * FROM t"), ["1|5"]);
}

#[tokio::test]
async fn text_values_go_to_one_column() {
    let settings = [
        CREATE,
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("insert.mode", "upsert"),
        ("string.output.value.column.name", "line"),
    ];
    let mut sink = Sink::start(&settings).await;
    let mut topic = Topic::named("t");
    let record = topic.raw(
        Some(int()),
        1i32.into(),
        Some(optional(Type::String)),
        "hello".into(),
    );
    sink.put(&[record]).await.unwrap();
    assert_eq!(sink.rows("SELECT line, id FROM t"), ["hello|1"]);
}

#[tokio::test]
async fn upsert_needs_a_key() {
    let mut sink = Sink::start(&[CREATE, ("insert.mode", "upsert")]).await;
    let schema = structure(&[("a", int())]);
    let record = Topic::named("t").record(1i32, &schema, vec![1i32.into()]);
    let error = sink.put(&[record]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Write to table '\"t\"' in UPSERT mode requires key field names to be known, check the \
         primary key configuration"
    );
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[tokio::test]
async fn a_violation_fails_and_leaves_nothing_of_the_delivery() {
    let settings = [CREATE, ("pk.mode", "record_key"), ("pk.fields", "id")];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let records = [1i32, 2, 1].map(|key| topic.record(key, &schema, vec![0i32.into()]));
    let error = sink.put(&records).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Other, "{text}");
    assert!(
        text.starts_with("Exception chain:\nerror code 1555: "),
        "{text}"
    );
    assert!(
        text.contains("INSERT of 1 record in table \"t\" (t-0 offset 2)"),
        "{text}"
    );
    assert!(text.ends_with("Connector: sink"), "{text}");
    assert_eq!(sink.rows("SELECT count(*) FROM t"), ["0"]);
    // The task can go on.
    sink.put(&records[..2]).await.unwrap();
    assert_eq!(sink.rows("SELECT count(*) FROM t"), ["2"]);
}

#[tokio::test]
async fn strict_parity_retries_everything() {
    let settings = [
        CREATE,
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("retry.policy", "confluent"),
        ("max.retries", "1"),
        ("retry.backoff.ms", "5"),
    ];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let records = [1i32, 1].map(|key| topic.record(key, &schema, vec![0i32.into()]));
    assert_eq!(
        sink.put(&records).await.unwrap_err().kind(),
        ErrorKind::Retriable
    );
    let wait = sink.context.take_requests().retry_after;
    assert_eq!(wait, Some(std::time::Duration::from_millis(5)));
    assert_eq!(
        sink.put(&records).await.unwrap_err().kind(),
        ErrorKind::Other
    );
}

#[tokio::test]
async fn another_writer_is_waited_for() {
    let settings = [
        CREATE,
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("connection.busy_timeout", "1"),
    ];
    let mut sink = Sink::start(&settings).await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    sink.put(&[topic.record(1i32, &schema, vec![0i32.into()])])
        .await
        .unwrap();
    let other = sink.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let record = [topic.record(2i32, &schema, vec![0i32.into()])];
    let error = sink.put(&record).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    assert!(sink.context.take_requests().retry_after.is_some());
    other.execute_batch("COMMIT").unwrap();
    sink.put(&record).await.unwrap();
    assert_eq!(sink.rows("SELECT count(*) FROM t"), ["2"]);
}

#[tokio::test]
async fn tasks_on_one_file_queue() {
    let settings = [
        CREATE,
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("insert.mode", "upsert"),
    ];
    let first = Sink::start(&settings).await;
    let mut sinks = vec![
        first.another(&settings).await,
        first.another(&settings).await,
    ];
    sinks.push(first);
    let schema = structure(&[("a", int())]);
    let mut writers = tokio::task::JoinSet::new();
    for (index, mut sink) in sinks.into_iter().enumerate() {
        let schema = schema.clone();
        writers.spawn(async move {
            let mut topic = Topic::named("t");
            for round in 0..20i32 {
                let key = index as i32 * 100 + round;
                sink.put(&[topic.record(key, &schema, vec![round.into()])])
                    .await
                    .unwrap();
            }
            sink
        });
    }
    let sinks = writers.join_all().await;
    assert_eq!(sinks[0].rows("SELECT count(*) FROM t"), ["60"]);
}

#[tokio::test]
async fn memory_lasts_as_long_as_the_task() {
    let mut sink = Sink::start(&[
        CREATE,
        ("connection.url", "jdbc:sqlite::memory:"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
    ])
    .await;
    let schema = structure(&[("a", int())]);
    let mut topic = Topic::named("t");
    let record = [topic.record(1i32, &schema, vec![0i32.into()])];
    sink.put(&record).await.unwrap();
    // The row is still there, so that it violates the key.
    let error = sink.put(&record).await.unwrap_err().to_string();
    assert!(error.contains("UNIQUE constraint failed"), "{error}");
    let error = sink.put(&record).await.unwrap_err().to_string();
    assert!(error.contains("UNIQUE constraint failed"), "{error}");
}
