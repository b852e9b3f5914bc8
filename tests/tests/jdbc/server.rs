//! A database of any kind, with a way to look into it.

use std::path::PathBuf;

use anyhow::Result;
use rusqlite::types::Value;
use tether_tests::database::Database;

use super::mysql::database::MySqlDatabase;
use super::sink;

/// A database that is empty at first.
pub(super) enum Server {
    Postgres(Database),
    MariaDb(MySqlDatabase),
    Sqlite(tempfile::TempDir),
}

impl Server {
    pub(super) fn postgres() -> Result<Self> {
        Ok(Self::Postgres(sink::database()?))
    }

    pub(super) fn mariadb() -> Result<Self> {
        Ok(Self::MariaDb(MySqlDatabase::create()?))
    }

    pub(super) fn sqlite() -> Result<Self> {
        Ok(Self::Sqlite(tempfile::tempdir()?))
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::MariaDb(_) => "MariaDB",
            Self::Sqlite(_) => "SQLite",
        }
    }

    /// `jdbc:` URL with all that is needed to log in.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.jdbc_url(),
            Self::MariaDb(database) => database.jdbc_url(),
            Self::Sqlite(folder) => format!("jdbc:sqlite:{}", file(folder).display()),
        }
    }

    /// Who logs in, for connectors that do not take it from the URL.
    pub(super) fn user(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::MariaDb(_) | Self::Sqlite(_) => "root",
        }
    }

    /// Runs SQL and returns its rows, with `|` between the columns.
    pub(super) fn rows(&self, sql: &str) -> Result<Vec<String>> {
        match self {
            Self::Postgres(database) => sink::rows(database, sql),
            Self::MariaDb(database) => database.rows(sql),
            Self::Sqlite(folder) => sqlite_rows(folder, sql),
        }
    }

    /// Columns of a table in their order, each as in `id integer NOT NULL`, then those of its primary
    /// key as in `key id`.
    pub(super) fn definition(&self, table: &str) -> Result<Vec<String>> {
        let (columns, key) = match self {
            Self::Postgres(database) => (database.columns(table)?, database.primary_key(table)?),
            Self::MariaDb(database) => {
                let of_table =
                    format!("WHERE table_schema = DATABASE() AND table_name = '{table}'");
                let columns = format!(
                    "SELECT CONCAT(column_name, ' ', column_type, \
                     IF(is_nullable = 'NO', ' NOT NULL', '')) \
                     FROM information_schema.columns {of_table} ORDER BY ordinal_position"
                );
                let key = format!(
                    "SELECT column_name FROM information_schema.statistics {of_table} \
                     AND index_name = 'PRIMARY' ORDER BY seq_in_index"
                );
                (database.rows(&columns)?, database.rows(&key)?)
            }
            Self::Sqlite(folder) => {
                let of_table = format!("FROM pragma_table_info('{table}')");
                let columns = format!(
                    "SELECT name || ' ' || type || iif(\"notnull\", ' NOT NULL', '') {of_table}"
                );
                let key = format!("SELECT name {of_table} WHERE pk > 0 ORDER BY pk");
                (sqlite_rows(folder, &columns)?, sqlite_rows(folder, &key)?)
            }
        };
        let key = key.into_iter().map(|column| format!("key {column}"));
        Ok(columns.into_iter().chain(key).collect())
    }
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("sink.db")
}

fn sqlite_rows(folder: &tempfile::TempDir, sql: &str) -> Result<Vec<String>> {
    let connection = rusqlite::Connection::open(file(folder))?;
    let mut statement = connection.prepare(sql)?;
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        let columns = (0..count).map(|index| row.get(index).map(shown));
        Ok(columns.collect::<Result<Vec<_>, _>>()?.join("|"))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn shown(value: Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{bytes:?}"),
    }
}
