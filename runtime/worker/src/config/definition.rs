//! The properties of a worker, with the reference's types, defaults and rules.
//! Those of the REST API are defined where it is.

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigType, Validator};

use crate::session::SessionConfig;

use ConfigType::{Boolean, Class, Int, List, Long, Short, String};

/// Properties of every worker (`WorkerConfig.baseConfigDef`).
fn common() -> ConfigDef {
    ConfigDef::new()
        .define(ConfigKey::new("bootstrap.servers", List))
        .define(
            ConfigKey::new("client.dns.lookup", String)
                .default_string("use_all_dns_ips")
                .validator(Validator::OneOf(&[
                    "use_all_dns_ips",
                    "resolve_canonical_bootstrap_servers_only",
                ])),
        )
        .define(ConfigKey::new("key.converter", Class))
        .define(ConfigKey::new("value.converter", Class))
        .define(
            ConfigKey::new("header.converter", Class).default(ConfigData::Class(
                "org.apache.kafka.connect.storage.SimpleHeaderConverter".to_owned(),
            )),
        )
        .define(ConfigKey::new("task.shutdown.graceful.timeout.ms", Long).default_long(5_000))
        .define(ConfigKey::new("offset.flush.interval.ms", Long).default_long(60_000))
        .define(ConfigKey::new("offset.flush.timeout.ms", Long).default_long(5_000))
        .define(ConfigKey::new("plugin.path", List).default_null())
        .define(
            ConfigKey::new("plugin.discovery", String)
                .default_string("hybrid_warn")
                .validator(Validator::OneOfIgnoreCase(&[
                    "ONLY_SCAN",
                    "SERVICE_LOAD",
                    "HYBRID_WARN",
                    "HYBRID_FAIL",
                ])),
        )
        .define(ConfigKey::new("config.providers", List).default_list(&[]))
        .define(
            ConfigKey::new("connector.client.config.override.policy", String).default_string("All"),
        )
        .define(
            ConfigKey::new("connector.client.config.override.allowlist", List).default_list(&[]),
        )
        .define(ConfigKey::new("topic.creation.enable", Boolean).default_boolean(true))
        .define(ConfigKey::new("topic.tracking.enable", Boolean).default_boolean(true))
        .define(ConfigKey::new("topic.tracking.allow.reset", Boolean).default_boolean(true))
        .define(
            ConfigKey::new("metrics.sample.window.ms", Long)
                .default_long(30_000)
                .validator(Validator::AtLeast(0)),
        )
        .define(
            ConfigKey::new("metrics.num.samples", Int)
                .default_int(2)
                .validator(Validator::AtLeast(1)),
        )
        .define(
            ConfigKey::new("metrics.recording.level", String)
                .default_string("INFO")
                .validator(Validator::OneOf(&["INFO", "DEBUG", "TRACE"])),
        )
        .define(ConfigKey::new("metric.reporters", List).default_list(&[]))
}

/// Properties of a standalone worker (`StandaloneConfig`).
pub(super) fn standalone() -> ConfigDef {
    common().define(ConfigKey::new("offset.storage.file.filename", String))
}

fn milliseconds(key: &str, default: i32) -> ConfigKey {
    ConfigKey::new(key, Int)
        .default_int(default)
        .validator(Validator::AtLeast(0))
}

/// Properties of a distributed worker (`DistributedConfig`).
pub(super) fn distributed() -> ConfigDef {
    let mut definition = common()
        .define(ConfigKey::new("group.id", String).validator(Validator::NonEmpty))
        .define(ConfigKey::new("session.timeout.ms", Int).default_int(10_000))
        .define(ConfigKey::new("rebalance.timeout.ms", Int).default_int(60_000))
        .define(ConfigKey::new("heartbeat.interval.ms", Int).default_int(3_000))
        .define(milliseconds("request.timeout.ms", 40_000))
        .define(milliseconds("retry.backoff.ms", 100))
        .define(milliseconds("retry.backoff.max.ms", 1_000))
        .define(ConfigKey::new("worker.sync.timeout.ms", Int).default_int(3_000))
        .define(ConfigKey::new("worker.unsync.backoff.ms", Int).default_int(300_000))
        .define(
            ConfigKey::new("offset.storage.partitions", Int)
                .default_int(25)
                .validator(partitions()),
        )
        .define(
            ConfigKey::new("status.storage.partitions", Int)
                .default_int(5)
                .validator(partitions()),
        )
        .define(
            ConfigKey::new("connect.protocol", String)
                .default_string("sessioned")
                .validator(Validator::custom(
                    "[EAGER, COMPATIBLE, SESSIONED]",
                    |key, value| {
                        Validator::OneOfIgnoreCase(&["EAGER", "COMPATIBLE", "SESSIONED"])
                            .check(key, value)
                            .map_err(|_| "Invalid Connect protocol compatibility".to_owned())
                    },
                )),
        )
        .define(
            ConfigKey::new("scheduled.rebalance.max.delay.ms", Int)
                .default_int(300_000)
                .validator(Validator::Between(0, i64::from(i32::MAX))),
        )
        .define(
            ConfigKey::new("exactly.once.source.support", String)
                .default_string("disabled")
                .validator(Validator::OneOf(&["disabled", "preparing", "enabled"])),
        );
    definition = SessionConfig::define(definition);
    for kind in ["config", "offset", "status"] {
        definition.add(
            ConfigKey::new(format!("{kind}.storage.topic"), String).validator(Validator::NonEmpty),
        );
        definition.add(
            ConfigKey::new(format!("{kind}.storage.replication.factor"), Short)
                .default(ConfigData::Short(3))
                .validator(replicas()),
        );
    }
    definition
}

fn partitions() -> Validator {
    positive_or_default("Number of partitions must be positive, or -1 to use the broker's default")
}

fn replicas() -> Validator {
    positive_or_default(
        "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, \
         or -1 to use the broker's default",
    )
}

fn positive_or_default(message: &'static str) -> Validator {
    Validator::custom(
        "Positive number, or -1 to use the broker's default",
        move |_, value| match value.number() {
            Some(number) if number >= 1.0 || number == -1.0 => Ok(()),
            _ => Err(message.to_owned()),
        },
    )
}
