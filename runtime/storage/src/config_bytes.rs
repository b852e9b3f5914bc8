//! The records of the config topic (spec section 3.2; `KafkaConfigBackingStore`).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Map, Value as Json};
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

use crate::json_text::{integer, kind, parse, push_string};
use crate::{RestartRequest, SessionKey, TargetState, TaskId};

const TARGET_STATE: &str = "target-state-";
const CONNECTOR: &str = "connector-";
const TASK: &str = "task-";
const COMMIT: &str = "commit-";
const RESTART: &str = "restart-connector-";
const FENCING: &str = "tasks-fencing-";
const SESSION_KEY: &str = "session-key";
const LOGGER: &str = "logger-cluster-";

/// A record of the config topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConfigRecord {
    /// A connector's configuration; `None` deletes the connector.
    Connector(String, Option<ConfigMap>),
    /// What a user wants a connector to be; `None` is the tombstone that goes
    /// with the connector's.
    TargetState(String, Option<TargetState>),
    /// The configuration of a task, which a commit makes effective.
    Task(TaskId, ConfigMap),
    /// Makes the task records before it effective: there are this many tasks.
    Commit(String, u32),
    /// A restart that was asked for.
    Restart(RestartRequest),
    /// How many producers of a connector's tasks may exist (exactly-once).
    TaskCount(String, u32),
    /// The key with which workers sign requests to each other.
    SessionKey(SessionKey),
    /// A logger and its level on all workers.
    LoggerLevel(String, String),
}

/// A record that does not become part of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The value is no JSON. The reference does not even move its offset past
    /// such a record, and the offsets of all workers of a group must agree.
    Unreadable(String),
    /// Key or content are not what they should be.
    Ignored(String),
}

impl ConfigRecord {
    /// The records that create or change a connector, in order.
    pub(crate) fn connector(
        name: &str,
        config: &ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Vec<Self> {
        // The state first: whoever reads the connector must know it already.
        initial_state
            .map(|state| Self::TargetState(name.to_owned(), Some(state)))
            .into_iter()
            .chain([Self::Connector(name.to_owned(), Some(config.clone()))])
            .collect()
    }

    /// The records that delete a connector, in order.
    pub(crate) fn removal(name: &str) -> [Self; 2] {
        [
            Self::Connector(name.to_owned(), None),
            Self::TargetState(name.to_owned(), None),
        ]
    }

    /// The records of a connector's tasks, and the one that commits them.
    ///
    /// # Errors
    /// Other, if there are more tasks than 32 bits can count.
    pub(crate) fn tasks(name: &str, configs: &[ConfigMap]) -> Result<(Vec<Self>, Self)> {
        let count = count_of(name, configs.len())?;
        let tasks = (0..count)
            .zip(configs)
            .map(|(task, config)| Self::Task(TaskId::new(name, task), config.clone()))
            .collect();
        Ok((tasks, Self::Commit(name.to_owned(), count)))
    }

    /// The record that this many producers of a connector's tasks may exist.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn task_count(name: &str, tasks: usize) -> Result<Self> {
        Ok(Self::TaskCount(name.to_owned(), count_of(name, tasks)?))
    }

