//! The bodies of answers, field by field in the order in which the reference
//! writes them.

use indexmap::IndexMap;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use tether_api::config::{ConfigKey, ConfigMap, ConfigValue};
use tether_api::data::Value;
use tether_api::offset::OffsetMap;
use tether_api::plugin::PluginDescriptor;
use tether_storage::TaskId;
use tether_worker::herder::{self, Health, InstanceState, RawConfig};

/// What stands for a version that a plugin does not tell
/// (`PluginDesc.UNDEFINED_VERSION`); it is left out of answers.
const UNDEFINED_VERSION: &str = "undefined";

fn defined(version: Option<String>) -> Option<String> {
    version.filter(|version| version != UNDEFINED_VERSION)
}

/// `GET /`
#[derive(Serialize)]
pub(crate) struct ServerInfo {
    pub(crate) version: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) kafka_cluster_id: String,
}

/// `GET /health` (KIP-1017)
#[derive(Serialize)]
pub(crate) struct WorkerStatus {
    status: &'static str,
    message: String,
}

impl WorkerStatus {
    /// The words for a state of health, with what the herder is doing if the
    /// worker is not well.
    pub(crate) fn new(health: Health, stage: Option<String>) -> Self {
        let (status, message) = match &health {
            Health::Healthy => (
                "healthy",
                "Worker has completed startup and is ready to handle requests.",
            ),
            Health::Starting => ("starting", "Worker is still starting up."),
            Health::Unhealthy => (
                "unhealthy",
                "Worker was unable to handle this request and may be unable to handle other requests.",
            ),
            Health::Unreachable { reason } => {
                return Self {
                    status: "unhealthy",
                    message: format!("Worker cannot reach its group and runs nothing. {reason}"),
                };
            }
        };
        let message = match stage {
            Some(stage) if health != Health::Healthy => format!("{message} {stage}"),
            _ => message.to_owned(),
        };
        Self { status, message }
    }
}

/// A connector as it is configured.
#[derive(Serialize)]
pub(crate) struct ConnectorInfo {
    name: String,
    config: ConfigMap,
    tasks: Vec<ConnectorTaskId>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl From<herder::ConnectorInfo> for ConnectorInfo {
    fn from(info: herder::ConnectorInfo) -> Self {
        Self {
            name: info.name,
            config: info.config,
            tasks: info.tasks.into_iter().map(Into::into).collect(),
            kind: info.kind.name(),
        }
    }
}

/// `POST /connectors` as one worker sends it to another. Without a state the
/// field is left out: workers before 3.7 don't know it.
#[derive(Serialize)]
pub(crate) struct CreateBody<'a> {
    pub(crate) name: &'a str,
    pub(crate) config: &'a RawConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) initial_state: Option<&'static str>,
}

/// A task's connector and number.
#[derive(Serialize)]
pub(crate) struct ConnectorTaskId {
    connector: String,
    task: u32,
}

impl From<TaskId> for ConnectorTaskId {
    fn from(id: TaskId) -> Self {
        Self {
            connector: id.connector.to_string(),
            task: id.task,
        }
    }
}

/// A task as it is configured.
#[derive(Serialize)]
pub(crate) struct TaskInfo {
    id: ConnectorTaskId,
    config: ConfigMap,
}

impl From<herder::TaskInfo> for TaskInfo {
    fn from(info: herder::TaskInfo) -> Self {
        Self {
            id: info.id.into(),
            config: info.config,
        }
    }
}

/// What a connector or task is doing. `trace` is only there for a failure.
#[derive(Serialize)]
struct AbstractState {
    state: &'static str,
    worker_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

impl From<InstanceState> for AbstractState {
    fn from(state: InstanceState) -> Self {
        Self {
            state: state.state.name(),
            worker_id: state.worker_id,
            version: defined(state.version),
            trace: state.trace.filter(|trace| !trace.is_empty()),
        }
    }
}

/// What a task is doing.
#[derive(Serialize)]
pub(crate) struct TaskState {
    id: u32,
    #[serde(flatten)]
    state: AbstractState,
}

impl TaskState {
    pub(crate) fn new(id: u32, state: InstanceState) -> Self {
        Self {
            id,
            state: state.into(),
        }
    }
}

/// What a connector and its tasks are doing.
#[derive(Serialize)]
pub(crate) struct ConnectorStateInfo {
    name: String,
    connector: AbstractState,
    tasks: Vec<TaskState>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl From<herder::ConnectorState> for ConnectorStateInfo {
    fn from(state: herder::ConnectorState) -> Self {
        let mut tasks = state.tasks;
        tasks.sort_by_key(|(id, _)| *id);
        Self {
            name: state.name,
            connector: state.connector.into(),
            tasks: tasks
                .into_iter()
                .map(|(id, state)| TaskState::new(id, state))
                .collect(),
            kind: state.kind.name(),
        }
    }
}

/// What `GET /connectors?expand=` tells of one connector.
#[derive(Serialize, Default)]
pub(crate) struct Expansion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<ConnectorStateInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) info: Option<ConnectorInfo>,
}

/// The topics of a connector, below its name.
#[derive(Serialize)]
pub(crate) struct ActiveTopics {
    pub(crate) topics: Vec<String>,
}

/// The offsets of a connector.
#[derive(Serialize)]
pub(crate) struct ConnectorOffsets {
    offsets: Vec<ConnectorOffset>,
}

