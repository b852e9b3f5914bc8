use super::*;
use crate::records::Codec;

fn config(entries: &[(&str, &str)]) -> ConfigMap {
    std::iter::once(("bootstrap.servers", "localhost:9092"))
        .chain(entries.iter().copied())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn translated(kind: ClientKind, entries: &[(&str, &str)]) -> Translation {
    translate(kind, &config(entries)).unwrap()
}

fn error(kind: ClientKind, entries: &[(&str, &str)]) -> String {
    translate(kind, &config(entries)).unwrap_err().message
}

use ClientKind::{Admin, Consumer, Producer};

#[test]
fn the_properties_of_a_source_tasks_producer_are_taken() {
    let entries = [
        (
            "key.serializer",
            "org.apache.kafka.common.serialization.ByteArraySerializer",
        ),
        ("max.block.ms", "9223372036854775807"),
        ("enable.idempotence", "false"),
        ("acks", "all"),
        ("max.in.flight.requests.per.connection", "1"),
        ("delivery.timeout.ms", "2147483647"),
        ("client.id", "connector-producer-c-0"),
        ("metrics.context.connect.group.id", "g"),
    ];
    let translation = translated(Producer, &entries);
    assert_eq!(translation.warnings, Vec::<String>::new());
    assert_eq!(translation.unknown, Vec::<String>::new());
    assert_eq!(
        translation.properties["client.id"],
        "connector-producer-c-0"
    );
    let settings = writes(&entries);
    assert_eq!((settings.acks, settings.idempotent), (-1, false));
    assert_eq!(
        (settings.max_in_flight, settings.linger.as_millis()),
        (1, 5)
    );
    assert_eq!(settings.delivery_timeout.as_millis(), 2_147_483_647);
    assert_eq!(settings.topic_timeout, settings.delivery_timeout);
    assert_eq!(settings.max_request_size, 1_048_576);
    assert_eq!(settings.batch_size, 1_000_000);
    assert_eq!(settings.buffer_memory, 33_554_432);
}

fn writes(entries: &[(&str, &str)]) -> ProduceSettings {
    produce_settings(&config(entries)).unwrap()
}

#[test]
fn writes_are_as_the_properties_say() {
    let common = writes(&[]);
    assert!(common.idempotent && !common.ignore_keys);
    assert_eq!((common.acks, common.max_in_flight), (-1, 5));
    assert_eq!(common.codec, Codec::None);
    assert_eq!(common.retries, 2_147_483_647);
    assert_eq!(common.delivery_timeout.as_secs(), 120);
    assert_eq!(common.topic_timeout.as_secs(), 60);
    assert_eq!(common.transactional_id, None);
    let own = writes(&[
        ("acks", "0"),
        ("batch.size", "5000000"),
        ("max.request.size", "2000000"),
        ("compression.type", "zstd"),
        ("compression.zstd.level", "19"),
        ("partitioner.ignore.keys", "true"),
        ("request.timeout.ms", "200000"),
        ("retry.backoff.ms", "0"),
        ("connections.max.idle.ms", "-1"),
    ]);
    assert!(!own.idempotent && own.ignore_keys);
    assert_eq!((own.acks, own.batch_size), (0, 2_000_000));
    assert_eq!(own.codec, Codec::Zstd(19));
    assert_eq!(own.delivery_timeout.as_millis(), 200_005);
    assert_eq!(own.backoff.first.as_millis(), 1);
    assert_eq!(own.max_idle, std::time::Duration::MAX);
    let transactional = writes(&[
        ("transactional.id", "g-c-0"),
        ("transaction.timeout.ms", "10000"),
    ]);
    assert_eq!(transactional.transactional_id.as_deref(), Some("g-c-0"));
    assert_eq!(transactional.transaction_timeout.as_secs(), 10);
    assert!(transactional.idempotent);
    let level = [("compression.type", "lz4"), ("compression.lz4.level", "12")];
    assert_eq!(writes(&level).codec, Codec::Lz4);
    let warnings = translated(Producer, &level).warnings;
    assert!(
        warnings[0].contains("compression.lz4.level"),
        "{warnings:?}"
    );
}

#[test]
fn consumers_start_with_javas_defaults() {
    let properties = translated(Consumer, &[("group.id", "g")]).properties;
    for (name, value) in [
        ("allow.auto.create.topics", "true"),
        ("auto.offset.reset", "latest"),
        ("enable.auto.commit", "false"),
        ("group.protocol", "classic"),
        ("isolation.level", "read_uncommitted"),
        ("max.poll.interval.ms", "300000"),
        ("partition.assignment.strategy", "range"),
        ("session.timeout.ms", "45000"),
    ] {
        assert_eq!(properties[name], value, "{name}");
    }
}

#[test]
fn fetches_are_as_the_properties_say() {
    let settings = |entries: &[(&str, &str)]| fetch_settings(&config(entries)).unwrap();
    let common = settings(&[]);
    assert_eq!((common.max_wait_ms, common.min_bytes), (500, 1));
    assert_eq!(
        (common.max_bytes, common.max_partition_bytes),
        (52_428_800, 1_048_576)
    );
    assert!(common.read.check_crcs && !common.read.read_committed && common.may_reset);
    assert_eq!(common.request_timeout.as_secs(), 30);
    assert_eq!(common.max_idle.as_secs(), 540);
    let own = settings(&[
        ("fetch.max.wait.ms", "0"),
        ("fetch.min.bytes", "0"),
        ("check.crcs", "false"),
        ("isolation.level", "read_committed"),
        ("auto.offset.reset", "NONE"),
        ("client.rack", "r"),
        ("retry.backoff.ms", "0"),
        ("connections.max.idle.ms", "-1"),
    ]);
    assert_eq!((own.max_wait_ms, own.min_bytes), (0, 1));
    assert!(!own.read.check_crcs && own.read.read_committed && !own.may_reset);
    assert_eq!((own.rack.as_str(), own.backoff.first.as_millis()), ("r", 1));
    assert_eq!(own.max_idle, std::time::Duration::MAX);
}

#[test]
fn values_that_java_refuses_are_refused_in_its_words() {
    for (kind, name, value, message) in [
        (
            Consumer,
            "max.poll.records",
            "xx",
            "Not a number of type INT",
        ),
        (
            Consumer,
            "max.poll.records",
            "0",
            "Value must be at least 1",
        ),
        (
            Consumer,
            "isolation.level",
            "foo",
            "String must be one of: read_committed, read_uncommitted",
        ),
        (
            Producer,
            "acks",
            "2",
            "String must be one of: all, -1, 0, 1",
        ),
        (Producer, "linger.ms", "x", "Not a number of type LONG"),
        (
            Admin,
            "security.protocol",
            "FOO",
            "String must be one of (case insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT",
        ),
    ] {
        assert_eq!(
            error(kind, &[(name, value)]),
            format!("Invalid value {value} for configuration {name}: {message}")
        );
    }
    assert_eq!(
        error(Producer, &[("bootstrap.servers", "nohost")]),
        "Invalid url in bootstrap.servers: nohost"
    );
    assert_eq!(
        translate(Producer, &ConfigMap::new()).unwrap_err().message,
        "Missing required configuration \"bootstrap.servers\" which has no default value."
    );
    assert_eq!(
        error(Consumer, &[("group.id", "g"), ("session.timeout.ms", "10")]),
        "Heartbeat must be set lower than the session timeout"
    );
}

#[test]
fn idempotence_yields_unless_it_was_asked_for() {
    assert!(writes(&[]).idempotent);
    assert!(!writes(&[("acks", "1")]).idempotent);
    assert!(!writes(&[("retries", "0")]).idempotent);
    let asked = ("enable.idempotence", "true");
    assert!(error(Producer, &[asked, ("acks", "1")]).starts_with("Must set acks to all"));
    assert!(error(Producer, &[asked, ("retries", "0")]).starts_with("Must set retries"));
    assert!(
        error(Producer, &[("max.in.flight.requests.per.connection", "6")])
            .ends_with("Current value is 6.")
    );
    assert_eq!(
        error(Producer, &[("transactional.id", "t"), ("acks", "1")]),
        "Cannot set a transactional.id without also enabling idempotence."
    );
}

#[test]
fn what_has_no_counterpart_is_named() {
    let translation = translated(
        Producer,
        &[
            ("partitioner.class", "org.example.Mine"),
            ("partitioner.availability.timeout.ms", "5"),
            ("interceptor.classes", "org.example.Spy"),
            ("config.storage.topic", "x"),
        ],
    );
    assert_eq!(translation.warnings.len(), 2);
    assert!(translation.warnings[0].contains("partitioner.availability.timeout.ms"));
    assert!(translation.warnings[1].contains("org.example.Mine"));
    assert_eq!(translation.unknown, ["config.storage.topic"]);
    let defaults = [("partitioner.availability.timeout.ms", "0")];
    assert!(translated(Producer, &defaults).warnings.is_empty());
}

#[test]
fn assignors_are_told_by_class() {
    let strategy = |classes: &str| {
        let mut translation = translated(
            Consumer,
            &[
                ("group.id", "g"),
                ("partition.assignment.strategy", classes),
            ],
        );
        let names = translation
            .properties
            .remove("partition.assignment.strategy");
        (names.unwrap(), translation.warnings.len())
    };
    let package = "org.apache.kafka.clients.consumer";
    assert_eq!(
        strategy(&format!("{package}.CooperativeStickyAssignor")),
        ("cooperative-sticky".to_owned(), 0)
    );
    assert_eq!(
        strategy(&format!(
            "{package}.RoundRobinAssignor,{package}.CooperativeStickyAssignor"
        )),
        ("roundrobin".to_owned(), 0)
    );
    assert_eq!(
        strategy(&format!("{package}.StickyAssignor")),
        ("range,roundrobin".to_owned(), 1)
    );
}

#[test]
fn the_new_group_protocol_leaves_timeouts_to_the_broker() {
    let properties = translated(
        Consumer,
        &[("group.id", "g"), ("group.protocol", "CONSUMER")],
    )
    .properties;
    assert_eq!(properties["group.protocol"], "consumer");
    assert!(!properties.contains_key("session.timeout.ms"));
    assert_eq!(
        error(
            Consumer,
            &[
                ("group.id", "g"),
                ("group.protocol", "consumer"),
                ("session.timeout.ms", "10000")
            ]
        ),
        "session.timeout.ms cannot be set when group.protocol=CONSUMER"
    );
}

const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required \
                     username=\"alice\" password=\"hunter2\";";

#[test]
fn sasl_users_come_from_jaas() {
    let translation = translated(
        Admin,
        &[
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.jaas.config", PLAIN),
        ],
    );
    for (name, value) in [
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", "alice"),
        ("sasl.password", "hunter2"),
    ] {
        assert_eq!(translation.properties[name], value);
    }
    assert!(!format!("{translation:?}").contains("hunter2"));
}

#[test]
fn sasl_errors_name_what_is_missing() {
    let with = |mechanism: &str, jaas: &str| {
        error(
            Producer,
            &[
                ("security.protocol", "SASL_SSL"),
                ("sasl.mechanism", mechanism),
                ("sasl.jaas.config", jaas),
            ],
        )
    };
    assert!(with("GSSAPI", PLAIN).starts_with("The SASL mechanism GSSAPI is not available"));
    let no_password = with("PLAIN", "m required username=\"alice\";");
    assert!(no_password.contains("option password"), "{no_password}");
    let unsecured = with("OAUTHBEARER", "m required;");
    assert!(
        unsecured.contains("unsecuredLoginStringClaim_sub"),
        "{unsecured}"
    );
    let none = error(
        Producer,
        &[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "PLAIN"),
        ],
    );
    assert!(none.contains("sasl.jaas.config"), "{none}");
}

