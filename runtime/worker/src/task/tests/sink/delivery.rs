//! What reaches a sink task, and when.

use tether_storage::StatusStore as _;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_idle_task_is_called_with_nothing() {
    let bench = bench();
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "put").count() >= 3)
        .await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 0);
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_record_arrives() {
    struct Keep(Arc<Mutex<Vec<SinkRecord>>>);

    #[async_trait]
    impl SinkTask for Keep {
        async fn start(&mut self, _context: SinkTaskContext, _config: ConfigMap) -> Result<()> {
            Ok(())
        }

        async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
            self.0.lock().unwrap().extend_from_slice(records);
            Ok(())
        }
    }

    let around = surroundings(Vec::new(), &[]);
    around.kafka.append(
        "t",
        0,
        ConsumedRecord {
            topic: "".into(),
            partition: 0,
            offset: 0,
            timestamp: Some(12),
            timestamp_type: TimestampType::LogAppendTime,
            key: None,
            value: Some(Bytes::from_static(b"v")),
            headers: vec![
                ("h".into(), Some(Bytes::from_static(b"x"))),
                ("h".into(), None),
            ],
        },
    );
    let kept = Arc::<Mutex<Vec<SinkRecord>>>::default();
    let task = Task::Sink(Box::new(Keep(kept.clone())));
    let config = map(&[("topics.regex", "t.*")]);
    let _task = launch(&around, task, &config, TargetState::Started);
    around
        .kafka
        .until(|kafka| kafka.committed("connect-c").get(&t(0)) == Some(&1))
        .await
        .unwrap();
    let kept = kept.lock().unwrap();
    let SinkRecord {
        record,
        timestamp_type,
        original,
    } = &kept[0];
    assert_eq!(
        (&*record.topic, record.partition, record.timestamp),
        ("t", Some(0), Some(12))
    );
    assert!(record.key.is_null());
    assert_eq!(record.value.as_str(), Some("v"));
    assert_eq!(
        (*timestamp_type, original, record.offset),
        (TimestampType::LogAppendTime, &t(0), Some(0))
    );
    let headers: Vec<_> = record.headers.iter().collect();
    assert_eq!(
        (&*headers[0].key, headers[0].value.value.as_str()),
        ("h", Some("x"))
    );
    assert!(headers[1].value.value.is_null());
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_put_again_until_it_is_taken() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        script.put(Put::Retry(Some(Duration::from_millis(10))));
        script.put(Put::Retry(Some(Duration::from_millis(10))));
    });
    let polls = |kafka: &FakeKafka| kafka.calls(Operation::Poll);
    bench.until("put t-0@0").await;
    let before = polls(&bench.kafka);
    // What comes now waits, on both partitions.
    bench.append(0, &["b"]);
    bench.append(1, &["c"]);
    bench.until_committed(1, 1).await;
    bench.until_committed(0, 2).await;
    let mut puts = bench.calls();
    puts.retain(|line| line.starts_with("put"));
    assert_eq!(puts[..3], ["put t-0@0", "put t-0@0", "put t-0@0"]);
    assert!(
        puts[3..].iter().all(|put| !put.contains("t-0@0")),
        "{puts:?}"
    );
    // The consumer was polled meanwhile, so the member stayed in the group.
    assert!(polls(&bench.kafka) > before);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_may_pause_partitions_of_its_own() {
    let bench = bench();
    bench.until("open t-0 t-1").await;
    bench
        .script
        .ask(|context| context.pause(&[t(0), TopicPartition::new("other", 0)]));
    bench.append(1, &["x"]);
    bench.until("put t-1@0").await;
    bench.append(0, &["a"]);
    bench.append(1, &["y"]);
    bench.until("put t-1@1").await;
    // A pause and resumption by the user does not undo it.
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    bench.task.set_target_state(TargetState::Started);
    bench.append(1, &["z"]);
    bench.until("put t-1@2").await;
    assert!(!bench.calls().contains(&"put t-0@0".to_owned()));
    bench.script.ask(|context| context.resume(&[t(0)]));
    bench.until("put t-0@0").await;
}

#[tokio::test(start_paused = true)]
async fn records_that_do_not_fit_fail_the_task_with_their_position() {
    let bench = bench();
    bench.append(1, &["a"]);
    bench.until("put t-1@0").await;
    let wrong = ConsumedRecord {
        topic: "".into(),
        partition: 1,
        offset: 0,
        timestamp: None,
        timestamp_type: TimestampType::NoTimestampType,
        key: None,
        value: Some(Bytes::from_static(b"\xff")),
        headers: Vec::new(),
    };
    bench.kafka.append("t", 1, wrong);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
         Caused by: org.apache.kafka.connect.errors.DataException: VALUE_CONVERTER of the record \
         topic='t', partition=1, offset=1: not UTF-8\n"
    );
    assert_eq!(bench.committed(1), Some(1));
}

#[tokio::test(start_paused = true)]
async fn converters_prepare_themselves() {
    let bench = bench_with(
        &[
            ("value.converter", "t.Text"),
            ("value.converter.unprepared", "1"),
        ],
        |_, _| {},
    );
    bench.append(0, &["a", "b"]);
    bench.until_committed(0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn batches_have_the_size_that_the_consumer_is_configured_with() {
    let bench = bench_with(
        &[("consumer.override.max.poll.records", "2")],
        |kafka, _| {
            for value in ["a", "b", "c"] {
                kafka.append_text("t", 0, "k", value);
            }
        },
    );
    bench.until("put t-0@0 t-0@1").await;
    bench.until("put t-0@2").await;
    let consumer = &bench.kafka.clients()[0];
    assert_eq!(consumer["group.id"], "connect-c");
    assert_eq!(consumer["client.id"], "connector-consumer-c-0");
    assert_eq!(consumer["auto.offset.reset"], "earliest");
}

#[tokio::test(start_paused = true)]
async fn passing_problems_of_the_consumer_are_waited_out() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::Poll,
            [Fault::Reject(error(KafkaErrorKind::Retriable))],
        );
    });
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    bench.kafka.script(
        Operation::Poll,
        [Fault::Reject(error(KafkaErrorKind::NotAuthorized))],
    );
    bench.append(0, &["b"]);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("ConnectException: trouble"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn topics_that_were_forgotten_are_noted_again() {
    let bench = bench();
    let noted = |times| {
        move |lines: &[String]| lines.iter().filter(|line| *line == "c uses t").count() == times
    };
    bench.append(0, &["a"]);
    bench.around.statuses.log.until(noted(1)).await;
    bench.around.statuses.reset_topics("c");
    bench.append(0, &["b"]);
    bench.around.statuses.log.until(noted(2)).await;
}
