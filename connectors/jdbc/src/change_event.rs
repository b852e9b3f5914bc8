//! Values that say what to do with which row: Debezium's change events, and
//! CloudEvents around them (`KafkaDebeziumSinkRecord`).
//!
//! What a schema looks like is worked out once, so that a record costs no more
//! than a look at its operation.

use std::sync::Arc;

use tether_api::data::{Schema, SchemaRef, Struct, Type, Value};

use crate::config::ValueConfig;

/// How the names of schemas of change events end (`Envelope.isEnvelopeSchema`).
const ENVELOPE: &str = ".Envelope";
/// What the names of schemas of schema changes contain
/// (`SchemaFactory.SCHEMA_CHANGE_VALUE`).
const SCHEMA_CHANGE: &str = "SchemaChangeValue";

/// The most schemas that are remembered. Records with ever new schemas must not
/// fill the memory.
const MOST_SHAPES: usize = 64;

/// Where in a record's value the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RowPath {
    /// It is the value.
    #[default]
    Value,
    /// It is the field with this index.
    Field(usize),
    /// It is a field of a field, with these indices.
    Within(usize, usize),
}

impl RowPath {
    /// The row; `None` if there is none.
    pub(crate) fn row(self, value: &Value) -> Option<&Struct> {
        match self {
            Self::Value => value.as_struct(),
            Self::Field(index) => value_at(value, index)?.as_struct(),
            Self::Within(outer, inner) => value_at(value_at(value, outer)?, inner)?.as_struct(),
        }
    }

    /// The schema of the row.
    fn schema(self, schema: &SchemaRef) -> Option<&SchemaRef> {
        match self {
            Self::Value => Some(schema),
            Self::Field(index) => schema_at(schema, index),
            Self::Within(outer, inner) => schema_at(schema_at(schema, outer)?, inner),
        }
    }
}

fn value_at(value: &Value, index: usize) -> Option<&Value> {
    value.as_struct()?.values().get(index)
}

fn schema_at(schema: &SchemaRef, index: usize) -> Option<&SchemaRef> {
    Some(&schema.fields().get(index)?.schema)
}

/// The columns of a row, and where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'s> {
    /// The schema of the row.
    pub(crate) schema: &'s SchemaRef,
    /// Where it is.
    pub(crate) path: RowPath,
}

impl<'s> Row<'s> {
    /// The value is the row.
    #[cfg(test)]
    pub(crate) fn value(schema: &'s SchemaRef) -> Self {
        Self {
            schema,
            path: RowPath::Value,
        }
    }
}

/// What a value asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To write a row.
    Write,
    /// To delete a row.
    Delete,
    /// To empty the table.
    Truncate,
}

/// What values of a schema hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shape {
    /// A row.
    #[default]
    Row,
    /// A row within a CloudEvent.
    Data(usize),
    /// A change event: the field with the operation, and the rows before and
    /// after the change.
    Event {
        /// Where the event is within a CloudEvent; `None` if it is the value.
        data: Option<usize>,
        /// The field that says what happened.
        operation: usize,
        /// The row before.
        before: Option<usize>,
        /// The row after.
        after: Option<usize>,
    },
    /// A change of a schema, which asks for nothing.
    SchemaChange,
}

impl Shape {
    /// The shape of values of a schema.
    pub(crate) fn of(config: &ValueConfig, schema: &Schema) -> Self {
        let name = schema.name().unwrap_or_default();
        if config.unwraps_envelopes && name.contains(SCHEMA_CHANGE) {
            return Self::SchemaChange;
        }
        let is_cloud_event = config
            .cloud_events
            .as_ref()
            .is_some_and(|pattern| pattern.matches(name));
        let data = is_cloud_event
            .then(|| schema.field("data"))
            .flatten()
            .filter(|data| data.schema.kind() == Type::Struct);
        let event = match data {
            Some(data) => Self::event(config, &data.schema, Some(data.index)),
            None => Self::event(config, schema, None),
        };
        match (event, data) {
            (Some(event), _) => event,
            (None, Some(data)) => Self::Data(data.index),
            (None, None) => Self::Row,
        }
    }

    /// A schema without a name is that of an event if it has its fields.
    fn event(config: &ValueConfig, schema: &Schema, data: Option<usize>) -> Option<Self> {
        let row = |name| {
            let field = schema.field(name)?;
            (field.schema.kind() == Type::Struct).then_some(field.index)
        };
        let (before, after) = (row("before"), row("after"));
        let is_event = match schema.name() {
            Some(name) => name.ends_with(ENVELOPE),
            None => after.is_some(),
        };
        if !config.unwraps_envelopes || !is_event {
            return None;
        }
        Some(Self::Event {
            data,
            operation: schema.field("op")?.index,
            before,
            after,
        })
    }

    /// What a value that is not null asks for (`Envelope.Operation`).
    pub(crate) fn asked(self, value: &Value) -> Asked {
        let Self::Event {
            data, operation, ..
        } = self
        else {
            return Asked::Write;
        };
        let event = match data {
            Some(data) => value_at(value, data),
            None => Some(value),
        };
        let operation = event.and_then(|event| value_at(event, operation)?.as_str());
        match operation {
            Some("d") => Asked::Delete,
            Some("t") => Asked::Truncate,
            _ => Asked::Write,
        }
    }

    /// Where the row is that is written.
    pub(crate) fn written(self) -> Option<RowPath> {
        match self {
            Self::Event { data, after, .. } => Some(within(data, after?)),
            shape => shape.plain(),
        }
    }

    /// Where the row is that is deleted.
    pub(crate) fn deleted(self) -> Option<RowPath> {
        match self {
            Self::Event { data, before, .. } => Some(within(data, before?)),
            shape => shape.plain(),
        }
    }

    fn plain(self) -> Option<RowPath> {
        match self {
            Self::Data(index) => Some(RowPath::Field(index)),
            Self::Row => Some(RowPath::Value),
            Self::Event { .. } | Self::SchemaChange => None,
        }
    }
}

fn within(data: Option<usize>, field: usize) -> RowPath {
    match data {
        Some(data) => RowPath::Within(data, field),
        None => RowPath::Field(field),
    }
}

/// The row at a path within values of a schema.
pub(crate) fn row(schema: &SchemaRef, path: RowPath) -> Option<Row<'_>> {
    let schema = path.schema(schema)?;
    Some(Row { schema, path })
}

/// The shapes of the schemas that were met.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: Vec<(SchemaRef, Shape)>,
    /// The one that was used last, which the next record needs most often.
    latest: usize,
}

impl Shapes {
    /// The shape of values of a schema.
    pub(crate) fn of(&mut self, config: &ValueConfig, schema: Option<&SchemaRef>) -> Shape {
        let Some(schema) = schema else {
            return Shape::Row;
        };
        let is_same = |(known, _): &(SchemaRef, Shape)| Arc::ptr_eq(known, schema);
        if !self.known.get(self.latest).is_some_and(is_same) {
            self.latest = match self.known.iter().position(is_same) {
                Some(known) => known,
                None => self.add(config, schema),
            };
        }
        self.known[self.latest].1
    }

    fn add(&mut self, config: &ValueConfig, schema: &SchemaRef) -> usize {
        if self.known.len() >= MOST_SHAPES {
            self.known.clear();
        }
        let shape = Shape::of(config, schema);
        self.known.push((schema.clone(), shape));
        self.known.len() - 1
    }
}

#[cfg(test)]
mod tests;
