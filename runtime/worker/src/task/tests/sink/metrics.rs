//! What is measured of a sink task.

use tether_metrics::prometheus;

use super::*;

#[tokio::test(start_paused = true)]
async fn records_are_counted_where_they_are() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.drop", "b"),
        ],
        |_, _| {},
    );
    let of = |name| measured(&bench.around, "sink_task", name);
    let of_task = |name| measured(&bench.around, "connector_task", name);
    bench.append(0, &["a", "b"]);
    bench.append(1, &["c"]);
    bench.until_committed(0, 2).await;
    bench.until_committed(1, 1).await;
    until_measured(&bench.around, "sink_task", "sink-record-active-count", 0.0).await;
    assert_eq!(of("sink-record-read-total"), 3.0);
    assert_eq!(of("sink-record-send-total"), 2.0);
    assert_eq!(of("partition-count"), 2.0);
    assert!(of("sink-record-active-count-max") >= 1.0);
    assert!(of("offset-commit-seq-no") >= 1.0);
    assert!(of("offset-commit-completion-total") >= 1.0);
    assert_eq!(of("offset-commit-skip-total"), 0.0);
    assert!(of("put-batch-max-time-ms") >= 0.0);
    assert!(of_task("batch-size-max") >= 1.0);
    assert_eq!(of_task("offset-commit-success-percentage"), 1.0);
    assert_eq!(of_task("offset-commit-failure-percentage"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_not_committed_are_active() {
    let bench = bench_with(&[], |_, script| {
        for _ in 0..1_000 {
            script.put(Put::Retry(None));
        }
    });
    bench.append(0, &["a", "b"]);
    until_measured(&bench.around, "sink_task", "sink-record-active-count", 2.0).await;
    let of = |name| measured(&bench.around, "sink_task", name);
    assert_eq!(of("sink-record-send-total"), 0.0);
    // Nothing else is read meanwhile.
    bench.append(0, &["c", "d", "e"]);
    let text = prometheus::render(bench.around.metrics.registry());
    let read = prometheus::reader::read(&text).unwrap();
    let lag = |partition| {
        let labels = [
            ("clientid", "connector-consumer-c-0"),
            ("topic", "t"),
            ("partition", partition),
        ];
        read.value("kafka_consumer_fetch_manager_records_lag", &labels)
    };
    assert_eq!(lag("0"), Some(3.0));
    assert_eq!(lag("1"), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn commits_that_fail_or_come_too_late_are_counted() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::Commit,
            [Fault::Reject(error(KafkaErrorKind::Retriable)), Fault::Hold],
        );
    });
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    until_measured(&bench.around, "sink_task", "offset-commit-skip-total", 1.0).await;
    let share = measured(
        &bench.around,
        "connector_task",
        "offset-commit-failure-percentage",
    );
    assert!(share > 0.0 && share < 1.0, "{share}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_has_no_partitions() {
    let bench = bench_with(&[], |_, script| script.put(Put::Fail));
    bench.append(0, &["a"]);
    bench.until_status("FAILED").await;
    assert_eq!(measured(&bench.around, "sink_task", "partition-count"), 0.0);
}
