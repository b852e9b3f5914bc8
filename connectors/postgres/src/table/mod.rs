//! Tables as the catalog describes them and as the stream announces them.

mod column;
mod id;

use std::collections::HashSet;

use tether_api::{ConnectError, Result};

pub use column::{Column, NO_MODIFIER};
pub use id::{TableId, quote};

/// How much of an old row the stream carries (`REPLICA IDENTITY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// The columns of the primary key, when they change and on a deletion.
    Default,
    /// Nothing.
    Nothing,
    /// The whole row.
    Full,
    /// The columns of an index.
    Index,
}

impl ReplicaIdentity {
    /// The identity of a letter of `pg_class.relreplident`.
    pub fn from_letter(letter: u8) -> Self {
        match letter {
            b'n' => Self::Nothing,
            b'f' => Self::Full,
            b'i' => Self::Index,
            _ => Self::Default,
        }
    }
}

/// A table with its live columns in the order of their numbers. Made anew
/// whenever the table changes, and shared by everything that is made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub id: TableId,
    /// Its number in `pg_class`, which streamed messages carry.
    pub oid: u32,
    /// Its columns. In the stream a table has those that the server sends,
    /// so generated ones are absent.
    pub columns: Vec<Column>,
    /// Indices into `columns` of the primary key, or of the unique index that
    /// stands in for it, in the order of the key. Empty without either.
    pub key: Vec<usize>,
    /// How much of old rows the stream carries.
    pub replica_identity: ReplicaIdentity,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// Checks that names of columns differ by more than case.
    ///
    /// # Errors
    /// If two do not, as the reference words it.
    pub fn check_names(&self) -> Result<()> {
        let mut seen = HashSet::with_capacity(self.columns.len());
        let mut names = self.columns.iter().map(|column| &column.name);
        match names.find(|name| !seen.insert(name.to_lowercase())) {
            None => Ok(()),
            Some(name) => Err(ConnectError::other(format!(
                "Table '{}' has columns that differ only by case. Column name: '{name}'. \
                 Debezium does not support case-sensitive duplicate column names as this causes \
                 data corruption. Please rename one of the duplicate columns before running \
                 Debezium.",
                self.id
            ))
            .with_class("io.debezium.DebeziumException")),
        }
    }
}
