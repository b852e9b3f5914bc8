//! What reads a table.

use crate::replication::{Failure, Session};
use crate::table::quote;
use crate::values::TableSchema;

/// The statement that copies the columns of a table which are captured, in
/// their order.
pub(super) fn of_table(schema: &TableSchema) -> String {
    let table = schema.table();
    let columns: Vec<String> = schema
        .read_columns()
        .iter()
        .map(|index| quote(&table.columns[*index].name))
        .collect();
    copy(&columns, &table.id.quoted())
}

/// The same, of the rows that a statement of the configuration selects
/// (`snapshot.select.statement.overrides`), or one of a signal. Columns that it does not have are
/// NULL.
///
/// # Errors
/// If the server does not take the statement.
pub(super) async fn of_override(
    session: &Session,
    schema: &TableSchema,
    select: &str,
) -> Result<String, Failure> {
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

fn of_select(schema: &TableSchema, select: &str, found: &[&str]) -> String {
    let table = schema.table();
    let columns: Vec<String> = schema
        .read_columns()
        .iter()
        .map(|index| &*table.columns[*index].name)
        .map(|name| match found.contains(&name) {
            true => quote(name),
            false => "NULL".to_owned(),
        })
        .collect();
    // The statement may end with a comment.
    copy(&columns, &format!("({select}\n) AS selected"))
}

fn copy(columns: &[String], from: &str) -> String {
    format!("COPY (SELECT {} FROM {from}) TO STDOUT", columns.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::replication::settings;
    use crate::table::{Column, NO_MODIFIER, ReplicaIdentity, Table, TableId};
    use crate::types::{Described, PgType, TypeKind, TypeRegistry};

    fn schema(entries: &[(&str, &str)]) -> tether_api::Result<TableSchema> {
        let columns = ["id", "Odd \"name\"", "secret"].map(|name| Column {
            name: name.into(),
            type_oid: 25,
            modifier: NO_MODIFIER,
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
        let all = schema(&[])?;
        assert_eq!(
            of_table(&all),
            r#"COPY (SELECT "id", "Odd ""name""", "secret" FROM "inv"."t") TO STDOUT"#
        );
        let some = schema(&[("column.exclude.list", r"inv\.t\.secret")])?;
        assert_eq!(
            of_table(&some),
            r#"COPY (SELECT "id", "Odd ""name""" FROM "inv"."t") TO STDOUT"#
        );
        Ok(())
    }

    #[test]
    fn a_statement_may_have_fewer_columns() -> tether_api::Result<()> {
        let select = "SELECT secret, id, 1 AS more FROM inv.t -- all";
        assert_eq!(
            of_select(&schema(&[])?, select, &["secret", "id", "more"]),
            "COPY (SELECT \"id\", NULL, \"secret\" FROM \
             (SELECT secret, id, 1 AS more FROM inv.t -- all\n) AS selected) TO STDOUT"
        );
        Ok(())
    }
}
