//! Reads what a table is now.

use tokio_postgres::Row;

use crate::replication::{Failure, Session};
use crate::table::{Column, ReplicaIdentity, Table, TableId};

/// The columns of a table in the order of their numbers. A domain that refuses
/// NULL does so for its columns.
const COLUMNS: &str = "\
SELECT c.oid, c.relreplident::text, a.attname::text, a.atttypid, a.atttypmod, \
       NOT (a.attnotnull OR t.typtype = 'd' AND t.typnotnull), \
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), {generated} \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') \
ORDER BY a.attnum";

/// The columns of the primary key or else of the first unique index, in the
/// order of the index. Unique indexes of expressions do not count. The reference
/// takes them as its driver lists them: clustered ones first, then by name.
const KEY: &str = "\
SELECT a.attname::text \
FROM (SELECT i.indrelid, i.indkey \
      FROM pg_catalog.pg_index i \
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
      WHERE i.indrelid = $1 AND i.indisunique AND (i.indisprimary OR 0 <> ALL (i.indkey::int2[])) \
      ORDER BY i.indisprimary DESC, i.indisclustered DESC, x.relname \
      LIMIT 1) i \
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
ORDER BY k.place";

/// The first version of the server with columns that are computed.
const GENERATED_COLUMNS: u32 = 120_000;

/// Reads a table. `None` if there is none of this name.
///
/// # Errors
/// If a query fails.
pub async fn find(session: &Session, id: &TableId) -> Result<Option<Table>, Failure> {
    let generated = match session.version() >= GENERATED_COLUMNS {
        true => "a.attgenerated <> ''",
        false => "false",
    };
    let columns = COLUMNS.replace("{generated}", generated);
    let client = session.client();
    let (schema, name) = (&*id.schema, &*id.table);
    let rows = session
        .run(client.query(&columns, &[&schema, &name]))
        .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let read = |error| unreadable(id, &error);
    let oid: u32 = first.try_get(0).map_err(read)?;
    let identity: String = first.try_get(1).map_err(read)?;
    let columns: Result<Vec<Column>, _> = rows.iter().map(column).collect();
    let columns = columns.map_err(read)?;
    let mut key = Vec::new();
    for row in session.run(client.query(KEY, &[&oid])).await? {
        let name: String = row.try_get(0).map_err(read)?;
        key.extend(columns.iter().position(|column| *column.name == name));
    }
    Ok(Some(Table {
        id: id.clone(),
        oid,
        columns,
        key,
        replica_identity: ReplicaIdentity::from_letter(identity.bytes().next().unwrap_or_default()),
    }))
}

fn column(row: &Row) -> Result<Column, tokio_postgres::Error> {
    let name: String = row.try_get(2)?;
    let default: Option<String> = row.try_get(6)?;
    Ok(Column {
        name: name.into(),
        type_oid: row.try_get(3)?,
        modifier: row.try_get(4)?,
        nullable: row.try_get(5)?,
        generated: row.try_get(7)?,
        default: default.map(Into::into),
    })
}

fn unreadable(id: &TableId, error: &tokio_postgres::Error) -> Failure {
    Failure::from(error).during(format!("reading the columns of the table {id}"))
}

/// All tables of the database by name, the server's own too. Views and foreign
/// tables are none; neither are the partitions of an index.
const ALL: &str = "\
SELECT n.nspname::text, c.relname::text \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relkind IN ('r', 'p') \
ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"";

/// The names of all tables of the database, in order.
///
/// # Errors
/// If the query fails.
pub async fn names(session: &Session) -> Result<Vec<TableId>, Failure> {
    let rows = session.run(session.client().query(ALL, &[])).await?;
    rows.iter()
        .map(|row| {
            let (schema, table): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            Ok(TableId::new(schema, table))
        })
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(|error| Failure::from(&error).during("reading the names of tables"))
}
