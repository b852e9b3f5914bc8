//! What the server says of tables, columns and indexes.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};

use super::column_type::MySqlType;
use super::error::sql_error;
use crate::config::TableType;
use crate::dialect::mysql::literal::push_text;
use crate::error::SqlError;
use crate::table::{Column, TableDefinition, TableId};

/// "Table '…' doesn't exist".
const NO_SUCH_TABLE: i32 = 1146;

/// Whether an engine has transactions: `YES` or `NO`.
const TRANSACTIONS: &str = "(SELECT MAX(transactions) FROM information_schema.engines \
    WHERE engines.engine = tables.engine)";

/// What the server says of a table. `name` is the table's name within SQL, as
/// the server knows best whether case counts in names.
pub(super) async fn describe(
    connection: &mut Conn,
    table: &TableId,
    name: &str,
) -> Result<Option<TableDefinition<MySqlType>>, SqlError> {
    let columns: Vec<Row> = match connection
        .query(format!("SHOW FULL COLUMNS FROM {name}"))
        .await
    {
        Ok(columns) => columns,
        Err(error) => {
            let error = sql_error(&error);
            return match error.code == Some(NO_SUCH_TABLE) {
                true => Ok(None),
                false => Err(error),
            };
        }
    };
    let columns = columns.iter().filter_map(column).collect();
    let kind: Option<Row> = connection
        .query_first(table_query("table_type", table))
        .await
        .map_err(|error| sql_error(&error))?;
    let kind = kind.and_then(|row| text(&row, 0)).unwrap_or_default();
    Ok(Some(TableDefinition {
        table_type: match kind.contains("VIEW") {
            true => TableType::View,
            false => TableType::Table,
        },
        columns,
    }))
}

/// Whether rows of a table take part in transactions, which its engine says. A
/// view has none.
pub(super) async fn is_transactional(
    connection: &mut Conn,
    table: &TableId,
) -> Result<bool, SqlError> {
    let answer: Option<Row> = connection
        .query_first(table_query(TRANSACTIONS, table))
        .await
        .map_err(|error| sql_error(&error))?;
    Ok(answer.and_then(|row| text(&row, 0)).as_deref() != Some("NO"))
}

/// Asks something about a table. Names that differ in case alone may be found
/// as well, so the exact one comes first.
fn table_query(what: &str, table: &TableId) -> Vec<u8> {
    let mut sql =
        format!("SELECT {what} FROM information_schema.tables WHERE table_schema = ").into_bytes();
    match &table.catalog {
        Some(database) => push_text(database, &mut sql),
        None => sql.extend_from_slice(b"DATABASE()"),
    }
    sql.extend_from_slice(b" AND table_name = ");
    push_text(&table.name, &mut sql);
    sql.extend_from_slice(b" ORDER BY BINARY table_name = ");
    push_text(&table.name, &mut sql);
    sql.extend_from_slice(b" DESC LIMIT 1");
    sql
}

fn column(row: &Row) -> Option<Column<MySqlType>> {
    // Field, Type, Collation, …
    Some(Column {
        name: text(row, 0)?,
        column_type: MySqlType::parse(&text(row, 1)?, text(row, 2)),
    })
}

/// The unique indexes of a table: each as its columns, `None` in place of one
/// that is indexed in part or not as it is.
pub(super) async fn unique_indexes(
    connection: &mut Conn,
    name: &str,
) -> Result<Vec<Vec<Option<String>>>, SqlError> {
    let rows: Vec<Row> = connection
        .query(format!("SHOW INDEX FROM {name} WHERE Non_unique = 0"))
        .await
        .map_err(|error| sql_error(&error))?;
    let mut indexes: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for row in &rows {
        // Table, Non_unique, Key_name, Seq_in_index, Column_name, Collation,
        // Cardinality, Sub_part, …
        let index = text(row, 2).unwrap_or_default();
        let column = text(row, 4).filter(|_| text(row, 7).is_none());
        match indexes.last_mut().filter(|(name, _)| *name == index) {
            Some((_, columns)) => columns.push(column),
            None => indexes.push((index, vec![column])),
        }
    }
    Ok(indexes.into_iter().map(|(_, columns)| columns).collect())
}

/// A column of a row as text; `None` if it is null or missing.
pub(super) fn text(row: &Row, index: usize) -> Option<String> {
    match row.as_ref(index)? {
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        _ => None,
    }
}
