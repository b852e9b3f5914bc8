//! Writes and deletions of one key within one delivery.

use tether_api::data::{Type, Value};
use tether_api::record::SinkRecord;

use crate::support::{Sink, Topic, int, optional, structure};

fn settings(mode: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("auto.create", "true"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("delete.enabled", "true"),
        ("insert.mode", mode),
    ]
}

#[tokio::test]
async fn the_last_record_of_a_key_counts() {
    for mode in ["insert", "upsert"] {
        let mut sink = Sink::start(&settings(mode)).await;
        let schema = structure(&[("a", int())]);
        let mut topic = Topic::named("t");
        let mut sequence = |key: i32, word: &str| -> Vec<SinkRecord> {
            word.chars()
                .map(|step| match step {
                    'D' => topic.tombstone(key),
                    _ => topic.record(
                        key,
                        &schema,
                        vec![step.to_digit(10).map_or(0, |n| n as i32).into()],
                    ),
                })
                .collect()
        };
        let mut records = sequence(0, "1");
        records.extend(sequence(1, "1D"));
        records.extend(sequence(2, "D1"));
        records.extend(sequence(3, "D1D"));
        records.extend(sequence(4, "1D2"));
        if mode == "upsert" {
            records.extend(sequence(5, "12D"));
            records.extend(sequence(6, "12"));
        }
        sink.put(&records).await.unwrap();
        let mut expected = vec!["0|1", "2|1", "4|2"];
        if mode == "upsert" {
            expected.push("6|2");
        }
        assert_eq!(
            sink.rows("SELECT id, a FROM t ORDER BY id"),
            expected,
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_deletion_does_not_create_the_table() {
    let mut sink = Sink::start(&settings("upsert")).await;
    let mut topic = Topic::named("t");
    sink.put(&[topic.tombstone(1i32)]).await.unwrap();
    assert_eq!(sink.rows("SELECT count(*) FROM sqlite_schema"), ["0"]);
    // The first record with a value does, with all of its columns.
    let schema = structure(&[("a", int())]);
    let records = [
        topic.tombstone(1i32),
        topic.record(1i32, &schema, vec![5i32.into()]),
        topic.tombstone(2i32),
    ];
    sink.put(&records).await.unwrap();
    assert_eq!(sink.rows("SELECT id, a FROM t"), ["1|5"]);
}

#[tokio::test]
async fn schemas_that_alternate() {
    let mut all = settings("upsert").to_vec();
    all.push(("auto.evolve", "true"));
    let mut sink = Sink::start(&all).await;
    let old = structure(&[("a", int())]);
    let new = structure(&[("a", int()), ("b", optional(Type::String))]);
    let mut topic = Topic::named("t");
    let mut records = Vec::new();
    for round in 0..5i32 {
        records.push(topic.record(round, &old, vec![round.into()]));
        records.push(topic.record(round + 10, &new, vec![round.into(), "x".into()]));
        records.push(topic.record(0i32, &new, vec![round.into(), Value::Null]));
        records.push(topic.record(1i32, &old, vec![(100 + round).into()]));
    }
    sink.put(&records).await.unwrap();
    assert_eq!(
        sink.rows("SELECT id, a, b FROM t WHERE id < 12 ORDER BY id"),
        [
            "0|4|null",
            "1|104|null",
            "2|2|null",
            "3|3|null",
            "4|4|null",
            "10|0|x",
            "11|1|x"
        ]
    );
}

#[tokio::test]
async fn one_delivery_for_several_tables_is_one_transaction() {
    let mut sink = Sink::start(&settings("insert")).await;
    let schema = structure(&[("a", int())]);
    let (mut one, mut two) = (Topic::named("one"), Topic::named("two"));
    let good = [
        one.record(1i32, &schema, vec![0i32.into()]),
        two.record(1i32, &schema, vec![0i32.into()]),
    ];
    sink.put(&good).await.unwrap();
    let bad = [
        one.record(2i32, &schema, vec![0i32.into()]),
        two.record(1i32, &schema, vec![0i32.into()]),
    ];
    let error = sink.put(&bad).await.unwrap_err().to_string();
    assert!(
        error.contains("in table \"two\" (two-0 offset 1)"),
        "{error}"
    );
    assert_eq!(sink.rows("SELECT count(*) FROM one"), ["1"]);
}
