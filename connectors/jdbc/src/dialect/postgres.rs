//! PostgreSQL's SQL.
//!
//! Rows are written with one statement however many there are: each parameter
//! is an array with the values of one column, and `UNNEST` turns them into
//! rows. The text does not depend on the number of rows, so it is prepared
//! once, and there is no limit of 65,535 parameters.

pub(crate) mod debezium;

use tether_api::data::logical::Logical;
use tether_api::data::{Schema, Type, Value, java_f32, java_f64};
use tether_api::{ConnectError, Result};

use self::debezium::Types;
use super::{
    Dialect, Identifiers, LongestName, OffsetTableSyntax, Quoting, no_literal, no_mapping,
};
use crate::config::TypeMapping;
use crate::debezium_type::DebeziumType;
use crate::fields::SinkField;
use crate::json;
use crate::table::TableId;
use crate::time::Clock;

/// The longest decimal that is written out.
const LONGEST_DECIMAL: usize = 150_000;

/// PostgreSQL's SQL as one server takes it.
#[derive(Debug, Clone)]
pub(crate) struct PostgresDialect {
    identifiers: Identifiers,
    clock: Clock,
    /// The schema with PostGIS's types, quoted.
    postgis: String,
}

/// A column that gets its values from an array parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The column's name.
    pub(crate) column: String,
    /// The type of the array's elements: `int4`.
    pub(crate) element_type: &'static str,
    /// The column's type, if the elements have to be cast to it, as
    /// `format_type` of the server writes it, which quotes names.
    pub(crate) cast: Option<String>,
}

impl PostgresDialect {
    /// The dialect of a server whose names have at most so many bytes.
    pub(crate) fn new(quoting: Quoting, longest: usize, clock: Clock) -> Self {
        let identifiers = Identifiers {
            quote: '"',
            quoting,
            longest: LongestName::Bytes(longest),
            with_catalog: false,
        };
        Self {
            identifiers,
            clock,
            postgis: "public".to_owned(),
        }
    }

    /// The same with PostGIS's types in another schema.
    pub(crate) fn with_postgis(mut self, schema: &str) -> Self {
        self.postgis = format!("\"{}\"", schema.replace('"', "\"\""));
        self
    }

    /// Adapts a table's name to what the server makes of it: the table is cut
    /// to the longest name, and names without quotes are in lower case.
    pub(crate) fn normalize(&self, mut table: TableId) -> TableId {
        if let LongestName::Bytes(longest) = self.identifiers.longest
            && table.name.len() > longest
        {
            table.name.truncate(table.name.floor_char_boundary(longest));
        }
        let fold = |part: String| match self.identifiers.is_folded(&part) {
            true => part.to_lowercase(),
            false => part,
        };
        table.catalog = table.catalog.map(fold);
        table.schema = table.schema.map(fold);
        table.name = fold(table.name);
        table
    }

