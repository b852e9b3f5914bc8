//! What is captured: tables, columns, logical messages.

use tether_java_regex::Error;

use super::fields;
use super::reader::Reader;
use super::regex_list::{NameFilter, RegexList};
use super::table_name;
use crate::table::TableId;

/// Schemas of the server's own.
const SYSTEM_SCHEMAS: [&str; 2] = ["pg_catalog", "information_schema"];

/// Tables that extensions put into schemas of users.
const SYSTEM_TABLES: [&str; 1] = ["spatial_ref_sys"];

/// What the schemas of temporary tables begin with.
const TEMPORARY_SCHEMA: &str = "pg_temp";

/// The filters of a configuration. Each is asked once per table, column or
/// prefix, not per change.
#[derive(Debug, Clone)]
pub struct Filters {
    ignore_builtin: bool,
    schemas: NameFilter,
    tables: NameFilter,
    columns: NameFilter,
    messages: NameFilter,
    signal_table: Option<TableId>,
    signal_pattern: Option<RegexList>,
    snapshot: Option<RegexList>,
    table_order: Option<RegexList>,
}

impl Filters {
    /// Reads the filters of a configuration.
    ///
    /// # Errors
    /// An expression is wrong.
    pub(super) fn read(reader: Reader<'_>) -> Result<Self, Error> {
        let filter = |include, exclude| NameFilter::new(reader.text(include), reader.text(exclude));
        let list = |field| reader.text(field).map(RegexList::parse).transpose();
        let signal_table = reader
            .list(&fields::SIGNAL_DATA_COLLECTION)
            .into_iter()
            .find_map(table_name::parse);
        // As in the reference, the name of the table is an expression.
        let signal_pattern = signal_table
            .as_ref()
            .map(|table| RegexList::parse(&table.to_string()))
            .transpose()?;
        Ok(Self {
            ignore_builtin: reader.boolean(&fields::TABLE_IGNORE_BUILTIN),
            schemas: filter(&fields::SCHEMA_INCLUDE_LIST, &fields::SCHEMA_EXCLUDE_LIST)?,
            tables: filter(&fields::TABLE_INCLUDE_LIST, &fields::TABLE_EXCLUDE_LIST)?,
            columns: filter(&fields::COLUMN_INCLUDE_LIST, &fields::COLUMN_EXCLUDE_LIST)?,
            messages: filter(
                &fields::MESSAGE_PREFIX_INCLUDE_LIST,
                &fields::MESSAGE_PREFIX_EXCLUDE_LIST,
            )?,
            signal_table,
            signal_pattern,
            snapshot: list(&fields::SNAPSHOT_INCLUDE_COLLECTION_LIST)?,
            table_order: list(&fields::TABLE_INCLUDE_LIST)?,
        })
    }

    /// Whether the changes of a table are captured. Those of the signal table
    /// always are.
    pub fn captures(&self, table: &TableId) -> bool {
        let name = table.to_string();
        let wanted = self.schemas.includes(&table.schema) && self.tables.includes(&name);
        wanted && !(self.ignore_builtin && is_builtin(table))
            || self
                .signal_pattern
                .as_ref()
                .is_some_and(|pattern| pattern.matches(&name))
    }

    /// Whether a column of a captured table is captured.
    pub fn captures_column(&self, table: &TableId, column: &str) -> bool {
        match &self.columns {
            NameFilter::All => true,
            columns => columns.includes(&format!("{table}.{column}")),
        }
    }

    /// Whether there is a filter of columns.
    pub fn has_column_filter(&self) -> bool {
        !matches!(self.columns, NameFilter::All)
    }

    /// Whether a logical message of this prefix is captured.
    pub fn captures_message(&self, prefix: &str) -> bool {
        self.messages.includes(prefix)
    }

    /// Whether the rows of a captured table are part of the first snapshot.
    pub fn in_snapshot(&self, table: &TableId) -> bool {
        self.snapshot
            .as_ref()
            .is_none_or(|list| list.is_empty() || list.matches(&table.to_string()))
    }

    /// The entry of `table.include.list` that a table is captured by; a
    /// snapshot reads tables in the order of their entries. `None` without a
    /// list.
    pub fn position(&self, table: &TableId) -> Option<usize> {
        self.table_order.as_ref()?.position(&table.to_string())
    }

    /// Whether the rows of a table are signals.
    pub fn is_signal_table(&self, table: &TableId) -> bool {
        self.signal_table.as_ref() == Some(table)
    }

    /// The table whose rows are signals.
    pub fn signal_table(&self) -> Option<&TableId> {
        self.signal_table.as_ref()
    }
}

/// Whether a table is the server's own or temporary.
fn is_builtin(table: &TableId) -> bool {
    SYSTEM_SCHEMAS.contains(&table.schema.to_lowercase().as_str())
        || SYSTEM_TABLES.contains(&table.table.to_lowercase().as_str())
        || table.schema.starts_with(TEMPORARY_SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(entries: &[(&str, &str)]) -> Filters {
        let config = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Filters::read(Reader(&config)).unwrap()
    }

    fn captured(filters: &Filters, tables: &[(&str, &str)]) -> Vec<bool> {
        tables
            .iter()
            .map(|(schema, table)| filters.captures(&TableId::new(*schema, *table)))
            .collect()
    }

    #[test]
    fn the_servers_own_tables_are_left_out() {
        let tables = [
            ("public", "a"),
            ("pg_catalog", "pg_class"),
            ("public", "Spatial_Ref_Sys"),
            ("pg_temp_3", "a"),
        ];
        let default = filters(&[]);
        assert_eq!(captured(&default, &tables), [true, false, false, false]);
        let all = filters(&[("table.ignore.builtin", "false")]);
        assert_eq!(captured(&all, &tables), [true; 4]);
    }

    #[test]
    fn schemas_and_tables_both_have_to_match() {
        let both = filters(&[
            ("schema.include.list", "inv"),
            ("table.exclude.list", "inv.b"),
            ("signal.data.collection", "ops.signal"),
        ]);
        let tables = [
            ("inv", "a"),
            ("inv", "b"),
            ("public", "a"),
            ("ops", "signal"),
        ];
        assert_eq!(captured(&both, &tables), [true, false, false, true]);
    }

    #[test]
    fn columns_are_named_in_full() {
        let filters = filters(&[("column.exclude.list", r"inv\.a\.secret,.*\.c")]);
        let table = TableId::new("inv", "a");
        assert!(filters.captures_column(&table, "id"));
        assert!(!filters.captures_column(&table, "SECRET"));
        assert!(!filters.captures_column(&table, "c"));
    }

    #[test]
    fn a_snapshot_may_be_of_fewer_tables() {
        let filters = filters(&[
            ("snapshot.include.collection.list", "inv.a"),
            ("table.include.list", "inv.b,inv.a"),
        ]);
        let (a, b) = (TableId::new("inv", "a"), TableId::new("inv", "b"));
        assert!(filters.in_snapshot(&a) && !filters.in_snapshot(&b));
        assert_eq!(filters.position(&a), Some(1));
    }
}
