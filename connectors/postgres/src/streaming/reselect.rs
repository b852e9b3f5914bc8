//! Columns that are read anew for events: large values that did not change,
//! which the stream does not carry, and nulls
//! (`io.debezium.processors.reselect.ReselectColumnsPostProcessor`).

use std::fmt::Write as _;
use std::sync::Arc;

use tether_api::data::{Bytes, Field, MapValue, Schema, Struct, Text, Type, Value, validate};
use tether_api::{ConnectError, Result};

use super::relations::CapturedTable;
use crate::config::{ReselectSettings, Settings};
use crate::event::Change;
use crate::pgoutput::{Tuple, TupleValue};
use crate::table::quote;
use crate::values::Phase;

/// The name of JSON's schema, which stands for maps too.
const JSON: &str = "io.debezium.data.Json";

/// What stands for a value that was not sent, in each form.
#[derive(Debug)]
struct Placeholder {
    text: Text,
    bytes: Bytes,
    map: Value,
    json: String,
    /// Each byte, which has a sign.
    numbers: Vec<i8>,
}

impl Placeholder {
    fn new(bytes: Bytes) -> Self {
        let text: Text = String::from_utf8_lossy(&bytes).into_owned().into();
        let entry = (text.clone().into(), text.clone().into());
        Self {
            map: MapValue::from_distinct(vec![entry]).into(),
            json: format!("{{\"{text}\":\"{text}\"}}"),
            numbers: bytes.iter().map(|byte| byte.cast_signed()).collect(),
            text,
            bytes,
        }
    }

    /// Whether this value stands for one that was not sent.
    fn is(&self, schema: &Schema, value: &Value) -> bool {
        let Value::Array(items) = value else {
            return self.is_single(schema, value);
        };
        let Some(item) = schema.value_schema() else {
            return false;
        };
        if items.iter().any(|value| self.is_single(item, value)) {
            return true;
        }
        let numbers = self.numbers.iter().map(|byte| i64::from(*byte));
        let is_number = matches!(item.kind(), Type::Int32 | Type::Int64);
        is_number && items.iter().map(Value::as_i64).eq(numbers.map(Some))
    }

    fn is_single(&self, schema: &Schema, value: &Value) -> bool {
        match value {
            Value::Bytes(bytes) => *bytes == self.bytes,
            Value::Map(_) => *value == self.map,
            Value::String(text) => {
                *text == self.text || (schema.name() == Some(JSON) && **text == *self.json)
            }
            _ => false,
        }
    }
}

/// Reads columns anew.
#[derive(Debug)]
pub struct Reselection {
    all: Vec<ReselectSettings>,
    placeholder: Placeholder,
    /// The table that came last.
    latest: Option<Selected>,
}

/// What the settings say of a table.
#[derive(Debug)]
struct Selected {
    table: Arc<CapturedTable>,
    /// Of each of the settings, which fields they are about.
    fields: Vec<Box<[bool]>>,
}

/// A change that waits for columns.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) table: Arc<CapturedTable>,
    pub(super) change: Change,
    /// The texts of the row, of which the keys are made.
    rows: Rows,
    /// Which of the settings it waits for.
    processor: usize,
    /// The places of the fields that are read.
    fields: Vec<usize>,
}

/// The new row of a change and what is known of the old one.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) new: Tuple,
    pub(super) old: Option<Tuple>,
}

impl Reselection {
    /// As configured; `None` if nothing is read anew.
    pub fn new(settings: &Settings) -> Option<Self> {
        if settings.reselect.is_empty() {
            return None;
        }
        Some(Self {
            all: settings.reselect.clone(),
            placeholder: Placeholder::new(settings.values.unavailable_placeholder.clone()),
            latest: None,
        })
    }

    /// Whether a change waits for columns, and the statement that reads them;
    /// else the change is as it will be, or has failed.
    pub(super) fn begin(&mut self, table: Arc<CapturedTable>, change: Change, rows: Rows) -> Turn {
        self.go_on(table, change, rows, 0)
    }

