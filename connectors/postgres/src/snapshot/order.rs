//! In what order tables are read.

use std::collections::HashMap;

use crate::config::{Filters, RowCountOrder};
use crate::table::Table;

/// Sorts tables by the entries of `table.include.list` that capture them, and
/// by name where that leaves it open; tables that no entry captures, such as
/// that of signals, come last. With `snapshot.tables.order.by.row.count` the
/// estimated numbers of rows, by the tables' numbers, come before all that.
pub(super) fn sort(
    tables: &mut [Table],
    filters: &Filters,
    by_rows: RowCountOrder,
    estimates: &HashMap<u32, u64>,
) {
    let place = |table: &Table| filters.position(&table.id).unwrap_or(usize::MAX);
    tables.sort_by_cached_key(|table| (place(table), table.id.to_string()));
    let rows = |table: &Table| estimates.get(&table.oid).copied().unwrap_or(0);
    match by_rows {
        RowCountOrder::Disabled => {}
        RowCountOrder::Ascending => tables.sort_by_key(rows),
        RowCountOrder::Descending => tables.sort_by_key(|table| std::cmp::Reverse(rows(table))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::settings;
    use crate::table::{ReplicaIdentity, TableId};

    fn sorted(entries: &[(&str, &str)], by_rows: RowCountOrder) -> Vec<String> {
        let table = |(oid, name): (u32, &str)| Table {
            id: TableId::new("inv", name),
            oid,
            columns: Vec::new(),
            key: Vec::new(),
            replica_identity: ReplicaIdentity::Default,
        };
        let mut tables: Vec<Table> = [(1, "b"), (2, "a"), (3, "Z"), (4, "signal")]
            .map(table)
            .into();
        let estimates = HashMap::from([(1, 5), (2, 7)]);
        sort(&mut tables, &settings(entries).filters, by_rows, &estimates);
        let names = tables.into_iter().map(|table| table.id.table.to_string());
        names.collect()
    }

    #[test]
    fn the_list_comes_before_names() {
        let disabled = RowCountOrder::Disabled;
        assert_eq!(sorted(&[], disabled), ["Z", "a", "b", "signal"]);
        let list = [("table.include.list", r"inv\.b,inv\.[az]")];
        assert_eq!(sorted(&list, disabled), ["b", "Z", "a", "signal"]);
    }

    #[test]
    fn numbers_of_rows_come_before_the_list() {
        assert_eq!(
            sorted(&[], RowCountOrder::Ascending),
            ["Z", "signal", "b", "a"]
        );
        assert_eq!(
            sorted(&[], RowCountOrder::Descending),
            ["a", "b", "Z", "signal"]
        );
    }
}
