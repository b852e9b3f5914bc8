//! The SQL of MySQL and MariaDB.
//!
//! Values stand within the statements as literals rather than as parameters.
//! That is what the driver of the reference does unless it is told otherwise,
//! and for the same reasons: one statement takes any number of rows, it needs
//! no round trip that prepares it, there is no limit of 65,535 parameters, and
//! poolers understand it. [`literal`] says why no value can end its literal.

mod debezium;
pub(crate) mod literal;

use tether_api::data::logical::{Logical, decimal_scale};
use tether_api::data::{Type, Value};
use tether_api::{ConnectError, Result};

use self::literal::LiteralError;
use super::{
    Dialect, Identifiers, LongestName, OffsetTableSyntax, Quoting, no_literal, no_mapping,
};
use crate::config::TypeMapping;
use crate::fields::SinkField;
use crate::json;
use crate::table::TableId;
use crate::time::Clock;

/// The longest name of a table or column.
const LONGEST_NAME: usize = 64;

/// The name of the row to be inserted, for `ON DUPLICATE KEY UPDATE`.
const NEW_ROW: &str = "incoming";

/// The most rows that one `DELETE` names. With more keys than the server wants
/// to look up in the index it reads, and locks, the whole table.
const MOST_DELETED: usize = 500;

/// Which of the servers that speak this SQL it is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// MariaDB.
    MariaDb,
    /// MySQL in this version.
    MySql {
        /// Major, minor and patch.
        version: (u16, u16, u16),
    },
}

impl Server {
    /// Reads the answer to `SELECT VERSION()`.
    pub(crate) fn parse(version: &str) -> Self {
        if version.to_lowercase().contains("mariadb") {
            return Self::MariaDb;
        }
        let mut numbers = version
            .split(|c: char| !c.is_ascii_digit())
            .map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self::MySql {
            version: (next(), next(), next()),
        }
    }

    /// Whether the row to be inserted can have a name. MySQL deprecates the
    /// function `VALUES` in its favour; MariaDB has nothing but the function.
    fn names_new_rows(self) -> bool {
        matches!(self, Self::MySql { version } if version >= (8, 0, 20))
    }

    /// Whether a TEXT or BLOB column takes a default only as an expression.
    fn wants_default_expressions(self) -> bool {
        self != Self::MariaDb
    }
}

/// MySQL's SQL as one server takes it.
#[derive(Debug, Clone)]
pub(crate) struct MySqlDialect {
    identifiers: Identifiers,
    clock: Clock,
    server: Server,
}

/// A statement with gaps for the values of any number of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowTemplate {
    /// What precedes the first row.
    pub(crate) head: String,
    /// What surrounds the values of a row: one text more than there are values.
    pub(crate) around: Vec<String>,
    /// What separates two rows.
    pub(crate) separator: &'static str,
    /// What follows the last row.
    pub(crate) tail: String,
    /// The most rows of one statement.
    pub(crate) most_rows: usize,
}

impl MySqlDialect {
    pub(crate) fn new(quoting: Quoting, server: Server, clock: Clock) -> Self {
        let identifiers = Identifiers {
            quote: '`',
            quoting,
            longest: LongestName::Characters(LONGEST_NAME),
            with_catalog: true,
        };
        Self {
            identifiers,
            clock,
            server,
        }
    }

