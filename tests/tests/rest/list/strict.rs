//! Workers that let connectors override little of their clients, forget no topics and create none.

use super::super::step::{Builder, Step, await_states, call, delete, get, put};

/// What the workers are set up with.
pub(in super::super) const PROPERTIES: [(&str, &str); 4] = [
    ("connector.client.config.override.policy", "Allowlist"),
    (
        "connector.client.config.override.allowlist",
        "max.poll.records, group.id,linger.ms,who.knows",
    ),
    ("topic.tracking.allow.reset", "false"),
    ("topic.creation.enable", "false"),
];

pub(super) fn steps() -> Vec<Step> {
    let mut steps = vec![
        get("/connectors/zz/topics").into(),
        call("PUT", "/connectors/zz/topics/reset").into(),
    ];
    steps.extend(overrides().into_iter().map(Step::from));
    steps.extend([
        put(
            "/connectors/{run}s/config",
            r#"{"connector.class":"FileStreamSource","topic":"t","topic.creation.groups":"g","topic.creation.default.partitions":"0","producer.override.linger.ms":"1"}"#,
        )
        .into(),
        await_states("{run}s", "RUNNING[RUNNING]"),
        delete("/connectors/{run}s").into(),
    ]);
    steps
}

/// Configurations with overrides of each kind of client, created in vain and validated.
pub(super) fn overrides() -> Vec<Builder> {
    let mut steps = Vec::new();
    for (plugin, config) in OVERRIDES {
        let path = format!("/connector-plugins/{plugin}/config/validate");
        steps.push(put(&path, config).defines_keys());
    }
    for (_, config) in REFUSED {
        steps.push(put("/connectors/{run}s/config", config));
    }
    steps
}

/// Every policy but `All` refuses one of these.
const REFUSED: &[(&str, &str)] = &[OVERRIDES[0], OVERRIDES[2], OVERRIDES[3], OVERRIDES[4]];

const OVERRIDES: &[(&str, &str)] = &[
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","name":"x","topic":"t","producer.override.acks":"1","producer.override.linger.ms":"5","producer.override.sasl.mechanism":"PLAIN","producer.override.bootstrap.servers":"k:1"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","name":"x","topic":"t","admin.override.retries":"1","consumer.override.max.poll.records":"1"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","name":"x","topic":"t","topic.creation.default.partitions":"1","admin.override.retries":"1","producer.override.who.knows":"1"}"#,
    ),
    (
        "FileStreamSink",
        r#"{"connector.class":"FileStreamSink","name":"x","topics":"t","consumer.override.max.poll.records":"1","consumer.override.group.id":"g","consumer.override.security.protocol":"PLAINTEXT","consumer.override.fetch.min.bytes":"1"}"#,
    ),
    (
        "FileStreamSink",
        r#"{"connector.class":"FileStreamSink","name":"x","topics":"t","errors.deadletterqueue.topic.name":"d","producer.override.acks":"1","admin.override.retries":"1","consumer.override.max.poll.records":"1"}"#,
    ),
];