#[test]
fn tokens_come_from_an_endpoint() {
    let translation = translated(
        Producer,
        &[
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "OAUTHBEARER"),
            (
                "sasl.login.callback.handler.class",
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
            ),
            (
                "sasl.oauthbearer.token.endpoint.url",
                "http://localhost/token",
            ),
            (
                "sasl.jaas.config",
                "m required clientId=\"me\" clientSecret=\"hunter2\" scope=\"kafka\";",
            ),
        ],
    );
    let Some(TokenSource::Endpoint(credentials)) = &translation.token_source else {
        panic!("expected an endpoint");
    };
    assert_eq!(credentials.client_id, "me");
    assert_eq!(credentials.client_secret.reveal(), "hunter2");
    assert_eq!(credentials.scope.as_deref(), Some("kafka"));
    assert!(!format!("{credentials:?}").contains("hunter2"));
}

#[test]
fn ssl_settings_are_openssls() {
    let translation = translated(
        Consumer,
        &[
            ("security.protocol", "SSL"),
            ("ssl.endpoint.identification.algorithm", ""),
            ("ssl.enabled.protocols", "TLSv1.2"),
            (
                "ssl.cipher.suites",
                "TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_NULL_WITH_FOO",
            ),
        ],
    );
    assert_eq!(
        translation.properties["ssl.endpoint.identification.algorithm"],
        "none"
    );
    assert_eq!(
        translation.properties["ssl.cipher.suites"],
        "ECDHE-RSA-AES256-GCM-SHA384"
    );
    assert_eq!(translation.warnings.len(), 2);
    assert!(translation.warnings[1].contains("TLS_NULL_WITH_FOO"));
}