    /// `INSERT` of rows.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn insert(&self, table: &TableId, columns: &[&str]) -> Result<RowTemplate> {
        let mut head = String::from("INSERT INTO ");
        self.identifiers.push_table(&mut head, table)?;
        head.push('(');
        self.identifiers
            .push_list(&mut head, columns.iter().copied())?;
        head.push_str(") VALUES");
        let mut around = vec![",".to_owned(); columns.len() + 1];
        if let [first, .., last] = &mut around[..] {
            *first = "(".to_owned();
            *last = ")".to_owned();
        }
        Ok(RowTemplate {
            head,
            around,
            separator: ",",
            tail: String::new(),
            most_rows: usize::MAX,
        })
    }

    /// `INSERT` of rows that no unique index finds in the way. `INSERT IGNORE`
    /// would also cut values that do not fit.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn insert_or_ignore(
        &self,
        table: &TableId,
        columns: &[&str],
    ) -> Result<RowTemplate> {
        let mut tail = String::new();
        if let Some(column) = columns.first() {
            tail.push_str(" ON DUPLICATE KEY UPDATE ");
            self.identifiers.push(&mut tail, column)?;
            tail.push('=');
            self.identifiers.push(&mut tail, column)?;
        }
        Ok(RowTemplate {
            tail,
            ..self.insert(table, columns)?
        })
    }

    /// `INSERT`, or `UPDATE` of the row that any unique index finds in the way.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn upsert(
        &self,
        table: &TableId,
        columns: &[&str],
        key_count: usize,
    ) -> Result<RowTemplate> {
        let (keys, others) = columns.split_at(key_count);
        let mut sql = String::new();
        let named = self.server.names_new_rows();
        // An alias must not be the table's name.
        let alias = match table.name.eq_ignore_ascii_case(NEW_ROW) {
            true => "incoming_row",
            false => NEW_ROW,
        };
        if named {
            sql.push_str(&format!(" AS {alias}"));
        }
        sql.push_str(" ON DUPLICATE KEY UPDATE ");
        // A row of nothing but a key stays as it is.
        let updated = if others.is_empty() { keys } else { others };
        for (index, column) in updated.iter().enumerate() {
            if index > 0 {
                sql.push(',');
            }
            self.identifiers.push(&mut sql, column)?;
            sql.push('=');
            if named {
                sql.push_str(alias);
                sql.push('.');
                self.identifiers.push(&mut sql, column)?;
            } else {
                sql.push_str("VALUES(");
                self.identifiers.push(&mut sql, column)?;
                sql.push(')');
            }
        }
        Ok(RowTemplate {
            tail: sql,
            ..self.insert(table, columns)?
        })
    }

    /// One `UPDATE` per row, with the values before the key.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn update(
        &self,
        table: &TableId,
        columns: &[&str],
        key_count: usize,
    ) -> Result<RowTemplate> {
        let (keys, others) = columns.split_at(key_count);
        let mut next = String::from("UPDATE ");
        self.identifiers.push_table(&mut next, table)?;
        let mut around = Vec::new();
        let values = others.iter().enumerate().map(|(index, column)| {
            let before = if index == 0 { " SET " } else { "," };
            (before, column)
        });
        let conditions = keys.iter().enumerate().map(|(index, column)| {
            let before = if index == 0 { " WHERE " } else { " AND " };
            (before, column)
        });
        for (before, column) in values.chain(conditions) {
            next.push_str(before);
            self.identifiers.push(&mut next, column)?;
            next.push('=');
            around.push(std::mem::take(&mut next));
        }
        around.push(next);
        Ok(RowTemplate {
            head: String::new(),
            around,
            separator: ";",
            tail: String::new(),
            most_rows: 1,
        })
    }

    /// `DELETE` of the rows with these keys.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn delete(&self, table: &TableId, keys: &[&str]) -> Result<RowTemplate> {
        let mut head = String::from("DELETE FROM ");
        self.identifiers.push_table(&mut head, table)?;
        head.push_str(" WHERE ");
        let template = RowTemplate {
            head: String::new(),
            around: vec![String::new(), String::new()],
            separator: ",",
            tail: ")".to_owned(),
            most_rows: MOST_DELETED,
        };
        if let [key] = keys {
            self.identifiers.push(&mut head, key)?;
            head.push_str(" IN (");
            return Ok(RowTemplate { head, ..template });
        }
        let mut around = Vec::new();
        let mut next = String::from("(");
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                next.push_str(" AND ");
            }
            self.identifiers.push(&mut next, key)?;
            next.push('=');
            around.push(std::mem::take(&mut next));
        }
        around.push(")".to_owned());
        Ok(RowTemplate {
            head,
            around,
            separator: " OR ",
            tail: String::new(),
            ..template
        })
    }

    /// `DELETE` of all rows. `TRUNCATE` would commit what the transaction has
    /// done before.
    ///
    /// # Errors
    /// If the name cannot be used.
    pub(crate) fn truncate(&self, table: &TableId) -> Result<RowTemplate> {
        let mut head = String::from("DELETE FROM ");
        self.identifiers.push_table(&mut head, table)?;
        Ok(RowTemplate {
            head,
            around: vec![String::new()],
            separator: ";",
            tail: String::new(),
            most_rows: 1,
        })
    }

    /// Whether the type of a new column takes no plain default.
    fn is_large(&self, field: &SinkField) -> bool {
        let is_large = field.schema.kind() == Type::String && !field.is_epoch || field.is_json;
        is_large && !field.is_key
    }
}

