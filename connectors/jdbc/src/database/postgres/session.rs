//! A connection to PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::maybe_done;
use tether_api::{ConnectError, Result};
use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow};

use super::binder::{ArrayParameter, BoundColumn, PlanStatement, PostgresBinder};
use super::catalog::{self, PostgresType};
use super::codec::Codec;
use super::copy::{self, Copy};
use super::identity::Identity;
use super::row_array::{self, RowArray, RowType};
use crate::buffer::Batch;
use crate::config::InsertMode;
use crate::database::time_limit::within_timeout;
use crate::database::{Guard, SAVEPOINT, Session, Target, TextRow, context};
use crate::dialect::postgres::{Parameter, PostgresDialect};
use crate::error::{Failure, SqlError, chain};
use crate::fields::Source;
use crate::plan::{Grouping, Operation};
use crate::table::{TableDefinition, TableId};
use crate::time::Clock;

/// How long to wait for the reason why a connection closed.
const CLOSING_REASON: Duration = Duration::from_secs(1);

/// What a guard that does not hold is to the server.
const DIVISION_BY_ZERO: &str = "22012";

/// What a server cannot do: `COPY` where `INSERT` may work.
const UNSUPPORTED: &str = "0A000";

/// What a server says of rows that are none of the table any more: its columns
/// have other types, or their number is another one, or the table was made anew,
/// so that there is no type of this number.
const OTHER_ROWS: [&str; 3] = ["42804", "42704", "XX000"];

/// How the client library's errors begin that another connection may not meet.
const CONNECTION_ERRORS: [&str; 6] = [
    "error communicating with the server",
    "error connecting to server",
    "error performing TLS handshake",
    "connection closed",
    "timeout waiting for server",
    "unexpected message from server",
];

/// A connection to PostgreSQL.
pub(crate) struct PostgresSession {
    pub(super) client: Client,
    /// The task that moves bytes; it ends with the reason when the connection
    /// does.
    pub(super) connection: Option<JoinHandle<Result<(), Error>>>,
    pub(super) dialect: PostgresDialect,
    pub(super) database: String,
    pub(super) schema: Option<String>,
    pub(super) clock: Arc<Clock>,
    pub(super) keeps_statements: bool,
    pub(super) socket_timeout: Option<Duration>,
    /// Whether the connection closed, or its state is not known.
    pub(super) is_lost: bool,
    /// Whether a transaction is under way.
    pub(super) is_busy: bool,
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        // An idle connection says goodbye by itself once its client is gone. One
        // whose answers are out might wait for them forever.
        if let (Some(connection), true) = (&self.connection, self.is_lost || self.is_busy) {
            connection.abort();
        }
    }
}

/// A statement with its rows.
struct Execution<'a> {
    binder: &'a PostgresBinder,
    rows: Rows<'a>,
    context: Box<dyn Fn() -> String + Send + Sync + 'a>,
}

/// How rows are sent.
enum Rows<'a> {
    /// One array for each column.
    Arrays(Vec<ArrayParameter>),
    /// One array of rows.
    Array(&'a RowArray, ArrayParameter),
    /// With `COPY`.
    Copied(&'a Copy, Bytes),
}

impl Rows<'_> {
    /// What comes before it in the same transaction.
    fn first(&self) -> Option<&str> {
        match self {
            Self::Arrays(_) => None,
            Self::Array(rows, _) => Some(&rows.keep_rows),
            Self::Copied(copy, _) => Some(&copy.keep_types),
        }
    }
}

impl Session for PostgresSession {
    type Binder = PostgresBinder;
    type ColumnType = PostgresType;
    type Dialect = PostgresDialect;

    fn dialect(&self) -> &PostgresDialect {
        &self.dialect
    }

