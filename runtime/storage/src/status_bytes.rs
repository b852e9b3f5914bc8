//! The records of the status topic (spec section 3.4;
//! `KafkaStatusBackingStore`).

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Map, Value as Json};

use crate::json_text::{integer, kind, parse, push_optional, push_string};
use crate::{ConnectorStatus, State, TaskId, TaskStatus, TopicStatus};

const CONNECTOR: &str = "status-connector-";
const TASK: &str = "status-task-";
const TOPIC: &str = "status-topic-";
const TOPIC_SEPARATOR: &str = ":connector-";

/// What a record of the status topic is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StatusKey {
    Connector(String),
    Task(TaskId),
    Topic { connector: String, topic: String },
}

/// A status of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Connector(ConnectorStatus),
    Task(TaskStatus),
    Topic(TopicStatus),
}

impl StatusKey {
    /// The key in the topic.
    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Connector(connector) => format!("{CONNECTOR}{connector}"),
            Self::Task(id) => format!("{TASK}{id}"),
            Self::Topic { connector, topic } => {
                format!("{TOPIC}{topic}{TOPIC_SEPARATOR}{connector}")
            }
        }
    }

    /// The key of these bytes.
    ///
    /// # Errors
    /// Says what is wrong.
    pub(crate) fn decode(key: Option<&[u8]>) -> Result<Self, String> {
        let key = String::from_utf8_lossy(key.ok_or("it has no key")?);
        if let Some(connector) = key.strip_prefix(CONNECTOR) {
            not_empty(connector, "connector")?;
            Ok(Self::Connector(connector.to_owned()))
        } else if let Some(task) = key.strip_prefix(TASK) {
            task.rsplit_once('-')
                .and_then(|(connector, number)| {
                    let number: i32 = number.parse().ok()?;
                    let number = u32::try_from(number).ok()?;
                    Some(Self::Task(TaskId::new(connector, number)))
                })
                .ok_or_else(|| "its key names no task".to_owned())
        } else if let Some(rest) = key.strip_prefix(TOPIC) {
            // A topic has no colon in its name, a connector may.
            let (topic, connector) = rest
                .split_once(TOPIC_SEPARATOR)
                .filter(|(topic, _)| !topic.contains(':'))
                .ok_or("its key names no topic and connector")?;
            not_empty(topic, "topic")?;
            not_empty(connector, "connector")?;
            Ok(Self::Topic {
                connector: connector.to_owned(),
                topic: topic.to_owned(),
            })
        } else {
            Err("its key is none that is known".to_owned())
        }
    }
}

/// What a record of the topic is about and says; `None` is a tombstone. Unknown
/// fields don't matter.
///
/// # Errors
/// Says what is wrong; never shows the content.
pub(crate) fn decode(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<(StatusKey, Option<Status>), String> {
    let key = StatusKey::decode(key)?;
    let Some(value) = value else {
        return Ok((key, None));
    };
    // In contrast to null bytes, an empty or null text deletes nothing.
    let json = parse(value)?.unwrap_or_default();
    let Json::Object(fields) = &json else {
        let found = kind(&json);
        return Err(format!("its value should be an object but is {found}"));
    };
    let status = match &key {
        StatusKey::Connector(connector) => Status::Connector(connector_status(connector, fields)?),
        StatusKey::Task(id) => Status::Task(task_status(id, fields)?),
        StatusKey::Topic { .. } => Status::Topic(topic_status(fields)?),
    };
    Ok((key, Some(status)))
}

impl Status {
    /// What this status is about.
    pub(crate) fn key(&self) -> StatusKey {
        match self {
            Self::Connector(status) => StatusKey::Connector(status.connector.clone()),
            Self::Task(status) => StatusKey::Task(status.id.clone()),
            Self::Topic(status) => StatusKey::Topic {
                connector: status.connector.clone(),
                topic: status.topic.clone(),
            },
        }
    }

    /// The state, of connectors and tasks.
    pub(crate) fn state(&self) -> Option<State> {
        match self {
            Self::Connector(status) => Some(status.state),
            Self::Task(status) => Some(status.state),
            Self::Topic(_) => None,
        }
    }

    /// Who wrote it and in which generation, of connectors and tasks.
    pub(crate) fn owner(&self) -> Option<(&str, i32)> {
        match self {
            Self::Connector(status) => Some((&status.worker_id, status.generation)),
            Self::Task(status) => Some((&status.worker_id, status.generation)),
            Self::Topic(_) => None,
        }
    }

    /// The value in the topic.
    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Self::Connector(status) => encode(
                status.state,
                status.trace.as_deref(),
                &status.worker_id,
                status.generation,
                status.version.as_deref(),
            ),
            Self::Task(status) => encode(
                status.state,
                status.trace.as_deref(),
                &status.worker_id,
                status.generation,
                status.version.as_deref(),
            ),
            Self::Topic(status) => encode_topic(status),
        }
    }
}

