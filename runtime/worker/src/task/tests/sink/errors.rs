//! Records that cannot be processed: tolerated, tried again, counted.

use super::*;

#[tokio::test(start_paused = true)]
async fn tolerated_records_are_passed_over_and_their_offsets_move() {
    let bench = bench_with(&[("errors.tolerance", "all")], |_, _| {});
    bench.append(0, &["a"]);
    bench.append_poison(0);
    bench.append(0, &["b"]);
    bench.append_poison(0);
    bench.until_committed(0, 4).await;
    bench.until("put t-0@0 t-0@2").await;
    let counters = [
        "total-record-failures",
        "total-record-errors",
        "total-records-skipped",
        "total-retries",
        "total-errors-logged",
        "deadletterqueue-produce-requests",
        "deadletterqueue-produce-failures",
    ];
    let counted = |name: &str| counted(&bench.around, name);
    assert_eq!(counters.map(counted), [2, 2, 2, 0, 0, 0, 0]);
    assert!(counted("last-error-timestamp") > 1_700_000_000_000);
}

#[tokio::test(start_paused = true)]
async fn the_first_error_of_a_record_is_its_only_one() {
    let bench = bench_with(
        &[("errors.tolerance", "all"), ("errors.log.enable", "true")],
        |_, _| {},
    );
    let poison = ConsumedRecord {
        topic: "".into(),
        partition: 0,
        offset: 0,
        timestamp: None,
        timestamp_type: TimestampType::NoTimestampType,
        key: Some(Bytes::from_static(b"\xff")),
        value: Some(Bytes::from_static(b"\xfe")),
        headers: Vec::new(),
    };
    bench.kafka.append("t", 0, poison);
    bench.until_committed(0, 1).await;
    assert_eq!(counted(&bench.around, "total-record-errors"), 1);
    assert_eq!(counted(&bench.around, "total-errors-logged"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_within_the_time_there_is() {
    let bench = bench_with(
        &[
            ("errors.retry.timeout", "60000"),
            ("value.converter", "t.Text"),
            ("value.converter.away", "3"),
        ],
        |_, _| {},
    );
    let begin = Instant::now();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    // 300, 600 and 1200 ms.
    assert!(begin.elapsed() >= Duration::from_millis(2100));
    assert_eq!(counted(&bench.around, "total-retries"), 3);
    assert_eq!(counted(&bench.around, "total-record-failures"), 3);
    assert_eq!(counted(&bench.around, "total-record-errors"), 0);
}

#[tokio::test(start_paused = true)]
async fn when_the_time_is_over_the_record_has_failed() {
    let away = [
        ("errors.retry.timeout", "500"),
        ("value.converter", "t.Text"),
        ("value.converter.away", "100"),
    ];
    let bench = bench_with(&away, |_, _| {});
    bench.append(0, &["a"]);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
         Caused by: org.apache.kafka.connect.errors.RetriableException: VALUE_CONVERTER of the record \
         topic='t', partition=0, offset=0: the registry is away\n"
    );
    // After 0, 300 and 500 ms.
    assert_eq!(counted(&bench.around, "total-record-failures"), 3);
    assert_eq!(bench.committed(0), None);

    let tolerant = [&away[..], &[("errors.tolerance", "all")]].concat();
    let bench = bench_with(&tolerant, |_, _| {});
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    assert_eq!(counted(&bench.around, "total-records-skipped"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_to_stop_does_not_wait_and_the_record_comes_again() {
    let bench = bench_with(
        &[
            ("errors.retry.timeout", "-1"),
            ("errors.tolerance", "all"),
            ("key.converter", "t.Text"),
            ("value.converter", "t.Text"),
            ("value.converter.away", "100000"),
        ],
        |_, _| {},
    );
    bench.append(0, &["a"]);
    bench.until("open t-0 t-1").await;
    while counted(&bench.around, "total-retries") < 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let Bench {
        around,
        kafka,
        task,
        ..
    } = bench;
    assert!(stop(task, &around).await);
    assert!(
        kafka
            .committed("connect-c")
            .values()
            .all(|offset| *offset == 0)
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_settings_are_refused_with_their_key() {
    for (key, value, expected) in [
        (
            "errors.tolerance",
            "some",
            "String must be one of: none, all",
        ),
        ("errors.retry.timeout", "-2", "Value must be at least -1"),
        (
            "errors.retry.delay.max.ms",
            "soon",
            "Not a number of type LONG",
        ),
        ("errors.log.enable", "1", "either true or false"),
    ] {
        let around = surroundings(Vec::new(), &[]);
        let mut config = map(&[("topics", "t")]);
        config.extend(map(&[(key, value)]));
        let task = Task::Sink(Box::new(Script::default()));
        let error =
            super::super::try_launch(None, &around, task, &config, TargetState::Started).err();
        let text = error.unwrap().to_string();
        assert!(text.contains(key) && text.contains(expected), "{text}");
    }
}