    fn go_on(
        &mut self,
        table: Arc<CapturedTable>,
        change: Change,
        rows: Rows,
        first: usize,
    ) -> Turn {
        for processor in first..self.all.len() {
            let fields = self.wanted(&table, &change, processor);
            if fields.is_empty() {
                continue;
            }
            let by_event_key = self.all[processor].by_event_key;
            if let Some(statement) = statement(&table, &rows, &fields, by_event_key) {
                let waiting = Waiting {
                    table,
                    change,
                    rows,
                    processor,
                    fields,
                };
                return Turn::Waits(waiting, statement);
            }
            let id = &table.schema.table().id;
            let message = format!("Failed to re-select columns for table {id}: it has no key");
            if let Err(error) = self.complain(processor, &message, None) {
                return Turn::Failed(table, change, error);
            }
        }
        Turn::Done(table, change)
    }

    /// Goes on with a change whose columns have been read. `answer` has a text
    /// for each of them, `None` for null; it is `None` itself if the row is gone.
    pub(super) fn answered(
        &mut self,
        mut waiting: Waiting,
        answer: Result<Option<Vec<Option<String>>>>,
    ) -> Turn {
        let id = &waiting.table.schema.table().id;
        let outcome = match answer {
            Ok(Some(texts)) => replace(&waiting.table, &mut waiting.change, &waiting.fields, texts),
            Ok(None) => {
                let message = format!("Failed to find row in table {id}");
                self.complain(waiting.processor, &message, None)
            }
            Err(error) => {
                let message = format!("Failed to re-select columns for table {id}");
                self.complain(waiting.processor, &message, Some(error))
            }
        };
        let Waiting {
            table,
            change,
            rows,
            processor,
            ..
        } = waiting;
        if let Err(error) = outcome {
            return Turn::Failed(table, change, error);
        }
        self.go_on(table, change, rows, processor + 1)
    }

    /// Fails or warns, as configured. Keys, which the reference shows, may be
    /// secret.
    fn complain(&self, processor: usize, message: &str, cause: Option<ConnectError>) -> Result<()> {
        if self
            .all
            .get(processor)
            .is_some_and(|settings| settings.fails)
        {
            let error = ConnectError::other(message).with_class("io.debezium.DebeziumException");
            return Err(match cause {
                Some(cause) => error.caused_by(cause),
                None => error,
            });
        }
        match cause {
            Some(error) => tracing::warn!(%error, "{message}"),
            None => tracing::warn!("{message}"),
        }
        Ok(())
    }

    /// The places of the fields that have to be read.
    fn wanted(
        &mut self,
        table: &Arc<CapturedTable>,
        change: &Change,
        processor: usize,
    ) -> Vec<usize> {
        let (Some((Value::Struct(_), Value::Struct(row))), false) =
            (parts(change), table.is_signal_table)
        else {
            return Vec::new();
        };
        let known = self.latest.take();
        let known = known.filter(|latest| Arc::ptr_eq(&latest.table, table));
        let latest = self.latest.insert(known.unwrap_or_else(|| {
            let fields = self.all.iter().map(|settings| selected(table, settings));
            Selected {
                table: table.clone(),
                fields: fields.collect(),
            }
        }));
        let selected = latest.fields.get(processor);
        let (Some(selected), Some(settings)) = (selected, self.all.get(processor)) else {
            return Vec::new();
        };
        let is_wanted = |field: &&Field| {
            let value = row.get_at(field.index).unwrap_or(&Value::Null);
            selected[field.index]
                && match value {
                    Value::Null => settings.nulls,
                    value => settings.unavailable && self.placeholder.is(&field.schema, value),
                }
        };
        let fields = row.schema().fields().iter();
        fields.filter(is_wanted).map(|field| field.index).collect()
    }
}

