//! Topics that are created before their first record.

use super::*;

const DEFAULTS: [(&str, &str); 2] = [
    ("topic.creation.default.replication.factor", "1"),
    ("topic.creation.default.partitions", "3"),
];

/// A task with topic creation on a cluster that creates no topics by itself.
fn creating(more: &[(&str, &str)], prepare: impl Fn(&Surroundings)) -> Bench {
    let connector = [&DEFAULTS[..], more].concat();
    bench_with(&connector, TargetState::Started, |around| {
        around.kafka.auto_create_topics(None);
        prepare(around);
    })
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_created_once_and_before_its_first_record() {
    let more = [
        ("topic.creation.groups", "g"),
        ("topic.creation.g.include", "t"),
        ("topic.creation.g.cleanup.policy", "compact"),
        ("admin.override.security.protocol", "PLAINTEXT"),
    ];
    let bench = creating(&more, |_| {});
    bench.script.records(1..=3);
    bench.script.records(4..=5);
    bench.until_committed(5).await;
    let kafka = &bench.around.kafka;
    let topic = kafka.topic("t").unwrap();
    assert_eq!(topic.partitions, 3);
    assert_eq!(topic.config["cleanup.policy"], "compact");
    assert_eq!(kafka.calls(Operation::Topics), 1);
    assert_eq!(kafka.calls(Operation::CreateTopic), 1);
    let admin = kafka
        .clients()
        .into_iter()
        .find(|client| client["client.id"] == "connector-adminclient-c-0")
        .unwrap();
    assert_eq!(admin["security.protocol"], "PLAINTEXT");
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_exists_stays_as_it_is() {
    let bench = creating(&[], |around| around.kafka.add_topic("t", 7));
    bench.script.records(1..=2);
    bench.until_committed(2).await;
    assert_eq!(bench.around.kafka.topic("t").unwrap().partitions, 7);
    assert_eq!(bench.around.kafka.calls(Operation::CreateTopic), 0);
}

#[tokio::test(start_paused = true)]
async fn without_keys_of_it_topics_are_left_to_the_brokers() {
    let bench = bench();
    bench.script.records(1..=2);
    bench.until_committed(2).await;
    assert_eq!(bench.around.kafka.calls(Operation::CreateAdmin), 0);
    assert_eq!(bench.around.kafka.topic("t").unwrap().partitions, 1);
}

#[tokio::test(start_paused = true)]
async fn brokers_that_are_away_are_waited_for() {
    let away = error(KafkaErrorKind::Retriable, "no broker");
    let bench = creating(&[], |around| {
        let rejected = Fault::Reject(away.clone());
        around.kafka.script(Operation::Topics, [rejected.clone()]);
        // The second attempt is lost on the way back: the topic is there.
        let lost = Fault::FailAfter(away.clone());
        around
            .kafka
            .script(Operation::CreateTopic, [rejected, lost]);
    });
    bench.script.records(1..=2);
    bench.until_committed(2).await;
    assert_eq!(bench.values(), ["v1", "v2"]);
    assert_eq!(bench.around.kafka.calls(Operation::CreateTopic), 2);
    assert_eq!(bench.around.kafka.calls(Operation::Topics), 4);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_somebody_else_creates_meanwhile_is_taken() {
    let exists = error(KafkaErrorKind::AlreadyExists, "exists");
    let bench = bench_with(&DEFAULTS, TargetState::Started, |around| {
        let exists = Fault::Reject(exists.clone());
        around.kafka.script(Operation::CreateTopic, [exists]);
    });
    bench.script.records(1..=2);
    bench.until_committed(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_cannot_be_created_fails_the_task() {
    for (kind, message) in [
        (
            KafkaErrorKind::NotAuthorized,
            "Task failed to create new topic (name=t, numPartitions=3, replicationFactor=1, \
             replicasAssignments=null, configs={a=b}). Ensure that the task is authorized to create topics \
             or that the topic exists and restart the task",
        ),
        (
            KafkaErrorKind::Invalid,
            "Unable to create topic(s) 't': refused",
        ),
        (
            KafkaErrorKind::Fatal,
            "Error while attempting to create/find topic(s) 't'",
        ),
    ] {
        let refused = error(kind, "refused");
        let more = [
            ("topic.creation.default.a", "b"),
            ("errors.tolerance", "all"),
        ];
        let bench = creating(&more, |around| {
            let refused = Fault::Reject(refused.clone());
            around.kafka.script(Operation::CreateTopic, [refused]);
        });
        bench.script.records(1..=2);
        let trace = bench.around.trace(&id()).await;
        assert_eq!(
            trace,
            format!(
                "org.apache.kafka.connect.errors.ConnectException: {message}\nCaused by: \
                 org.apache.kafka.connect.errors.ConnectException: refused\n"
            )
        );
        assert_eq!(bench.committed().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_stops_although_brokers_are_away() {
    let bench = creating(&[], |around| {
        around.kafka.always(Operation::CreateTopic, Fault::Hold)
    });
    bench.script.records(1..=2);
    bench
        .around
        .kafka
        .until(|kafka| kafka.held(Operation::CreateTopic) == 1)
        .await
        .unwrap();
    assert!(stop(bench.task, &bench.around).await);
}