    /// `INSERT` of one row per array element.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn insert(&self, table: &TableId, columns: &[Parameter]) -> Result<String> {
        self.insert_from(table, columns, &arrays(columns))
    }

    fn insert_from(&self, table: &TableId, columns: &[Parameter], rows: &str) -> Result<String> {
        let mut sql = String::from("INSERT INTO ");
        self.identifiers.push_table(&mut sql, table)?;
        sql.push_str(" (");
        let names = columns.iter().map(|column| column.column.as_str());
        self.identifiers.push_list(&mut sql, names)?;
        sql.push_str(") SELECT ");
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                sql.push(',');
            }
            push_element(&mut sql, index, column);
        }
        sql.push_str(" FROM ");
        sql.push_str(rows);
        Ok(sql)
    }

    /// `COPY` of rows in binary form.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn copy(&self, table: &TableId, columns: &[Parameter]) -> Result<String> {
        let mut sql = String::from("COPY ");
        self.identifiers.push_table(&mut sql, table)?;
        sql.push_str(" (");
        let names = columns.iter().map(|column| column.column.as_str());
        self.identifiers.push_list(&mut sql, names)?;
        sql.push_str(") FROM STDIN BINARY");
        Ok(sql)
    }

    /// Statements that fail, as if the table were not there, unless these
    /// columns have the types of these numbers, and keep it so until the
    /// transaction ends.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn keep_types<'a>(
        &self,
        table: &TableId,
        columns: impl Iterator<Item = (&'a str, u32)>,
    ) -> Result<String> {
        let known = columns
            .map(|(column, oid)| Ok(format!("({}, {oid}::pg_catalog.oid)", self.text(column)?)));
        self.keep(
            table,
            "(attname, atttypid)",
            &known.collect::<Result<Vec<_>>>()?,
        )
    }

    /// The same for all columns of rows, which are where they are by number.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn keep_rows<'a>(
        &self,
        table: &TableId,
        columns: impl Iterator<Item = (i16, &'a str, u32)>,
    ) -> Result<String> {
        let known = columns.map(|(number, column, oid)| {
            let column = self.text(column)?;
            Ok(format!("({number}, {column}, {oid}::pg_catalog.oid)"))
        });
        let known = known.collect::<Result<Vec<_>>>()?;
        self.keep(table, "(attnum, attname, atttypid)", &known)
    }

    fn keep(&self, table: &TableId, what: &str, known: &[String]) -> Result<String> {
        let mut name = String::new();
        self.identifiers.push_table(&mut name, table)?;
        // The lock is the one that the insertion takes.
        Ok(format!(
            "LOCK TABLE ONLY {name} IN ROW EXCLUSIVE MODE; \
             SELECT CASE WHEN pg_catalog.count(*) <> {} THEN \
             ('\"columns with their types: ' || pg_catalog.count(*) || '\"')::pg_catalog.regclass END \
             FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass({}) \
             AND NOT attisdropped AND {what} IN ({})",
            known.len(),
            self.text(&name)?,
            known.join(", ")
        ))
    }

    /// `INSERT` of rows whose keys do not exist.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn insert_or_ignore(
        &self,
        table: &TableId,
        columns: &[Parameter],
    ) -> Result<String> {
        let mut sql = self.insert(table, columns)?;
        sql.push_str(" ON CONFLICT DO NOTHING");
        Ok(sql)
    }

    /// `INSERT`, or `UPDATE` where the key exists.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn upsert(
        &self,
        table: &TableId,
        columns: &[Parameter],
        key_count: usize,
    ) -> Result<String> {
        self.upsert_from(table, columns, key_count, &arrays(columns))
    }

    /// The same from one array of the table's rows, of which `places` has for
    /// each column its place among those that are written.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn upsert_of_rows(
        &self,
        table: &TableId,
        columns: &[Parameter],
        key_count: usize,
        places: &[Option<usize>],
    ) -> Result<String> {
        let mut rows = String::from("UNNEST($1::");
        self.identifiers.push_table(&mut rows, table)?;
        let names: Vec<_> = (1..)
            .zip(places)
            .map(|(number, place)| match place {
                Some(place) => format!("c{}", place + 1),
                None => format!("x{number}"),
            })
            .collect();
        rows.push_str(&format!("[]) AS d({})", names.join(",")));
        self.upsert_from(table, columns, key_count, &rows)
    }

    fn upsert_from(
        &self,
        table: &TableId,
        columns: &[Parameter],
        key_count: usize,
        rows: &str,
    ) -> Result<String> {
        let (keys, others) = columns.split_at(key_count);
        let mut sql = self.insert_from(table, columns, rows)?;
        sql.push_str(" ON CONFLICT (");
        let names = keys.iter().map(|key| key.column.as_str());
        self.identifiers.push_list(&mut sql, names)?;
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
            self.identifiers.push(&mut sql, &column.column)?;
            sql.push_str("=EXCLUDED.");
            self.identifiers.push(&mut sql, &column.column)?;
        }
        Ok(sql)
    }

    /// `UPDATE` of the rows whose key exists.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn update(
        &self,
        table: &TableId,
        columns: &[Parameter],
        key_count: usize,
    ) -> Result<String> {
        let (keys, others) = columns.split_at(key_count);
        let mut sql = String::from("UPDATE ");
        self.identifiers.push_table(&mut sql, table)?;
        sql.push_str(" AS t SET ");
        for (index, column) in others.iter().enumerate() {
            if index > 0 {
                sql.push(',');
            }
            self.identifiers.push(&mut sql, &column.column)?;
            sql.push('=');
            push_element(&mut sql, key_count + index, column);
        }
        sql.push_str(" FROM ");
        sql.push_str(&arrays(columns));
        self.push_key_condition(&mut sql, keys)?;
        Ok(sql)
    }

    /// `DELETE` of the rows with these keys.
    ///
    /// # Errors
    /// If a name cannot be used.
    pub(crate) fn delete(&self, table: &TableId, keys: &[Parameter]) -> Result<String> {
        let mut sql = String::from("DELETE FROM ");
        self.identifiers.push_table(&mut sql, table)?;
        sql.push_str(" AS t USING ");
        sql.push_str(&arrays(keys));
        self.push_key_condition(&mut sql, keys)?;
        Ok(sql)
    }

    /// `TRUNCATE` of all rows.
    ///
    /// # Errors
    /// If the name cannot be used.
    pub(crate) fn truncate(&self, table: &TableId) -> Result<String> {
        let mut sql = String::from("TRUNCATE TABLE ");
        self.identifiers.push_table(&mut sql, table)?;
        Ok(sql)
    }

    fn push_key_condition(&self, sql: &mut String, keys: &[Parameter]) -> Result<()> {
        for (index, key) in keys.iter().enumerate() {
            sql.push_str(if index == 0 { " WHERE t." } else { " AND t." });
            self.identifiers.push(sql, &key.column)?;
            sql.push('=');
            push_element(sql, index, key);
        }
        Ok(())
    }
}

