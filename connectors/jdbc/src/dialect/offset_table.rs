//! The SQL of the table of offsets (spec section 14).

use std::fmt::Write as _;

use tether_api::Result;
use tether_api::offset::TopicPartition;

use super::Dialect;
use crate::table::TableId;

/// What differs between databases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OffsetTableSyntax {
    /// The type of names.
    pub(crate) name_type: &'static str,
    /// The type of instants.
    pub(crate) instant_type: &'static str,
    /// What follows the definition of the table.
    pub(crate) options: &'static str,
    /// What stands after the table's name to give it another one.
    pub(crate) alias: &'static str,
    /// What stands before the name of a column of the row that is there.
    pub(crate) existing: &'static str,
    /// What stands before the assignments to a row that is there.
    pub(crate) or_update: &'static str,
}

/// The next offset of a partition, and how many times it has changed hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move<'a> {
    /// The partition.
    pub(crate) partition: &'a TopicPartition,
    /// Who moves it.
    pub(crate) epoch: i64,
    /// The next offset that must be there.
    pub(crate) from: i64,
    /// The next offset afterwards.
    pub(crate) to: i64,
}

/// Statements about the offsets of one connector.
#[derive(Debug)]
pub(crate) struct OffsetTable {
    syntax: OffsetTableSyntax,
    table: String,
    /// `partition` is a reserved word of MySQL.
    partition: String,
    connector: String,
    topics: Vec<(TopicPartition, String)>,
}

impl OffsetTable {
    /// The statements of a dialect about these partitions.
    ///
    /// # Errors
    /// If a name cannot be expressed.
    pub(crate) fn new<'a>(
        dialect: &impl Dialect,
        table: &TableId,
        connector: &str,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<Self> {
        let mut name = String::new();
        dialect.identifiers().push_table(&mut name, table)?;
        let topics = partitions.into_iter().map(|partition| {
            let topic = dialect.text(&partition.topic)?;
            Ok((partition.clone(), topic))
        });
        let quote = dialect.identifiers().quote;
        Ok(Self {
            syntax: dialect.offset_table(),
            table: name,
            partition: format!("{quote}partition{quote}"),
            connector: dialect.text(connector)?,
            topics: topics.collect::<Result<_>>()?,
        })
    }

    /// Creates the table.
    pub(crate) fn create(&self) -> String {
        let Self {
            syntax,
            table,
            partition,
            ..
        } = self;
        let (name, instant, options) = (syntax.name_type, syntax.instant_type, syntax.options);
        format!(
            "CREATE TABLE {table} (connector {name} NOT NULL, topic {name} NOT NULL, \
             {partition} INT NOT NULL, next_offset BIGINT NOT NULL, epoch BIGINT NOT NULL, \
             updated_at {instant} NOT NULL, PRIMARY KEY (connector, topic, {partition})){options}"
        )
    }

    /// Raises the epoch of each partition. One that is new has the next offset
    /// `unknown`.
    pub(crate) fn claim(&self, unknown: i64) -> String {
        let rows = self.topics.iter().map(|(partition, topic)| {
            format!(
                "({}, {topic}, {}, {unknown}, 1, CURRENT_TIMESTAMP)",
                self.connector, partition.partition
            )
        });
        let rows: Vec<_> = rows.collect();
        self.upsert(&rows.join(", "), "")
    }

    /// Sets the next offset of one of the partitions, and raises its epoch, so
    /// that nobody goes on from another one.
    pub(crate) fn set(&self, index: usize, offset: i64) -> String {
        let Some((partition, topic)) = self.topics.get(index) else {
            return String::new();
        };
        let row = format!(
            "({}, {topic}, {}, {offset}, 1, CURRENT_TIMESTAMP)",
            self.connector, partition.partition
        );
        self.upsert(&row, &format!("next_offset = {offset}, "))
    }

    fn upsert(&self, rows: &str, assignments: &str) -> String {
        let Self {
            syntax,
            table,
            partition,
            ..
        } = self;
        let (alias, existing, or_update) = (syntax.alias, syntax.existing, syntax.or_update);
        let or_update = or_update.replace("{partition}", partition);
        format!(
            "INSERT INTO {table}{alias} (connector, topic, {partition}, next_offset, epoch, \
             updated_at) VALUES {rows} {or_update} {assignments}epoch = {existing}epoch + 1, \
             updated_at = CURRENT_TIMESTAMP"
        )
    }

    /// Topic, partition, next offset and epoch of all of the connector's rows.
    pub(crate) fn read(&self) -> String {
        format!(
            "SELECT topic, {}, next_offset, epoch FROM {} WHERE connector = {}",
            self.partition, self.table, self.connector
        )
    }

    /// Moves the next offset of partitions that are where they should be, and
    /// that nobody has claimed since. It changes one row for each.
    pub(crate) fn advance(&self, moves: &[Move<'_>]) -> String {
        let mut values = String::new();
        let mut rows = String::new();
        for step in moves {
            let Some((_, topic)) = self.topics.iter().find(|known| known.0 == *step.partition)
            else {
                continue;
            };
            let is_it = format!(
                "topic = {topic} AND {} = {}",
                self.partition, step.partition.partition
            );
            let or = if rows.is_empty() { "" } else { " OR " };
            let _ = write!(values, " WHEN {is_it} THEN {}", step.to);
            let _ = write!(
                rows,
                "{or}({is_it} AND next_offset = {} AND epoch = {})",
                step.from, step.epoch
            );
        }
        format!(
            "UPDATE {} SET next_offset = CASE{values} ELSE next_offset END, \
             updated_at = CURRENT_TIMESTAMP WHERE connector = {} AND ({rows})",
            self.table, self.connector
        )
    }

    /// Forgets one of the partitions.
    pub(crate) fn forget(&self, index: usize) -> String {
        let Some((partition, topic)) = self.topics.get(index) else {
            return String::new();
        };
        format!(
            "{} AND topic = {topic} AND {} = {}",
            self.forget_all(),
            self.partition,
            partition.partition
        )
    }

    /// Forgets all partitions.
    pub(crate) fn forget_all(&self) -> String {
        let (table, connector) = (&self.table, &self.connector);
        format!("DELETE FROM {table} WHERE connector = {connector}")
    }
}