    /// The key and value of this record in the topic.
    pub(crate) fn encode(&self) -> (String, Option<Bytes>) {
        let mut json = String::from("{");
        let key = match self {
            Self::Connector(name, None) => return (format!("{CONNECTOR}{name}"), None),
            Self::TargetState(name, None) => return (format!("{TARGET_STATE}{name}"), None),
            Self::Connector(name, Some(config)) => {
                push_properties(&mut json, config);
                format!("{CONNECTOR}{name}")
            }
            Self::TargetState(name, Some(state)) => {
                // Workers before 3.5 know no STOPPED and read `state` only.
                let old = match state {
                    TargetState::Stopped => TargetState::Paused,
                    other => *other,
                };
                push_field(&mut json, "state", old.name());
                push_field(&mut json, "state.v2", state.name());
                format!("{TARGET_STATE}{name}")
            }
            Self::Task(id, config) => {
                push_properties(&mut json, config);
                format!("{TASK}{id}")
            }
            Self::Commit(name, tasks) => {
                push_raw(&mut json, "tasks", tasks);
                format!("{COMMIT}{name}")
            }
            Self::Restart(request) => {
                push_raw(&mut json, "include-tasks", request.include_tasks);
                push_raw(&mut json, "only-failed", request.only_failed);
                format!("{RESTART}{}", request.connector)
            }
            Self::TaskCount(name, count) => {
                push_raw(&mut json, "task-count", count);
                format!("{FENCING}{name}")
            }
            Self::SessionKey(session) => {
                push_field(&mut json, "key", &BASE64.encode(&session.key));
                push_field(&mut json, "algorithm", &session.algorithm);
                push_raw(&mut json, "creation-timestamp", session.created);
                SESSION_KEY.to_owned()
            }
            Self::LoggerLevel(logger, level) => {
                push_field(&mut json, "level", level);
                format!("{LOGGER}{logger}")
            }
        };
        json.push('}');
        (key, Some(Bytes::from(json)))
    }

    /// The record of these bytes. Unknown fields don't matter.
    pub(crate) fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, Rejected> {
        let value = parse(value.unwrap_or_default()).map_err(Rejected::Unreadable)?;
        let key = key.ok_or_else(|| ignored("it has no key"))?;
        let key = String::from_utf8_lossy(key);
        let value = value.as_ref();
        // The order matters: it is the one in which the reference looks.
        if let Some(name) = key.strip_prefix(TARGET_STATE) {
            let state = value.map(target_state).transpose()?;
            Ok(Self::TargetState(name.to_owned(), state))
        } else if let Some(name) = key.strip_prefix(CONNECTOR) {
            let config = value.map(properties).transpose()?;
            Ok(Self::Connector(name.to_owned(), config))
        } else if let Some(name) = key.strip_prefix(TASK) {
            Ok(Self::Task(task_id(name)?, properties(present(value)?)?))
        } else if let Some(name) = key.strip_prefix(COMMIT) {
            let tasks = count(object(present(value)?)?, "tasks")?;
            Ok(Self::Commit(name.to_owned(), tasks))
        } else if let Some(name) = key.strip_prefix(RESTART) {
            let fields = object(present(value)?)?;
            Ok(Self::Restart(RestartRequest {
                connector: name.to_owned(),
                only_failed: flag(fields, "only-failed"),
                include_tasks: flag(fields, "include-tasks"),
            }))
        } else if let Some(name) = key.strip_prefix(FENCING) {
            let count = count(object(present(value)?)?, "task-count")?;
            Ok(Self::TaskCount(name.to_owned(), count))
        } else if key == SESSION_KEY {
            Ok(Self::SessionKey(session_key(object(present(value)?)?)?))
        } else if let Some(logger) = key.strip_prefix(LOGGER) {
            let level = text(object(present(value)?)?, "level")?;
            Ok(Self::LoggerLevel(logger.to_owned(), level.to_owned()))
        } else {
            Err(ignored("its key is none that is known"))
        }
    }
}

/// A number of tasks as it is stored.
fn count_of(connector: &str, tasks: usize) -> Result<u32> {
    i32::try_from(tasks)
        .map(i32::cast_unsigned)
        .map_err(|_| ConnectError::other(format!("Connector {connector} has too many tasks")))
}

