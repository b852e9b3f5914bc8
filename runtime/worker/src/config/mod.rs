//! The configuration of a worker (`WorkerConfig`, `DistributedConfig`,
//! `StandaloneConfig`; spec section 2).
//!
//! Unknown properties are kept: they reach clients and plugins.

mod definition;

use std::time::Duration;

use tether_api::config::{ConfigMap, ParsedConfig, with_prefix};
use tether_api::plugin::PluginKind;
use tether_api::{ConnectError, Result};
use tether_group::member::GroupSettings;
use tether_group::protocol::Protocol;
use tether_metrics::Sampling;

use crate::plugins::Plugins;
use crate::session::SessionConfig;

/// How a worker stores what it knows and whether it shares its work.
#[derive(Debug, Clone)]
pub enum Mode {
    /// Alone, offsets in a file, configurations and statuses in memory.
    Standalone {
        /// The file of source offsets.
        offset_file: String,
    },
    /// With others of the same group, everything in Kafka topics.
    Distributed(Box<DistributedConfig>),
}

/// A compacted topic of a distributed worker.
#[derive(Debug, Clone)]
pub struct StorageTopic {
    /// The name.
    pub name: String,
    /// The number of partitions to create it with; -1 takes the broker's
    /// default.
    pub partitions: i32,
    /// The number of replicas to create it with; -1 takes the broker's default.
    pub replication_factor: i16,
    /// Topic settings to create it with.
    pub settings: ConfigMap,
}

/// What only distributed workers have.
#[derive(Debug, Clone)]
pub struct DistributedConfig {
    /// The group of workers.
    pub group_id: String,
    /// The topic of configurations.
    pub config_topic: StorageTopic,
    /// The topic of source offsets.
    pub offset_topic: StorageTopic,
    /// The topic of statuses.
    pub status_topic: StorageTopic,
    /// How long a catch-up with the config topic may take.
    pub sync_timeout: Duration,
    /// How long a worker stays out of its group that could not catch up.
    pub unsync_backoff: Duration,
    /// How it is a member of its group; where its REST API is remains to be said.
    pub group: GroupSettings,
    /// How far it is with exactly-once sources.
    pub exactly_once: ExactlyOnceSupport,
    /// Keys and signatures of requests to other workers.
    pub session: SessionConfig,
}

/// `exactly.once.source.support`. A cluster goes from one to the next by rolling
/// restarts, so that no worker fences another that does not understand it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExactlyOnceSupport {
    /// Sources are at least once.
    Disabled,
    /// The same, but the leader of the group writes in transactions already.
    Preparing,
    /// Source tasks write records and offsets in transactions.
    Enabled,
}

/// A class and its own configuration, prefix removed.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginConfig {
    /// The class name or alias.
    pub class: String,
    /// The keys under its prefix.
    pub config: ConfigMap,
}

/// The configuration of a worker, with types.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// All properties, variables resolved.
    pub properties: ConfigMap,
    /// Standalone or distributed.
    pub mode: Mode,
    /// The converter of keys for connectors that name none.
    pub key_converter: PluginConfig,
    /// The converter of values for connectors that name none.
    pub value_converter: PluginConfig,
    /// The converter of headers for connectors that name none.
    pub header_converter: PluginConfig,
    /// How long all tasks together have to stop.
    pub task_shutdown_timeout: Duration,
    /// How often offsets are committed.
    pub offset_flush_interval: Duration,
    /// How long a commit may take.
    pub offset_flush_timeout: Duration,
    /// Whether connectors may have topics created (KIP-158).
    pub topic_creation: bool,
    /// Whether the topics of connectors are tracked (KIP-558).
    pub topic_tracking: bool,
    /// Whether tracked topics may be forgotten.
    pub topic_tracking_reset: bool,
    /// How long values count in averages and rates of metrics.
    pub metrics_sampling: Sampling,
}

