//! A connection to an SQLite database.

use std::sync::Arc;

use rusqlite::types::Value as SqliteValue;
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params_from_iter};
use tether_api::{ConnectError, Result};

use super::binder::{BoundColumn, SqliteBinder};
use crate::buffer::Batch;
use crate::config::{InsertMode, TableType};
use crate::database::{Guard, SAVEPOINT, Session, Target, TextRow, context};
use crate::dialect::sqlite::{SqliteDialect, TemporalClass};
use crate::error::{Failure, SqlError};
use crate::fields::SinkField;
use crate::plan::Operation;
use crate::schemaless::column_kind::{ColumnKind, TypedColumn};
use crate::table::{Column, TableDefinition, TableId};
use crate::time::Clock;

/// A connection to an SQLite database.
pub(crate) struct SqliteSession {
    /// Away while blocking work uses it; gone if that work panicked.
    pub(super) connection: Option<Connection>,
    pub(super) dialect: SqliteDialect,
    pub(super) clock: Arc<Clock>,
    pub(super) temporal: TemporalClass,
}

impl TypedColumn for () {
    fn kind(&self) -> ColumnKind {
        ColumnKind::Any
    }
}

/// A statement and the parameters of each of its rows.
struct Rows {
    sql: Arc<str>,
    parameters: Vec<Vec<SqliteValue>>,
}

/// Where a transaction failed.
enum FailedAt {
    /// Its guard does not hold.
    Guard,
    /// At the row of a batch.
    Row(rusqlite::Error, usize, usize),
    /// At its beginning or end.
    End(rusqlite::Error),
    /// At a row, whose error ended the transaction that was to go on.
    WholeTransaction(rusqlite::Error),
}

impl Session for SqliteSession {
    type Binder = SqliteBinder;
    /// SQLite converts values by rules of its own; the type does not matter.
    type ColumnType = ();
    type Dialect = SqliteDialect;

    fn dialect(&self) -> &SqliteDialect {
        &self.dialect
    }

    fn table_id(&self, name: &str) -> Result<TableId> {
        let table = TableId::parse(name, '`')?;
        match table.catalog {
            None => Ok(table),
            Some(_) => Err(ConnectError::other(format!(
                "Table {table} has a name in three parts, but SQLite knows database and table \
                 only: set table.name.format, or shorten the topic's name with the \
                 transformation RegexRouter"
            ))),
        }
    }

    async fn describe(&mut self, table: &TableId) -> Result<Option<TableDefinition<()>>, SqlError> {
        let table = table.clone();
        self.run(move |connection| describe(connection, &table))
            .await
    }