impl TargetState {
    /// The word in upper case, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// The state of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Paused, Self::Stopped]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

fn push_name(json: &mut String, name: &str) {
    if !json.ends_with('{') {
        json.push(',');
    }
    push_string(json, name);
    json.push(':');
}

fn push_field(json: &mut String, name: &str, value: &str) {
    push_name(json, name);
    push_string(json, value);
}

fn push_raw(json: &mut String, name: &str, value: impl std::fmt::Display) {
    push_name(json, name);
    // Writing to a String cannot fail.
    let _ = write!(json, "{value}");
}

fn push_properties(json: &mut String, config: &ConfigMap) {
    push_name(json, "properties");
    json.push('{');
    for (name, value) in config {
        push_field(json, name, value);
    }
    json.push('}');
}

fn ignored(reason: impl Into<String>) -> Rejected {
    Rejected::Ignored(reason.into())
}

fn present(value: Option<&Json>) -> Result<&Json, Rejected> {
    value.ok_or_else(|| ignored("its value is unexpectedly null"))
}

fn object(value: &Json) -> Result<&Map<String, Json>, Rejected> {
    value.as_object().ok_or_else(|| {
        ignored(format!(
            "its value should be an object but is {}",
            kind(value)
        ))
    })
}

fn field<'a>(fields: &'a Map<String, Json>, name: &str) -> &'a Json {
    fields.get(name).unwrap_or(&Json::Null)
}

fn text<'a>(fields: &'a Map<String, Json>, name: &str) -> Result<&'a str, Rejected> {
    let value = field(fields, name);
    value.as_str().ok_or_else(|| wrong(name, "a string", value))
}

fn wrong(name: &str, expected: &str, found: &Json) -> Rejected {
    ignored(format!(
        "its field '{name}' should be {expected} but is {}",
        kind(found)
    ))
}

fn count(fields: &Map<String, Json>, name: &str) -> Result<u32, Rejected> {
    let value = field(fields, name);
    value
        .as_number()
        .and_then(integer)
        .and_then(|count| i32::try_from(count).ok())
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| wrong(name, "a number of tasks", value))
}

/// A flag of a restart request; one that is no boolean is false.
fn flag(fields: &Map<String, Json>, name: &str) -> bool {
    field(fields, name).as_bool().unwrap_or(false)
}

fn target_state(value: &Json) -> Result<TargetState, Rejected> {
    let fields = object(value)?;
    let word = match fields.get("state.v2").and_then(Json::as_str) {
        Some(word) => word,
        // An older worker wrote it, or the newer field is damaged.
        None => text(fields, "state")?,
    };
    TargetState::from_name(word).ok_or_else(|| ignored("its state is none that is known"))
}

/// A configuration. A null in it stands for a missing entry, which is what
/// every definition makes of it; other values are taken by their text.
fn properties(value: &Json) -> Result<ConfigMap, Rejected> {
    let found = field(object(value)?, "properties");
    let Some(entries) = found.as_object() else {
        return Err(wrong("properties", "an object", found));
    };
    let mut config = ConfigMap::with_capacity(entries.len());
    for (name, value) in entries {
        let value = match value {
            Json::Null => continue,
            Json::String(text) => text.clone(),
            Json::Bool(flag) => flag.to_string(),
            Json::Number(number) => number.to_string(),
            Json::Array(_) | Json::Object(_) => return Err(wrong(name, "a string", value)),
        };
        config.insert(name.clone(), value);
    }
    Ok(config)
}

/// `<connector>-<number>`; the name may have hyphens of its own.
fn task_id(name: &str) -> Result<TaskId, Rejected> {
    name.rsplit_once('-')
        .and_then(|(connector, number)| {
            let number: i32 = number.parse().ok()?;
            Some(TaskId::new(connector, u32::try_from(number).ok()?))
        })
        .ok_or_else(|| ignored("its key names no task"))
}

