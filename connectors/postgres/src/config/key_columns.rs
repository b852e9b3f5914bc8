//! `message.key.columns`: keys of records other than a table's own.

use tether_java_regex::Error;

use super::reader::split;
use super::regex_list::RegexList;
use crate::table::TableId;

/// Expressions of columns (`schema.table.column`), in the order in which the
/// columns make up a key.
#[derive(Debug, Clone, Default)]
pub struct KeyColumns(Vec<RegexList>);

impl KeyColumns {
    /// Reads `table:column,column;table:column`. The table and each column are
    /// regular expressions.
    ///
    /// # Errors
    /// An expression is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        split(text, ';')
            .into_iter()
            .filter_map(|item| item.split_once(':'))
            .flat_map(|(table, columns)| {
                split(columns, ',')
                    .into_iter()
                    .map(move |column| RegexList::parse(&format!("{table}.{column}")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The places of a table's key among these columns, the table's own in
    /// order; `None` if the table keeps its own key.
    pub fn of<'a>(
        &self,
        table: &TableId,
        columns: impl Iterator<Item = &'a str>,
    ) -> Option<Vec<usize>> {
        if self.0.is_empty() {
            return None;
        }
        let names: Vec<String> = columns.map(|column| format!("{table}.{column}")).collect();
        let mut key = Vec::new();
        for pattern in &self.0 {
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
