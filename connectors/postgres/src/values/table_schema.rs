//! The schemas of a table's records, and its rows as structs.

use std::borrow::Cow;
use std::sync::Arc;

use tether_api::data::{
    Bytes, Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value, validate,
};
use tether_api::{ConnectError, Result};

use super::column::Role;
use super::mapping::ColumnMapping;
use super::{ColumnConverter, Phase, copy};
use crate::config::{ConvertingFailure, Settings};
use crate::naming::{adjust_field, adjust_schema};
use crate::pgoutput::TupleValue;
use crate::table::{Column, Table};
use crate::types::{ColumnType, Described, TypeRegistry};

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
    /// The value of the field that tells apart tables of one topic.
    key_value: Option<Value>,
    fields: Vec<ValueField>,
    captured: Vec<usize>,
    /// Whether columns of the key are read that are not captured.
    reads_key: bool,
    failure: ConvertingFailure,
}

#[derive(Debug)]
struct KeyField {
    column: usize,
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
    /// Config, if the topic of the table or a mask of a column cannot be had.
    pub fn new(
        table: Arc<Table>,
        described: Described,
        types: &TypeRegistry,
        settings: &Settings,
    ) -> Result<Self> {
        let id = &table.id;
        let wrong = |error| ConnectError::config(format!("The topic of the table '{id}': {error}"));
        let topic = settings.topics.table(id).map_err(wrong)?;
        let key_value = settings.topics.key_field_value(id).map_err(wrong)?;
        let builder = |suffix: &str| {
            let name = format!("{topic}.{suffix}");
            let name = adjust_schema(settings.events.schema_names, &name);
            SchemaBuilder::structure().name(name.into_owned())
        };
        let field_name = |column: &Column| -> Text {
            let name = adjust_field(settings.events.field_names, &column.name);
            name.into_owned().into()
        };
        let mut schema = builder("Value").optional();
        let mut fields = Vec::new();
        let mut captured = Vec::new();
        for (index, column) in table.columns.iter().enumerate() {
            if !settings.filters.captures_column(id, &column.name) {
                continue;
            }
            captured.push(index);
            let column_type = type_of(&table, column, types, described)?;
            let type_name = column_type.name();
            let mapping = ColumnMapping::of(&settings.column_rules, id, column, &type_name)?;
            match ColumnConverter::new(column, &column_type, &settings.values, Role::Value(mapping))
            {
                Some(converter) => {
                    schema = schema.try_field(field_name(column), converter.schema().clone())?;
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
        let mut key_schema = builder("Key");
        for index in key_columns(&table, settings) {
            let mut column = Cow::Borrowed(&table.columns[index]);
            let is_captured = captured.binary_search(&index).is_ok();
            if !is_captured && described == Described::ByRelation {
                // The stream has the value all the same. But the catalog was not asked for the column,
                // so that it may be null as any that the catalog does not know.
                let column = column.to_mut();
                column.nullable = true;
                column.default = None;
            }
            let column_type = type_of(&table, &column, types, described)?;
            if let Some(converter) =
                ColumnConverter::new(&column, &column_type, &settings.values, Role::Key)
            {
                key_schema =
                    key_schema.try_field(field_name(&column), converter.schema().clone())?;
                key.push(KeyField {
                    column: index,
                    converter,
                });
            }
        }
        if let (Some(field), Some(_)) = (&settings.topics.key_field, &key_value) {
            let text = Schema::primitive(Type::String, false);
            key_schema = key_schema.try_field(field.name.clone(), text)?;
        }
        Ok(Self {
            topic,
            key_schema: (!key_schema.fields().is_empty()).then(|| key_schema.build()),
            value_schema: schema.build(),
            key,
            key_value: key_value.map(Value::String),
            fields,
            captured,
            reads_key: settings.values.correct,
            failure: settings.errors.converting,
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

    /// The columns that the configuration does not leave out, in their order:
    /// indices into the table's.
    pub fn captured_columns(&self) -> &[usize] {
        &self.captured
    }

    /// The columns that a snapshot reads, in the table's order: those that are
    /// captured, and with `tether.values=correct` those of the key.
    pub fn read_columns(&self) -> Vec<usize> {
        let mut columns = self.captured.clone();
        if self.reads_key {
            columns.extend(self.key_columns());
            columns.sort_unstable();
            columns.dedup();
        }
        columns
    }

    /// The columns of the key of events: indices into the table's.
    pub fn key_columns(&self) -> impl Iterator<Item = usize> {
        self.key.iter().map(|field| field.column)
    }

    /// The converter of a field of the value schema, by its index there, with
    /// the index of its column.
    pub fn converter(&self, field: usize) -> Option<(usize, &ColumnConverter)> {
        let field = self.fields.get(field)?;
        Some((field.column, &field.converter))
    }

    /// Puts the values of a row of `COPY` to the places of their `columns` in
    /// `row`, where the others are null. The columns are indices into the
    /// table's, in its order.
    ///
    /// # Errors
    /// Data, if the row has another number of values.
    pub fn read_copied(
        &self,
        text: &Bytes,
        columns: &[usize],
        row: &mut Vec<TupleValue>,
    ) -> Result<()> {
        row.clear();
        // A row without columns looks like one with an empty text.
        if !columns.is_empty() {
            copy::split(text, row);
        }
        if row.len() != columns.len() {
            return Err(ConnectError::data(format!(
                "A row of the table '{}' has {} values where {} were asked for",
                self.table.id,
                row.len(),
                columns.len()
            )));
        }
        if columns.len() < self.table.columns.len() {
            row.resize(self.table.columns.len(), TupleValue::Null);
            // From the last one, so that none is overwritten before it moved.
            for (from, to) in columns.iter().enumerate().rev() {
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
            let converted = convert(&field.converter, field.column, row, old, phase);
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
        let mut values = Vec::with_capacity(schema.fields().len());
        for field in &self.key {
            let converted = convert(&field.converter, field.column, row, old, phase);
            values.push(converted.map_err(|error| {
                error.context(format!(
                    "Failed to convert the key of a row of the table '{}'",
                    self.table.id
                ))
            })?);
        }
        values.extend(self.key_value.clone());
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
            ConvertingFailure::Fail => return Err(ConnectError::other(message()).caused_by(error)),
            ConvertingFailure::Warn => tracing::warn!(reason = %error, "{}", message()),
            ConvertingFailure::Skip => tracing::debug!(reason = %error, "{}", message()),
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
    column: usize,
    row: &[TupleValue],
    old: Option<&[TupleValue]>,
    phase: Phase,
) -> Result<Value> {
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
    column: &Column,
    types: &TypeRegistry,
    described: Described,
) -> Result<ColumnType> {
    ColumnType::of(column, types, described).ok_or_else(|| {
        ConnectError::data(format!(
            "The type of '{}.{}', number {}, is not known",
            table.id, column.name, column.type_oid
        ))
    })
}

/// The indices of the key's columns.
fn key_columns(table: &Table, settings: &Settings) -> Vec<usize> {
    let names = table.columns.iter().map(|column| &*column.name);
    let own = || {
        let known = |index: &usize| *index < table.columns.len();
        table.key.iter().copied().filter(known).collect()
    };
    settings
        .key_columns
        .of(&table.id, names)
        .unwrap_or_else(own)
}

#[cfg(test)]
mod tests;
