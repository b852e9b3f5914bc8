//! How records get to Kafka, or why not.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_record_that_is_lost_on_the_way_fails_the_task_even_in_a_quiet_poll() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        let lost = error(KafkaErrorKind::Invalid, "too large");
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Lose(lost)]);
    });
    bench.script.records(1..=3);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send \
         callback\nCaused by: org.apache.kafka.connect.errors.ConnectException: too large\n"
    );
    // What was acknowledged before it is committed, what came after is not.
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_fails_the_task() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        let refused = error(KafkaErrorKind::NotAuthorized, "not yours");
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Reject(refused)]);
    });
    bench.script.records(1..=3);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("ConnectException: Unrecoverable exception trying to send\nCaused by"));
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_refused_for_now_is_sent_again_in_its_place() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        let later = error(KafkaErrorKind::Retriable, "leader moves");
        around.kafka.script(
            Operation::Send,
            [
                Fault::Pass,
                Fault::Reject(later.clone()),
                Fault::Reject(later),
            ],
        );
    });
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v2", "v3"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_waited_for() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.limit_queue(2)
    });
    bench.script.records(1..=50);
    bench.until_committed(50).await;
    let expected: Vec<String> = (1..=50).map(|position| format!("v{position}")).collect();
    assert_eq!(bench.values(), expected);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_limit_is_not_in_flight() {
    // Each record has two bytes.
    let bench = bench_with(
        &[("producer.override.buffer.memory", "6")],
        TargetState::Started,
        |around| around.kafka.always(Operation::Send, Fault::Hold),
    );
    bench.script.records(1..=9);
    bench.until_values(3).await;
    for released in 1..=9 {
        bench
            .around
            .kafka
            .until(|kafka| kafka.held(Operation::Send) == 3.min(10 - released))
            .await
            .unwrap();
        bench.around.kafka.release_one(Operation::Send);
    }
    bench.until_committed(9).await;
    assert_eq!(bench.values().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn many_records_keep_their_order_whatever_stops_them() {
    // Each record has two to four bytes, far fewer than a run.
    let bench = bench_with(
        &[("producer.override.buffer.memory", "100")],
        TargetState::Started,
        |around| {
            let later = error(KafkaErrorKind::Retriable, "leader moves");
            let full = error(KafkaErrorKind::QueueFull, "full");
            let mut faults = vec![Fault::Pass; 200];
            for at in [3, 4, 90, 150] {
                faults[at] = Fault::Reject(later.clone());
                faults[at + 10] = Fault::Reject(full.clone());
            }
            around.kafka.script(Operation::Send, faults);
        },
    );
    let partition = Arc::new(OffsetMap::new().with("p", 1i64));
    let mut shared = Headers::new();
    shared.add("shared", SchemaAndValue::schemaless(Value::from("by many")));
    let with_headers = |position: i64| {
        let mut record = record(&partition, position);
        if position % 8 < 4 {
            record.record.headers = shared.clone();
            return record;
        }
        for number in 0..position % 3 {
            let value = SchemaAndValue::schemaless(Value::from(position));
            record.record.headers.add(format!("h{number}"), value);
        }
        record
    };
    let batch = (1..=600).map(with_headers).collect();
    bench.script.poll(Poll::Records(batch));
    bench.until_committed(600).await;
    let expected: Vec<String> = (1..=600).map(|position| format!("v{position}")).collect();
    assert_eq!(bench.values(), expected);
    for (position, sent) in (1..=600).zip(bench.around.kafka.records("t")) {
        let headers: Vec<_> = sent.headers.iter().map(header).collect();
        let own = (0..position % 3).map(|number| format!("h{number}={position}"));
        let expected: Vec<_> = match position % 8 < 4 {
            true => vec!["shared=by many".to_owned()],
            false => own.collect(),
        };
        assert_eq!(headers, expected);
    }
}

fn header((name, value): &RecordHeader) -> String {
    let value = value.as_deref().unwrap_or_default();
    format!("{name}={}", String::from_utf8_lossy(value))
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_a_wrong_record_is_sent() {
    let bench = bench();
    let partition = Arc::new(OffsetMap::new().with("p", 1i64));
    let mut batch: Vec<_> = (1..=3)
        .map(|position| record(&partition, position))
        .collect();
    batch[2].record.timestamp = Some(-2);
    bench.script.poll(Poll::Records(batch));
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("Invalid record timestamp -2"), "{trace}");
    assert_eq!(bench.values(), ["v1", "v2"]);
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":2}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_passed_over_does_not_overtake_those_before_it() {
    let bench = bench_with(
        &[
            ("producer.override.buffer.memory", "4"),
            ("errors.tolerance", "all"),
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.refuse", "v4"),
        ],
        TargetState::Started,
        |around| {
            let refused = error(KafkaErrorKind::Invalid, "too large");
            around.kafka.script(
                Operation::Send,
                [Fault::Pass, Fault::Reject(refused), Fault::Pass],
            );
        },
    );
    bench.script.records(1..=9);
    bench.until_committed(9).await;
    assert_eq!(bench.values(), ["v1", "v3", "v5", "v6", "v7", "v8", "v9"]);
}

#[tokio::test(start_paused = true)]
async fn records_that_do_not_fit_fail_the_task() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.refuse", "v2"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=2);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
         Caused by: org.apache.kafka.connect.errors.DataException: TRANSFORMATION of the record for topic \
         't', source partition {\"p\":1}, source offset {\"at\":2}: transformation f: refused\n"
    );
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
}

#[tokio::test(start_paused = true)]
async fn values_that_the_converter_refuses_fail_the_task() {
    let bench = bench();
    let mut wrong = record(&Arc::new(OffsetMap::new()), 1);
    wrong.record.value = Value::from(1i32);
    bench.script.poll(Poll::Records(vec![wrong]));
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("VALUE_CONVERTER of the record for topic 't', source partition {}, source offset {\"at\":1}: not a text"),
        "{trace}"
    );
}