impl WorkerConfig {
    /// Reads the properties of a standalone worker.
    ///
    /// # Errors
    /// Config, for the first property that is missing or wrong.
    pub fn standalone(properties: ConfigMap) -> Result<Self> {
        let parsed = definition::standalone().parse(&properties)?;
        let mode = Mode::Standalone {
            offset_file: parsed.string("offset.storage.file.filename")?,
        };
        Self::new(properties, mode, &parsed)
    }

    /// Reads the properties of a distributed worker.
    ///
    /// # Errors
    /// Config, for the first property that is missing or wrong.
    pub fn distributed(properties: ConfigMap) -> Result<Self> {
        let parsed = definition::distributed().parse(&properties)?;
        let exactly_once = match &*parsed.string("exactly.once.source.support")? {
            "enabled" => ExactlyOnceSupport::Enabled,
            "preparing" => ExactlyOnceSupport::Preparing,
            _ => ExactlyOnceSupport::Disabled,
        };
        let group_id = parsed.string("group.id")?;
        let mode = Mode::Distributed(Box::new(DistributedConfig {
            group: group(&group_id, &properties, &parsed)?,
            group_id,
            config_topic: storage_topic(&properties, &parsed, "config", 1)?,
            offset_topic: storage_topic(
                &properties,
                &parsed,
                "offset",
                parsed.int("offset.storage.partitions")?,
            )?,
            status_topic: storage_topic(
                &properties,
                &parsed,
                "status",
                parsed.int("status.storage.partitions")?,
            )?,
            sync_timeout: millis(i64::from(parsed.int("worker.sync.timeout.ms")?)),
            unsync_backoff: millis(i64::from(parsed.int("worker.unsync.backoff.ms")?)),
            exactly_once,
            session: SessionConfig::new(&parsed)?,
        }));
        Self::new(properties, mode, &parsed)
    }

    fn new(properties: ConfigMap, mode: Mode, parsed: &ParsedConfig) -> Result<Self> {
        warn_about_properties_without_effect(&properties);
        Ok(Self {
            mode,
            key_converter: plugin(&properties, parsed, "key.converter")?,
            value_converter: plugin(&properties, parsed, "value.converter")?,
            header_converter: plugin(&properties, parsed, "header.converter")?,
            task_shutdown_timeout: millis(parsed.long("task.shutdown.graceful.timeout.ms")?),
            offset_flush_interval: millis(parsed.long("offset.flush.interval.ms")?),
            offset_flush_timeout: millis(parsed.long("offset.flush.timeout.ms")?),
            topic_creation: parsed.boolean("topic.creation.enable")?,
            topic_tracking: parsed.boolean("topic.tracking.enable")?,
            topic_tracking_reset: parsed.boolean("topic.tracking.allow.reset")?,
            metrics_sampling: Sampling::new(
                millis(parsed.long("metrics.sample.window.ms")?),
                parsed.int("metrics.num.samples")?.unsigned_abs(),
            ),
            properties,
        })
    }

    /// Looks for the converters that connectors get which name none.
    ///
    /// # Errors
    /// Config, with those that there are, if one does not exist.
    pub fn check_converters(&self, plugins: &Plugins) -> Result<()> {
        let converter = PluginKind::Converter;
        for (property, kind, class) in [
            ("key.converter", converter, &self.key_converter.class),
            ("value.converter", converter, &self.value_converter.class),
            (
                "header.converter",
                PluginKind::HeaderConverter,
                &self.header_converter.class,
            ),
        ] {
            if plugins.find(&[kind], class).is_some() {
                continue;
            }
            let known: Vec<&str> = plugins
                .all()
                .iter()
                .filter(|plugin| plugin.kind() == kind)
                .map(|plugin| plugin.class)
                .collect();
            return Err(ConnectError::config(format!(
                "Invalid value {class} for configuration {property}: Class {class} could not be found. This \
                 worker has: {}",
                known.join(", ")
            )));
        }
        Ok(())
    }

