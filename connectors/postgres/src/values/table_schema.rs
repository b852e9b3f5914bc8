//! The schemas of a table's records, and its rows as structs.

use std::sync::Arc;

use tether_api::data::{Bytes, SchemaBuilder, SchemaRef, Struct, Text, Value, validate};
use tether_api::{ConnectError, Result};

use super::{ColumnConverter, ColumnMapping, FailureMode, Phase, ValueModes, copy};
use crate::pgoutput::TupleValue;
use crate::table::{Table, TableId};
use crate::types::{ColumnType, Described, TypeRegistry};

/// What the configuration says of tables and columns. It is asked when a table
/// is met, never for a record.
pub trait TableRules {
    /// The topic of a table's records, which their schemas are named after.
    fn topic(&self, table: &TableId) -> Text;

    /// Whether a column is part of records.
    fn includes_column(&self, table: &TableId, column: &str) -> bool;

    /// The columns that `message.key.columns` makes the key of a table.
    fn key_columns(&self, table: &TableId) -> Option<Vec<Text>>;

    /// What else is done to a column. The type is called as
    /// `datatype.propagate.source.type` matches it.
    fn mapping(&self, table: &TableId, column: &str, type_name: &str) -> Option<ColumnMapping>;

    /// A schema's name after `schema.name.adjustment.mode`.
    fn schema_name(&self, name: &str) -> Text;

    /// A field's name after `field.name.adjustment.mode`.
    fn field_name(&self, name: &str) -> Text;
}

/// A table's schemas and the converters of its columns. Made once for each
/// version of a table and shared by everything that makes records of it.
///
/// A row is a slice of [`TupleValue`]s in the order of the table's columns: as
/// the stream carries it, or as [`TableSchema::read_copied`] puts it.
#[derive(Debug)]
pub struct TableSchema {
    table: Arc<Table>,
    topic: Text,
    key_schema: Option<SchemaRef>,
    value_schema: SchemaRef,
    key: Vec<KeyField>,
    fields: Vec<ValueField>,
    read: Vec<usize>,
    failure: FailureMode,
}

#[derive(Debug)]
struct KeyField {
    /// Where in a row it is; nowhere, if the configuration leaves it out.
    column: Option<usize>,
    converter: ColumnConverter,
}

#[derive(Debug)]
struct ValueField {
    column: usize,
    type_name: String,
    converter: ColumnConverter,
}

impl TableSchema {
    /// The schemas of a table.
    ///
    /// # Errors
    /// Data, if a column's type is not in the registry, which then has to be
    /// read anew, or if two columns have the same name after its adjustment.
    pub fn new(
        table: Arc<Table>,
        described: Described,
        types: &TypeRegistry,
        modes: &ValueModes,
        failure: FailureMode,
        rules: &dyn TableRules,
    ) -> Result<Self> {
        let id = &table.id;
        let topic = rules.topic(id);
        let included: Vec<bool> = table
            .columns
            .iter()
            .map(|column| rules.includes_column(id, &column.name))
            .collect();
        let mut schema = SchemaBuilder::structure()
            .name(rules.schema_name(&format!("{topic}.Value")))
            .optional();
        let mut fields = Vec::new();
        let mut read = Vec::new();
        for (index, column) in table.columns.iter().enumerate() {
            if !included[index] {
                continue;
            }
            read.push(index);
            let column_type = type_of(&table, index, types, described)?;
            let type_name = column_type.name();
            let mapping = rules.mapping(id, &column.name, &type_name);
            match ColumnConverter::new(column, &column_type, modes, mapping) {
                Some(converter) => {
                    let name = rules.field_name(&column.name);
                    schema = schema.try_field(name, converter.schema().clone())?;
                    fields.push(ValueField {
                        column: index,
                        type_name,
                        converter,
                    });
                }
                None => tracing::warn!(
                    table = %id,
                    column = %column.name,
                    r#type = %type_name,
                    "No converter found for a column. It will not be part of change events"
                ),
            }
        }
        let mut key = Vec::new();
        let mut key_schema =
            SchemaBuilder::structure().name(rules.schema_name(&format!("{topic}.Key")));
        for index in key_columns(&table, rules) {
            let column = &table.columns[index];
            let column_type = type_of(&table, index, types, described)?;
            if let Some(converter) = ColumnConverter::new(column, &column_type, modes, None) {
                let name = rules.field_name(&column.name);
                key_schema = key_schema.try_field(name, converter.schema().clone())?;
                key.push(KeyField {
                    column: included[index].then_some(index),
                    converter,
                });
            }
        }
        Ok(Self {
            topic,
            key_schema: (!key.is_empty()).then(|| key_schema.build()),
            value_schema: schema.build(),
            key,
            fields,
            read,
            failure,
            table,
        })
    }

    /// The table.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// The topic of its records.
    pub fn topic(&self) -> &Text {
        &self.topic
    }

    /// The schema `<topic>.Key`; `None` for a table without a key.
    pub fn key_schema(&self) -> Option<&SchemaRef> {
        self.key_schema.as_ref()
    }

    /// The schema `<topic>.Value`, which is optional.
    pub fn value_schema(&self) -> &SchemaRef {
        &self.value_schema
    }

    /// The columns that a query has to read, in the order in which
    /// [`TableSchema::read_copied`] expects them: indices into the table's.
    pub fn read_columns(&self) -> &[usize] {
        &self.read
    }