#[tokio::test(start_paused = true)]
async fn converters_prepare_themselves_once() {
    let bench = bench_with(
        &[
            ("key.converter", "t.Text"),
            ("key.converter.unprepared", "1"),
            ("value.converter", "t.Text"),
            ("value.converter.unprepared", "1"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v2", "v3"]);
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_record_is_sent() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.add_topic("t", 3)
    });
    let partition = Arc::new(OffsetMap::new().with("p", 1i64));
    let mut full = record(&partition, 1);
    full.record.partition = Some(2);
    full.record.key = Value::from("k");
    full.record.timestamp = Some(12);
    for number in 0..10 {
        let value = if number == 5 {
            Value::Null
        } else {
            Value::from(number)
        };
        full.record
            .headers
            .add(format!("h{number}"), SchemaAndValue::schemaless(value));
    }
    let mut tombstone = record(&partition, 2);
    tombstone.record.value = Value::Null;
    tombstone.record.timestamp = Some(-1);
    tombstone.source_offset = None;
    bench.script.poll(Poll::Records(vec![full, tombstone]));
    bench
        .around
        .offsets
        .log
        .until_line("[\"c\",{\"p\":1}]=null")
        .await;
    let records = bench.around.kafka.records("t");
    let empty = records
        .iter()
        .find(|record| record.value.is_none())
        .unwrap();
    assert_eq!(empty.key, None);
    let sent = records
        .iter()
        .find(|record| record.value.is_some())
        .unwrap();
    assert_eq!((sent.partition, sent.timestamp), (2, Some(12)));
    assert_eq!(sent.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(sent.headers.len(), 10);
    assert_eq!(
        (&*sent.headers[0].0, sent.headers[0].1.as_deref()),
        ("h0", Some(&b"0"[..]))
    );
    assert_eq!(sent.headers[5].1, None);
    assert_eq!(sent.headers[9].1.as_deref(), Some(&b"9"[..]));
}

#[tokio::test(start_paused = true)]
async fn timestamps_must_not_be_negative() {
    let bench = bench();
    let mut wrong = record(&Arc::new(OffsetMap::new()), 1);
    wrong.record.timestamp = Some(-2);
    bench.script.poll(Poll::Records(vec![wrong]));
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.common.InvalidRecordException: Invalid record timestamp -2\n"
    );
}

#[tokio::test(start_paused = true)]
async fn topics_that_were_forgotten_are_noted_again() {
    let bench = bench();
    let noted = |times| {
        move |lines: &[String]| lines.iter().filter(|line| *line == "c uses t").count() == times
    };
    bench.script.records(1..=3);
    bench.around.statuses.log.until(noted(1)).await;
    bench.script.records(4..=6);
    bench.until_committed(6).await;
    assert!(noted(1)(&bench.statuses()));
    bench.around.statuses.reset_topics("c");
    bench.script.records(7..=9);
    bench.around.statuses.log.until(noted(2)).await;
}
