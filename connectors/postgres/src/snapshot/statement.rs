//! What reads a table.

use super::range::{Range, RangeOrder};
use crate::replication::{Failure, Session};
use crate::table::quote;
use crate::values::TableSchema;

/// A statement that copies rows of a table.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// The columns of the rows, in their order: indices into the table's.
    pub(super) columns: Vec<usize>,
}

/// The statement that copies the columns of a range of rows which are captured,
/// in their order. If none is, it copies all: the key is made of them, while
/// rows stay empty. Rows come in the order of the key that the range goes by.
pub(super) fn of_range(schema: &TableSchema, order: &RangeOrder, range: &Range) -> Statement {
    let table = schema.table();
    let columns = match schema.captured_columns() {
        [] => (0..table.columns.len()).collect(),
        _ => schema.read_columns(),
    };
    let mut from = table.id.quoted();
    if let Some(condition) = order.condition(range) {
        from = format!("{from} WHERE {condition}");
    }
    if let Some(key) = order.columns() {
        from = format!("{from} ORDER BY {key}");
    }
    copy(schema, columns, &from)
}

/// The same, of the rows that a statement of the configuration selects
/// (`snapshot.select.statement.overrides`) or a signal: those columns of the
/// table that it has, also such that are not captured, as the key may need
/// them.
///
/// # Errors
/// If the server does not take the statement.
pub(super) async fn of_override(
    session: &Session,
    schema: &TableSchema,
    select: &str,
) -> Result<Statement, Failure> {
    let id = &schema.table().id;
    let select = select.trim().trim_end_matches(';');
    let prepared = session.run(session.client().prepare(select)).await;
    let doing = || format!("preparing the statement that selects the rows of {id}");
    let prepared = prepared.map_err(|failure| failure.during(doing()))?;
    let found: Vec<&str> = prepared
        .columns()
        .iter()
        .map(|column| column.name())
        .collect();
    Ok(of_select(schema, select, &found))
}

fn of_select(schema: &TableSchema, select: &str, found: &[&str]) -> Statement {
    let columns = schema.table().columns.iter().enumerate();
    let columns = columns
        .filter(|(_, column)| found.contains(&&*column.name))
        .map(|(index, _)| index)
        .collect();
    // The statement may end with a comment.
    copy(schema, columns, &format!("({select}\n) AS selected"))
}

fn copy(schema: &TableSchema, columns: Vec<usize>, from: &str) -> Statement {
    let names = columns
        .iter()
        .map(|index| quote(&schema.table().columns[*index].name));
    let names: Vec<String> = names.collect();
    Statement {
        sql: format!("COPY (SELECT {} FROM {from}) TO STDOUT", names.join(", ")),
        columns,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::range::Bound;
    use super::*;
    use crate::replication::settings;
    use crate::table::{Column, NO_MODIFIER, ReplicaIdentity, Table, TableId};
    use crate::types::{Described, PgType, TypeKind, TypeRegistry};

    fn schema(entries: &[(&str, &str)]) -> tether_api::Result<TableSchema> {
        let columns = ["id", "Odd \"name\"", "secret"].map(|name| Column {
            name: name.into(),
            type_oid: 25,
            modifier: NO_MODIFIER,
            dimensions: 0,
            nullable: true,
            generated: false,
            default: None,
        });
        let table = Table {
            id: TableId::new("inv", "t"),
            oid: 1,
            columns: columns.into(),
            key: vec![0],
            replica_identity: ReplicaIdentity::Default,
        };
        let text = PgType {
            oid: 25,
            name: "text".into(),
            schema: "pg_catalog".into(),
            visible: true,
            kind: TypeKind::Base,
            delimiter: b',',
        };
        let types = TypeRegistry::new([text]);
        TableSchema::new(
            Arc::new(table),
            Described::ByCatalog,
            &types,
            &settings(entries),
        )
    }

    #[test]
    fn only_captured_columns_are_read() -> tether_api::Result<()> {
        let of_table =
            |schema: &TableSchema| of_range(schema, &RangeOrder::None, &Range::default());
        let all = of_table(&schema(&[])?);
        assert_eq!(
            all.sql,
            r#"COPY (SELECT "id", "Odd ""name""", "secret" FROM "inv"."t") TO STDOUT"#
        );
        let some = schema(&[("column.exclude.list", r"inv\.t\.(id|secret)")])?;
        let some = of_table(&some);
        assert_eq!(
            some.sql,
            r#"COPY (SELECT "Odd ""name""" FROM "inv"."t") TO STDOUT"#
        );
        assert_eq!(some.columns, [1]);
        let none = of_table(&schema(&[("column.include.list", "inv.other.id")])?);
        assert_eq!(none.sql, all.sql);
        Ok(())
    }

    #[test]
    fn ranges_come_in_order() -> tether_api::Result<()> {
        let order = RangeOrder::Key(vec!["id".to_owned()]);
        let range = Range {
            after: Some(Bound::Key(vec!["a".to_owned()])),
            up_to: None,
        };
        let statement = of_range(&schema(&[])?, &order, &range);
        assert_eq!(
            statement.sql,
            r#"COPY (SELECT "id", "Odd ""name""", "secret" FROM "inv"."t" WHERE "id" > 'a' ORDER BY "id") TO STDOUT"#
        );
        Ok(())
    }

    #[test]
    fn a_statement_may_have_other_columns() -> tether_api::Result<()> {
        let select = "SELECT secret, id, 1 AS more FROM inv.t -- all";
        let schema = schema(&[("column.exclude.list", r"inv\.t\.id")])?;
        let statement = of_select(&schema, select, &["secret", "id", "more"]);
        assert_eq!(
            statement.sql,
            "COPY (SELECT \"id\", \"secret\" FROM \
             (SELECT secret, id, 1 AS more FROM inv.t -- all\n) AS selected) TO STDOUT"
        );
        assert_eq!(statement.columns, [0, 2]);
        Ok(())
    }
}
