//! What has to be known of outbox tables.

use std::sync::Arc;

use tether_api::data::{Field, Schema, SchemaRef, Type};
use tether_api::{ConnectError, Result};

use super::config::Config;
use crate::envelope::{AFTER, OPERATION};
use crate::structs::typed_field;

const MILLIS: &str = "ts_ms";
const MILLI_TIMESTAMP: &str = "io.debezium.time.Timestamp";
const MICRO_TIMESTAMP: &str = "io.debezium.time.MicroTimestamp";
const NANO_TIMESTAMP: &str = "io.debezium.time.NanoTimestamp";

/// What has to be known of events of one schema.
pub(super) struct Plan {
    pub(super) operation: usize,
    pub(super) time: Column,
    /// The row after the change.
    pub(super) after: Option<Field>,
    pub(super) columns: Columns,
}

/// The columns of an outbox table. Those that are not what they have to be fail
/// the events that need them.
pub(super) struct Columns {
    pub(super) id: Option<Field>,
    pub(super) key: Option<Field>,
    pub(super) payload: Option<Field>,
    pub(super) route: Column,
    pub(super) version: Option<Column>,
    pub(super) timestamp: Option<Timestamp>,
    /// Where additional columns are, in the order of the configuration.
    pub(super) additional: Box<[Option<Field>]>,
    /// The same, where they have to be numbers of partitions.
    pub(super) partitions: Box<[Column]>,
}

/// A field that has to have a type.
pub(super) enum Column {
    At(usize),
    /// What is wrong with it: data with this error.
    Wrong(String),
}

/// The column of timestamps.
pub(super) enum Timestamp {
    /// It is missing or of another type.
    Wrong(ConnectErrorText),
    /// Its name says nothing about its unit, which is an error where it is not
    /// null.
    Odd(usize, String),
    /// So many of its units are a millisecond.
    Units(usize, i64),
}

/// An error that is raised for each event anew.
pub(super) struct ConnectErrorText {
    is_data: bool,
    text: String,
}

impl ConnectErrorText {
    pub(super) fn error(&self) -> ConnectError {
        if self.is_data {
            ConnectError::data(self.text.clone())
        } else {
            ConnectError::other(self.text.clone())
        }
    }
}

impl Column {
    fn new(schema: &Schema, name: &str, kind: Type) -> Self {
        match typed_field(schema, name, kind) {
            Ok(field) => Self::At(field.index),
            Err(error) => Self::Wrong(error.message().to_owned()),
        }
    }

    /// The index.
    ///
    /// # Errors
    /// Data, if there is no such field or it has another type.
    pub(super) fn index(&self) -> Result<usize> {
        match self {
            Self::At(index) => Ok(*index),
            Self::Wrong(text) => Err(ConnectError::data(text.clone())),
        }
    }
}

impl Plan {
    /// What has to be known of events of this schema.
    ///
    /// # Errors
    /// Data, if they do not tell the kind of change.
    pub(super) fn new(event: &SchemaRef, config: &Config) -> Result<Arc<Self>> {
        let operation = typed_field(event, OPERATION, Type::String)?.index;
        let after = event.field(AFTER).cloned();
        let no_row = Schema::builder(Type::Struct).build();
        let row = after.as_ref().map_or(&no_row, |after| &after.schema);
        Ok(Arc::new(Self {
            operation,
            time: Column::new(event, MILLIS, Type::Int64),
            columns: Columns::new(row, config),
            after,
        }))
    }
}

impl Columns {
    fn new(row: &Schema, config: &Config) -> Self {
        let field = |name: &str| row.field(name).cloned();
        let additional = config.additional.iter();
        let partition = |name| Column::new(row, name, Type::Int32);
        let version = config.version.as_deref();
        Self {
            id: field(&config.id),
            key: field(&config.key),
            payload: field(&config.payload),
            route: Column::new(row, &config.route_by, Type::String),
            version: version.map(|name| Column::new(row, name, Type::Int32)),
            timestamp: config.timestamp.as_deref().map(|name| timestamp(row, name)),
            partitions: additional
                .clone()
                .map(|column| partition(&column.column))
                .collect(),
            additional: additional.map(|column| field(&column.column)).collect(),
        }
    }
}

fn timestamp(row: &Schema, name: &str) -> Timestamp {
    let Some(field) = row.field(name) else {
        return Timestamp::Wrong(ConnectErrorText {
            is_data: false,
            text: format!("Unable to find timestamp field {name} in event"),
        });
    };
    if let Err(error) = typed_field(row, name, Type::Int64) {
        return Timestamp::Wrong(ConnectErrorText {
            is_data: true,
            text: error.message().to_owned(),
        });
    }
    match field.schema.name() {
        Some(MILLI_TIMESTAMP) => Timestamp::Units(field.index, 1),
        Some(MICRO_TIMESTAMP) => Timestamp::Units(field.index, 1_000),
        Some(NANO_TIMESTAMP) => Timestamp::Units(field.index, 1_000_000),
        Some(other) => Timestamp::Odd(
            field.index,
            format!("Unsupported field type {other} for event timestamp"),
        ),
        None => Timestamp::Odd(
            field.index,
            format!(
                "Unsupported field type {} (without logical schema name) for event timestamp",
                Type::Int64
            ),
        ),
    }
}
