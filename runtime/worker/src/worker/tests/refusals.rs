//! Tasks that are not started, and why.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_a_task_lacks_fails_it() {
    let bench = bench(
        "lacks",
        Script::default(),
        &[("connector.client.config.override.policy", "None")],
    );
    let start = async |number, extra: &[(&str, &str)]| {
        let mut config = bench.config.clone();
        config.extend(map(extra));
        let id = TaskId::new("c", number);
        bench
            .worker
            .start_task(&id, 1, &config, &bench.config, TargetState::Started, None)
            .await
            .unwrap_err();
        bench.around.trace(&id).await
    };
    let trace = start(0, &[("value.converter", "t.Nothing")]).await;
    assert!(trace.contains("The value converter t.Nothing"), "{trace}");
    let trace = start(1, &[("transforms", "x")]).await;
    assert!(trace.contains("transforms.x.type"), "{trace}");
    let trace = start(2, &[("topic.creation.default.partitions", "x")]).await;
    assert!(
        trace.contains("topic.creation.default.replication.factor"),
        "{trace}"
    );
    let trace = start(3, &[("producer.override.acks", "1")]).await;
    assert!(
        trace.starts_with(
            "org.apache.kafka.connect.errors.ConnectException: Client Config Overrides not allowed [[acks"
        ),
        "{trace}"
    );
    assert!(bench.worker.tasks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn more_tasks_than_allowed_do_not_start() {
    let bench = bench("many", Script::default(), &[]);
    let start = async |number, enforce: &str| {
        let mut config = bench.config.clone();
        config.extend(map(&[("tasks.max", "2"), ("tasks.max.enforce", enforce)]));
        let id = TaskId::new("c", number);
        let started =
            bench
                .worker
                .start_task(&id, 3, &config, &bench.config, TargetState::Started, None);
        (id.clone(), started.await)
    };
    let (id, refused) = start(0, "true").await;
    refused.unwrap_err();
    let trace = bench.around.trace(&id).await;
    assert!(
        trace.starts_with(
            "org.apache.kafka.connect.runtime.TooManyTasksException: The connector c has generated 3 tasks, \
             which is greater than 2"
        ),
        "{trace}"
    );
    let (_, tolerated) = start(1, "false").await;
    tolerated.unwrap();
}
