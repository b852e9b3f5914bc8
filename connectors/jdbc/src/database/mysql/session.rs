//! A connection to MySQL or MariaDB.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};
use tether_api::{ConnectError, Result};

use super::binder::{BoundColumn, MySqlBinder};
use super::catalog;
use super::codec::Codec;
use super::column_type::MySqlType;
use super::error::sql_error;
use super::identity::Identity;
use super::script::{Limits, Part, Position, Script, Unwritable};
use crate::buffer::Batch;
use crate::config::InsertMode;
use crate::database::time_limit::within_timeout;
use crate::database::{Guard, SAVEPOINT, Session, Target, TextRow, context};
use crate::dialect::Dialect;
use crate::dialect::mysql::{MySqlDialect, RowTemplate};
use crate::error::{Failure, SqlError};
use crate::fields::Source;
use crate::plan::{Grouping, Operation};
use crate::table::{TableDefinition, TableId};
use crate::time::Clock;

/// A connection to MySQL or MariaDB.
pub(crate) struct MySqlSession {
    pub(super) connection: Conn,
    pub(super) dialect: MySqlDialect,
    pub(super) database: Option<String>,
    pub(super) clock: Arc<Clock>,
    pub(super) socket_timeout: Option<Duration>,
    pub(super) limits: Limits,
    /// Whether the session's zone is UTC, which columns of instants need.
    pub(super) is_utc: bool,
    /// Whether the connection's state is not known: a transaction is under way,
    /// or an answer did not come.
    pub(super) is_lost: bool,
}

/// The transaction in which batches are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// One of their own.
    Own,
    /// One that was begun and ends with them.
    Begun,
    /// One that goes on after them.
    Within,
}

/// A statement that failed and what it was to do.
struct Failed {
    error: SqlError,
    part: Option<Part>,
}

impl Session for MySqlSession {
    type Binder = MySqlBinder;
    type ColumnType = MySqlType;
    type Dialect = MySqlDialect;

    fn dialect(&self) -> &MySqlDialect {
        &self.dialect
    }

    fn table_id(&self, name: &str) -> Result<TableId> {
        let table = TableId::parse(name, '`')?;
        if table.catalog.is_some() {
            return Err(ConnectError::other(format!(
                "Table {table} has a name in three parts, but MySQL knows database and table \
                 only: set table.name.format, or shorten the topic's name with the \
                 transformation RegexRouter"
            )));
        }
        Ok(TableId {
            catalog: table.schema.or_else(|| self.database.clone()),
            schema: None,
            name: table.name,
        })
    }

    async fn describe(
        &mut self,
        table: &TableId,
    ) -> Result<Option<TableDefinition<MySqlType>>, SqlError> {
        let name = self.table_name(table)?;
        catalog::describe(&mut self.connection, table, &name).await
    }

    async fn apply_ddl(&mut self, statements: &[String]) -> Result<(), SqlError> {
        for statement in statements {
            self.run(statement).await?;
        }
        Ok(())
    }

    async fn bind(&mut self, target: Target<'_, MySqlType>) -> Result<MySqlBinder, Failure> {
        let bound =
            |(field, column): &(&crate::fields::SinkField, &crate::table::Column<_>)| BoundColumn {
                field: (*field).clone(),
                codec: Codec::of(field, &column.column_type),
            };
        let mut columns: Vec<_> = target.columns.iter().map(bound).collect();
        if !self.is_utc && columns.iter().any(|column| column.codec.needs_utc()) {
            self.run("SET SESSION time_zone = '+00:00'").await?;
            self.is_utc = true;
        }
        let key = &target.columns[..target.key_count];
        let identities: Option<Vec<_>> = key
            .iter()
            .map(|column| {
                let identity = Identity::of(column.0, &column.1.column_type)?;
                Some((bound(column), identity))
            })
            .collect();
        let grouping = self.grouping(&target, identities.is_some()).await?;
        let template = self.template(&target)?;
        if target.operation == Operation::Write(InsertMode::Update) {
            columns.rotate_left(target.key_count);
        }
        tracing::debug!(table = %target.table, ?template, ?grouping, "a statement for a new pair of schemas");
        Ok(MySqlBinder {
            table: Arc::new(target.table.clone()),
            columns,
            keys: identities.unwrap_or_default(),
            grouping,
            template,
            clock: self.clock.clone(),
        })
    }