/// `d.c1`, with a cast if the column needs one.
fn push_element(sql: &mut String, index: usize, column: &Parameter) {
    sql.push_str(&format!("d.c{}", index + 1));
    if let Some(cast) = &column.cast {
        sql.push_str("::");
        sql.push_str(cast);
    }
}

/// `UNNEST($1::int4[],$2::text[]) AS d(c1,c2)`
fn arrays(columns: &[Parameter]) -> String {
    let parameters: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("${}::{}[]", index + 1, column.element_type))
        .collect();
    let names: Vec<_> = (1..=columns.len())
        .map(|number| format!("c{number}"))
        .collect();
    format!("UNNEST({}) AS d({})", parameters.join(","), names.join(","))
}

/// The schema of an array's elements, if they have no parts.
pub(crate) fn elements(schema: &Schema) -> Option<&Schema> {
    let elements = schema
        .value_schema()
        .filter(|_| schema.kind() == Type::Array)?;
    elements.kind().is_primitive().then_some(elements)
}

/// Whether there is an array type for an array of any length. One of arrays is
/// none, as these would have to be of one length, which the reference leaves to
/// luck.
pub(crate) fn has_array_type(mapping: TypeMapping, schema: &Schema) -> bool {
    let Some(inner) = schema.value_schema() else {
        return false;
    };
    if inner.kind() == Type::Array {
        return mapping == TypeMapping::Debezium && has_array_type(mapping, inner);
    }
    let is_decimal = DebeziumType::of(mapping, inner) == Some(DebeziumType::VariableScaleDecimal);
    elements(schema).is_some() || is_decimal
}

/// The SQL type of values without parts.
fn scalar_type(schema: &Schema) -> Option<&'static str> {
    match Logical::of(schema) {
        Some(Logical::Decimal) => Some("DECIMAL"),
        Some(Logical::Date) => Some("DATE"),
        Some(Logical::Time) => Some("TIME"),
        Some(Logical::Timestamp) => Some("TIMESTAMP"),
        None => primitive_type(schema.kind()),
    }
}

/// The SQL type of a primitive Connect type.
fn primitive_type(kind: Type) -> Option<&'static str> {
    Some(match kind {
        Type::Int8 | Type::Int16 => "SMALLINT",
        Type::Int32 => "INT",
        Type::Int64 => "BIGINT",
        Type::Float32 => "REAL",
        Type::Float64 => "DOUBLE PRECISION",
        Type::Boolean => "BOOLEAN",
        Type::String => "TEXT",
        Type::Bytes => "BYTEA",
        Type::Array | Type::Map | Type::Struct => return None,
    })
}

impl Dialect for PostgresDialect {
    fn identifiers(&self) -> &Identifiers {
        &self.identifiers
    }

