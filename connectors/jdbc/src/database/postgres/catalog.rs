//! What PostgreSQL's catalogs say of tables and columns.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::session::sql_error;
use crate::config::TableType;
use crate::error::SqlError;
use crate::schemaless::column_kind::{ColumnKind, TypedColumn};
use crate::table::{Column, TableDefinition, TableId};

/// One row per column, and one without column for a table that has none. The
/// names are parameters, so that `_` and `%` in them mean themselves. Whether a
/// collation is deterministic is asked through JSON, as servers before version
/// 12 do not have that attribute.
const DESCRIBE: &str = "\
SELECT c.relkind::text, a.attname::text, a.atttypid, pg_catalog.format_type(a.atttypid, -1), \
       CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, \
       CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END, \
       COALESCE(b.typtype = 'e', false), \
       COALESCE((pg_catalog.to_jsonb(l) ->> 'collisdeterministic')::bool, true) \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
LEFT JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END \
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'f', 'v') \
  AND CASE WHEN $1 IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $1 END \
ORDER BY a.attnum";

/// Types whose values the connector knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BaseType {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Bool,
    Text,
    Varchar,
    Bpchar,
    Bytea,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Uuid,
    Enum,
    /// `json` or `jsonb`.
    Json,
    Other,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PostgresType {
    /// The type's OID.
    pub(super) oid: u32,
    /// Its name within SQL, without length or precision.
    pub(super) sql_name: String,
    /// What it is, or what a domain is over.
    pub(super) base: BaseType,
    /// Length or precision; -1 without.
    pub(super) modifier: i32,
    /// Whether texts with different bytes are different.
    pub(super) has_exact_equality: bool,
}

impl PostgresType {
    pub(super) fn is_timestamptz(&self) -> bool {
        self.base == BaseType::Timestamptz
    }

    pub(super) fn is_uuid(&self) -> bool {
        self.base == BaseType::Uuid
    }

    /// Whether it is the type of this name, in whatever schema.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let own = self.sql_name.rsplit('.').next().unwrap_or_default();
        own.trim_matches('"') == name
    }

    /// The digits after the decimal point that a `numeric` keeps; `None` if all.
    pub(super) fn numeric_scale(&self) -> Option<i32> {
        // The modifier is precision and scale after a header of four bytes; the
        // scale has eleven bits and may be negative.
        (self.modifier >= 4).then(|| (((self.modifier - 4) & 0x7FF) ^ 1024) - 1024)
    }

    /// Whether a time or timestamp keeps so many digits of a second's fraction.
    pub(super) fn keeps_digits(&self, digits: i32) -> bool {
        self.modifier < 0 || self.modifier >= digits
    }
}

impl TypedColumn for PostgresType {
    fn kind(&self) -> ColumnKind {
        match self.base {
            BaseType::Int2 | BaseType::Int4 | BaseType::Int8 => ColumnKind::Integer,
            BaseType::Float4 | BaseType::Float8 => ColumnKind::Float,
            BaseType::Numeric => ColumnKind::Decimal,
            BaseType::Bool => ColumnKind::Boolean,
            BaseType::Bytea => ColumnKind::Bytes,
            BaseType::Date => ColumnKind::Date,
            BaseType::Time => ColumnKind::Time,
            BaseType::Timestamp => ColumnKind::WallClock,
            BaseType::Timestamptz => ColumnKind::InstantText,
            BaseType::Json => ColumnKind::Json,
            _ if self.sql_name.ends_with("[]") => ColumnKind::Array,
            _ => ColumnKind::Text,
        }
    }
}

/// What the catalogs say of a table.
pub(super) async fn describe(
    client: &Client,
    table: &TableId,
) -> Result<Option<TableDefinition<PostgresType>>, SqlError> {
    let rows = client
        .query_typed(
            DESCRIBE,
            &[(&table.schema, Type::TEXT), (&table.name, Type::TEXT)],
        )
        .await
        .map_err(|error| sql_error(&error))?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let kind: String = first.try_get(0).map_err(|error| sql_error(&error))?;
    let columns: Result<Vec<_>, _> = rows
        .iter()
        .filter_map(|row| column(row).transpose())
        .collect();
    Ok(Some(TableDefinition {
        table_type: match kind.as_str() {
            "v" => TableType::View,
            "p" => TableType::PartitionedTable,
            _ => TableType::Table,
        },
        columns: columns.map_err(|error| sql_error(&error))?,
    }))
}

fn column(row: &Row) -> Result<Option<Column<PostgresType>>, tokio_postgres::Error> {
    let Some(name) = row.try_get(1)? else {
        return Ok(None);
    };
    let base: u32 = row.try_get(4)?;
    let is_enum: bool = row.try_get(6)?;
    Ok(Some(Column {
        name,
        column_type: PostgresType {
            oid: row.try_get(2)?,
            sql_name: row.try_get(3)?,
            base: if is_enum {
                BaseType::Enum
            } else {
                base_type(base)
            },
            modifier: row.try_get(5)?,
            has_exact_equality: row.try_get(7)?,
        },
    }))
}

fn base_type(oid: u32) -> BaseType {
    match Type::from_oid(oid) {
        Some(Type::INT2) => BaseType::Int2,
        Some(Type::INT4) => BaseType::Int4,
        Some(Type::INT8) => BaseType::Int8,
        Some(Type::FLOAT4) => BaseType::Float4,
        Some(Type::FLOAT8) => BaseType::Float8,
        Some(Type::NUMERIC) => BaseType::Numeric,
        Some(Type::BOOL) => BaseType::Bool,
        Some(Type::TEXT) => BaseType::Text,
        Some(Type::VARCHAR) => BaseType::Varchar,
        Some(Type::BPCHAR) => BaseType::Bpchar,
        Some(Type::BYTEA) => BaseType::Bytea,
        Some(Type::DATE) => BaseType::Date,
        Some(Type::TIME) => BaseType::Time,
        Some(Type::TIMESTAMP) => BaseType::Timestamp,
        Some(Type::TIMESTAMPTZ) => BaseType::Timestamptz,
        Some(Type::UUID) => BaseType::Uuid,
        Some(Type::JSON | Type::JSONB) => BaseType::Json,
        _ => BaseType::Other,
    }
}
