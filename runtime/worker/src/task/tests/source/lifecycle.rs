//! A source task fails, pauses and stops.

use super::*;

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_records_in_flight_and_commits_them() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.always(Operation::Send, Fault::Hold);
    });
    bench.script.records(1..=3);
    bench.until_values(3).await;
    let kafka = bench.around.kafka.clone();
    bench.task.request_stop();
    bench.script.log.until(|lines| lines.len() >= 4).await;
    kafka.release(Operation::Send);
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench
            .around
            .offsets
            .stored("[\"c\",{\"p\":1}]")
            .await
            .unwrap(),
        "{\"at\":3}"
    );
    assert_eq!(
        bench.around.statuses.log.lines().last().unwrap(),
        "c-0 UNASSIGNED"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_last_poll_returns_is_sent() {
    let bench = bench();
    bench.script.log.until_line("poll").await;
    // The scripted poll prefers records to the stop signal.
    bench.script.records([1]);
    bench.task.request_stop();
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench
            .around
            .offsets
            .stored("[\"c\",{\"p\":1}]")
            .await
            .unwrap(),
        "{\"at\":1}"
    );
}

#[tokio::test(start_paused = true)]
async fn records_that_never_arrive_are_not_committed_by_a_stop() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.script(Operation::Send, [Fault::Pass]);
        around.kafka.always(Operation::Send, Fault::Hold);
    });
    bench.script.records(1..=3);
    bench.until_values(3).await;
    stop(bench.task, &bench.around).await;
    assert_eq!(
        bench
            .around
            .offsets
            .stored("[\"c\",{\"p\":1}]")
            .await
            .unwrap(),
        "{\"at\":1}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_task_is_silent() {
    let bench = bench();
    bench.script.poll(Poll::Hang);
    bench.script.log.until_line("poll").await;
    assert!(!stop(bench.task, &bench.around).await);
    assert_eq!(bench.around.statuses.log.lines(), ["c-0 RUNNING"]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_task_does_not_poll() {
    let bench = bench();
    bench.script.log.until_line("poll").await;
    bench.task.set_target_state(TargetState::Paused);
    // At once, although a poll is in flight. What that returns is kept.
    bench.until_status("PAUSED").await;
    bench.script.records([1]);
    bench.script.records([2]);
    bench.script.log.until_line("polled").await;
    bench
        .around
        .offsets
        .log
        .none_for(Duration::from_secs(60))
        .await;
    assert!(bench.values().is_empty());
    assert_eq!(bench.script.log.count("poll"), 1);
    bench.task.set_target_state(TargetState::Started);
    bench.until_committed(2).await;
    assert_eq!(bench.values(), ["v1", "v2"]);
    let mut statuses = bench.statuses();
    statuses.retain(|line| line != "c uses t");
    assert_eq!(statuses, ["c-0 RUNNING", "c-0 PAUSED", "c-0 RUNNING"]);
    assert_eq!(bench.script.log.count("stop"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_begins_paused_is_not_started() {
    let bench = bench_with(&[], TargetState::Paused, |_| {});
    bench.until_status("PAUSED").await;
    assert!(bench.script.log.lines().is_empty());
    bench.task.set_target_state(TargetState::Started);
    bench.until_status("RUNNING").await;
    assert!(stop(bench.task, &bench.around).await);
    let never = bench_with(&[], TargetState::Paused, |_| {});
    never.until_status("PAUSED").await;
    assert!(stop(never.task, &never.around).await);
    assert!(never.script.log.lines().is_empty());
    assert_eq!(
        never.around.statuses.log.lines().last().unwrap(),
        "c-0 UNASSIGNED"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_stopped() {
    let around = surroundings(Vec::new(), &[]);
    let script = Script::new();
    let task = Task::Source(Box::new(Scripted {
        script: script.clone(),
        fail_start: true,
        positions: Vec::new(),
    }));
    let _task = launch(&around, task, &map(&[]), TargetState::Started);
    let trace = around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.common.config.ConfigException: no good\n"
    );
    assert_eq!(script.log.lines(), ["start", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_task_only() {
    let bench = bench();
    bench.script.records(1..=2);
    bench.until_values(2).await;
    bench.script.poll(Poll::Panic("boom"));
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("A plugin panicked, which is a defect in it: boom"),
        "{trace}"
    );
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":2}");
}

#[tokio::test(start_paused = true)]
async fn polls_that_may_be_repeated_are() {
    let bench = bench();
    bench
        .script
        .poll(Poll::Fail(ConnectError::retriable("away")));
    bench.script.records([1]);
    bench.until_committed(1).await;
    bench.script.poll(Poll::Fail(ConnectError::other("gone")));
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: gone\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_stopping_is_no_failure() {
    let bench = bench();
    bench.script.log.until_line("poll").await;
    bench.script.poll(Poll::Fail(ConnectError::other("gone")));
    bench.task.request_stop();
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c-0 UNASSIGNED"]
    );
}