    /// How far this worker is with exactly-once sources. A standalone worker
    /// never is.
    pub fn exactly_once(&self) -> ExactlyOnceSupport {
        match &self.mode {
            Mode::Standalone { .. } => ExactlyOnceSupport::Disabled,
            Mode::Distributed(config) => config.exactly_once,
        }
    }

    /// Whether source tasks write in transactions.
    pub fn exactly_once_sources(&self) -> bool {
        self.exactly_once() == ExactlyOnceSupport::Enabled
    }

    /// The group of workers; `None` standalone.
    pub fn group_id(&self) -> Option<&str> {
        match &self.mode {
            Mode::Standalone { .. } => None,
            Mode::Distributed(config) => Some(&config.group_id),
        }
    }
}

/// Says which properties are for something that this worker has not, or that
/// the reference had once.
fn warn_about_properties_without_effect(properties: &ConfigMap) {
    for ignored in [
        "internal.key.converter",
        "internal.value.converter",
        "config.storage.partitions",
    ] {
        if properties.contains_key(ignored) {
            tracing::warn!("The worker property {ignored} has no effect and is ignored");
        }
    }
    for (obsolete, default) in [("rest.host.name", ""), ("rest.port", "8083")] {
        if properties
            .get(obsolete)
            .is_some_and(|value| value.trim() != default)
        {
            tracing::warn!(
                "The worker property {obsolete} has no effect since Kafka 3.0: set listeners, such as \
                 http://0.0.0.0:8083"
            );
        }
    }
    if properties.contains_key("plugin.path") {
        tracing::info!("plugin.path has no effect: all plugins are part of the program");
    }
}

fn millis(value: i64) -> Duration {
    Duration::from_millis(value.max(0).unsigned_abs())
}

fn group(group_id: &str, properties: &ConfigMap, parsed: &ParsedConfig) -> Result<GroupSettings> {
    let time = |key: &str| parsed.int(key).map(|value| millis(i64::from(value)));
    let protocol = parsed.string("connect.protocol")?;
    let client_id = properties.get("client.id").map(|id| id.trim());
    Ok(GroupSettings {
        group_id: group_id.to_owned(),
        client_id: client_id.unwrap_or_default().to_owned(),
        url: String::new(),
        protocol: match protocol.to_ascii_lowercase().as_str() {
            "eager" => Protocol::Eager,
            "compatible" => Protocol::Compatible,
            _ => Protocol::Sessioned,
        },
        session_timeout: time("session.timeout.ms")?,
        heartbeat_interval: time("heartbeat.interval.ms")?,
        rebalance_timeout: time("rebalance.timeout.ms")?,
        max_delay: time("scheduled.rebalance.max.delay.ms")?,
        retry_backoff: time("retry.backoff.ms")?,
        retry_backoff_max: time("retry.backoff.max.ms")?,
        request_timeout: time("request.timeout.ms")?,
    })
}

fn plugin(properties: &ConfigMap, parsed: &ParsedConfig, key: &str) -> Result<PluginConfig> {
    Ok(PluginConfig {
        class: parsed.class(key)?,
        config: with_prefix(properties, &format!("{key}.")),
    })
}