/// What becomes of a change.
pub(super) enum Turn {
    /// It waits for the answer to this statement.
    Waits(Waiting, String),
    /// It is as it will be.
    Done(Arc<CapturedTable>, Change),
    /// A value cannot be converted, or the row is gone or cannot be read and
    /// the configuration says to fail then.
    Failed(Arc<CapturedTable>, Change, ConnectError),
}

/// Which fields of a table the settings are about.
fn selected(table: &CapturedTable, settings: &ReselectSettings) -> Box<[bool]> {
    let id = &table.schema.table().id;
    let fields = table.schema.value_schema().fields().iter();
    fields
        .map(|field| settings.columns.includes(&format!("{id}:{}", field.name)))
        .collect()
}

/// The key and the new row of a change of the stream that has one.
fn parts(change: &Change) -> Option<(&Value, &Value)> {
    match change {
        Change::Create { key, row } => Some((key, row)),
        Change::Update { key, after, .. } => Some((key, after)),
        Change::KeyChange { new_key, after, .. } => Some((new_key, after)),
        Change::Read { .. } | Change::KeyGone { .. } | Change::Delete { .. } | Change::Truncate => {
            None
        }
    }
}

fn new_row(change: &mut Change) -> Option<&mut Value> {
    match change {
        Change::Create { row, .. } => Some(row),
        Change::Update { after, .. } | Change::KeyChange { after, .. } => Some(after),
        Change::Read { .. } | Change::KeyGone { .. } | Change::Delete { .. } | Change::Truncate => {
            None
        }
    }
}

/// The statement that reads fields of a row; `None` if nothing tells which row
/// it is. It reads a second row, if there is one, only to see that.
fn statement(
    table: &CapturedTable,
    rows: &Rows,
    fields: &[usize],
    by_event_key: bool,
) -> Option<String> {
    let described = table.schema.table();
    let mut sql = String::from("SELECT ");
    for (place, field) in fields.iter().enumerate() {
        let (column, _) = table.schema.converter(*field)?;
        let separator = if place == 0 { "" } else { ", " };
        let _ = write!(sql, "{separator}{}", quote(&described.columns[column].name));
    }
    let _ = write!(sql, " FROM {} WHERE ", described.id.quoted());
    let own = || described.key.clone();
    let key = if by_event_key {
        table.schema.key_columns().collect()
    } else {
        own()
    };
    if key.is_empty() {
        return None;
    }
    for (place, column) in key.into_iter().enumerate() {
        let separator = if place == 0 { "" } else { " AND " };
        let name = quote(&described.columns.get(column)?.name);
        let value = match rows.new.0.get(column)? {
            TupleValue::Unchanged => rows.old.as_ref().and_then(|old| old.0.get(column))?,
            value => value,
        };
        let _ = match value {
            TupleValue::Text(text) => {
                let text = std::str::from_utf8(text).ok()?;
                write!(sql, "{separator}{name} = '{}'", text.replace('\'', "''"))
            }
            TupleValue::Null | TupleValue::Unchanged => {
                write!(sql, "{separator}{name} = NULL")
            }
        };
    }
    sql.push_str(" LIMIT 2");
    Some(sql)
}

/// Puts what was read into the new row.
fn replace(
    table: &CapturedTable,
    change: &mut Change,
    fields: &[usize],
    texts: Vec<Option<String>>,
) -> Result<()> {
    let Some(Value::Struct(row)) = new_row(change) else {
        return Ok(());
    };
    let row: &mut Struct = Arc::make_mut(row);
    for (place, text) in fields.iter().zip(texts) {
        let Some((_, converter)) = table.schema.converter(*place) else {
            continue;
        };
        let value = match text {
            Some(text) => converter.convert(&Bytes::from(text), Phase::Snapshot)?,
            None => converter.null(),
        };
        let schema = row.schema().clone();
        if let Some(field) = schema.fields().get(*place) {
            validate(Some(&field.name), &field.schema, &value)?;
            row.values_mut()[*place] = value;
        }
    }
    Ok(())
}
