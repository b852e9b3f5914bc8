//! What happened to a row, or to a table.

use std::sync::Arc;

use tether_api::data::{SchemaRef, Value};

use super::source::SourceTable;
use crate::table::TableId;

/// What all events of a version of a table share.
#[derive(Debug, Clone)]
pub struct TableEvents {
    pub(super) topic: Arc<str>,
    pub(super) key: Option<SchemaRef>,
    pub(super) envelope: SchemaRef,
    pub(super) source: SourceTable,
    /// `schema.table`, which transaction metadata counts by.
    pub(super) collection: String,
}

impl TableEvents {
    /// The events of this table on this topic, with the schema of its key and
    /// that of its events ([`super::envelope_schema`]).
    pub fn new(id: &TableId, topic: Arc<str>, key: Option<SchemaRef>, envelope: SchemaRef) -> Self {
        Self {
            topic,
            key,
            envelope,
            source: SourceTable {
                schema: id.schema.clone(),
                table: id.table.clone(),
            },
            collection: id.to_string(),
        }
    }
}

/// A change with its rows and keys, which are null if the table has no key.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A row that was there before the stream.
    Read {
        /// Its key.
        key: Value,
        /// The row.
        row: Value,
    },
    /// A new row.
    Create {
        /// Its key.
        key: Value,
        /// The row.
        row: Value,
    },
    /// A changed row with the same key.
    Update {
        /// Its key.
        key: Value,
        /// What is known of the old row; null if nothing is.
        before: Value,
        /// The new row.
        after: Value,
    },
    /// A changed row with another key: an event of the deletion of the old row,
    /// its tombstone, and an event of the creation of the new one.
    KeyChange {
        /// The old key.
        old_key: Value,
        /// The new key.
        new_key: Value,
        /// What is known of the old row.
        before: Value,
        /// The new row.
        after: Value,
    },
    /// The first half of a changed key, whose new row cannot be represented.
    KeyGone {
        /// The old key.
        old_key: Value,
        /// The new key.
        new_key: Value,
        /// What is known of the old row.
        before: Value,
    },
    /// A deleted row.
    Delete {
        /// Its key.
        key: Value,
        /// What is known of the row.
        before: Value,
    },
    /// An emptied table.
    Truncate,
}
