//! The dead letter queue of a sink.

use super::*;

const QUEUE: [(&str, &str); 4] = [
    ("errors.tolerance", "all"),
    ("errors.deadletterqueue.topic.name", "dlq"),
    ("errors.deadletterqueue.topic.replication.factor", "2"),
    ("errors.deadletterqueue.context.headers.enable", "true"),
];

fn queue_with(more: &[(&str, &str)]) -> Bench {
    bench_with(&[&QUEUE[..], more].concat(), |_, _| {})
}

#[tokio::test(start_paused = true)]
async fn a_letter_is_the_record_as_it_was_with_what_failed() {
    let bench = queue_with(&[("producer.override.linger.ms", "1")]);
    bench.append_poison(1);
    bench.until_committed(1, 1).await;
    let letters = bench.kafka.records("dlq");
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    assert_eq!(letter.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(letter.value.as_deref(), Some(&b"\xff"[..]));
    assert_eq!(letter.timestamp, Some(7));
    assert_eq!(letter.headers[0].1.as_deref(), Some(&b"1"[..]));
    assert_eq!(letter.headers[1].1, None);
    let expected = [
        ("h", "1"),
        ("h", ""),
        ("topic", "t"),
        ("partition", "1"),
        ("offset", "0"),
        ("connector.name", "c"),
        ("task.id", "0"),
        ("stage", "VALUE_CONVERTER"),
        ("class.name", "t.Text"),
        (
            "exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        ),
        ("exception.message", "not UTF-8"),
        (
            "exception.stacktrace",
            "org.apache.kafka.connect.errors.DataException: not UTF-8\n",
        ),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(header_texts(letter), expected);

    let topic = bench.kafka.topic("dlq").unwrap();
    assert_eq!(topic.partitions, 1);
    let clients = bench.kafka.clients();
    let of = |id: &str| clients.iter().find(|client| client["client.id"] == id);
    let producer = of("connector-dlq-producer-c-0").unwrap();
    assert_eq!(producer["linger.ms"], "1");
    assert_eq!(producer["acks"], "all");
    assert!(of("connector-dlq-adminclient-c-0").is_some());
    assert_eq!(
        counted(&bench.around, "deadletterqueue-produce-requests"),
        1
    );
    assert_eq!(
        counted(&bench.around, "deadletterqueue-produce-failures"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_transformation_refuses_goes_there_as_it_was_consumed() {
    let bench = queue_with(&[
        ("transforms", "f"),
        ("transforms.f.type", "t.Filter"),
        ("transforms.f.refuse", "b"),
    ]);
    bench.append(0, &["a", "b", "c"]);
    bench.until_committed(0, 3).await;
    bench.until("put t-0@0 t-0@2").await;
    let letter = &bench.kafka.records("dlq")[0];
    assert_eq!(letter.value.as_deref(), Some(&b"b"[..]));
    let headers = header_texts(letter);
    for (name, value) in [
        ("offset", "1"),
        ("stage", "TRANSFORMATION"),
        ("class.name", "t.Filter"),
        ("exception.message", "refused"),
    ] {
        let expected = (name.to_owned(), value.to_owned());
        assert!(headers.contains(&expected), "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_context_headers_there_are_only_the_records_own() {
    let bench = bench_with(&QUEUE[..3], |_, _| {});
    bench.append_poison(0);
    bench.until_letters(1).await;
    assert_eq!(bench.kafka.records("dlq")[0].headers.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn offsets_wait_for_letters() {
    let bench = bench_with(&QUEUE, |kafka, _| {
        kafka.script(Operation::Send, [Fault::Hold]);
    });
    bench.append_poison(0);
    bench.append(0, &["a"]);
    bench.append(1, &["b"]);
    bench.until_committed(1, 1).await;
    bench
        .script
        .log
        .until(|lines| lines.concat().contains("t-0@1"))
        .await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(bench.committed(0).unwrap_or(0), 0);
    bench.kafka.release(Operation::Send);
    bench.until_committed(0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_stops_commits_nothing_over_a_letter_that_is_on_its_way() {
    let bench = bench_with(&QUEUE, |kafka, _| {
        kafka.always(Operation::Send, Fault::Hold);
    });
    bench.append_poison(0);
    bench.append(1, &["b"]);
    bench.until("put t-1@0").await;
    bench.until_letters(1).await;
    let Bench {
        around,
        kafka,
        mut task,
        ..
    } = bench;
    task.request_stop();
    assert!(task.ended(Instant::now() + Duration::from_secs(60)).await);
    drop(around);
    let committed = kafka.committed("connect-c");
    assert_eq!(committed.get(&t(0)).copied().unwrap_or(0), 0);
    assert_eq!(committed.get(&t(1)), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_kafka_refuses_fails_the_task_and_the_record_comes_again() {
    let lost = || error(KafkaErrorKind::Invalid);
    for fault in [Fault::Lose(lost()), Fault::Reject(lost())] {
        let bench = bench_with(&QUEUE, |kafka, _| {
            kafka.script(Operation::Send, [fault.clone()]);
        });
        bench.append(0, &["a"]);
        bench.append_poison(0);
        bench.append(0, &["b"]);
        let trace = bench.around.trace(&id()).await;
        assert!(
            trace.contains("its dead letter could not be written to topic 'dlq'"),
            "{trace}"
        );
        assert!(bench.committed(0).unwrap_or(0) <= 1, "{fault:?}");
        assert_eq!(
            counted(&bench.around, "deadletterqueue-produce-failures"),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_producer_without_room_is_waited_for() {
    let bench = bench_with(&QUEUE, |kafka, _| {
        let full = || Fault::Reject(error(KafkaErrorKind::QueueFull));
        kafka.script(Operation::Send, [full(), full()]);
    });
    bench.append_poison(0);
    bench.until_committed(0, 1).await;
    assert_eq!(bench.kafka.records("dlq").len(), 1);
    assert_eq!(
        counted(&bench.around, "deadletterqueue-produce-requests"),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn the_record_that_ends_the_task_has_a_letter_too() {
    let bench = bench_with(&QUEUE[1..], |_, _| {});
    bench.append(0, &["a"]);
    bench.append_poison(0);
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("Tolerance exceeded in error handler"),
        "{trace}"
    );
    bench.until_letters(1).await;
    assert!(bench.committed(0).unwrap_or(0) <= 1);
    assert_eq!(counted(&bench.around, "total-records-skipped"), 0);
}

#[tokio::test(start_paused = true)]
async fn letters_of_lost_partitions_are_not_waited_for() {
    let bench = bench_with(&QUEUE, |kafka, _| {
        kafka.always(Operation::Send, Fault::Hold);
    });
    bench.append_poison(0);
    bench.until_letters(1).await;
    bench.kafka.lose("connect-c", &[t(0)]);
    bench.until("close t-0").await;
    bench.append(1, &["b"]);
    bench.until_committed(1, 1).await;
    // A letter of this task that is refused now concerns nobody any more.
    bench
        .kafka
        .fail_held(Operation::Send, error(KafkaErrorKind::Invalid));
    bench.append(1, &["c"]);
    bench.until_committed(1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_exists_is_taken_and_one_that_cannot_be_made_fails_the_task() {
    let bench = bench_with(&QUEUE, |kafka, _| kafka.add_topic("dlq", 5));
    bench.append_poison(0);
    bench.until_letters(1).await;
    assert_eq!(bench.kafka.topic("dlq").unwrap().partitions, 5);
    assert_eq!(bench.kafka.calls(Operation::CreateTopic), 0);

    let bench = bench_with(&QUEUE, |kafka, _| {
        kafka.script(
            Operation::CreateTopic,
            [Fault::Reject(error(KafkaErrorKind::NotAuthorized))],
        );
    });
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Could not initialize dead letter queue with \
         topic=dlq\nCaused by: org.apache.kafka.connect.errors.ConnectException: trouble\n"
    );

    // Another task was faster.
    let bench = bench_with(&QUEUE, |kafka, _| {
        kafka.script(
            Operation::CreateTopic,
            [Fault::Reject(error(KafkaErrorKind::AlreadyExists))],
        );
    });
    bench.append_poison(0);
    bench.until_letters(1).await;
}