impl Dialect for MySqlDialect {
    fn identifiers(&self) -> &Identifiers {
        &self.identifiers
    }

    fn sql_type(&self, field: &SinkField) -> Result<String> {
        if field.is_epoch {
            return Ok("DATETIME(6)".to_owned());
        }
        if field.is_json && !field.is_key {
            return Ok("JSON".to_owned());
        }
        if field.mapping != TypeMapping::Connect && !field.is_json {
            return debezium::sql_type(field, self.server).ok_or_else(|| no_mapping(field));
        }
        let name = match (field.logical(), field.schema.kind()) {
            _ if field.is_json => "VARCHAR(255)",
            (Some(Logical::Decimal), _) => {
                let scale = decimal_scale(&field.schema).unwrap_or(0).max(0);
                return Ok(format!("DECIMAL(65,{scale})"));
            }
            (Some(Logical::Date), _) => "DATE",
            (Some(Logical::Time), _) => "TIME(3)",
            (Some(Logical::Timestamp), _) => "DATETIME(3)",
            (None, Type::Boolean | Type::Int8) => "TINYINT",
            (None, Type::Int16) => "SMALLINT",
            (None, Type::Int32) => "INT",
            (None, Type::Int64) => "BIGINT",
            (None, Type::Float32) => "FLOAT",
            (None, Type::Float64) => "DOUBLE",
            // An index takes TEXT only with a length, and no more bytes than
            // three such columns have.
            (None, Type::String) if field.is_key => "VARCHAR(255)",
            (None, Type::String) => "TEXT",
            (None, Type::Bytes) => "VARBINARY(1024)",
            (None, Type::Array | Type::Map | Type::Struct) => return Err(no_mapping(field)),
        };
        Ok(name.to_owned())
    }

    fn text(&self, text: &str) -> Result<String> {
        let mut bytes = Vec::new();
        literal::push_text(text, &mut bytes);
        // Literals are made of UTF-8.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Topics that differ in case are two, and the table takes part in
    /// transactions whatever the server's default is.
    fn offset_table(&self) -> OffsetTableSyntax {
        OffsetTableSyntax {
            name_type: "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            instant_type: "TIMESTAMP",
            options: " ENGINE = InnoDB",
            alias: "",
            existing: "",
            or_update: "ON DUPLICATE KEY UPDATE",
        }
    }

    fn takes_default(&self, field: &SinkField) -> bool {
        debezium::takes_default(field)
    }

    fn literal(&self, field: &SinkField, value: &Value) -> Result<String> {
        let unfit = |error: LiteralError| -> ConnectError { no_literal(field, error) };
        let mut bytes = Vec::new();
        match value {
            value if let Some(literal) = debezium::literal(field, value) => {
                bytes = literal.map_err(unfit)?;
            }
            Value::Null => bytes.extend_from_slice(b"NULL"),
            value if field.is_json => {
                let text = json::text(value).map_err(|error| no_literal(field, error))?;
                literal::push_default_text(&text, &mut bytes).map_err(unfit)?;
            }
            Value::Int64(number) if field.is_epoch => {
                let instant = self.clock.epoch_instant(*number);
                self.timestamp(instant, 6, &mut bytes).map_err(unfit)?;
            }
            Value::String(text) => {
                literal::push_default_text(text, &mut bytes).map_err(unfit)?;
            }
            Value::Timestamp(millis) => {
                let instant = Clock::instant(*millis).map_err(|error| unfit(error.into()))?;
                self.timestamp(instant, 3, &mut bytes).map_err(unfit)?;
            }
            Value::Date(days) => {
                literal::push_date(self.clock.default_day(*days), &mut bytes).map_err(unfit)?;
            }
            Value::Time(millis) => {
                literal::push_time(self.clock.time(*millis), 3, &mut bytes);
            }
            value => literal::push(value, &mut bytes).map_err(unfit)?,
        }
        // Literals are made of UTF-8.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(
            match self.is_large(field) && self.server.wants_default_expressions() {
                true => format!("({text})"),
                false => text,
            },
        )
    }
}

impl MySqlDialect {
    fn timestamp(
        &self,
        instant: i64,
        digits: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), LiteralError> {
        let local = self.clock.unshifted_timestamp(instant)?;
        literal::push_timestamp(local, digits, out)
    }
}

#[cfg(test)]
mod tests;