    async fn write(
        &mut self,
        batches: &[Batch<'_, MySqlBinder>],
        guard: Option<&Guard>,
    ) -> Result<(), Failure> {
        // If this future is dropped half-way, nobody may go on from there.
        self.is_lost = true;
        let timeout = self.socket_timeout;
        let outcome = within_timeout(timeout, async {
            let Some(guard) = guard else {
                return self.write_batches(batches, Scope::Own).await;
            };
            self.run("START TRANSACTION").await?;
            self.run(&guard.sql).await?;
            match self.connection.affected_rows() == guard.rows {
                true => self.write_batches(batches, Scope::Begun).await,
                false => Err(Failure::Fenced),
            }
        })
        .await;
        match &outcome {
            Ok(()) => self.is_lost = false,
            Err(Failure::Sql(error)) if error.is_connection_lost => {}
            Err(_) => self.is_lost = self.connection.query_drop("ROLLBACK").await.is_err(),
        }
        outcome
    }

    async fn write_within(&mut self, batches: &[Batch<'_, MySqlBinder>]) -> Result<(), Failure> {
        self.is_lost = true;
        let timeout = self.socket_timeout;
        let outcome = within_timeout(timeout, async {
            self.run(&format!("SAVEPOINT {SAVEPOINT}")).await?;
            self.write_batches(batches, Scope::Within).await
        })
        .await;
        let undo = format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}");
        match &outcome {
            Ok(()) => self.is_lost = false,
            Err(Failure::Sql(error)) if error.is_connection_lost => {}
            // After a deadlock there is neither savepoint nor transaction.
            Err(_) => self.is_lost = self.connection.query_drop(undo).await.is_err(),
        }
        outcome
    }

    async fn is_transactional(&mut self, table: &TableId) -> Result<bool, SqlError> {
        catalog::is_transactional(&mut self.connection, table).await
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, SqlError> {
        self.is_lost = true;
        let outcome = within_timeout(self.socket_timeout, self.run(sql)).await;
        self.is_lost = matches!(&outcome, Err(error) if error.is_connection_lost);
        outcome.map(|()| self.connection.affected_rows())
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<TextRow>, SqlError> {
        let rows: Vec<Row> = self
            .connection
            .query(sql)
            .await
            .map_err(|error| sql_error(&error).during(|| sql.to_owned()))?;
        let text = |row: &Row| (0..row.len()).map(|at| catalog::text(row, at)).collect();
        Ok(rows.iter().map(text).collect())
    }

    fn is_usable(&self) -> bool {
        !self.is_lost && !self.connection.is_disconnected()
    }
}

impl MySqlSession {
    async fn run(&mut self, sql: &str) -> Result<(), SqlError> {
        let outcome = self.connection.query_drop(sql).await;
        outcome.map_err(|error| sql_error(&error).during(|| sql.to_owned()))
    }

    fn table_name(&self, table: &TableId) -> Result<String, SqlError> {
        let mut name = String::new();
        let pushed = self.dialect.identifiers().push_table(&mut name, table);
        pushed.map_err(|error| SqlError::permanent(error.to_string()))?;
        Ok(name)
    }

    fn template(&self, target: &Target<'_, MySqlType>) -> Result<RowTemplate> {
        let (dialect, table, keys) = (&self.dialect, target.table, target.key_count);
        let columns = target.columns.iter();
        let columns: Vec<_> = columns.map(|(_, column)| &*column.name).collect();
        match target.operation {
            Operation::Write(InsertMode::Insert) => dialect.insert(table, &columns),
            Operation::Write(InsertMode::Ignore) => dialect.insert_or_ignore(table, &columns),
            Operation::Write(InsertMode::Upsert) => dialect.upsert(table, &columns, keys),
            Operation::Write(InsertMode::Update) => dialect.update(table, &columns, keys),
            Operation::Delete => dialect.delete(table, &columns),
            Operation::Truncate => dialect.truncate(table),
        }
    }

    /// How records may be put together for a statement. Their order does not
    /// matter only where their key is all that rows are told apart by: an
    /// upsert updates the row that *any* unique index finds in its way.
    async fn grouping(
        &mut self,
        target: &Target<'_, MySqlType>,
        has_identities: bool,
    ) -> Result<Grouping, SqlError> {
        let key = &target.columns[..target.key_count];
        // Offsets do not repeat.
        let never_repeats = key.iter().any(|(field, _)| field.source == Source::Offset);
        let is_insert = matches!(
            target.operation,
            Operation::Write(InsertMode::Insert | InsertMode::Ignore)
        );
        let only_inserts = is_insert && !target.with_deletes;
        let is_upsert = target.operation == Operation::Write(InsertMode::Upsert);
        if key.is_empty() || (only_inserts || never_repeats) && !is_upsert {
            return Ok(Grouping::InOrder);
        }
        let name = self.table_name(target.table)?;
        let indexes = catalog::unique_indexes(&mut self.connection, &name).await?;
        let is_key = |index: &Vec<Option<String>>| {
            let has = |name: &str| index.iter().flatten().any(|column| column == name);
            index.len() == key.len() && key.iter().all(|(_, column)| has(&column.name))
        };
        if is_upsert && !indexes.iter().any(is_key) {
            tracing::warn!(
                table = %target.table,
                "no unique index is exactly the key, so upserts may insert rows with keys that \
                 exist, or update others"
            );
        }
        let is_all = indexes.len() == 1 && indexes.iter().all(is_key);
        Ok(match has_identities && is_all && !never_repeats {
            true => Grouping::ByKey,
            false => Grouping::InOrder,
        })
    }

    async fn write_batches(
        &mut self,
        batches: &[Batch<'_, MySqlBinder>],
        scope: Scope,
    ) -> Result<(), Failure> {
        let mut script = Script::new();
        let mut position = Position::default();
        let mut begins = scope == Scope::Own;
        loop {
            let goes_on = script
                .fill(batches, &mut position, self.limits)
                .map_err(|error| match error {
                    Unwritable::Record(error) => Failure::Record(error),
                    Unwritable::TooLarge(error, part) => error
                        .during(|| context(&batches[part.batch], part.rows))
                        .into(),
                })?;
            // A statement alone is a transaction by itself.
            let is_transaction = goes_on || !begins || script.parts.len() > 1;
            if is_transaction && !goes_on && scope != Scope::Within {
                script.commit();
            }
            self.send(&script, begins && is_transaction)
                .await
                .map_err(|failed| {
                    failed.error.during(|| match failed.part {
                        Some(part) => context(&batches[part.batch], part.rows),
                        None => format!("a transaction of {} batches", batches.len()),
                    })
                })?;
            if !goes_on {
                return Ok(());
            }
            begins = false;
            script.clear();
        }
    }

    /// Sends statements and awaits all answers.
    async fn send(&mut self, script: &Script, begins: bool) -> Result<(), Failed> {
        let part = |answered: usize| {
            let index = answered.checked_sub(usize::from(begins))?;
            script.parts.get(index).cloned()
        };
        let failed = |answered: usize| {
            move |error: Error| Failed {
                error: sql_error(&error),
                part: part(answered),
            }
        };
        let sql = script.sql(begins);
        let mut answers = self.connection.query_iter(sql).await.map_err(failed(0))?;
        let mut answered = 0;
        loop {
            let is_last = answers.is_empty();
            // Takes the answer that is there and reads the next one, whose error
            // comes when it is taken.
            answers.next().await.map_err(failed(answered))?;
            answered += 1;
            if is_last {
                break;
            }
        }
        if answered != script.statements(begins) {
            return Err(Failed {
                error: SqlError::connection(format!(
                    "the server answered {answered} of {} statements",
                    script.statements(begins)
                )),
                part: None,
            });
        }
        Ok(())
    }
}
