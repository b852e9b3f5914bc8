//! What a source task commits.

use super::*;

#[tokio::test(start_paused = true)]
async fn records_reach_kafka_and_their_offsets_the_store() {
    let bench = bench();
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v2", "v3"]);
    let mut committed = bench.script.context().committed;
    let told = committed
        .wait_for(|told| told.sequence == 1)
        .await
        .unwrap()
        .clone();
    assert_eq!(told.offsets.len(), 1);
    assert_eq!(
        told.offsets[0].1.as_ref().unwrap().get("at"),
        Some(Value::from(3i64))
    );
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t", "c-0 UNASSIGNED"]
    );
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
    let version = bench.around.statuses.task(&id()).unwrap().version;
    assert_eq!(version.as_deref(), Some("1.2.3"));
}

#[tokio::test(start_paused = true)]
async fn a_later_run_reads_what_was_committed() {
    let first = bench();
    first.script.records([5]);
    first.until_committed(5).await;
    let reader = first.script.context().offsets;
    let stored = reader
        .offsets(&[OffsetMap::new().with("p", 1i64)])
        .await
        .unwrap();
    assert_eq!(stored, [Some(OffsetMap::new().with("at", 5i64))]);
}

#[tokio::test(start_paused = true)]
async fn offsets_follow_the_acknowledged_prefix() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Hold, Fault::Pass]);
    });
    bench.script.records(1..=3);
    bench.until_committed(1).await;
    // Another commit passes; the held record still stands in the way.
    bench.script.poll(Poll::Records(vec![record(
        &Arc::new(OffsetMap::new().with("q", 1i64)),
        9,
    )]));
    let other = "[\"c\",{\"q\":1}]={\"at\":9}";
    bench.around.offsets.log.until_line(other).await;
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
    bench.around.kafka.release(Operation::Send);
    bench.until_committed(3).await;
    assert_eq!(
        bench
            .around
            .offsets
            .log
            .count("[\"c\",{\"p\":1}]={\"at\":2}"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_position_needs_no_record() {
    let bench = bench();
    bench.script.records_up_to([], 4);
    bench.until_committed(4).await;
    assert!(bench.values().is_empty());
    let mut committed = bench.script.context().committed;
    let told = committed.wait_for(|told| told.sequence == 1).await.unwrap();
    let offset = told.offsets[0].1.as_ref().unwrap();
    assert_eq!(offset.get("at"), Some(Value::from(4i64)));
}

#[tokio::test(start_paused = true)]
async fn a_position_waits_for_the_records_before_it() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Hold]);
    });
    bench.script.records_up_to(1..=2, 3);
    bench.until_committed(1).await;
    // Another commit passes; the held record still stands in the way.
    bench.script.poll(Poll::Records(vec![record(
        &Arc::new(OffsetMap::new().with("q", 1i64)),
        9,
    )]));
    let other = "[\"c\",{\"q\":1}]={\"at\":9}";
    bench.around.offsets.log.until_line(other).await;
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
    bench.around.kafka.release(Operation::Send);
    bench.until_committed(3).await;
    bench.script.records([5]);
    bench.until_committed(5).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_flush_keeps_its_offsets() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Fail]);
    });
    bench.script.records([1]);
    bench.around.offsets.log.until_line("failed").await;
    bench.until_committed(1).await;
    bench.around.offsets.script([OffsetFault::Fail]);
    bench.script.records([2]);
    bench
        .around
        .offsets
        .log
        .until(|lines| lines.iter().filter(|line| *line == "failed").count() == 2)
        .await;
    bench.script.records([3]);
    bench.until_committed(3).await;
    // The newer offset took the place of the one that could not be written.
    assert_eq!(
        bench
            .around
            .offsets
            .log
            .count("[\"c\",{\"p\":1}]={\"at\":2}"),
        0
    );
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c uses t"]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_hangs_is_given_up_and_repeated() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Hang]);
    });
    bench.script.records([1]);
    bench.around.offsets.log.until_line("hangs").await;
    // Data flows on meanwhile.
    bench.script.records([2]);
    bench.until_values(2).await;
    bench.until_committed(2).await;
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c uses t"]);
}

