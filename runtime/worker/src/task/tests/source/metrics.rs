//! What is measured of a source task.

use tether_metrics::prometheus;

use super::*;

const DROP_V2: [(&str, &str); 3] = [
    ("transforms", "f"),
    ("transforms.f.type", "t.Filter"),
    ("transforms.f.drop", "v2"),
];

#[tokio::test(start_paused = true)]
async fn records_are_counted_where_they_are() {
    let bench = bench_with(&DROP_V2, TargetState::Started, |_| {});
    let of = |name| measured(&bench.around, "source_task", name);
    let of_task = |name| measured(&bench.around, "connector_task", name);
    assert!(of_task("batch-size-avg").is_nan());
    bench.script.records([]);
    bench.script.records(1..=3);
    bench.script.records(4..=4);
    bench.until_committed(4).await;
    until_measured(
        &bench.around,
        "source_task",
        "source-record-write-total",
        3.0,
    )
    .await;
    assert_eq!(of("source-record-poll-total"), 4.0);
    assert_eq!(of("source-record-active-count"), 0.0);
    assert_eq!(of("source-record-active-count-max"), 3.0);
    assert!(of("source-record-poll-rate") > 0.0);
    assert!(of("source-record-write-rate") > 0.0);
    assert!(of("poll-batch-max-time-ms") >= of("poll-batch-avg-time-ms"));
    // An empty batch is none.
    assert_eq!(of_task("batch-size-avg"), 2.0);
    assert_eq!(of_task("batch-size-max"), 3.0);
    until_measured(
        &bench.around,
        "connector_task",
        "offset-commit-success-percentage",
        1.0,
    )
    .await;
    assert!(of_task("offset-commit-max-time-ms") >= 0.0);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_passed_over_are_not_written() {
    for letters in [
        &[][..],
        &[("errors.source.deadletterqueue.topic.name", "dlq")],
    ] {
        let refuse = [
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.refuse", "v2"),
            ("errors.tolerance", "all"),
        ];
        let config = [&refuse[..], letters].concat();
        let bench = bench_with(&config, TargetState::Started, |_| {});
        bench.script.records(1..=3);
        bench.until_committed(3).await;
        let of = |name| measured(&bench.around, "source_task", name);
        until_measured(
            &bench.around,
            "source_task",
            "source-record-active-count",
            0.0,
        )
        .await;
        assert_eq!(of("source-record-poll-total"), 3.0);
        assert_eq!(of("source-record-write-total"), 2.0);
    }
}

#[tokio::test(start_paused = true)]
async fn commits_that_fail_are_counted() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Fail]);
    });
    bench.script.records(1..=1);
    bench.until_committed(1).await;
    let share = measured(
        &bench.around,
        "connector_task",
        "offset-commit-failure-percentage",
    );
    assert!(share > 0.0 && share < 1.0, "{share}");
}

#[tokio::test(start_paused = true)]
async fn states_are_shown_until_the_worker_lets_go() {
    let bench = bench_with(&DROP_V2, TargetState::Paused, |_| {});
    bench.until_status("PAUSED").await;
    let status = "kafka_connect_connector_task_status".to_owned();
    let shows = |state| labelled(&bench.around, "status", state).contains(&status);
    assert!(shows("paused"));
    bench.task.set_target_state(TargetState::Started);
    bench.until_status("RUNNING").await;
    assert!(shows("running") && !shows("paused"));
    bench.script.poll(Poll::Fail(ConnectError::other("broken")));
    bench.until_status("FAILED").await;
    assert!(shows("failed"));
    // The transformation has a group of its own.
    let names = labelled(&bench.around, "transform_class", "t.Filter");
    assert_eq!(
        names,
        ["kafka_connect_connector_transform_metrics_transform_class_info"]
    );
    let Bench { around, task, .. } = bench;
    assert!(stop(task, &around).await);
    assert_eq!(labelled(&around, "connector", "c"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn starts_are_counted_once_for_each_instance() {
    let bench = bench_with(&[], TargetState::Started, |_| {});
    bench.until_status("RUNNING").await;
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    bench.task.set_target_state(TargetState::Started);
    bench
        .around
        .statuses
        .log
        .until(|lines| lines.iter().filter(|line| *line == "c-0 RUNNING").count() == 2)
        .await;
    bench.script.poll(Poll::Fail(ConnectError::other("broken")));
    bench.until_status("FAILED").await;
    let text = prometheus::render(bench.around.metrics.registry());
    let read = prometheus::reader::read(&text).unwrap();
    let of = |name: &str| read.value(&format!("kafka_connect_worker_task_startup_{name}"), &[]);
    assert_eq!(of("attempts_total"), Some(1.0));
    assert_eq!(of("success_total"), Some(1.0));
    assert_eq!(of("failure_total"), Some(0.0));
    assert_eq!(of("success_percentage"), Some(1.0));
    let tasks = |name: &str| {
        let name = format!("kafka_connect_worker_connector_{name}_task_count");
        read.value(&name, &[("connector", "c")])
    };
    assert_eq!(tasks("total"), Some(1.0));
    assert_eq!(tasks("failed"), Some(1.0));
    assert_eq!(tasks("running"), Some(0.0));
    assert_eq!(tasks("unassigned"), Some(0.0));
}