    fn sql_type(&self, field: &SinkField) -> Result<String> {
        if field.is_epoch {
            return Ok("TIMESTAMP".to_owned());
        }
        if field.is_json {
            return Ok("JSONB".to_owned());
        }
        if field.mapping != TypeMapping::Connect {
            let types = Types {
                mapping: field.mapping,
                postgis: &self.postgis,
            };
            return types.of(&field.schema).ok_or_else(|| no_mapping(field));
        }
        if let Some(name) = scalar_type(&field.schema) {
            return Ok(name.to_owned());
        }
        elements(&field.schema)
            .and_then(scalar_type)
            .map(|element| format!("{element}[]"))
            .ok_or_else(|| no_mapping(field))
    }

    fn takes_default(&self, field: &SinkField) -> bool {
        debezium::takes_default(field)
    }

    fn text(&self, text: &str) -> Result<String> {
        quoted_text(text).map_err(ConnectError::other)
    }

    fn offset_table(&self) -> OffsetTableSyntax {
        OffsetTableSyntax {
            name_type: "TEXT",
            instant_type: "TIMESTAMPTZ",
            options: "",
            alias: " AS o",
            existing: "o.",
            or_update: "ON CONFLICT (connector, topic, {partition}) DO UPDATE SET",
        }
    }

    fn immediate_constraints(&self) -> Option<&'static str> {
        Some("SET CONSTRAINTS ALL IMMEDIATE")
    }

    fn literal(&self, field: &SinkField, value: &Value) -> Result<String> {
        if let Some(literal) = debezium::literal(field, value) {
            return literal;
        }
        let epoch = match value {
            Value::Int64(number) if field.is_epoch => Some(Ok(self.clock.epoch_instant(*number))),
            Value::String(text) if field.is_epoch => Some(self.clock.epoch_text_instant(text)),
            _ => None,
        };
        if let Some(instant) = epoch {
            let text = instant.and_then(|instant| self.clock.timestamp_text(instant, 6));
            return text
                .map(|text| format!("'{text}'"))
                .map_err(|error| no_literal(field, error));
        }
        match value {
            value if field.is_json => {
                let text = json::text(value).map_err(|error| no_literal(field, error))?;
                quoted_text(&text).map_err(|error| no_literal(field, error))
            }
            Value::Array(elements) => {
                let elements: Result<Vec<_>> = elements
                    .iter()
                    .map(|element| self.scalar(field, element))
                    .collect();
                Ok(format!(
                    "ARRAY[{}]::{}",
                    elements?.join(","),
                    self.sql_type(field)?
                ))
            }
            scalar => self.scalar(field, scalar),
        }
    }
}

impl PostgresDialect {
    fn scalar(&self, field: &SinkField, value: &Value) -> Result<String> {
        let unfit = |error: &dyn std::fmt::Display| -> ConnectError { no_literal(field, error) };
        Ok(match value {
            Value::Null => "NULL".to_owned(),
            Value::Boolean(true) => "TRUE".to_owned(),
            Value::Boolean(false) => "FALSE".to_owned(),
            Value::Int8(number) => number.to_string(),
            Value::Int16(number) => number.to_string(),
            Value::Int32(number) => number.to_string(),
            Value::Int64(number) => number.to_string(),
            Value::Float32(number) if number.is_finite() => java_f32(*number).to_string(),
            Value::Float64(number) if number.is_finite() => java_f64(*number).to_string(),
            Value::Float32(number) => format!("'{}'", java_f32(*number)),
            Value::Float64(number) => format!("'{}'", java_f64(*number)),
            Value::Decimal(number) => number
                .to_plain_string(LONGEST_DECIMAL)
                .ok_or_else(|| unfit(&"it has too many digits"))?,
            Value::String(text) => quoted_text(text).map_err(|error| unfit(&error))?,
            Value::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("'\\x{digits}'::bytea")
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
}

/// A text as a literal that means the same whatever
/// `standard_conforming_strings` is.
fn quoted_text(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') {
        return Err("it contains a NUL character");
    }
    let doubled = text.replace('\'', "''");
    Ok(match doubled.contains('\\') {
        true => format!("E'{}'", doubled.replace('\\', "\\\\")),
        false => format!("'{doubled}'"),
    })
}
