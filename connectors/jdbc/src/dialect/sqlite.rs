//! SQLite's SQL.

mod debezium;

use tether_api::data::{Type, Value, java_f32, java_f64};
use tether_api::{ConnectError, Result};

use super::{
    Dialect, Identifiers, LongestName, OffsetTableSyntax, Quoting, no_literal, no_mapping,
};
use crate::config::TypeMapping;
use crate::fields::SinkField;
use crate::json;
use crate::table::TableId;
use crate::time::Clock;

/// SQLite's SQL.
#[derive(Debug, Clone)]
pub(crate) struct SqliteDialect {
    identifiers: Identifiers,
    clock: Clock,
    /// Whether an upsert replaces the whole row.
    replaces_rows: bool,
}

impl SqliteDialect {
    pub(crate) fn new(quoting: Quoting, replaces_rows: bool, clock: Clock) -> Self {
        let identifiers = Identifiers {
            quote: '`',
            quoting,
            longest: LongestName::Unlimited,
            with_catalog: false,
        };
        Self {
            identifiers,
            clock,
            replaces_rows,
        }
    }

    /// `INSERT` of one row.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn insert(&self, table: &TableId, columns: &[&str]) -> Result<String> {
        self.insert_with("INSERT INTO ", table, columns)
    }

    fn insert_with(&self, verb: &str, table: &TableId, columns: &[&str]) -> Result<String> {
        let mut sql = String::from(verb);
        self.identifiers.push_table(&mut sql, table)?;
        sql.push('(');
        self.identifiers
            .push_list(&mut sql, columns.iter().copied())?;
        sql.push_str(") VALUES(");
        sql.push_str(&vec!["?"; columns.len()].join(","));
        sql.push(')');
        Ok(sql)
    }

    /// `INSERT` of a row whose key does not exist. `OR IGNORE` would also leave
    /// out rows with a null that the table forbids.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn insert_or_ignore(&self, table: &TableId, columns: &[&str]) -> Result<String> {
        let mut sql = self.insert(table, columns)?;
        sql.push_str(" ON CONFLICT DO NOTHING");
        Ok(sql)
    }

    /// `INSERT`, or `UPDATE` if the key exists. The reference replaces the row,
    /// which loses the columns that the record does not have.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn upsert(
        &self,
        table: &TableId,
        columns: &[&str],
        key_count: usize,
    ) -> Result<String> {
        if self.replaces_rows {
            return self.insert_with("INSERT OR REPLACE INTO ", table, columns);
        }
        let (keys, others) = columns.split_at(key_count);
        let mut sql = self.insert(table, columns)?;
        sql.push_str(" ON CONFLICT(");
        self.identifiers.push_list(&mut sql, keys.iter().copied())?;
        sql.push(')');
        if others.is_empty() {
            sql.push_str(" DO NOTHING");
            return Ok(sql);
        }
        sql.push_str(" DO UPDATE SET ");
        for (index, column) in others.iter().enumerate() {
            if index > 0 {
                sql.push(',');
            }
            self.identifiers.push(&mut sql, column)?;
            sql.push_str("=excluded.");
            self.identifiers.push(&mut sql, column)?;
        }
        Ok(sql)
    }

    /// `UPDATE` of the row with a key. The values are bound before the key.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn update(
        &self,
        table: &TableId,
        columns: &[&str],
        key_count: usize,
    ) -> Result<String> {
        let (keys, others) = columns.split_at(key_count);
        let mut sql = String::from("UPDATE ");
        self.identifiers.push_table(&mut sql, table)?;
        sql.push_str(" SET ");
        self.push_each(&mut sql, others, ", ")?;
        sql.push_str(" WHERE ");
        self.push_each(&mut sql, keys, " AND ")?;
        Ok(sql)
    }

    /// `DELETE` of the row with a key.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn delete(&self, table: &TableId, keys: &[&str]) -> Result<String> {
        let mut sql = String::from("DELETE FROM ");
        self.identifiers.push_table(&mut sql, table)?;
        sql.push_str(" WHERE ");
        self.push_each(&mut sql, keys, " AND ")?;
        Ok(sql)
    }

    /// `DELETE` of all rows, as SQLite has no `TRUNCATE`.
    ///
    /// # Errors
    /// If the name cannot be used.
    pub(crate) fn truncate(&self, table: &TableId) -> Result<String> {
        let mut sql = String::from("DELETE FROM ");
        self.identifiers.push_table(&mut sql, table)?;
        Ok(sql)
    }

    /// `a = ?, b = ?`
    fn push_each(&self, sql: &mut String, columns: &[&str], separator: &str) -> Result<()> {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                sql.push_str(separator);
            }
            self.identifiers.push(sql, column)?;
            sql.push_str(" = ?");
        }
        Ok(())
    }
}