fn storage_topic(
    properties: &ConfigMap,
    parsed: &ParsedConfig,
    kind: &str,
    partitions: i32,
) -> Result<StorageTopic> {
    let prefix = format!("{kind}.storage.");
    let mut settings = with_prefix(properties, &prefix);
    for own in ["topic", "replication.factor", "partitions", "file.filename"] {
        settings.shift_remove(own);
    }
    if settings.shift_remove("cleanup.policy").is_some() {
        tracing::warn!("Ignoring {prefix}cleanup.policy: the topic is always compacted");
    }
    let replicas = parsed
        .get(&format!("{prefix}replication.factor"))
        .and_then(|value| value.number());
    Ok(StorageTopic {
        name: parsed.string(&format!("{prefix}topic"))?,
        partitions,
        replication_factor: replicas.unwrap_or(-1.0) as i16,
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(extra: &[(&str, &str)]) -> ConfigMap {
        let mut properties: ConfigMap = [
            ("bootstrap.servers", "k:9092"),
            ("group.id", "g"),
            ("config.storage.topic", "c"),
            ("offset.storage.topic", "o"),
            ("status.storage.topic", "s"),
            (
                "key.converter",
                "org.apache.kafka.connect.json.JsonConverter",
            ),
            (
                "value.converter",
                "org.apache.kafka.connect.storage.StringConverter",
            ),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        properties.extend(
            extra
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
        );
        properties
    }

    #[test]
    fn a_distributed_worker_has_defaults() -> Result<()> {
        let config = WorkerConfig::distributed(properties(&[
            ("offset.storage.replication.factor", "1"),
            ("config.storage.min.insync.replicas", "2"),
            ("key.converter.schemas.enable", "false"),
            ("config.storage.cleanup.policy", "delete"),
        ]))?;
        let Mode::Distributed(distributed) = &config.mode else {
            panic!("distributed");
        };
        assert_eq!(distributed.offset_topic.partitions, 25);
        assert_eq!(distributed.offset_topic.replication_factor, 1);
        assert_eq!(distributed.status_topic.replication_factor, 3);
        assert_eq!(distributed.config_topic.settings.len(), 1);
        assert_eq!(config.key_converter.config.len(), 1);
        assert_eq!(config.offset_flush_interval, Duration::from_secs(60));
        assert_eq!(
            config.header_converter.class,
            "org.apache.kafka.connect.storage.SimpleHeaderConverter"
        );
        Ok(())
    }

    #[test]
    fn wrong_words_are_refused_in_the_references_words() {
        for (key, value, message) in [
            (
                "connect.protocol",
                "some",
                "Invalid value some for configuration connect.protocol: Invalid Connect protocol compatibility",
            ),
            (
                "exactly.once.source.support",
                "ENABLED",
                "Invalid value ENABLED for configuration exactly.once.source.support: String must be one of: \
                 disabled, preparing, enabled",
            ),
            (
                "plugin.discovery",
                "x",
                "Invalid value x for configuration plugin.discovery: String must be one of (case insensitive): \
                 ONLY_SCAN, SERVICE_LOAD, HYBRID_WARN, HYBRID_FAIL",
            ),
            (
                "group.id",
                "",
                "Invalid value  for configuration group.id: String must be non-empty",
            ),
        ] {
            let error = WorkerConfig::distributed(properties(&[(key, value)])).expect_err(key);
            assert_eq!(error.message(), message);
        }
        let accepted = [
            ("connect.protocol", "Eager"),
            ("plugin.discovery", "only_scan"),
        ];
        assert!(WorkerConfig::distributed(properties(&accepted)).is_ok());
    }

    #[test]
    fn converters_have_to_exist() -> Result<()> {
        let config = WorkerConfig::distributed(properties(&[]))?;
        let error = config
            .check_converters(&Plugins::new(Vec::new()))
            .expect_err("there are none");
        assert!(
            error.message().starts_with(
                "Invalid value org.apache.kafka.connect.json.JsonConverter for configuration key.converter: Class \
                 org.apache.kafka.connect.json.JsonConverter could not be found."
            ),
            "{error}"
        );
        Ok(())
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut without = properties(&[]);
        without.shift_remove("group.id");
        let error = WorkerConfig::distributed(without).expect_err("no group");
        assert_eq!(
            error.message(),
            "Missing required configuration \"group.id\" which has no default value."
        );
        let error = WorkerConfig::distributed(properties(&[("offset.storage.partitions", "0")]));
        assert!(
            error
                .expect_err("zero partitions")
                .message()
                .contains("offset.storage.partitions")
        );
    }
}
