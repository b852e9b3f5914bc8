//! `message.key.columns`: keys of records other than a table's own.

use tether_java_regex::Error;

use super::reader::split;
use super::regex_list::RegexList;
use crate::table::TableId;

/// Expressions of columns (`schema.table.column`), in the order in which the
/// columns make up a key.
#[derive(Debug, Clone, Default)]
pub struct KeyColumns {
    columns: Vec<RegexList>,
    tables: Vec<RegexList>,
}

impl KeyColumns {
    /// Reads `table:column,column;table:column`. The table and each column are
    /// regular expressions.
    ///
    /// # Errors
    /// An expression is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut keys = Self::default();
        let items = split(text, ';').into_iter();
        for (table, columns) in items.filter_map(|item| item.split_once(':')) {
            keys.tables.push(RegexList::parse(table)?);
            for column in split(columns, ',') {
                let column = RegexList::parse(&format!("{table}.{column}"))?;
                keys.columns.push(column);
            }
        }
        Ok(keys)
    }

    /// Whether a table is meant, whatever columns it has.
    pub fn may_name(&self, table: &TableId) -> bool {
        let name = table.to_string();
        self.tables.iter().any(|tables| tables.matches(&name))
    }

    /// The places of a table's key among these columns, the table's own in
    /// order; `None` if the table keeps its own key.
    pub fn of<'a>(
        &self,
        table: &TableId,
        columns: impl Iterator<Item = &'a str>,
    ) -> Option<Vec<usize>> {
        if self.columns.is_empty() {
            return None;
        }
        let names: Vec<String> = columns.map(|column| format!("{table}.{column}")).collect();
        let mut key = Vec::new();
        for pattern in &self.columns {
            for (place, name) in names.iter().enumerate() {
                if pattern.matches(name) && !key.contains(&place) {
                    key.push(place);
                }
            }
        }
        (!key.is_empty()).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_the_order_of_the_configuration() {
        let keys = KeyColumns::parse("inv.customers:b , a;(.*).orders:id").unwrap();
        let of = |schema: &str, table: &str| {
            keys.of(&TableId::new(schema, table), ["id", "a", "b"].into_iter())
        };
        assert_eq!(of("inv", "customers"), Some(vec![2, 1]));
        assert_eq!(of("sales", "ORDERS"), Some(vec![0]));
        assert_eq!(of("inv", "other"), None);
    }
}