#[derive(Serialize)]
struct ConnectorOffset {
    partition: Option<Fields>,
    offset: Option<Fields>,
}

impl From<Vec<herder::ConnectorOffset>> for ConnectorOffsets {
    fn from(offsets: Vec<herder::ConnectorOffset>) -> Self {
        let offsets = offsets
            .into_iter()
            .map(|entry| ConnectorOffset {
                partition: entry.partition.map(Fields),
                offset: entry.offset.map(Fields),
            })
            .collect();
        Self { offsets }
    }
}

/// A partition or offset as a JSON object.
struct Fields(OffsetMap);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(&**name, &Plain(value))?;
        }
        map.end()
    }
}

/// A value without a schema as Jackson writes the Java object: bytes in
/// base64, dates and decimals as the text or number that stands for them.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;

        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Int8(value) => serializer.serialize_i8(*value),
            Value::Int16(value) => serializer.serialize_i16(*value),
            Value::Int32(value) | Value::Date(value) | Value::Time(value) => {
                serializer.serialize_i32(*value)
            }
            Value::Int64(value) | Value::Timestamp(value) => serializer.serialize_i64(*value),
            Value::Float32(value) => serializer.serialize_f32(*value),
            Value::Float64(value) => serializer.serialize_f64(*value),
            Value::Boolean(value) => serializer.serialize_bool(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => serializer.serialize_str(&STANDARD.encode(value)),
            Value::Decimal(value) => serializer.serialize_str(&value.to_string()),
            Value::Array(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values.iter() {
                    list.serialize_element(&Plain(value))?;
                }
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for (key, value) in entries.iter() {
                    match key {
                        Value::String(key) => map.serialize_entry(&**key, &Plain(value))?,
                        other => map.serialize_entry(&other.to_string(), &Plain(value))?,
                    }
                }
                map.end()
            }
            other => serializer.serialize_str(&other.to_string()),
        }
    }
}

/// A sentence for the user.
#[derive(Serialize)]
pub(crate) struct Message {
    pub(crate) message: String,
}

/// A plugin in a list.
#[derive(Serialize)]
pub(crate) struct PluginInfo {
    class: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
}

impl From<&PluginDescriptor> for PluginInfo {
    fn from(plugin: &PluginDescriptor) -> Self {
        Self {
            class: plugin.class,
            kind: plugin.kind().name(),
            version: Some(plugin.version).filter(|version| *version != UNDEFINED_VERSION),
        }
    }
}

/// The definition of a configuration key. The position within the group is
/// there under its name of Kafka 4.1 and later and, at the end, under the
/// older one that most clients know.
#[derive(Serialize)]
pub(crate) struct ConfigKeyInfo {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    default_value: Option<String>,
    importance: &'static str,
    documentation: String,
    group: Option<String>,
    order_in_group: i32,
    width: &'static str,
    display_name: String,
    dependents: Vec<String>,
    order: i32,
}

impl From<&ConfigKey> for ConfigKeyInfo {
    fn from(key: &ConfigKey) -> Self {
        Self {
            name: key.name.to_string(),
            kind: key.kind.name(),
            required: key.default.is_none(),
            default_value: key.default.as_ref().and_then(|value| value.configured()),
            importance: key.importance.name(),
            documentation: key.documentation.to_string(),
            group: key.group.as_ref().map(|group| group.to_string()),
            order_in_group: key.order,
            width: key.width.name(),
            display_name: key.display_name.to_string(),
            dependents: key.dependents.iter().map(|name| name.to_string()).collect(),
            order: key.order,
        }
    }
}

/// What validation found for a key.
#[derive(Serialize)]
struct ConfigValueInfo {
    name: String,
    value: Option<String>,
    recommended_values: Vec<String>,
    errors: Vec<String>,
    visible: bool,
}

impl From<ConfigValue> for ConfigValueInfo {
    fn from(value: ConfigValue) -> Self {
        Self {
            name: value.name,
            value: value.value.configured(),
            recommended_values: value.recommended,
            errors: value.errors,
            visible: value.visible,
        }
    }
}

#[derive(Serialize)]
struct ConfigInfo {
    definition: Option<ConfigKeyInfo>,
    value: Option<ConfigValueInfo>,
}

/// The answer of a validation.
#[derive(Serialize)]
pub(crate) struct ConfigInfos {
    name: String,
    error_count: usize,
    groups: Vec<String>,
    configs: Vec<ConfigInfo>,
}

impl From<herder::ConfigInfos> for ConfigInfos {
    fn from(infos: herder::ConfigInfos) -> Self {
        let is_internal = |key: &Option<ConfigKey>| key.as_ref().is_some_and(|key| key.internal);
        Self {
            name: infos.name,
            error_count: infos.error_count,
            groups: infos.groups,
            configs: infos
                .configs
                .into_iter()
                .filter(|config| !is_internal(&config.definition))
                .map(|config| ConfigInfo {
                    definition: config.definition.as_ref().map(Into::into),
                    value: config.value.map(Into::into),
                })
                .collect(),
        }
    }
}

/// The level of a logger.
#[derive(Serialize)]
pub(crate) struct LoggerLevel {
    level: String,
    last_modified: Option<i64>,
}

impl From<herder::LoggerLevel> for LoggerLevel {
    fn from(level: herder::LoggerLevel) -> Self {
        Self {
            level: level.level,
            last_modified: level.last_modified,
        }
    }
}

/// All loggers by name.
pub(crate) type Loggers = IndexMap<String, LoggerLevel>;