fn session_key(fields: &Map<String, Json>) -> Result<SessionKey, Rejected> {
    let key = BASE64
        .decode(text(fields, "key")?)
        .map_err(|_| ignored("its field 'key' is not base64"))?;
    if key.is_empty() {
        return Err(ignored("its field 'key' is empty"));
    }
    let created = field(fields, "creation-timestamp");
    Ok(SessionKey {
        key: key.into(),
        algorithm: text(fields, "algorithm")?.to_owned(),
        created: created
            .as_number()
            .and_then(integer)
            .ok_or_else(|| wrong("creation-timestamp", "milliseconds", created))?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> ConfigMap {
        [("connector.class", "File"), ("quote", "a\"b")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    fn session() -> SessionKey {
        SessionKey {
            key: vec![1, 2, 3].into(),
            algorithm: "HmacSHA256".to_owned(),
            created: 1_700_000_000_000,
        }
    }

    /// Every kind of record and its bytes as the Java worker writes them.
    fn samples() -> Vec<(ConfigRecord, &'static str, Option<&'static str>)> {
        let restart = RestartRequest {
            connector: "c".to_owned(),
            only_failed: true,
            include_tasks: false,
        };
        vec![
            (
                ConfigRecord::Connector("c".to_owned(), Some(config())),
                "connector-c",
                Some(r#"{"properties":{"connector.class":"File","quote":"a\"b"}}"#),
            ),
            (
                ConfigRecord::Connector("c".to_owned(), None),
                "connector-c",
                None,
            ),
            (
                ConfigRecord::TargetState("c".to_owned(), Some(TargetState::Stopped)),
                "target-state-c",
                Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#),
            ),
            (
                ConfigRecord::TargetState("c".to_owned(), Some(TargetState::Started)),
                "target-state-c",
                Some(r#"{"state":"STARTED","state.v2":"STARTED"}"#),
            ),
            (
                ConfigRecord::TargetState("c".to_owned(), None),
                "target-state-c",
                None,
            ),
            (
                ConfigRecord::Task(TaskId::new("a-b", 3), ConfigMap::new()),
                "task-a-b-3",
                Some(r#"{"properties":{}}"#),
            ),
            (
                ConfigRecord::Commit("c".to_owned(), 2),
                "commit-c",
                Some(r#"{"tasks":2}"#),
            ),
            (
                ConfigRecord::Restart(restart),
                "restart-connector-c",
                Some(r#"{"include-tasks":false,"only-failed":true}"#),
            ),
            (
                ConfigRecord::TaskCount("c".to_owned(), 4),
                "tasks-fencing-c",
                Some(r#"{"task-count":4}"#),
            ),
            (
                ConfigRecord::SessionKey(session()),
                "session-key",
                Some(
                    r#"{"key":"AQID","algorithm":"HmacSHA256","creation-timestamp":1700000000000}"#,
                ),
            ),
            (
                ConfigRecord::LoggerLevel("org.x".to_owned(), "DEBUG".to_owned()),
                "logger-cluster-org.x",
                Some(r#"{"level":"DEBUG"}"#),
            ),
        ]
    }

    fn decode(key: &str, value: &str) -> Result<ConfigRecord, Rejected> {
        ConfigRecord::decode(Some(key.as_bytes()), Some(value.as_bytes()))
    }

    #[test]
    fn bytes_are_javas_both_ways() {
        for (record, key, value) in samples() {
            let encoded = record.encode();
            assert_eq!(encoded.0, key);
            assert_eq!(encoded.1.as_deref(), value.map(str::as_bytes), "{key}");
            let decoded = ConfigRecord::decode(Some(key.as_bytes()), value.map(str::as_bytes));
            assert_eq!(decoded, Ok(record));
        }
    }

    #[test]
    fn target_states_of_all_versions_are_read() {
        let state = |value: &str| match decode("target-state-c", value) {
            Ok(ConfigRecord::TargetState(_, state)) => Ok(state),
            Ok(other) => panic!("{other:?}"),
            Err(rejected) => Err(rejected),
        };
        assert_eq!(
            state(r#"{"state":"PAUSED"}"#),
            Ok(Some(TargetState::Paused))
        );
        assert_eq!(
            state(r#"{"state":"PAUSED","state.v2":5}"#),
            Ok(Some(TargetState::Paused))
        );
        assert_eq!(
            state(r#"{"new":[],"state":"PAUSED","state.v2":"STOPPED"}"#),
            Ok(Some(TargetState::Stopped))
        );
        assert_eq!(state("null"), Ok(None));
        assert!(state(r#"{"state":"SLEEPING"}"#).is_err());
        assert!(state("[]").is_err());
    }

    #[test]
    fn odd_records_are_ignored_with_a_reason() {
        let reason = |key: &str, value: &str| match decode(key, value) {
            Err(Rejected::Ignored(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason("other", "{}"), "its key is none that is known");
        assert_eq!(reason("task-c", "{}"), "its key names no task");
        assert_eq!(reason("task-c-x", "{}"), "its key names no task");
        assert_eq!(reason("task-c-0", "null"), "its value is unexpectedly null");
        assert_eq!(
            reason("connector-c", "[]"),
            "its value should be an object but is an array"
        );
        assert_eq!(
            reason("connector-c", r#"{"properties":{"a":{}}}"#),
            "its field 'a' should be a string but is an object"
        );
        assert_eq!(
            reason("commit-c", r#"{"tasks":-1}"#),
            "its field 'tasks' should be a number of tasks but is a number"
        );
        assert_eq!(
            reason("session-key", r#"{"key":"%"}"#),
            "its field 'key' is not base64"
        );
        assert!(matches!(
            decode("connector-c", "{"),
            Err(Rejected::Unreadable(_))
        ));
        assert_eq!(
            ConfigRecord::decode(None, None),
            Err(ignored("it has no key"))
        );
    }

    #[test]
    fn nulls_and_numbers_in_a_configuration_are_tolerated() {
        let expected: ConfigMap = [("b", "1"), ("c", "true")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        assert_eq!(
            decode("connector-c", r#"{"properties":{"a":null,"b":1,"c":true}}"#),
            Ok(ConfigRecord::Connector("c".to_owned(), Some(expected)))
        );
    }

    proptest! {
        #[test]
        fn configurations_come_back(
            name in "[^-]{0,8}(-[^-]{1,4})?",
            task in 0..=i32::MAX,
            entries in proptest::collection::hash_map(any::<String>(), any::<String>(), 0..8),
        ) {
            let config: ConfigMap = entries.into_iter().collect();
            let record = ConfigRecord::Task(TaskId::new(name, task.cast_unsigned()), config);
            let (key, value) = record.encode();
            prop_assert_eq!(ConfigRecord::decode(Some(key.as_bytes()), value.as_deref()), Ok(record));
        }

        #[test]
        fn session_keys_come_back_and_are_not_shown(
            key in proptest::collection::vec(any::<u8>(), 1..100),
            algorithm: String,
            created: i64,
        ) {
            let text = BASE64.encode(&key);
            let record = ConfigRecord::SessionKey(SessionKey { key: key.into(), algorithm, created });
            let is_shown = format!("{record:?}").contains(&text);
            prop_assert!(text.len() < 20 || !is_shown);
            let (key, value) = record.encode();
            prop_assert_eq!(ConfigRecord::decode(Some(key.as_bytes()), value.as_deref()), Ok(record));
        }

        #[test]
        fn hostile_bytes_do_not_panic(
            prefix in proptest::sample::select(vec![
                TARGET_STATE, CONNECTOR, TASK, COMMIT, RESTART, FENCING, SESSION_KEY, LOGGER, "",
            ]),
            rest in proptest::collection::vec(any::<u8>(), 0..20),
            value in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..100),
                "[\\[\\]{}\",:a-z0-9.\\-]{0,60}".prop_map(String::into_bytes),
            ],
        ) {
            let key = [prefix.as_bytes(), &rest].concat();
            let _ = ConfigRecord::decode(Some(&key), Some(&value));
        }
    }
}
