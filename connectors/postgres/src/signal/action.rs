//! What signals ask for.

use serde_json::{Map, Value};

use super::snapshot_request::{SnapshotRequest, StopRequest};
use super::{Signal, json};

/// What a signal asks for.
#[derive(Debug, Clone)]
pub enum Action {
    /// To log a message, in which the first `{}` stands for the position.
    Log(String),
    /// To read tables again.
    ExecuteSnapshot(SnapshotRequest),
    /// To stop an incremental snapshot.
    StopSnapshot(StopRequest),
    /// To pause an incremental snapshot.
    PauseSnapshot,
    /// To go on with a paused one.
    ResumeSnapshot,
    /// The window of a chunk opens; the connector itself wrote this.
    OpenWindow,
    /// The window of a chunk closes; the connector itself wrote this.
    CloseWindow,
    /// To take the structure of tables from the signal. The stream describes
    /// its tables itself, before their first change.
    SchemaChanges,
}

/// Why a signal is not executed, in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// There is no such action.
    #[error("Signal '{id}' has been received but the type '{kind}' is not recognized")]
    UnknownType {
        /// The signal.
        id: String,
        /// What it asks for.
        kind: String,
    },
    /// The data are not JSON.
    #[error("Signal '{id}' has been received but the data '{data}' cannot be parsed: {reason}")]
    NotJson {
        /// The signal.
        id: String,
        /// Its data, shortened.
        data: String,
        /// Where they are wrong.
        reason: String,
    },
    /// Something is missing from the data.
    #[error(
        "Signal '{id}' of type '{kind}' has arrived but the requested field '{field}' is missing \
         from data or is empty"
    )]
    Missing {
        /// The signal.
        id: String,
        /// What it asks for.
        kind: String,
        /// What is missing.
        field: &'static str,
    },
    /// Something in the data is not of use.
    #[error("Action {kind} failed. The signal '{id}' may not have been processed: {reason}")]
    Failed {
        /// The signal.
        id: String,
        /// What it asks for.
        kind: String,
        /// What is wrong.
        reason: String,
    },
}

/// What is wrong with the data of an action.
#[derive(Debug)]
pub(super) enum Problem {
    Missing(&'static str),
    Wrong(String),
}

/// How much of what a signal has an error shows, in characters.
const SHOWN: usize = 1000;

impl Action {
    /// What a signal asks for.
    ///
    /// # Errors
    /// If the type is not known, or the data do not have what it needs.
    pub fn parse(signal: &Signal) -> Result<Self, SignalError> {
        let read: fn(&Map<String, Value>) -> Result<Self, Problem> = match signal.kind.as_str() {
            "log" => |data| match json::string(data, "message") {
                None | Some("") => Err(Problem::Missing("message")),
                Some(message) => Ok(Self::Log(message.to_owned())),
            },
            "execute-snapshot" => |data| SnapshotRequest::read(data).map(Self::ExecuteSnapshot),
            "stop-snapshot" => |data| StopRequest::read(data).map(Self::StopSnapshot),
            "pause-snapshot" => |_| Ok(Self::PauseSnapshot),
            "resume-snapshot" => |_| Ok(Self::ResumeSnapshot),
            "snapshot-window-open" => |_| Ok(Self::OpenWindow),
            "snapshot-window-close" => |_| Ok(Self::CloseWindow),
            "schema-changes" => |data| match json::array(data, "changes") {
                None | Some([]) => Err(Problem::Missing("changes")),
                Some(_) => match json::string(data, "database") {
                    None | Some("") => Err(Problem::Missing("database")),
                    Some(_) => Ok(Self::SchemaChanges),
                },
            },
            _ => {
                return Err(SignalError::UnknownType {
                    id: shorten(&signal.id),
                    kind: shorten(&signal.kind),
                });
            }
        };
        let data = json::object(&signal.data).map_err(|reason| SignalError::NotJson {
            id: shorten(&signal.id),
            data: shorten(&signal.data),
            reason,
        })?;
        let (id, kind) = (shorten(&signal.id), signal.kind.clone());
        read(&data).map_err(|problem| match problem {
            Problem::Missing(field) => SignalError::Missing { id, kind, field },
            Problem::Wrong(reason) => SignalError::Failed { id, kind, reason },
        })
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests;
