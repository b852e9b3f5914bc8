use super::*;

fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn worker(extra: &[(&str, &str)]) -> WorkerConfig {
    let mut properties = map(&[
        ("bootstrap.servers", "a:1, b:2"),
        ("group.id", "g"),
        ("config.storage.topic", "c"),
        ("offset.storage.topic", "o"),
        ("status.storage.topic", "s"),
        ("key.converter", "K"),
        ("value.converter", "V"),
        ("security.protocol", "SSL"),
        ("metrics.context.site", "here"),
    ]);
    properties.extend(map(extra));
    WorkerConfig::distributed(properties).unwrap()
}

fn properties<'a>(worker: &'a WorkerConfig, policy: &'a OverridePolicy) -> ClientProperties<'a> {
    ClientProperties {
        worker,
        kafka_cluster_id: "cluster",
        policy,
    }
}

#[test]
fn producers_of_tasks_take_prefixed_properties_and_overrides() {
    let worker = worker(&[("producer.linger.ms", "5"), ("producer.acks", "1")]);
    let connector = map(&[
        ("producer.override.acks", "0"),
        ("consumer.override.x", "1"),
    ]);
    let result = properties(&worker, &OverridePolicy::All)
        .source_producer(&TaskId::new("c", 3), &connector)
        .unwrap();
    assert_eq!(
        result,
        map(&[
            ("bootstrap.servers", "a:1,b:2"),
            ("client.id", "connector-producer-c-3"),
            (
                "key.serializer",
                "org.apache.kafka.common.serialization.ByteArraySerializer"
            ),
            (
                "value.serializer",
                "org.apache.kafka.common.serialization.ByteArraySerializer"
            ),
            ("max.block.ms", "9223372036854775807"),
            ("enable.idempotence", "false"),
            ("acks", "0"),
            ("max.in.flight.requests.per.connection", "1"),
            ("delivery.timeout.ms", "2147483647"),
            ("linger.ms", "5"),
            ("metrics.context.site", "here"),
            ("metrics.context.connect.kafka.cluster.id", "cluster"),
            ("metrics.context.connect.group.id", "g"),
        ])
    );
}

#[test]
fn consumers_of_tasks_may_change_their_group() {
    let worker = worker(&[("consumer.auto.offset.reset", "latest")]);
    let ours = properties(&worker, &OverridePolicy::All);
    let id = TaskId::new("c", 0);
    let plain = ours.sink_consumer(&id, &ConfigMap::new()).unwrap();
    assert_eq!(plain["group.id"], "connect-c");
    assert_eq!(plain["client.id"], "connector-consumer-c-0");
    assert_eq!(plain["enable.auto.commit"], "false");
    assert_eq!(plain["auto.offset.reset"], "latest");
    assert!(!plain.contains_key("security.protocol"));
    let overridden = ours
        .sink_consumer(&id, &map(&[("consumer.override.group.id", "mine")]))
        .unwrap();
    assert_eq!(overridden["group.id"], "mine");
    let config = map(&[("consumer.override.group.id", "mine")]);
    assert_eq!(ours.sink_group("c", &config).unwrap(), "mine");
    assert_eq!(
        ours.sink_group("c", &ConfigMap::new()).unwrap(),
        "connect-c"
    );
}

#[test]
fn admin_clients_take_the_workers_own_properties() {
    let worker = worker(&[
        ("admin.request.timeout.ms", "7"),
        ("admin.listeners", "http://:1"),
        ("producer.linger.ms", "5"),
    ]);
    let ours = properties(&worker, &OverridePolicy::All);
    let admin = ours
        .connector_admin("c", &map(&[("admin.override.retries", "2")]))
        .unwrap();
    assert_eq!(
        admin,
        map(&[
            ("bootstrap.servers", "a:1,b:2"),
            ("client.id", "connector-worker-adminclient-c"),
            ("security.protocol", "SSL"),
            ("metrics.context.site", "here"),
            ("request.timeout.ms", "7"),
            ("retries", "2"),
            ("metrics.context.connect.kafka.cluster.id", "cluster"),
            ("metrics.context.connect.group.id", "g"),
        ])
    );
    let task = ours
        .task_admin(&TaskId::new("c", 1), &ConfigMap::new())
        .unwrap();
    assert_eq!(task["client.id"], "connector-adminclient-c-1");
}

#[test]
fn internal_clients_take_no_prefixed_properties() {
    let worker = worker(&[("client.id", "w"), ("producer.linger.ms", "5")]);
    let ours = properties(&worker, &OverridePolicy::All);
    let configs = ours.internal_topic(InternalTopic::Configs);
    assert_eq!(configs["client.id"], "g-w-configs");
    assert_eq!(configs["security.protocol"], "SSL");
    assert!(!configs.contains_key("linger.ms"));
    assert!(!configs.contains_key("group.id"));
    let offsets = ours.internal_topic(InternalTopic::Offsets);
    assert_eq!(offsets["client.id"], "g-w-offsets");
    assert_eq!(ours.shared_admin()["client.id"], "g-w-shared-admin");
}

#[test]
fn forbidden_overrides_are_refused() {
    let worker = worker(&[]);
    let ours = properties(&worker, &OverridePolicy::None);
    let connector = map(&[("producer.override.acks", "0")]);
    let id = TaskId::new("c", 0);
    assert!(ours.source_producer(&id, &connector).is_err());
    assert!(ours.sink_consumer(&id, &connector).is_ok());
}

#[test]
fn producers_of_exactly_once_tasks_are_what_they_must_be() {
    let worker = worker(&[("exactly.once.source.support", "enabled")]);
    let properties = properties(&worker, &OverridePolicy::All);
    let id = TaskId::new("c", 3);
    for connector in [
        map(&[]),
        map(&[
            ("producer.override.enable.idempotence", "false"),
            ("producer.override.transactional.id", "mine"),
        ]),
    ] {
        let producer = properties.exactly_once_producer(&id, &connector).unwrap();
        assert_eq!(producer["enable.idempotence"], "true");
        assert_eq!(producer["transactional.id"], "g-c-3");
        assert_eq!(producer["client.id"], "connector-producer-c-3");
    }
    let leader = properties.config_leader();
    assert_eq!(leader["transactional.id"], "connect-cluster-g");
    assert_eq!(leader["client.id"], "g-configs-leader");
    assert_eq!(leader["enable.idempotence"], "true");
}

#[test]
fn offsets_are_read_as_they_were_committed() {
    let isolation = |support: &str, overridden: bool| {
        let worker = worker(&[("exactly.once.source.support", support)]);
        let connector = match overridden {
            true => map(&[("consumer.override.isolation.level", "read_uncommitted")]),
            false => map(&[]),
        };
        let consumer = properties(&worker, &OverridePolicy::All)
            .offsets_consumer("c-0", "c", &connector)
            .unwrap();
        assert_eq!(consumer["client.id"], "connector-consumer-c-0");
        consumer["isolation.level"].clone()
    };
    assert_eq!(isolation("disabled", false), "read_committed");
    assert_eq!(isolation("disabled", true), "read_uncommitted");
    assert_eq!(isolation("enabled", true), "read_committed");
}