fn encode_topic(status: &TopicStatus) -> Bytes {
    let mut json = String::from(r#"{"topic":{"name":"#);
    push_string(&mut json, &status.topic);
    json.push_str(r#","connector":"#);
    push_string(&mut json, &status.connector);
    // Writing to a String cannot fail.
    let _ = write!(
        json,
        r#","task":{},"discoverTimestamp":{}}}}}"#,
        status.task, status.discovered
    );
    Bytes::from(json)
}

fn encode(
    state: State,
    trace: Option<&str>,
    worker_id: &str,
    generation: i32,
    version: Option<&str>,
) -> Bytes {
    let mut json = String::from(r#"{"state":"#);
    push_string(&mut json, state.name());
    json.push_str(r#","trace":"#);
    push_optional(&mut json, trace);
    json.push_str(r#","worker_id":"#);
    push_string(&mut json, worker_id);
    // Writing to a String cannot fail.
    let _ = write!(json, r#","generation":{generation},"version":"#);
    push_optional(&mut json, version);
    json.push('}');
    Bytes::from(json)
}

fn connector_status(
    connector: &str,
    fields: &Map<String, Json>,
) -> Result<ConnectorStatus, String> {
    Ok(ConnectorStatus {
        connector: connector.to_owned(),
        state: state(fields)?,
        trace: text(fields, "trace")?,
        worker_id: text(fields, "worker_id")?.unwrap_or_default(),
        generation: number(fields, "generation")?,
        version: text(fields, "version")?,
    })
}

fn task_status(id: &TaskId, fields: &Map<String, Json>) -> Result<TaskStatus, String> {
    Ok(TaskStatus {
        id: id.clone(),
        state: state(fields)?,
        trace: text(fields, "trace")?,
        worker_id: text(fields, "worker_id")?.unwrap_or_default(),
        generation: number(fields, "generation")?,
        version: text(fields, "version")?,
    })
}

fn topic_status(fields: &Map<String, Json>) -> Result<TopicStatus, String> {
    let Some(Json::Object(fields)) = fields.get("topic") else {
        return Err("its field 'topic' is no object".to_owned());
    };
    let name =
        |field| text(fields, field)?.ok_or_else(|| format!("its field '{field}' is missing"));
    Ok(TopicStatus {
        topic: name("name")?,
        connector: name("connector")?,
        task: number(fields, "task")?,
        discovered: number(fields, "discoverTimestamp")?,
    })
}

fn state(fields: &Map<String, Json>) -> Result<State, String> {
    text(fields, "state")?
        .as_deref()
        .and_then(State::from_name)
        .ok_or_else(|| "its state is none that is known".to_owned())
}

/// A text or null.
fn text(fields: &Map<String, Json>, name: &str) -> Result<Option<String>, String> {
    match fields.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!(
            "its field '{name}' should be a string but is {}",
            kind(other)
        )),
    }
}

fn number<N: TryFrom<i64>>(fields: &Map<String, Json>, name: &str) -> Result<N, String> {
    fields
        .get(name)
        .and_then(Json::as_number)
        .and_then(integer)
        .and_then(|number| N::try_from(number).ok())
        .ok_or_else(|| format!("its field '{name}' is no integer of its kind"))
}

fn not_empty(name: &str, what: &str) -> Result<(), String> {
    match name.is_empty() {
        true => Err(format!("its key has an empty {what} name")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(key: &str, value: Option<&str>) -> Result<(StatusKey, Option<Status>), String> {
        decode(Some(key.as_bytes()), value.map(str::as_bytes))
    }

    fn connector() -> Status {
        Status::Connector(ConnectorStatus {
            connector: "c".to_owned(),
            state: State::Running,
            trace: None,
            worker_id: "h:8083".to_owned(),
            generation: 3,
            version: None,
        })
    }

    fn task() -> Status {
        Status::Task(TaskStatus {
            id: TaskId::new("a-b", 7),
            state: State::Failed,
            trace: Some("org.X: bad\n\tat \"here\"".to_owned()),
            worker_id: "h:8083".to_owned(),
            generation: 12,
            version: Some("4.3.0".to_owned()),
        })
    }

    fn topic() -> Status {
        Status::Topic(TopicStatus {
            topic: "t.x".to_owned(),
            connector: "a:connector-b".to_owned(),
            task: 1,
            discovered: 1_700_000_000_000,
        })
    }

    #[test]
    fn bytes_are_javas_both_ways() {
        for (status, key, value) in [
            (
                connector(),
                "status-connector-c",
                r#"{"state":"RUNNING","trace":null,"worker_id":"h:8083","generation":3,"version":null}"#,
            ),
            (
                task(),
                "status-task-a-b-7",
                r#"{"state":"FAILED","trace":"org.X: bad\n\tat \"here\"","worker_id":"h:8083","generation":12,"version":"4.3.0"}"#,
            ),
            (
                topic(),
                "status-topic-t.x:connector-a:connector-b",
                r#"{"topic":{"name":"t.x","connector":"a:connector-b","task":1,"discoverTimestamp":1700000000000}}"#,
            ),
        ] {
            assert_eq!(status.key().encode(), key);
            assert_eq!(status.encode(), value);
            assert_eq!(read(key, None), Ok((status.key(), None)));
            assert_eq!(read(key, Some(value)), Ok((status.key(), Some(status))));
        }
    }

    #[test]
    fn records_of_other_versions_are_read() {
        let value =
            r#"{"state":"RUNNING","trace":null,"worker_id":"h:8083","generation":3,"later":[1]}"#;
        assert_eq!(
            read("status-connector-c", Some(value)),
            Ok((connector().key(), Some(connector())))
        );
    }

    #[test]
    fn odd_records_are_refused() {
        let reason = |key: &str, value: &str| read(key, Some(value)).unwrap_err();
        assert_eq!(reason("x", "{}"), "its key is none that is known");
        assert_eq!(
            reason("status-connector-", "{}"),
            "its key has an empty connector name"
        );
        assert_eq!(reason("status-task-c", "{}"), "its key names no task");
        assert_eq!(reason("status-task-c-x", "{}"), "its key names no task");
        assert_eq!(
            reason("status-topic-t", "{}"),
            "its key names no topic and connector"
        );
        assert_eq!(
            reason("status-topic-:connector-c", "{}"),
            "its key has an empty topic name"
        );
        assert_eq!(
            reason("status-connector-c", "null"),
            "its value should be an object but is null"
        );
        assert_eq!(
            reason("status-connector-c", r#"{"state":"DREAMING"}"#),
            "its state is none that is known"
        );
        assert_eq!(
            reason("status-connector-c", r#"{"state":"RUNNING","trace":5}"#),
            "its field 'trace' should be a string but is a number"
        );
        assert_eq!(
            reason(
                "status-connector-c",
                r#"{"state":"RUNNING","generation":3e9}"#
            ),
            "its field 'generation' is no integer of its kind"
        );
    }

    proptest! {
        #[test]
        fn statuses_come_back(
            connector in "[^-].{0,9}",
            number in 0..=i32::MAX,
            trace in proptest::option::of(any::<String>()),
            worker_id in any::<String>(),
            generation in any::<i32>(),
        ) {
            let id = TaskId::new(connector, number.cast_unsigned());
            let status = Status::Task(TaskStatus {
                id,
                state: State::Paused,
                trace,
                worker_id,
                generation,
                version: None,
            });
            let key = status.key().encode();
            let decoded = decode(Some(key.as_bytes()), Some(&status.encode()));
            prop_assert_eq!(decoded, Ok((status.key(), Some(status))));
        }

        #[test]
        fn hostile_bytes_do_not_panic(
            prefix in proptest::sample::select(vec![CONNECTOR, TASK, TOPIC, ""]),
            rest in proptest::collection::vec(any::<u8>(), 0..30),
            value in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..100),
                "[\\[\\]{}\",:a-z0-9.\\-]{0,60}".prop_map(String::into_bytes),
            ],
        ) {
            let key = [prefix.as_bytes(), &rest].concat();
            let _ = decode(Some(&key), Some(&value));
        }
    }
}
