//! What is in a database, as lines.

use anyhow::Result;
use tether_services::shared;
use tether_tests::database::Database;

use super::super::mysql::database::MySqlDatabase;
use super::scenario::Server;

/// A database of its own for a connector.
pub(super) enum Tables {
    Postgres(Database),
    MariaDb(MySqlDatabase),
}

impl Tables {
    pub(super) fn create(server: Server, name: &str) -> Result<Self> {
        Ok(match server {
            Server::Postgres => Self::Postgres(Database::create(&shared::postgres_url()?, name)?),
            Server::MariaDb => Self::MariaDb(MySqlDatabase::create()?),
        })
    }

    pub(super) fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Postgres(database) => database.rows(sql).map(drop),
            Self::MariaDb(database) => database.rows(sql).map(drop),
        }
    }

    /// URL, user and password.
    pub(super) fn connection(&self) -> (String, &'static str, &'static str) {
        let (url, user, password) = match self {
            Self::Postgres(database) => (database.jdbc_url(), "postgres", "postgres"),
            Self::MariaDb(database) => {
                let url = database.jdbc_url().replacen("mysql", "mariadb", 1);
                (url, "root", "mariadb")
            }
        };
        let url = url.split('?').next().unwrap_or_default().to_owned();
        (url, user, password)
    }

    /// A line for each table, column, key and row, in which names of the run do not stand.
    pub(super) fn lines(&self, run: &str) -> Result<Vec<String>> {
        let lines = match self {
            Self::Postgres(database) => postgres(database)?,
            Self::MariaDb(database) => mariadb(database)?,
        };
        let prefix = format!("{run}_");
        let lines = lines.into_iter();
        Ok(lines.map(|line| line.replace(&prefix, "")).collect())
    }
}

fn mariadb(database: &MySqlDatabase) -> Result<Vec<String>> {
    let mut lines = database.rows(
        "SELECT CONCAT_WS(' ', 'column', CONCAT(table_name, '.', column_name), column_type, is_nullable, \
         column_key, column_default) FROM information_schema.columns WHERE table_schema = DATABASE() \
         ORDER BY table_name, ordinal_position",
    )?;
    lines.extend(database.rows(
        "SELECT CONCAT('order ', table_name, ' ', GROUP_CONCAT(column_name ORDER BY ordinal_position)) \
         FROM information_schema.columns WHERE table_schema = DATABASE() GROUP BY table_name",
    )?);
    // Bytes and what is not printed as text are in hexadecimal digits.
    let selects = database.rows(
        "SELECT CONCAT('SELECT CONCAT(''row ', table_name, ' '', JSON_OBJECT(', \
         GROUP_CONCAT(CONCAT('''', column_name, ''', ', \
         IF(data_type IN ('bit', 'geometry', 'point') OR data_type LIKE '%blob' \
         OR data_type LIKE '%binary', 'HEX', 'CONCAT'), '(`', column_name, '`)')), \
         ')) FROM `', table_name, '` ORDER BY 1') \
         FROM information_schema.columns WHERE table_schema = DATABASE() GROUP BY table_name",
    )?;
    for select in selects {
        lines.extend(database.rows(&select)?);
    }
    Ok(lines)
}

fn postgres(database: &Database) -> Result<Vec<String>> {
    let mut lines = database.column(
        "SELECT format('column %s.%s %s %s%s%s', table_name, column_name, format_type(a.atttypid, a.atttypmod), \
         is_nullable, ' default ' || column_default, '') \
         FROM information_schema.columns c \
         JOIN pg_attribute a ON a.attrelid = format('%I.%I', table_schema, table_name)::regclass \
         AND a.attname = column_name \
         WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    )?;
    lines.extend(database.column(
        "SELECT format('order %s %s', table_name, string_agg(column_name, ',' ORDER BY ordinal_position)) \
         FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY 1",
    )?);
    lines.extend(database.column(
        "SELECT format('key %s %s', conrelid::regclass, pg_get_constraintdef(oid)) \
         FROM pg_constraint WHERE contype = 'p' ORDER BY 1",
    )?);
    let columns = database.rows(
        "SELECT table_name, column_name FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY 1, 2",
    )?;
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for row in columns {
        let mut row = row.into_iter().flatten();
        let (Some(table), Some(column)) = (row.next(), row.next()) else {
            continue;
        };
        match tables.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => tables.push((table, vec![column])),
        }
    }
    for (table, columns) in tables {
        // Cell by cell, so that a difference is shown alone.
        let values: Vec<_> = columns
            .iter()
            .map(|column| {
                let column = column.replace('"', "\"\"");
                format!("'{column}', \"{column}\"::text")
            })
            .collect();
        let rows = database.column(&format!(
            "SELECT jsonb_build_object({})::text FROM \"{table}\" ORDER BY 1",
            values.join(", ")
        ))?;
        lines.extend(rows.into_iter().map(|row| format!("row {table} {row}")));
    }
    Ok(lines)
}