impl Dialect for SqliteDialect {
    fn identifiers(&self) -> &Identifiers {
        &self.identifiers
    }

    fn sql_type(&self, field: &SinkField) -> Result<String> {
        if field.is_epoch || field.logical().is_some() {
            return Ok("NUMERIC".to_owned());
        }
        if let Some(name) = debezium::sql_type(field).filter(|_| !field.is_json) {
            return Ok(name.to_owned());
        }
        let name = match field.schema.kind() {
            _ if field.is_json => "TEXT",
            Type::Boolean | Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => "INTEGER",
            Type::Float32 | Type::Float64 => "REAL",
            Type::String => "TEXT",
            Type::Bytes => "BLOB",
            Type::Array | Type::Map | Type::Struct => return Err(no_mapping(field)),
        };
        Ok(name.to_owned())
    }

    fn text(&self, text: &str) -> Result<String> {
        if text.contains('\0') {
            return Err(ConnectError::other("it contains a NUL character"));
        }
        Ok(format!("'{}'", text.replace('\'', "''")))
    }

    fn offset_table(&self) -> OffsetTableSyntax {
        OffsetTableSyntax {
            name_type: "TEXT",
            instant_type: "TEXT",
            options: "",
            alias: " AS o",
            existing: "o.",
            or_update: "ON CONFLICT (connector, topic, {partition}) DO UPDATE SET",
        }
    }

    /// The write lock is taken at once: to ask for it later fails if another
    /// writer was faster.
    fn begin(&self) -> &'static str {
        "BEGIN IMMEDIATE"
    }

    fn takes_default(&self, field: &SinkField) -> bool {
        field.mapping == TypeMapping::Connect || field.schema.kind().is_primitive()
    }

    fn literal(&self, field: &SinkField, value: &Value) -> Result<String> {
        if let Some(text) = debezium::default_text(field, value) {
            return Ok(format!("'{text}'"));
        }
        let unfit = |error: &dyn std::fmt::Display| -> ConnectError { no_literal(field, error) };
        let not_a_number = || unfit(&"SQLite has no NaN");
        Ok(match value {
            Value::Null => "NULL".to_owned(),
            value if field.is_json => {
                let text = json::text(value).map_err(|error| unfit(&error))?;
                format!("'{}'", text.replace('\'', "''"))
            }
            Value::Boolean(flag) => u8::from(*flag).to_string(),
            Value::Int8(number) => number.to_string(),
            Value::Int16(number) => number.to_string(),
            Value::Int32(number) => number.to_string(),
            Value::Int64(number) => number.to_string(),
            Value::Float32(number) => {
                float(f64::from(*number), &java_f32(*number)).ok_or_else(not_a_number)?
            }
            Value::Float64(number) => {
                float(*number, &java_f64(*number)).ok_or_else(not_a_number)?
            }
            Value::Decimal(number) => number.to_string(),
            Value::String(text) if text.contains('\0') => {
                return Err(unfit(&"it contains a NUL character"));
            }
            Value::String(text) => format!("'{}'", text.replace('\'', "''")),
            Value::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("x'{digits}'")
            }
            Value::Date(days) => format!("'{}'", self.clock.date_text(*days)),
            Value::Time(millis) => format!("'{}'", self.clock.time_text(*millis)),
            Value::Timestamp(millis) => {
                let text = Clock::instant(*millis)
                    .and_then(|instant| self.clock.timestamp_text(instant, 3))
                    .map_err(|error| unfit(&error))?;
                format!("'{text}'")
            }
            Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                return Err(unfit(&"values with parts are not supported"));
            }
        })
    }

    fn adds_columns_at_once(&self) -> bool {
        false
    }
}

/// A number as a literal; infinity is a number beyond the range of doubles.
fn float(number: f64, text: &str) -> Option<String> {
    if number.is_nan() {
        return None;
    }
    Some(match number.is_infinite() {
        true if number > 0.0 => "9e999".to_owned(),
        true => "-9e999".to_owned(),
        false => text.to_owned(),
    })
}

/// How a date, time or timestamp becomes an SQLite value: as the JDBC driver
/// of the reference does, by its parameters `date_class` and `date_precision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemporalClass {
    /// An integer: milliseconds since the epoch, the driver's default.
    Millis,
    /// An integer: seconds since the epoch.
    Seconds,
    /// `yyyy-MM-dd HH:mm:ss.SSS` in the zone of `db.timezone`.
    Text,
    /// The Julian day as a float.
    Real,
}
