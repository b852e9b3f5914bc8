//! Partitions come and go.

use super::*;

#[tokio::test(start_paused = true)]
async fn revoked_partitions_are_committed_and_closed_and_their_records_dropped() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.append(1, &["b"]);
    bench.until("open t-0 t-1").await;
    bench
        .script
        .log
        .until(|lines| lines.concat().contains("t-1@0"))
        .await;
    // In mid-batch: a batch with records of both partitions is refused.
    for _ in 0..100 {
        bench
            .script
            .put(Put::Retry(Some(Duration::from_millis(10))));
    }
    bench.append(0, &["c"]);
    bench.append(1, &["d"]);
    bench.until("put t-0@1 t-1@1").await;
    bench.kafka.revoke("connect-c", &[t(0)]);
    bench.until("close t-0").await;
    assert_eq!(bench.committed(0), Some(1));
    bench.script.puts.lock().unwrap().clear();
    bench.until_committed(1, 2).await;
    let lines = bench.script.log.lines();
    let closed = lines.iter().position(|line| line == "close t-0").unwrap();
    assert!(
        lines[closed - 1].starts_with("pre_commit t-0:1"),
        "{lines:?}"
    );
    assert!(
        lines[closed..].iter().all(|line| !line.contains("t-0@")),
        "{lines:?}"
    );
    // Whoever gets the partition reads on where the commit says.
    bench.kafka.assign("connect-c", &[t(0)]);
    bench.until("open t-0").await;
    bench.until("put t-0@1").await;
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_in_mid_batch_loses_nothing() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        kafka.append_text("t", 1, "k", "b");
        for _ in 0..3 {
            script.put(Put::Retry(Some(Duration::from_millis(10))));
        }
    });
    bench.until("put t-0@0 t-1@0").await;
    bench.kafka.rebalance("connect-c");
    bench.until("close t-0 t-1").await;
    bench.until_committed(0, 1).await;
    bench.until_committed(1, 1).await;
    assert_eq!(bench.script.log.count("open t-0 t-1"), 2);
}

#[tokio::test(start_paused = true)]
async fn lost_partitions_are_closed_without_a_commit() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.kafka.lose("connect-c", &[t(0)]);
    bench.until("close t-0").await;
    assert_eq!(bench.script.log.count("pre_commit t-0:1"), 0);
    assert_eq!(bench.committed(0), None);
    bench.append(1, &["b"]);
    bench.until_committed(1, 1).await;
    assert_eq!(bench.committed(0), None);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_to_stop_does_not_wait_for_positions() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.always(Operation::Positions, Fault::Hold);
    });
    bench
        .kafka
        .until(|kafka| kafka.held(Operation::Positions) == 1)
        .await
        .unwrap();
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.script.log.lines(), ["start", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_that_the_group_took_back_is_passed_over() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::AcceptAssignment,
            [Fault::Reject(error(KafkaErrorKind::Fenced))],
        );
    });
    bench
        .kafka
        .until(|kafka| kafka.calls(Operation::AcceptAssignment) == 1)
        .await
        .unwrap();
    bench.kafka.rebalance("connect-c");
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    assert_eq!(bench.script.log.count("open t-0 t-1"), 1);
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_at_once_when_the_refused_batch_is_gone() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        script.put(Put::Retry(None));
    });
    bench.until("put t-0@0").await;
    bench.kafka.revoke("connect-c", &[t(0)]);
    bench.append(1, &["b"]);
    bench.until("put t-1@0").await;
    // No empty put came between, which would mean a wait for the next commit.
    let lines = bench.script.log.lines();
    let closed = lines.iter().position(|line| line == "close t-0").unwrap();
    assert_eq!(lines[closed + 1], "put t-1@0", "{lines:?}");
}
