//! Records that cannot be processed, and those that Kafka refuses.

use super::*;

const REFUSE_V2: [(&str, &str); 3] = [
    ("transforms", "f"),
    ("transforms.f.type", "t.Filter"),
    ("transforms.f.refuse", "v2"),
];
const TOLERANT: (&str, &str) = ("errors.tolerance", "all");
const QUEUE: (&str, &str) = ("errors.source.deadletterqueue.topic.name", "dlq");

fn with(more: &[(&str, &str)], prepare: impl Fn(&Surroundings)) -> Bench {
    let config = [&REFUSE_V2[..], more].concat();
    bench_with(&config, TargetState::Started, prepare)
}

#[tokio::test(start_paused = true)]
async fn tolerated_records_are_passed_over_and_move_no_offset() {
    let bench = with(&[TOLERANT], |_| {});
    bench.script.records(1..=2);
    bench.until_committed(1).await;
    bench.script.records(3..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v3"]);
    let log = bench.around.offsets.log.lines();
    assert!(log.iter().all(|line| !line.contains("\"at\":2")), "{log:?}");
    assert_eq!(counted(&bench.around, "total-record-errors"), 1);
    assert_eq!(counted(&bench.around, "total-records-skipped"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_converters_refuse_is_passed_over_too() {
    let bench = bench_with(&[TOLERANT], TargetState::Started, |_| {});
    let partition = Arc::new(OffsetMap::new().with("p", 1i64));
    let mut wrong = record(&partition, 1);
    wrong.record.value = Value::from(1i32);
    let batch = vec![wrong, record(&partition, 2)];
    bench.script.poll(Poll::Records(batch));
    bench.until_committed(2).await;
    assert_eq!(bench.values(), ["v2"]);
    assert_eq!(counted(&bench.around, "total-records-skipped"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_converter_is_asked_again_within_the_time_there_is() {
    let bench = bench_with(
        &[
            ("errors.retry.timeout", "60000"),
            ("value.converter", "t.Text"),
            ("value.converter.away", "3"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=2);
    bench.until_committed(2).await;
    assert_eq!(bench.values(), ["v1", "v2"]);
    assert_eq!(counted(&bench.around, "total-retries"), 3);
    assert_eq!(counted(&bench.around, "total-record-errors"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_to_stop_does_not_wait_for_another_attempt() {
    let bench = bench_with(
        &[
            ("errors.retry.timeout", "-1"),
            TOLERANT,
            ("value.converter", "t.Text"),
            ("value.converter.away", "100000"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=1);
    while counted(&bench.around, "total-retries") < 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let Bench { around, task, .. } = bench;
    assert!(stop(task, &around).await);
    assert_eq!(around.offsets.stored("[\"c\",{\"p\":1}]").await, None);
}

#[tokio::test(start_paused = true)]
async fn records_that_kafka_refuses_are_passed_over_and_move_the_offset() {
    let refused = || error(KafkaErrorKind::Invalid, "too large");
    for fault in [Fault::Lose(refused()), Fault::Reject(refused())] {
        let bench = bench_with(&[TOLERANT], TargetState::Started, |around| {
            around
                .kafka
                .script(Operation::Send, [Fault::Pass, fault.clone()]);
        });
        bench.script.records(1..=2);
        bench.until_committed(2).await;
        assert_eq!(bench.values(), ["v1"]);
        assert_eq!(counted(&bench.around, "total-record-failures"), 1);
        assert_eq!(counted(&bench.around, "total-records-skipped"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_is_finished_ends_the_task_whatever_is_tolerated() {
    let bench = bench_with(&[TOLERANT], TargetState::Started, |around| {
        let fenced = error(KafkaErrorKind::Fenced, "another one");
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Lose(fenced)]);
    });
    bench.script.records(1..=2);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("producer send callback"), "{trace}");
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
}

#[tokio::test(start_paused = true)]
async fn a_letter_takes_the_place_of_its_record() {
    let bench = with(&[TOLERANT, QUEUE], |around| {
        let held = [Fault::Pass, Fault::Hold];
        around.kafka.script(Operation::Send, held);
    });
    let partition = Arc::new(OffsetMap::new().with("p", 1i64));
    let mut wrong = record(&partition, 2);
    wrong.record.key = Value::from(7i64);
    wrong.record.timestamp = Some(9);
    let header = SchemaAndValue::schemaless(Value::from(true));
    wrong.record.headers.add("h", header);
    let batch = vec![record(&partition, 1), wrong, record(&partition, 3)];
    bench.script.poll(Poll::Records(batch));
    bench.until_values(2).await;
    bench.until_committed(1).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
    bench.around.kafka.release(Operation::Send);
    bench.until_committed(3).await;

    let letters = bench.around.kafka.records("dlq");
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    assert_eq!(letter.key.as_deref(), Some(&b"7"[..]));
    assert_eq!(letter.value.as_deref(), Some(&b"\"v2\""[..]));
    assert_eq!(letter.timestamp, Some(9));
    let expected = [
        ("h", "true"),
        ("topic", "t"),
        ("source.partition", "{\"p\":1}"),
        ("source.offset", "{\"at\":2}"),
        ("connector.name", "c"),
        ("task.id", "0"),
        ("stage", "TRANSFORMATION"),
        ("class.name", "t.Filter"),
        (
            "exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        ),
        ("exception.message", "refused"),
        (
            "exception.stacktrace",
            "org.apache.kafka.connect.errors.DataException: refused\n",
        ),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(header_texts(letter), expected);
    assert_eq!(
        counted(&bench.around, "deadletterqueue-produce-requests"),
        1
    );
    // It went to another topic than those that the connector uses.
    let statuses = bench.statuses();
    assert!(!statuses.contains(&"c uses dlq".to_owned()), "{statuses:?}");
}

#[tokio::test(start_paused = true)]
async fn without_tolerance_there_is_a_letter_and_the_offset_stays() {
    let bench = with(&[QUEUE], |_| {});
    bench.script.records(1..=3);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("Tolerance exceeded"), "{trace}");
    assert_eq!(bench.around.kafka.records("dlq").len(), 1);
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_kafka_refuses_fails_the_task_and_the_record_comes_again() {
    let refused = || error(KafkaErrorKind::Invalid, "no");
    for fault in [Fault::Lose(refused()), Fault::Reject(refused())] {
        let bench = with(&[TOLERANT, QUEUE], |around| {
            around
                .kafka
                .script(Operation::Send, [Fault::Pass, fault.clone()]);
        });
        bench.script.records(1..=3);
        let trace = bench.around.trace(&id()).await;
        assert!(
            trace.contains("its dead letter could not be written to topic 'dlq'"),
            "{trace}"
        );
        assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
        assert_eq!(
            counted(&bench.around, "deadletterqueue-produce-failures"),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_sinks_say_nothing_to_sources() {
    let bench = with(
        &[TOLERANT, ("errors.deadletterqueue.topic.name", "dlq")],
        |_| {},
    );
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert!(bench.around.kafka.topic("dlq").is_none());
}
