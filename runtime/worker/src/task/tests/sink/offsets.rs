//! What a sink task commits.

use super::*;

#[tokio::test(start_paused = true)]
async fn records_are_put_and_their_offsets_committed() {
    let bench = bench();
    bench.append(0, &["a", "b"]);
    bench.until_committed(0, 2).await;
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t", "c-0 UNASSIGNED"]
    );
    let lines = bench.script.log.lines();
    assert_eq!(&lines[..2], ["start", "open t-0 t-1"]);
    assert!(lines.contains(&"put t-0@0 t-0@1".to_owned()), "{lines:?}");
    assert_eq!(
        &lines[lines.len() - 3..],
        ["pre_commit t-0:2 t-1:0", "close t-0 t-1", "stop"]
    );
    assert_eq!(bench.kafka.members("connect-c"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_not_committed() {
    let bench = bench_with(&[], |_, script| {
        for _ in 0..8 {
            script.put(Put::Retry(None));
        }
    });
    bench.append(0, &["a"]);
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "put t-0@0").count() >= 3)
        .await;
    assert!(stop(bench.task, &bench.around).await);
    let committed = bench.kafka.committed("connect-c").get(&t(0)).copied();
    assert!(matches!(committed, None | Some(0)), "{committed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cannot_say_what_is_durable_gets_its_records_again() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    bench.script.pre_commit(PreCommit::Fail);
    bench.append(0, &["b", "c"]);
    bench.until_committed(0, 3).await;
    let puts = bench.calls();
    let again: Vec<_> = puts.iter().filter(|line| line.contains("t-0@1")).collect();
    assert!(again.len() >= 2, "{puts:?}");
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_closing_commits_nothing_and_closes() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    bench.append(0, &["b"]);
    bench.until("put t-0@1").await;
    bench.script.pre_commit(PreCommit::Fail);
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.kafka.committed("connect-c")[&t(0)], 1);
    let lines = bench.script.log.lines();
    assert_eq!(&lines[lines.len() - 2..], ["close t-0 t-1", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn only_offsets_that_were_put_are_committed() {
    let bench = bench();
    bench.script.pre_commit(PreCommit::Offsets(Offsets::from([
        (t(0), 7),
        (t(1), 1),
        (TopicPartition::new("other", 0), 1),
    ])));
    bench.append(0, &["a"]);
    bench.append(1, &["b", "c"]);
    bench.until_committed(1, 1).await;
    assert_eq!(bench.committed(0), Some(0));
    assert_eq!(bench.kafka.committed("connect-c").len(), 2);
    // The next time it says all of it.
    bench.until_committed(0, 1).await;
    bench.until_committed(1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_may_keep_its_offsets_to_itself() {
    let bench = bench();
    bench.append(0, &["a"]);
    for _ in 0..3 {
        bench.script.pre_commit(PreCommit::Offsets(Offsets::new()));
    }
    bench
        .script
        .log
        .until(|lines| {
            lines
                .iter()
                .filter(|line| line.starts_with("pre_commit t-0:1"))
                .count()
                == 3
        })
        .await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 0);
    bench.until_committed(0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_may_rewind_and_ask_for_commits() {
    let around = surroundings(Vec::new(), &[("offset.flush.interval.ms", "20000")]);
    let kafka = around.kafka.clone();
    kafka.add_topic("t", 2);
    let script = Script::default();
    let task = Task::Sink(Box::new(script.clone()));
    let _task = launch(
        &around,
        task,
        &map(&[("topics", "t")]),
        TargetState::Started,
    );
    let begin = Instant::now();
    kafka.append_text("t", 0, "k", "a");
    kafka.append_text("t", 0, "k", "b");
    script
        .log
        .until(|lines| lines.concat().contains("t-0@1"))
        .await;
    script.ask(|context| context.rewind(t(0), 1));
    kafka.append_text("t", 1, "k", "x");
    script.log.until_line("put t-0@1").await;
    script.ask(SinkTaskContext::request_commit);
    kafka.append_text("t", 1, "k", "y");
    kafka
        .until(|kafka| kafka.committed("connect-c").get(&t(1)) == Some(&2))
        .await
        .unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(kafka.committed("connect-c")[&t(0)], 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_is_made_good_by_the_next() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::Commit,
            [
                Fault::Reject(error(KafkaErrorKind::Retriable)),
                Fault::Reject(error(KafkaErrorKind::Fatal)),
            ],
        );
    });
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 3);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn records_flow_while_a_commit_waits_and_a_late_one_is_given_up() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(Operation::Commit, [Fault::Slow(Duration::from_secs(3600))]);
    });
    bench.append(0, &["a"]);
    bench
        .kafka
        .until(|kafka| kafka.calls(Operation::Commit) == 1)
        .await
        .unwrap();
    bench.append(0, &["b"]);
    bench.until("put t-0@1").await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 1);
    bench.until_committed(0, 2).await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_commit_is_repeated_while_there_is_time() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.kafka.script(
        Operation::Commit,
        [
            Fault::Reject(error(KafkaErrorKind::Retriable)),
            Fault::Reject(error(KafkaErrorKind::Retriable)),
        ],
    );
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.kafka.committed("connect-c")[&t(0)], 1);
}

#[tokio::test(start_paused = true)]
async fn dropped_records_move_the_offset() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.drop", "b"),
        ],
        |_, _| {},
    );
    bench.append(0, &["b"]);
    bench.until_committed(0, 1).await;
    assert!(!bench.calls().iter().any(|line| line.contains("t-0@0")));
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_put_and_commit_repeats_records() {
    let bench = bench_with(&[], |kafka, _| kafka.always(Operation::Commit, Fault::Hold));
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.task.abandon();
    bench.kafka.clear(Operation::Commit);
    let script = Script::default();
    let task = Task::Sink(Box::new(script.clone()));
    let task = launch(
        &bench.around,
        task,
        &map(&[("topics", "t")]),
        TargetState::Started,
    );
    script.log.until_line("put t-0@0").await;
    assert!(stop(task, &bench.around).await);
    assert_eq!(bench.kafka.committed("connect-c")[&t(0)], 1);
}