    /// The converter of a field of the value schema, by its index there, with
    /// the index of its column.
    pub fn converter(&self, field: usize) -> Option<(usize, &ColumnConverter)> {
        let field = self.fields.get(field)?;
        Some((field.column, &field.converter))
    }

    /// Puts the values of a row of `COPY`, which has the columns of
    /// [`TableSchema::read_columns`], to the places of their columns in `row`.
    ///
    /// # Errors
    /// Data, if the row has another number of values.
    pub fn read_copied(&self, text: &Bytes, row: &mut Vec<TupleValue>) -> Result<()> {
        row.clear();
        if self.read.is_empty() {
            return Ok(());
        }
        copy::split(text, row);
        if row.len() != self.read.len() {
            return Err(ConnectError::data(format!(
                "A row of the table '{}' has {} values where {} were asked for",
                self.table.id,
                row.len(),
                self.read.len()
            )));
        }
        if self.read.len() < self.table.columns.len() {
            row.resize(self.table.columns.len(), TupleValue::Null);
            // From the last one, so that none is overwritten before it moved.
            for (from, to) in self.read.iter().enumerate().rev() {
                row.swap(from, *to);
            }
        }
        Ok(())
    }

    /// The struct of a row. A value that was not sent is taken from the old row,
    /// if that has it, else its placeholder stands for it.
    ///
    /// What cannot be converted becomes null, as
    /// `event.converting.failure.handling.mode` asks.
    ///
    /// # Errors
    /// Data, if a value cannot be converted and the mode is to fail, or if its
    /// column may not be null; the message names table and column.
    pub fn value(
        &self,
        row: &[TupleValue],
        old: Option<&[TupleValue]>,
        phase: Phase,
    ) -> Result<Value> {
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let converted = convert(&field.converter, Some(field.column), row, old, phase);
            values.push(match converted {
                Ok(value) => value,
                Err(error) => self.failed(field, error)?,
            });
        }
        Struct::from_values(self.value_schema.clone(), values).map(Value::from)
    }

    /// The key of a row; null for a table without a key.
    ///
    /// # Errors
    /// Data, if a value cannot be converted; the message names the table.
    pub fn key(
        &self,
        row: &[TupleValue],
        old: Option<&[TupleValue]>,
        phase: Phase,
    ) -> Result<Value> {
        let Some(schema) = &self.key_schema else {
            return Ok(Value::Null);
        };
        let mut values = Vec::with_capacity(self.key.len());
        for field in &self.key {
            let converted = convert(&field.converter, field.column, row, old, phase);
            values.push(converted.map_err(|error| {
                error.context(format!(
                    "Failed to convert the key of a row of the table '{}'",
                    self.table.id
                ))
            })?);
        }
        Struct::from_values(schema.clone(), values).map(Value::from)
    }

    /// What becomes of a value that cannot be converted.
    #[cold]
    fn failed(&self, field: &ValueField, error: ConnectError) -> Result<Value> {
        let column = &self.table.columns[field.column];
        let message = || {
            format!(
                "Failed to properly convert data value for '{}.{}' of type {}",
                self.table.id, column.name, field.type_name
            )
        };
        match self.failure {
            FailureMode::Fail => return Err(ConnectError::other(message()).caused_by(error)),
            FailureMode::Warn => tracing::warn!(reason = %error, "{}", message()),
            FailureMode::Skip => tracing::debug!(reason = %error, "{}", message()),
        }
        let schema = field.converter.schema();
        if schema.default_value().is_none() {
            validate(Some(&column.name), schema, &Value::Null)
                .map_err(|null| null.caused_by(ConnectError::data(message()).caused_by(error)))?;
        }
        Ok(Value::Null)
    }
}

fn convert(
    converter: &ColumnConverter,
    column: Option<usize>,
    row: &[TupleValue],
    old: Option<&[TupleValue]>,
    phase: Phase,
) -> Result<Value> {
    let Some(column) = column else {
        return Ok(converter.null());
    };
    let cell = row
        .get(column)
        .ok_or_else(|| ConnectError::data("the row has fewer values than the table has columns"))?;
    match cell {
        TupleValue::Text(text) => converter.convert(text, phase),
        TupleValue::Null => Ok(converter.null()),
        TupleValue::Unchanged => match old.and_then(|old| old.get(column)) {
            Some(TupleValue::Text(text)) => converter.convert(text, phase),
            _ => converter.unavailable(),
        },
    }
}

fn type_of(
    table: &Table,
    column: usize,
    types: &TypeRegistry,
    described: Described,
) -> Result<ColumnType> {
    let column = &table.columns[column];
    ColumnType::of(column, types, described).ok_or_else(|| {
        ConnectError::data(format!(
            "The type of '{}.{}', number {}, is not known",
            table.id, column.name, column.type_oid
        ))
    })
}

/// The indices of the key's columns.
fn key_columns(table: &Table, rules: &dyn TableRules) -> Vec<usize> {
    let Some(names) = rules.key_columns(&table.id) else {
        return table
            .key
            .iter()
            .copied()
            .filter(|index| *index < table.columns.len())
            .collect();
    };
    names
        .iter()
        .filter_map(|name| {
            let is_named = |column: &crate::table::Column| column.name == *name;
            table.columns.iter().position(is_named)
        })
        .collect()
}
