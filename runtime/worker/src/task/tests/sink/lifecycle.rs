//! A sink task fails, pauses and stops.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_failed_put_fails_the_task_and_commits_what_came_before() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.script.put(Put::Fail);
    bench.script.put(Put::Fail);
    bench.append(0, &["b"]);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable \
         exception.\nCaused by: org.apache.kafka.connect.errors.DataException: never\n"
    );
    assert_eq!(bench.committed(0), Some(1));
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
    assert_eq!(bench.kafka.members("connect-c"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_task_and_commits_nothing() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.script.put(Put::Panic);
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("A plugin panicked, which is a defect in it: boom"),
        "{trace}"
    );
    assert_eq!(bench.committed(0), None);
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
    assert_eq!(bench.kafka.members("connect-c"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_delivery_but_not_membership() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    // A pause asks for a commit.
    bench.until_committed(0, 1).await;
    bench.append(0, &["b"]);
    let calls = bench.script.log.lines().len();
    bench
        .script
        .log
        .until(|lines| lines.len() > calls + 3)
        .await;
    assert!(!bench.calls().contains(&"put t-0@1".to_owned()));
    assert_eq!(bench.kafka.members("connect-c"), 1);
    bench.task.set_target_state(TargetState::Started);
    bench.until("put t-0@1").await;
    let mut statuses = bench.around.statuses.log.lines();
    statuses.retain(|line| line != "c uses t");
    assert_eq!(statuses, ["c-0 RUNNING", "c-0 PAUSED", "c-0 RUNNING"]);
    assert_eq!(bench.script.log.count("stop"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_during_redelivery_holds_after_it() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        script.put(Put::Retry(Some(Duration::from_millis(10))));
        script.put(Put::Retry(Some(Duration::from_millis(300))));
    });
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "put t-0@0").count() == 2)
        .await;
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    bench.append(0, &["b"]);
    // The batch in hand is delivered, nothing after it.
    bench.until_committed(0, 1).await;
    let calls = bench.script.log.lines().len();
    bench
        .script
        .log
        .until(|lines| lines.len() > calls + 3)
        .await;
    assert!(!bench.calls().contains(&"put t-0@1".to_owned()));
    bench.task.set_target_state(TargetState::Started);
    bench.until("put t-0@1").await;
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_task_is_silent_and_leaves_the_group() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.script.put(Put::Hang);
    bench.script.put(Put::Hang);
    bench
        .script
        .log
        .until(|lines| lines.iter().any(|line| line.starts_with("put")))
        .await;
    assert!(!stop(bench.task, &bench.around).await);
    bench
        .kafka
        .until(|kafka| kafka.members("connect-c") == 0)
        .await
        .unwrap();
    assert!(
        !bench
            .around
            .statuses
            .log
            .lines()
            .contains(&"c-0 UNASSIGNED".to_owned())
    );
    assert_eq!(bench.kafka.calls(Operation::Commit), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_commits_at_once() {
    let around = surroundings(Vec::new(), &[("offset.flush.interval.ms", "3600000")]);
    around.kafka.append_text("t", 0, "k", "a");
    let script = Script::default();
    let task = Task::Sink(Box::new(script.clone()));
    let task = launch(
        &around,
        task,
        &map(&[("topics", "t")]),
        TargetState::Started,
    );
    script.log.until_line("put t-0@0").await;
    task.set_target_state(TargetState::Paused);
    // Long before the next commit would be due.
    around
        .kafka
        .until(|kafka| kafka.committed("connect-c").get(&t(0)) == Some(&1))
        .await
        .unwrap();
}
