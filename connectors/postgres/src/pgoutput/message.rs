//! What a message says.

use bytes::Bytes;

use crate::lsn::Lsn;

/// A message of the stream. Texts and values are slices of the buffer that the
/// message came in.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A transaction begins. Only committed ones are sent.
    Begin {
        /// Where its commit stands.
        final_lsn: Lsn,
        /// When it was committed, in microseconds since 1970-01-01T00:00Z.
        commit_time: i64,
        /// Its number.
        xid: u32,
    },
    /// A transaction ends.
    Commit {
        /// Where the commit stands.
        lsn: Lsn,
        /// Where the transaction ends.
        end_lsn: Lsn,
        /// When it was committed, in microseconds since 1970-01-01T00:00Z.
        commit_time: i64,
    },
    /// The transaction was replayed from elsewhere.
    Origin {
        /// Where its commit stands over there.
        lsn: Lsn,
        /// The name of the origin.
        name: Bytes,
    },
    /// What a table looks like from here on.
    Relation(Relation),
    /// What a type is called.
    Type {
        /// Its number.
        oid: u32,
    },
    /// A new row.
    Insert {
        /// The number of the table.
        relation: u32,
        /// The row.
        new: Tuple,
    },
    /// A changed row.
    Update {
        /// The number of the table.
        relation: u32,
        /// What is known of the old row.
        old: Option<OldTuple>,
        /// The new row.
        new: Tuple,
    },
    /// A deleted row.
    Delete {
        /// The number of the table.
        relation: u32,
        /// What is known of the row.
        old: OldTuple,
    },
    /// Emptied tables.
    Truncate {
        /// Their numbers.
        relations: Vec<u32>,
    },
    /// A message of `pg_logical_emit_message`.
    Logical {
        /// Whether it is part of the transaction under way.
        transactional: bool,
        /// Where it stands.
        lsn: Lsn,
        /// What it is for.
        prefix: Bytes,
        /// What it says.
        content: Bytes,
    },
}

/// What a table looks like in the messages that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its number.
    pub oid: u32,
    /// Its schema; empty means `pg_catalog`.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its replica identity, a letter as in `pg_class.relreplident`.
    pub replica_identity: u8,
    /// Its columns that are sent, in order.
    pub columns: Vec<RelationColumn>,
}

/// A column of a [`Relation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    /// Whether it is part of the replica identity.
    pub identity: bool,
    /// Its name.
    pub name: String,
    /// The number of its type.
    pub type_oid: u32,
    /// The modifier of its type.
    pub modifier: i32,
}

/// What is known of the row before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldTuple {
    /// The columns of the replica identity; the others are null.
    Key(Tuple),
    /// The whole row.
    Full(Tuple),
}

/// The values of a row, in the order of the columns of its [`Relation`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tuple(pub Vec<TupleValue>);

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TupleValue {
    /// NULL.
    Null,
    /// A large value that did not change and is not sent.
    Unchanged,
    /// The text of a value.
    Text(Bytes),
}