    async fn apply_ddl(&mut self, statements: &[String]) -> Result<(), SqlError> {
        let statements = statements.to_vec();
        self.run(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for statement in &statements {
                transaction.execute_batch(statement)?;
            }
            transaction.commit()
        })
        .await
    }

    async fn bind(&mut self, target: Target<'_, ()>) -> Result<SqliteBinder, Failure> {
        let (table, keys) = (target.table, target.key_count);
        let columns: Vec<_> = target
            .columns
            .iter()
            .map(|(_, column)| &*column.name)
            .collect();
        let mut fields: Vec<SinkField> = target
            .columns
            .iter()
            .map(|(field, _)| (*field).clone())
            .collect();
        let sql = match target.operation {
            Operation::Write(InsertMode::Insert) => self.dialect.insert(table, &columns)?,
            Operation::Write(InsertMode::Ignore) => {
                self.dialect.insert_or_ignore(table, &columns)?
            }
            Operation::Write(InsertMode::Upsert) => self.dialect.upsert(table, &columns, keys)?,
            Operation::Write(InsertMode::Update) => {
                fields.rotate_left(keys);
                self.dialect.update(table, &columns, keys)?
            }
            Operation::Delete => self.dialect.delete(table, &columns)?,
            Operation::Truncate => self.dialect.truncate(table)?,
        };
        tracing::debug!(%table, %sql, "a statement for a new pair of schemas");
        Ok(SqliteBinder {
            table: Arc::new(table.clone()),
            columns: fields.into_iter().map(BoundColumn::new).collect(),
            sql: sql.into(),
            temporal: self.temporal,
            clock: self.clock.clone(),
        })
    }

    async fn write(
        &mut self,
        batches: &[Batch<'_, SqliteBinder>],
        guard: Option<&Guard>,
    ) -> Result<(), Failure> {
        let guard = guard.cloned();
        self.write_rows(batches, move |connection, rows| {
            transact(connection, rows, guard)
        })
        .await
    }

    async fn write_within(&mut self, batches: &[Batch<'_, SqliteBinder>]) -> Result<(), Failure> {
        self.write_rows(batches, |connection, rows| {
            let outcome = write_below_savepoint(connection, rows);
            match outcome {
                // A statement may say that an error ends the transaction.
                Err(FailedAt::Row(error, ..)) if connection.is_autocommit() => {
                    Err(FailedAt::WholeTransaction(error))
                }
                outcome => outcome,
            }
        })
        .await
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, SqlError> {
        let statement = sql.to_owned();
        let outcome = self.run(move |connection| {
            connection.execute_batch(&statement)?;
            Ok(connection.changes())
        });
        outcome
            .await
            .map_err(|error| error.during(|| sql.to_owned()))
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<TextRow>, SqlError> {
        let query = sql.to_owned();
        let outcome = self.run(move |connection| {
            let mut statement = connection.prepare(&query)?;
            let count = statement.column_count();
            let rows = statement.query_map([], |row| {
                let values = (0..count).map(|at| Ok(text(row.get(at)?)));
                values.collect::<rusqlite::Result<TextRow>>()
            })?;
            rows.collect()
        });
        outcome
            .await
            .map_err(|error| error.during(|| sql.to_owned()))
    }

    fn is_usable(&self) -> bool {
        self.connection.is_some()
    }
}

impl SqliteSession {
    /// Gives the rows of batches to blocking work.
    async fn write_rows(
        &mut self,
        batches: &[Batch<'_, SqliteBinder>],
        work: impl FnOnce(&mut Connection, Vec<Rows>) -> Result<(), FailedAt> + Send + 'static,
    ) -> Result<(), Failure> {
        let rows = batches
            .iter()
            .map(|batch| {
                let binder = &batch.plan.binder;
                let parameters = batch.rows.iter().map(|row| binder.parameters(row.record));
                Ok(Rows {
                    sql: binder.sql.clone(),
                    parameters: parameters.collect::<Result<_>>()?,
                })
            })
            .collect::<Result<Vec<_>>>()
            .map_err(Failure::Record)?;
        let outcome = self
            .with_connection(move |connection| work(connection, rows))
            .await?;
        outcome.map_err(|failed| match failed {
            FailedAt::Guard => Failure::Fenced,
            FailedAt::End(error) => sql_error(&error)
                .during(|| format!("a transaction of {} batches", batches.len()))
                .into(),
            FailedAt::WholeTransaction(error) => {
                let mut error = sql_error(&error).during(|| {
                    "a transaction that the error ended (RAISE or ON CONFLICT ROLLBACK)".to_owned()
                });
                // Whoever is to blame, the others cannot be written without it.
                error.is_record_fault = false;
                error.into()
            }
            FailedAt::Row(error, batch, row) => sql_error(&error)
                .during(|| context(&batches[batch], row..row + 1))
                .into(),
        })
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SqlError> {
        let outcome = self.with_connection(work).await?;
        outcome.map_err(|error| sql_error(&error))
    }

    async fn with_connection<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, SqlError> {
        let Some(mut connection) = self.connection.take() else {
            return Err(SqlError::connection("the connection is gone"));
        };
        let (connection, outcome) = blocking(move || {
            let outcome = work(&mut connection);
            Ok((connection, outcome))
        })
        .await?;
        self.connection = Some(connection);
        Ok(outcome)
    }
}

/// Runs blocking work on the pool for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
) -> Result<T, SqlError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(SqlError::connection(format!("SQLite work failed: {error}"))))
}

fn at_the_end(error: rusqlite::Error) -> FailedAt {
    FailedAt::End(error)
}

fn write_below_savepoint(connection: &mut Connection, batches: Vec<Rows>) -> Result<(), FailedAt> {
    let savepoint = connection.savepoint_with_name(SAVEPOINT);
    // It rolls back when it is dropped.
    let savepoint = savepoint.map_err(at_the_end)?;
    execute_rows(&savepoint, batches)?;
    savepoint.commit().map_err(at_the_end)
}

fn transact(
    connection: &mut Connection,
    batches: Vec<Rows>,
    guard: Option<Guard>,
) -> Result<(), FailedAt> {
    // The write lock is taken at once: to ask for it later fails if another
    // writer was faster.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(at_the_end)?;
    if let Some(guard) = guard {
        let changed = transaction.execute(&guard.sql, []).map_err(at_the_end)?;
        if changed as u64 != guard.rows {
            return Err(FailedAt::Guard);
        }
    }
    execute_rows(&transaction, batches)?;
    transaction.commit().map_err(at_the_end)
}

fn execute_rows(connection: &Connection, batches: Vec<Rows>) -> Result<(), FailedAt> {
    for (batch, rows) in batches.into_iter().enumerate() {
        let failed_at = |row| move |error| FailedAt::Row(error, batch, row);
        let mut statement = connection.prepare_cached(&rows.sql).map_err(failed_at(0))?;
        for (row, parameters) in rows.parameters.into_iter().enumerate() {
            statement
                .execute(params_from_iter(parameters))
                .map_err(failed_at(row))?;
        }
    }
    Ok(())
}

fn text(value: SqliteValue) -> Option<String> {
    match value {
        SqliteValue::Null => None,
        SqliteValue::Integer(number) => Some(number.to_string()),
        SqliteValue::Real(number) => Some(number.to_string()),
        SqliteValue::Text(text) => Some(text),
        SqliteValue::Blob(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn describe(
    connection: &mut Connection,
    table: &TableId,
) -> rusqlite::Result<Option<TableDefinition<()>>> {
    let schema = table.schema.as_deref().unwrap_or("main");
    let mut kinds = connection.prepare_cached(
        "SELECT type FROM pragma_table_list WHERE schema = ?1 COLLATE NOCASE \
         AND name = ?2 COLLATE NOCASE AND type IN ('table', 'view')",
    )?;
    let mut found = kinds.query([schema, &table.name])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let kind: String = row.get(0)?;
    let mut columns =
        connection.prepare_cached("SELECT name FROM pragma_table_xinfo(?1, ?2) ORDER BY cid")?;
    let columns = columns.query_map([&table.name, schema], |row| {
        Ok(Column {
            name: row.get(0)?,
            column_type: (),
        })
    })?;
    Ok(Some(TableDefinition {
        table_type: match kind.as_str() {
            "view" => TableType::View,
            _ => TableType::Table,
        },
        columns: columns.collect::<rusqlite::Result<_>>()?,
    }))
}

/// What the library says. Another writer, lack of space and I/O errors may
/// pass.
pub(super) fn sql_error(error: &rusqlite::Error) -> SqlError {
    let mut sql_error = SqlError::permanent(error.to_string());
    if let Some(code) = error.sqlite_error() {
        sql_error.code = Some(code.extended_code);
        sql_error.is_transient = matches!(
            code.code,
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::SchemaChanged
        );
        sql_error.is_record_fault = matches!(
            code.code,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
        );
        // SQLite has one code for all errors in a statement.
        sql_error.is_stale_metadata = code.code == ErrorCode::Unknown
            && ["no such table", "no such column", "has no column named"]
                .iter()
                .any(|words| sql_error.message.contains(words));
    }
    sql_error
}