    fn table_id(&self, name: &str) -> Result<TableId> {
        let mut table = self.dialect.normalize(TableId::parse(name, '"')?);
        if table
            .catalog
            .as_ref()
            .is_some_and(|catalog| *catalog != self.database)
        {
            return Err(ConnectError::other(format!(
                "The first part of table name {table} is its database, but the connection is to \
                 database {}: set table.name.format, or shorten the topic's name with the \
                 transformation RegexRouter",
                self.database
            )));
        }
        table.catalog = Some(self.database.clone());
        if table.schema.is_none() {
            table.schema.clone_from(&self.schema);
        }
        Ok(table)
    }

    async fn describe(
        &mut self,
        table: &TableId,
    ) -> Result<Option<TableDefinition<PostgresType>>, SqlError> {
        match catalog::describe(&self.client, table).await {
            Ok(definition) => Ok(definition),
            Err(error) => Err(self.with_closing_reason(error).await),
        }
    }

    async fn apply_ddl(&mut self, statements: &[String]) -> Result<(), SqlError> {
        // Several statements in one message are one transaction.
        match self.client.batch_execute(&statements.join(";\n")).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.with_closing_reason(sql_error(&error)).await),
        }
    }

    async fn bind(&mut self, target: Target<'_, PostgresType>) -> Result<PostgresBinder, Failure> {
        let columns: Vec<_> = target
            .columns
            .iter()
            .map(|(field, column)| BoundColumn {
                field: (*field).clone(),
                codec: Codec::of(field, &column.column_type),
            })
            .collect();
        let parameters: Vec<_> = columns
            .iter()
            .zip(&target.columns)
            .map(|(bound, (_, column))| {
                let element = bound.codec.element();
                let needs_cast = element.oid != column.column_type.oid;
                Parameter {
                    column: column.name.clone(),
                    element_type: element.name,
                    cast: needs_cast.then(|| column.column_type.sql_name.clone()),
                }
            })
            .collect();
        let identities: Option<Vec<_>> = target.columns[..target.key_count]
            .iter()
            .map(|(field, column)| Identity::of(field, &column.column_type))
            .collect();
        let sql = self.statement(&target, &parameters)?;
        tracing::debug!(table = %target.table, %sql, "preparing a statement");
        Ok(PostgresBinder {
            table: Arc::new(target.table.clone()),
            statement: self.prepare(sql, &columns).await?,
            copy: self.prepare_copy(&target, &parameters, &columns).await?,
            rows: self.prepare_rows(&target, &parameters, &columns).await?,
            columns,
            grouping: grouping(&target, identities.is_some()),
            identities: identities.unwrap_or_default(),
            clock: self.clock.clone(),
        })
    }

    async fn write(
        &mut self,
        batches: &[Batch<'_, PostgresBinder>],
        guard: Option<&Guard>,
    ) -> Result<(), Failure> {
        let begin = match guard {
            Some(guard) => format!("BEGIN; {}", must_hold(guard)),
            None => "BEGIN".to_owned(),
        };
        let executions = executions(batches)?;
        let outcome = self.transact(&begin, &executions, "COMMIT").await;
        outcome.map_err(|error| match error.state.as_deref() {
            // Only the guard divides, and it has no parameters to blame.
            Some(DIVISION_BY_ZERO) if guard.is_some() && error.context.is_none() => Failure::Fenced,
            _ => Failure::Sql(error),
        })
    }

    async fn write_within(&mut self, batches: &[Batch<'_, PostgresBinder>]) -> Result<(), Failure> {
        let executions = executions(batches)?;
        let begin = format!("SAVEPOINT {SAVEPOINT}");
        let commit = format!("RELEASE SAVEPOINT {SAVEPOINT}");
        let outcome = self.transact(&begin, &executions, &commit).await;
        if outcome.is_err() && self.is_usable() {
            let undo = format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}; {commit}");
            self.execute(&undo).await?;
        }
        Ok(outcome?)
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, SqlError> {
        let answers = self.simple_query(sql).await?;
        let changed = answers.iter().rev().find_map(|answer| match answer {
            SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
            _ => None,
        });
        Ok(changed.unwrap_or(0))
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<TextRow>, SqlError> {
        let answers = self.simple_query(sql).await?;
        let rows = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |row: &SimpleQueryRow| {
            let values = (0..row.len()).map(|index| Ok(row.try_get(index)?.map(str::to_owned)));
            values.collect::<Result<TextRow, Error>>()
        };
        let rows: Result<_, Error> = rows.map(text).collect();
        rows.map_err(|error| sql_error(&error))
    }

    fn is_usable(&self) -> bool {
        !self.is_lost && !self.client.is_closed()
    }
}

impl PostgresSession {
    fn statement(
        &self,
        target: &Target<'_, PostgresType>,
        parameters: &[Parameter],
    ) -> Result<String> {
        let (dialect, table, keys) = (&self.dialect, target.table, target.key_count);
        match target.operation {
            Operation::Write(InsertMode::Insert) => dialect.insert(table, parameters),
            Operation::Write(InsertMode::Ignore) => dialect.insert_or_ignore(table, parameters),
            Operation::Write(InsertMode::Upsert) => dialect.upsert(table, parameters, keys),
            Operation::Write(InsertMode::Update) => dialect.update(table, parameters, keys),
            Operation::Delete => dialect.delete(table, parameters),
            Operation::Truncate => dialect.truncate(table),
        }
    }

    async fn prepare(
        &mut self,
        sql: String,
        columns: &[BoundColumn],
    ) -> Result<PlanStatement, SqlError> {
        if !self.keeps_statements {
            let types = columns
                .iter()
                .filter_map(|column| Type::from_oid(column.codec.element().array_oid))
                .collect();
            return Ok(PlanStatement::Unnamed(sql, types));
        }
        match self.client.prepare(&sql).await {
            Ok(statement) => Ok(PlanStatement::Prepared(statement)),
            Err(error) => {
                let error = sql_error(&error).during(|| format!("preparing {sql}"));
                Err(self.with_closing_reason(error).await)
            }
        }
    }

    /// `COPY` for an insertion, if it does the same.
    async fn prepare_copy(
        &mut self,
        target: &Target<'_, PostgresType>,
        parameters: &[Parameter],
        columns: &[BoundColumn],
    ) -> Result<Option<Copy>, Failure> {
        let is_insertion = target.operation == Operation::Write(InsertMode::Insert);
        // A statement that the server does not keep would take a round trip more.
        if !is_insertion || !are_taken(target, columns) || !self.keeps_statements {
            return Ok(None);
        }
        let sql = self.dialect.copy(target.table, parameters)?;
        let prepared = async {
            match copy::is_like_insert(&self.client, target.table).await? {
                true => self.client.prepare(&sql).await.map(Some),
                false => Ok(None),
            }
        };
        match prepared.await.map_err(|error| sql_error(&error)) {
            Ok(None) => Ok(None),
            Ok(Some(statement)) => {
                let columns = target.columns.iter();
                let types = columns.map(|(_, column)| (&*column.name, column.column_type.oid));
                let keep_types = self.dialect.keep_types(target.table, types)?;
                Ok(Some(Copy {
                    statement,
                    keep_types,
                }))
            }
            Err(error) if error.is_connection_lost => {
                Err(self.with_closing_reason(error).await.into())
            }
            Err(error) => {
                tracing::debug!(table = %target.table, %error, "rows are inserted, not copied");
                Ok(None)
            }
        }
    }

    /// One array of rows for an upsert, if its columns take the values as they
    /// are.
    async fn prepare_rows(
        &mut self,
        target: &Target<'_, PostgresType>,
        parameters: &[Parameter],
        columns: &[BoundColumn],
    ) -> Result<Option<RowArray>, Failure> {
        let is_upsert = target.operation == Operation::Write(InsertMode::Upsert);
        // A statement that the server does not keep names its parameters' types
        // each time, and the client library has none for a table's rows.
        if !is_upsert || !are_taken(target, columns) || !self.keeps_statements {
            return Ok(None);
        }
        let written: Vec<_> = target.columns.iter().map(|(_, column)| *column).collect();
        let prepared = async {
            let row_type = RowType::of(&self.client, target.table, &written).await;
            let Some(row_type) = row_type.map_err(|error| sql_error(&error))? else {
                return Ok(None);
            };
            let (places, keys) = (row_type.places(), target.key_count);
            let (table, dialect) = (target.table, &self.dialect);
            let sql = dialect.upsert_of_rows(table, parameters, keys, &places)?;
            let statement = self.client.prepare(&sql).await;
            Ok(Some(RowArray {
                statement: statement.map_err(|error| sql_error(&error))?,
                keep_rows: dialect.keep_rows(table, row_type.columns())?,
                row_type,
            }))
        };
        match prepared.await {
            Err(Failure::Sql(error)) if error.is_connection_lost => {
                Err(self.with_closing_reason(error).await.into())
            }
            Err(Failure::Sql(error)) => {
                tracing::debug!(table = %target.table, %error, "rows are sent as arrays of columns");
                Ok(None)
            }
            prepared => prepared,
        }
    }

    async fn simple_query(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, SqlError> {
        self.is_busy = true;
        let answers = async {
            let answers = self.client.simple_query(sql).await;
            answers.map_err(|error| sql_error(&error))
        };
        let outcome = within_timeout(self.socket_timeout, answers).await;
        self.is_busy = false;
        match outcome {
            Ok(answers) => Ok(answers),
            Err(error) => Err(self
                .with_closing_reason(error)
                .await
                .during(|| sql.to_owned())),
        }
    }

    /// Runs statements between two others, such as BEGIN and COMMIT. All of
    /// them are sent at once where that is possible, so that one round trip is
    /// enough; after an error the server skips the rest, and COMMIT rolls back.
    async fn transact(
        &mut self,
        begin: &str,
        executions: &[Execution<'_>],
        end: &str,
    ) -> Result<(), SqlError> {
        self.is_busy = true;
        let is_copied = |execution: &Execution<'_>| matches!(execution.rows, Rows::Copied(..));
        let outcome = if executions.iter().any(is_copied) {
            let work = self.one_by_one(begin, executions, end);
            within_timeout(self.socket_timeout, work).await
        } else {
            let work = self.pipeline(begin, executions, end);
            within_timeout(self.socket_timeout, work).await
        };
        self.is_busy = false;
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(self.with_closing_reason(error).await),
        }
    }

    async fn pipeline(
        &self,
        begin: &str,
        executions: &[Execution<'_>],
        end: &str,
    ) -> Result<(), SqlError> {
        let begin = with_first(begin, executions);
        let begin = maybe_done(self.client.batch_execute(&begin));
        let commit = maybe_done(self.client.batch_execute(end));
        let mut writes: Vec<_> = executions
            .iter()
            .map(|execution| Box::pin(maybe_done(self.run(execution))))
            .collect();
        let (mut begin, mut commit) = (std::pin::pin!(begin), std::pin::pin!(commit));
        // The first poll of each future sends its statement.
        let _ = futures::poll!(begin.as_mut());
        for write in &mut writes {
            let _ = futures::poll!(write.as_mut());
        }
        let _ = futures::poll!(commit.as_mut());

        // All answers are awaited even after an error, so that the connection
        // is ready for the next transaction.
        begin.as_mut().await;
        let mut outcome = begin
            .take_output()
            .unwrap_or(Ok(()))
            .map_err(|error| sql_error(&error));
        for (write, execution) in writes.iter_mut().zip(executions) {
            write.as_mut().await;
            let written = write.as_mut().take_output().unwrap_or(Ok(0));
            if let (Err(error), true) = (written, outcome.is_ok()) {
                outcome = Err(failed(execution, &error));
            }
        }
        commit.as_mut().await;
        let committed = commit.take_output().unwrap_or(Ok(()));
        outcome.and(committed.map_err(|error| not_ended(end, executions, &error)))
    }

    /// The same with statements that wait for those before, but for the end: a
    /// `COPY` that the server refuses before it has seen a row leaves the client
    /// library out of step with the server.
    async fn one_by_one(
        &self,
        begin: &str,
        executions: &[Execution<'_>],
        end: &str,
    ) -> Result<(), SqlError> {
        let Some((last, others)) = executions.split_last() else {
            return Ok(());
        };
        let begin = with_first(begin, executions);
        let before = async {
            let begun = self.client.batch_execute(&begin).await;
            begun.map_err(|error| sql_error(&error))?;
            for execution in others {
                let written = self.run(execution).await;
                written.map_err(|error| failed(execution, &error))?;
            }
            Ok(())
        };
        if let Err(error) = before.await {
            // It rolls back; if it cannot, the caller does.
            let _ = self.client.batch_execute(end).await;
            return Err(error);
        }
        let (written, ended) = futures::join!(self.run(last), self.client.batch_execute(end));
        written.map_err(|error| failed(last, &error))?;
        ended.map_err(|error| not_ended(end, executions, &error))
    }

    async fn run(&self, execution: &Execution<'_>) -> Result<u64, Error> {
        let arrays = match &execution.rows {
            Rows::Arrays(arrays) => arrays,
            Rows::Array(rows, array) => {
                return self.client.execute_raw(&rows.statement, [array]).await;
            }
            Rows::Copied(copy, rows) => {
                return copy::run(&self.client, &copy.statement, rows.clone()).await;
            }
        };
        match &execution.binder.statement {
            PlanStatement::Prepared(statement) => self.client.execute_raw(statement, arrays).await,
            PlanStatement::Unnamed(sql, types) => {
                let parameters: Vec<_> = arrays
                    .iter()
                    .zip(types)
                    .map(|(parameter, kind)| (parameter as &(dyn ToSql + Sync), kind.clone()))
                    .collect();
                self.client.execute_typed(sql, &parameters).await
            }
        }
    }

    /// Adds why the server closed the connection, such as a shutdown, to an
    /// error that says only that it did.
    async fn with_closing_reason(&mut self, mut error: SqlError) -> SqlError {
        if !error.is_connection_lost {
            return error;
        }
        self.is_lost = true;
        if error.state.is_some() || !self.client.is_closed() {
            return error;
        }
        let Some(connection) = self.connection.take() else {
            return error;
        };
        if let Ok(Ok(Err(reason))) = tokio::time::timeout(CLOSING_REASON, connection).await {
            let reason = sql_error(&reason);
            error.state.clone_from(&reason.state);
            error.message = format!("{}: {}", error.message, reason.message);
        }
        error
    }
}

/// Why a statement failed.
fn failed(execution: &Execution<'_>, error: &Error) -> SqlError {
    let mut error = sql_error(error);
    let state = error.state.as_deref();
    error.is_stale_metadata |= match execution.rows {
        Rows::Arrays(_) => false,
        Rows::Array(..) => state.is_some_and(|state| OTHER_ROWS.contains(&state)),
        // Such as row-level security that was not there before.
        Rows::Copied(..) => state == Some(UNSUPPORTED),
    };
    error.during(|| (execution.context)())
}

/// Why what ends the transaction failed.
fn not_ended(end: &str, executions: &[Execution<'_>], error: &Error) -> SqlError {
    sql_error(error).during(|| match executions {
        [only] => format!("{end} of {}", (only.context)()),
        all => format!("{end} of {} statements", all.len()),
    })
}

/// The beginning of a transaction, with what has to come before its statements.
fn with_first(begin: &str, executions: &[Execution<'_>]) -> String {
    let mut statements = vec![begin];
    for first in executions
        .iter()
        .filter_map(|execution| execution.rows.first())
    {
        if !statements.contains(&first) {
            statements.push(first);
        }
    }
    statements.join("; ")
}

/// Whether the columns take the binary form of all values.
fn are_taken(target: &Target<'_, PostgresType>, columns: &[BoundColumn]) -> bool {
    let mut pairs = columns.iter().zip(&target.columns);
    pairs.all(|(bound, (_, column))| copy::takes(&column.column_type, bound.codec.element()))
}

/// A guard as a statement that fails if it does not hold, so that the COMMIT
/// that was sent with it rolls back.
fn must_hold(guard: &Guard) -> String {
    format!(
        "WITH changed AS ({} RETURNING 1) \
         SELECT 1 / (pg_catalog.count(*) = {})::int FROM changed",
        guard.sql, guard.rows
    )
}

/// The statements for batches, with their parameters.
fn executions<'a>(batches: &'a [Batch<'_, PostgresBinder>]) -> Result<Vec<Execution<'a>>, Failure> {
    let mut executions = Vec::new();
    for batch in batches {
        let mut written = 0;
        while written < batch.rows.len() {
            let binder = &batch.plan.binder;
            let most = batch.rows_per_statement();
            let left = most.min(batch.rows.len() - written);
            let (sent, rows) = match &binder.copy {
                Some(copy) if copy::is_worth_it(left, binder.columns.len()) => {
                    let copied = binder.copied(&batch.rows, written);
                    let (sent, rows) = copied.map_err(Failure::Record)?;
                    (Rows::Copied(copy, sent), rows)
                }
                _ if let Some(rows) = &binder.rows
                    && row_array::is_worth_it(left, binder.columns.len()) =>
                {
                    let array = binder.row_array(&rows.row_type, &batch.rows, written, most);
                    let (sent, range) = array.map_err(Failure::Record)?;
                    (Rows::Array(rows, sent), range)
                }
                _ => {
                    let arrays = binder.parameters(&batch.rows, written, most);
                    let (sent, rows) = arrays.map_err(Failure::Record)?;
                    (Rows::Arrays(sent), rows)
                }
            };
            written = rows.end;
            executions.push(Execution {
                binder,
                rows: sent,
                context: Box::new(move || context(batch, rows.clone())),
            });
        }
    }
    Ok(executions)
}

/// How records may be put together for a statement.
fn grouping(target: &Target<'_, PostgresType>, has_identities: bool) -> Grouping {
    let mut keys = target.columns[..target.key_count].iter();
    // Offsets do not repeat.
    let never_repeats = keys.any(|(field, _)| field.source == Source::Offset);
    match target.operation {
        _ if never_repeats => Grouping::InOrder,
        Operation::Write(InsertMode::Insert | InsertMode::Ignore) if !target.with_deletes => {
            Grouping::InOrder
        }
        _ if target.key_count > 0 && has_identities => Grouping::ByKey,
        // A statement may meet a row twice as long as it does not update it.
        Operation::Write(InsertMode::Insert | InsertMode::Ignore)
        | Operation::Delete
        | Operation::Truncate => Grouping::InOrder,
        Operation::Write(InsertMode::Upsert | InsertMode::Update) => Grouping::OneByOne,
    }
}

/// What the client library says, with the parts of the server's message.
pub(super) fn sql_error(error: &Error) -> SqlError {
    let Some(reported) = error.as_db_error() else {
        let text = chain(error);
        // The library keeps its kinds to itself, but their words are its own.
        return match CONNECTION_ERRORS
            .iter()
            .any(|words| text.starts_with(words))
        {
            true => SqlError::connection(text),
            false => SqlError::permanent(text),
        };
    };
    let message = format!("{}: {}", reported.severity(), reported.message());
    let mut sql_error = SqlError::with_state(reported.code().code(), message);
    let severity = reported.parsed_severity();
    sql_error.is_connection_lost |= matches!(severity, Some(Severity::Fatal | Severity::Panic));
    let labelled = |label: &str, text: Option<&str>| text.map(|text| format!("{label}: {text}"));
    sql_error.names.extend(labelled("Table", reported.table()));
    sql_error
        .names
        .extend(labelled("Column", reported.column()));
    sql_error
        .names
        .extend(labelled("Constraint", reported.constraint()));
    sql_error
        .details
        .extend(labelled("Detail", reported.detail()));
    sql_error.details.extend(labelled("Hint", reported.hint()));
    sql_error
        .details
        .extend(labelled("Where", reported.where_()));
    sql_error
}