#[tokio::test(start_paused = true)]
async fn dropped_records_move_no_offset() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.drop", "v2"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=2);
    bench.until_committed(1).await;
    bench.script.records([3]);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v3"]);
    assert_eq!(
        bench
            .around
            .offsets
            .log
            .count("[\"c\",{\"p\":1}]={\"at\":2}"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn offsets_that_cannot_be_stored_do_not_end_the_task() {
    let bench = bench();
    let mut wrong = record(&Arc::new(OffsetMap::new().with("p", 1i64)), 1);
    let nested = Value::from(vec![Value::Null]);
    wrong.source_offset = Some(Arc::new(OffsetMap::new().with("at", nested)));
    bench.script.poll(Poll::Records(vec![wrong]));
    bench.until_values(1).await;
    bench.script.records([2]);
    bench.until_committed(2).await;
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c uses t"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_acknowledgement_and_commit_repeats_records() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Hang]);
    });
    bench.script.records(1..=2);
    bench.around.offsets.log.until_line("hangs").await;
    assert_eq!(bench.values(), ["v1", "v2"]);
    bench.task.abandon();
    // The next run finds no offset and sends everything again.
    let script = Script::new();
    let task = launch(
        &bench.around,
        script.task(),
        &map(&[]),
        TargetState::Started,
    );
    script.log.until_line("poll").await;
    let partition = OffsetMap::new().with("p", 1i64);
    let found = script.context().offsets.offsets(&[partition]).await;
    assert_eq!(found.unwrap(), [None]);
    script.records(1..=3);
    bench
        .around
        .offsets
        .log
        .until_line("[\"c\",{\"p\":1}]={\"at\":3}")
        .await;
    assert!(stop(task, &bench.around).await);
    let values = bench.around.kafka.records("t").len();
    assert_eq!(values, 5);
}

/// What becomes of each record of [`never_more_is_committed_than_kafka_has`].
fn fault() -> impl Strategy<Value = Option<u64>> {
    // Most are slow by some milliseconds, some are refused for now.
    prop_oneof![3 => (0..400u64).prop_map(Some), 1 => Just(None)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the producer does, the stored offset never passes a record that
    /// Kafka does not have, and in the end everything before the first lost
    /// record is there, in order, and committed.
    #[test]
    fn never_more_is_committed_than_kafka_has(
        faults in prop::collection::vec(fault(), 1..40),
        batch in 1..10usize,
        lost in prop::option::of(0..40usize),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let count = faults.len() as i64;
            let lost = lost.filter(|at| *at < faults.len());
            let bench = bench_with(&[], TargetState::Started, |around| {
                let script = faults.iter().enumerate().flat_map(|(at, fault)| {
                    let refused = Fault::Reject(error(KafkaErrorKind::Retriable, "later"));
                    let last = if lost == Some(at) {
                        Fault::Lose(error(KafkaErrorKind::Fatal, "lost"))
                    } else {
                        Fault::Slow(Duration::from_millis(fault.unwrap_or(0)))
                    };
                    fault.is_none().then_some(refused).into_iter().chain([last])
                });
                around.kafka.script(Operation::Send, script);
            });
            let positions: Vec<i64> = (1..=count).collect();
            for batch in positions.chunks(batch) {
                bench.script.records(batch.iter().copied());
            }
            let through = lost.map_or(count, |at| at as i64);
            if lost.is_some() {
                bench.around.trace(&id()).await;
            } else {
                bench.until_committed(through).await;
            }
            let committed = bench.committed().await;
            let expected = (through > 0).then(|| format!("{{\"at\":{through}}}"));
            prop_assert_eq!(committed, expected);
            let expected: Vec<String> = (1..=through).map(|at| format!("v{at}")).collect();
            prop_assert_eq!(&bench.values()[..through as usize], &expected[..]);
            Ok(())
        })?;
    }
}
