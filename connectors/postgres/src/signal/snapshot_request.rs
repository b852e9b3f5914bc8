//! Snapshots that signals ask for, or ask to stop (the reference's
//! `SnapshotConfiguration`).

use serde_json::{Map, Value};
use tether_java_regex::Pattern;

use super::action::Problem;
use super::json;
use crate::config::RegexList;
use crate::table::TableId;

/// How a snapshot and the stream go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotType {
    /// In chunks while changes are streamed.
    Incremental,
    /// At once while the stream waits.
    Blocking,
}

/// A snapshot that is asked for.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// How it is taken.
    pub kind: SnapshotType,
    /// Regular expressions of the names of tables; at least one.
    pub data_collections: Vec<String>,
    /// What is read of single tables.
    pub conditions: Vec<Condition>,
    /// The column that orders the rows of an incremental snapshot in place of
    /// the key.
    pub surrogate_key: Option<String>,
}

/// What is read of a table.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The table, as it was written: its name for a blocking snapshot.
    pub data_collection: String,
    /// The same as an expression for the names of tables, for an incremental
    /// snapshot.
    pub pattern: Pattern,
    /// A condition on rows for an incremental snapshot, a whole statement for
    /// a blocking one.
    pub filter: Option<String>,
}

/// A request to stop a snapshot.
#[derive(Debug, Clone)]
pub struct StopRequest {
    /// Which kind.
    pub kind: SnapshotType,
    /// Names of the tables to leave out; all of them if there is no list.
    pub data_collections: Option<Vec<String>>,
}

impl SnapshotRequest {
    pub(super) fn read(data: &Map<String, Value>) -> Result<Self, Problem> {
        let data_collections =
            collections(data)?.ok_or(Problem::Missing(json::DATA_COLLECTIONS))?;
        let conditions = json::array(data, "additional-conditions").unwrap_or_default();
        Ok(Self {
            kind: kind(data)?,
            data_collections,
            conditions: conditions
                .iter()
                .map(Condition::read)
                .collect::<Result<_, _>>()?,
            surrogate_key: json::string(data, "surrogate-key")
                .filter(|key| !key.trim().is_empty())
                .map(str::to_owned),
        })
    }

    /// The names of tables that are asked for. Each of `data-collections` may
    /// itself be a list.
    ///
    /// # Errors
    /// If one is no expression.
    pub fn tables(&self) -> Result<Vec<RegexList>, tether_java_regex::Error> {
        self.data_collections
            .iter()
            .map(|names| RegexList::parse(names))
            .collect()
    }
}

impl Condition {
    fn read(value: &Value) -> Result<Self, Problem> {
        let wrong = |text: &str| Problem::Wrong(format!("additional-conditions: {text}"));
        let condition = value.as_object().ok_or_else(|| wrong("not an object"))?;
        let name = json::string(condition, "data-collection")
            .ok_or_else(|| wrong("a data-collection is missing"))?;
        Ok(Self {
            data_collection: name.to_owned(),
            pattern: Pattern::whole_ignoring_case(name)
                .map_err(|error| wrong(&error.to_string()))?,
            filter: json::string(condition, "filter").map(str::to_owned),
        })
    }

    /// The table that a blocking snapshot reads by this condition; `None` if
    /// it is not written as a name.
    pub fn table(&self) -> Option<TableId> {
        crate::config::table_name(&self.data_collection)
    }
}

impl StopRequest {
    pub(super) fn read(data: &Map<String, Value>) -> Result<Self, Problem> {
        Ok(Self {
            kind: kind(data)?,
            data_collections: collections(data)?,
        })
    }
}

fn kind(data: &Map<String, Value>) -> Result<SnapshotType, Problem> {
    match json::string(data, "type") {
        None => Ok(SnapshotType::Incremental),
        Some(name) if name.eq_ignore_ascii_case("incremental") => Ok(SnapshotType::Incremental),
        Some(name) if name.eq_ignore_ascii_case("blocking") => Ok(SnapshotType::Blocking),
        Some(name) => Err(Problem::Wrong(format!(
            "Detected an unexpected snapshot type '{name}'. Signal will be skipped."
        ))),
    }
}

/// The list of tables, if there is one that is not empty.
fn collections(data: &Map<String, Value>) -> Result<Option<Vec<String>>, Problem> {
    let Some(names) = json::array(data, json::DATA_COLLECTIONS) else {
        return Ok(None);
    };
    let names: Vec<String> = names
        .iter()
        .map(|name| match name.as_str() {
            Some(name) => Ok(name.trim().to_owned()),
            None => Err(Problem::Wrong(format!(
                "{}: {name} is not text",
                json::DATA_COLLECTIONS
            ))),
        })
        .collect::<Result<_, _>>()?;
    Ok(Some(names).filter(|names| !names.is_empty()))
}
