//! Turns records into the rows of a statement.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::Value;
use tether_api::record::SinkRecord;

use super::codec::Codec;
use super::identity::Identity;
use crate::database::column_value::{push_key_value, with_value};
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

impl BoundColumn {
    /// The field, and whether any value but null can be written.
    fn parts(&self) -> (&SinkField, bool) {
        (&self.field, self.codec != Codec::Unsupported)
    }
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
            with_value(&self.table, column.parts(), record, |value| {
                push_key_value(value, record, key, |key| {
                    identity.push(value, &self.clock, key)
                })
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
            with_value(&self.table, column.parts(), record, |value| match value {
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
}
