//! What the database says of a table.

use tether_api::{ConnectError, Result};

use super::TableId;
use crate::config::TableType;

/// A column; `T` is what the dialect knows of its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column<T> {
    /// The name as the database has it.
    pub(crate) name: String,
    /// Its type.
    pub(crate) column_type: T,
}

/// A table and its columns, as they were when the database was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableDefinition<T> {
    /// What kind of relation it is.
    pub(crate) table_type: TableType,
    /// The columns in order.
    pub(crate) columns: Vec<Column<T>>,
}

impl<T> TableDefinition<T> {
    /// Whether a field has a column, whatever the case of its name.
    pub(crate) fn has_column(&self, field: &str) -> bool {
        self.columns.iter().any(|column| same(&column.name, field))
    }

    /// The column of a field: that of the same name, else the only one whose
    /// name differs in case alone. The reference finds such a column too but
    /// then writes the field's spelling, which fails.
    ///
    /// # Errors
    /// If there is none, or several differ in case alone.
    pub(crate) fn column(&self, table: &TableId, field: &str) -> Result<&Column<T>> {
        if let Some(column) = self.columns.iter().find(|column| column.name == field) {
            return Ok(column);
        }
        let mut alike = self
            .columns
            .iter()
            .filter(|column| same(&column.name, field));
        match (alike.next(), alike.next()) {
            (Some(column), None) => Ok(column),
            (Some(first), Some(second)) => Err(ConnectError::other(format!(
                "Field {field} could be column {} or {} of table {table}; rename the field with \
                 the transformation ReplaceField",
                first.name, second.name
            ))),
            (None, _) => Err(ConnectError::other(format!(
                "Table {table} has no column for field {field}"
            ))),
        }
    }
}

fn same(column: &str, field: &str) -> bool {
    column == field || column.to_lowercase() == field.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_name_wins_over_another_case() -> Result<()> {
        let column = |name: &str| Column {
            name: name.to_owned(),
            column_type: (),
        };
        let table = TableId::named("t");
        let definition = TableDefinition {
            table_type: TableType::Table,
            columns: ["id", "userid", "A", "a", "Straße"].map(column).into(),
        };
        assert_eq!(definition.column(&table, "a")?.name, "a");
        assert_eq!(definition.column(&table, "userId")?.name, "userid");
        assert_eq!(definition.column(&table, "STRAßE")?.name, "Straße");
        assert!(definition.column(&table, "x").is_err());
        let ambiguous = TableDefinition {
            table_type: TableType::Table,
            columns: ["ID", "Id"].map(column).into(),
        };
        let error = ambiguous.column(&table, "id").unwrap_err().to_string();
        assert!(error.contains("could be column ID or Id"), "{error}");
        assert!(ambiguous.has_column("id"));
        Ok(())
    }
}
