//! Turns records into the rows of a statement.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::Value;
use tether_api::record::SinkRecord;

use super::codec::{Codec, Misfit};
use super::identity::Identity;
use crate::database::{misfit, unsupported};
use crate::dialect::mysql::RowTemplate;
use crate::fields::SinkField;
use crate::plan::{Binder, Grouping};
use crate::table::TableId;
use crate::time::Clock;

/// A field and how its values are written.
#[derive(Debug)]
pub(super) struct BoundColumn {
    pub(super) field: SinkField,
    pub(super) codec: Codec,
}

/// Turns records of one plan into rows.
#[derive(Debug)]
pub(crate) struct MySqlBinder {
    pub(super) table: Arc<TableId>,
    /// The columns in the order of the statement's gaps.
    pub(super) columns: Vec<BoundColumn>,
    /// The columns of the key with how their values are compared; empty if that
    /// cannot be told.
    pub(super) keys: Vec<(BoundColumn, Identity)>,
    pub(super) grouping: Grouping,
    pub(super) template: RowTemplate,
    pub(super) clock: Arc<Clock>,
}

impl Binder for MySqlBinder {
    fn grouping(&self) -> Grouping {
        self.grouping
    }

    fn key(&self, record: &SinkRecord, key: &mut Vec<u8>) -> Result<()> {
        for (column, identity) in &self.keys {
            self.with_value(column, record, |value| {
                key.push(u8::from(!value.is_null()));
                if !value.is_null() {
                    return identity.push(value, &self.clock, key);
                }
                // No null is equal to another one.
                key.extend(record.offset().to_be_bytes());
                key.extend(record.original.partition.to_be_bytes());
                key.extend(record.original.topic.as_bytes());
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl MySqlBinder {
    /// Appends a record's values with what surrounds them.
    pub(super) fn push_row(&self, record: &SinkRecord, sql: &mut Vec<u8>) -> Result<()> {
        let mut around = self.template.around.iter();
        for (before, column) in around.by_ref().zip(&self.columns) {
            sql.extend_from_slice(before.as_bytes());
            self.with_value(column, record, |value| match value {
                Value::Null => {
                    sql.extend_from_slice(b"NULL");
                    Ok(())
                }
                value => column.codec.push(value, &self.clock, sql),
            })?;
        }
        if let Some(last) = self.template.around.last() {
            sql.extend_from_slice(last.as_bytes());
        }
        Ok(())
    }

    /// Calls a function with a record's value for a column and says where it
    /// failed.
    fn with_value(
        &self,
        column: &BoundColumn,
        record: &SinkRecord,
        use_value: impl FnOnce(&Value) -> Result<(), Misfit>,
    ) -> Result<()> {
        let field = &column.field;
        let Some(value) = field.value(record) else {
            return Err(misfit(
                &self.table,
                field,
                record,
                &Value::Null,
                Misfit::WrongType,
            ));
        };
        let outcome = match column.codec {
            Codec::Unsupported if !value.is_null() => {
                Err(Misfit::Unsupported(unsupported(field, record)))
            }
            _ => use_value(&value),
        };
        outcome.map_err(|reason| misfit(&self.table, field, record, &value, reason))
    }
}
