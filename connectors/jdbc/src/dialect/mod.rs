//! SQL as each kind of database speaks it. Everything here is text in, text
//! out; [`crate::database`] talks to servers.

mod ddl;
mod identifier;
pub(crate) mod mysql;
mod offset_table;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use tether_api::config::Validator;
use tether_api::data::{Type, Value};
use tether_api::{ConnectError, Result};

pub(crate) use identifier::{Identifiers, LongestName, Quoting};
pub(crate) use offset_table::{Move, OffsetTable, OffsetTableSyntax};

use crate::fields::SinkField;
use crate::table::TableId;
use crate::url::JdbcUrl;

/// The kinds of databases that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialects {
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Dialects {
    /// The names that `dialect.name` takes, in the reference's order. Those that are not
    /// [`Dialects::AVAILABLE`] pass validation, as in the reference, so that
    /// the error can say what there is instead.
    const NAMES: [&'static str; 11] = [
        "Db2DatabaseDialect",
        "MySqlDatabaseDialect",
        "SybaseDatabaseDialect",
        "GenericDatabaseDialect",
        "OracleDatabaseDialect",
        "SqlServerDatabaseDialect",
        "PostgreSqlDatabaseDialect",
        "SqliteDatabaseDialect",
        "DerbyDatabaseDialect",
        "SapHanaDatabaseDialect",
        "VerticaDatabaseDialect",
    ];

    /// The dialects that exist: name, subprotocol of the URL, and the dialect.
    const AVAILABLE: [(&'static str, &'static str, Self); 4] = [
        ("PostgreSqlDatabaseDialect", "postgresql", Self::Postgres),
        ("MySqlDatabaseDialect", "mysql", Self::MySql),
        ("MySqlDatabaseDialect", "mariadb", Self::MySql),
        ("SqliteDatabaseDialect", "sqlite", Self::Sqlite),
    ];

    /// The rule for `dialect.name`: a name or nothing.
    pub(crate) fn name_validator() -> Validator {
        Validator::custom("a dialect name or empty", |_, value| match value.text() {
            None | Some("") => Ok(()),
            Some(name) if Self::NAMES.contains(&name) => Ok(()),
            Some(_) => Err("Invalid enumerator".to_owned()),
        })
    }

    /// What may be said for `dialect.name`.
    pub(crate) fn recommended_names() -> Vec<String> {
        let names = std::iter::once("").chain(Self::NAMES);
        names.map(str::to_owned).collect()
    }

    /// The dialect of a URL. A name, if it is not empty, has to agree with it.
    ///
    /// # Errors
    /// Config, if there is no such dialect or the two do not agree.
    pub(crate) fn choose(name: &str, url: &JdbcUrl) -> Result<Self> {
        let found = Self::AVAILABLE
            .into_iter()
            .find(|(_, subprotocol, _)| *subprotocol == url.subprotocol());
        let available =
            Self::AVAILABLE.map(|(name, subprotocol, _)| format!("{name} (jdbc:{subprotocol}:)"));
        let Some((own_name, _, dialect)) = found else {
            return Err(ConnectError::config(format!(
                "No dialect for JDBC subprotocol '{}'; available dialects: {}",
                url.subprotocol(),
                available.join(", ")
            )));
        };
        if !name.is_empty() && name != own_name {
            return Err(ConnectError::config(format!(
                "Dialect {name} does not fit a jdbc:{}: URL; available dialects: {}",
                url.subprotocol(),
                available.join(", ")
            )));
        }
        Ok(dialect)
    }
}

/// The SQL of one kind of database for the statements that all share.
pub(crate) trait Dialect: Send + Sync {
    /// The rules for names.
    fn identifiers(&self) -> &Identifiers;

    /// The type of a new column.
    ///
    /// # Errors
    /// If no column type holds values of the field's schema.
    fn sql_type(&self, field: &SinkField) -> Result<String>;

    /// A value of a field as a literal, for a DEFAULT clause.
    ///
    /// # Errors
    /// If the value cannot be written as one.
    fn literal(&self, field: &SinkField, value: &Value) -> Result<String>;

    /// Whether a new column of a field gets the schema's default. It gets none
    /// if the database takes none for such columns.
    fn takes_default(&self, _field: &SinkField) -> bool {
        true
    }

    /// A text as a literal.
    ///
    /// # Errors
    /// If it has a NUL character.
    fn text(&self, text: &str) -> Result<String>;

    /// The words for the table of offsets.
    fn offset_table(&self) -> OffsetTableSyntax;

    /// The statement that begins a transaction of several statements that write.
    fn begin(&self) -> &'static str {
        "BEGIN"
    }

    /// The statement that has constraints checked with each statement that
    /// would be checked at the end of the transaction.
    fn immediate_constraints(&self) -> Option<&'static str> {
        None
    }

    /// Whether one `ALTER TABLE` adds several columns.
    fn adds_columns_at_once(&self) -> bool {
        true
    }

    /// The statement that creates a table.
    ///
    /// # Errors
    /// If a name, type or default cannot be expressed.
    fn create_table(&self, table: &TableId, fields: &[&SinkField]) -> Result<String>
    where
        Self: Sized,
    {
        ddl::create_table(self, table, fields)
    }

    /// The statements that add columns to a table.
    ///
    /// # Errors
    /// If a name, type or default cannot be expressed.
    fn alter_table(&self, table: &TableId, fields: &[&SinkField]) -> Result<Vec<String>>
    where
        Self: Sized,
    {
        if self.adds_columns_at_once() {
            return Ok(vec![ddl::alter_table(self, table, fields)?]);
        }
        fields
            .iter()
            .map(|field| ddl::alter_table(self, table, &[field]))
            .collect()
    }
}

/// The error for a schema that no column type fits.
fn no_mapping(field: &SinkField) -> ConnectError {
    let hint = match field.schema.kind() {
        Type::Struct => {
            "; nested.mode=flatten makes columns of its fields and nested.mode=json one of JSON, and \
             the transformation ExtractNewRecordState makes rows of change events"
        }
        Type::Map | Type::Array => "; nested.mode=json makes a column of JSON",
        _ => "",
    };
    ConnectError::other(format!(
        "{} ({}) type doesn't have a mapping to the SQL database column type (field {}{hint})",
        field.schema.name().unwrap_or("null"),
        field.schema.kind(),
        field.name
    ))
}

/// The error for a default value that cannot be written as a literal.
fn no_literal(field: &SinkField, reason: impl std::fmt::Display) -> ConnectError {
    ConnectError::other(format!(
        "The default of field {} ({}) cannot be a column's default: {reason}",
        field.name,
        field.schema.kind()
    ))
}

#[cfg(test)]
mod tests;
