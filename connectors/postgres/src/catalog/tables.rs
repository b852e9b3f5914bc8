//! Reads what tables are now.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{Error, Row};

use crate::replication::{Failure, Session};
use crate::table::{Column, ReplicaIdentity, Table, TableId};

/// How long, and how often, is waited for a transaction to become visible.
const VISIBLE_PATIENCE: Duration = Duration::from_secs(10);
const VISIBLE_PAUSE: Duration = Duration::from_millis(5);

/// The columns of tables in the order of their numbers. A domain that refuses
/// NULL does so for its columns.
const COLUMNS: &str = "\
SELECT c.oid, c.relreplident::text, a.attname::text, a.atttypid, a.atttypmod, \
       NOT (a.attnotnull OR t.typtype = 'd' AND t.typnotnull), \
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), {generated}, \
       GREATEST(a.attndims, t.typndims)::int4 \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
WHERE c.oid = ANY ($1) \
ORDER BY c.oid, a.attnum";

/// The columns of the primary key or else of the first unique index, in the
/// order of the index. Unique indexes of expressions do not count. The reference
/// takes them as its driver lists them: clustered ones first, then by name.
const KEYS: &str = "\
SELECT i.indrelid, a.attname::text \
FROM (SELECT DISTINCT ON (i.indrelid) i.indrelid, i.indkey \
      FROM pg_catalog.pg_index i \
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
      WHERE i.indrelid = ANY ($1) AND i.indisunique \
        AND (i.indisprimary OR 0 <> ALL (i.indkey::int2[])) \
      ORDER BY i.indrelid, i.indisprimary DESC, i.indisclustered DESC, x.relname) i \
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
ORDER BY i.indrelid, k.place";

/// The number of a table by its name.
const BY_NAME: &str = "\
SELECT c.oid \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

/// How many rows the server thinks its tables have.
const ESTIMATES: &str = "\
SELECT c.oid, c.reltuples::int8 FROM pg_catalog.pg_class c \
WHERE c.relkind IN ('r', 'p') AND c.reltuples > 0";

/// The first version of the server with columns that are computed.
const GENERATED_COLUMNS: u32 = 120_000;

/// Waits until others see what a transaction did. The stream has its changes as
/// soon as its commit is in the log, which is a moment before that: a table that
/// it altered would be read as it was before. One that stays invisible, as it
/// waits for a standby, is not waited for beyond ten seconds.
///
/// # Errors
/// If a query fails.
pub async fn wait_until_visible(session: &Session, xid: u32) -> Result<(), Failure> {
    // A transaction holds the lock on its own number until it has ended.
    let is_held = format!(
        "SELECT 1 FROM pg_catalog.pg_locks \
         WHERE locktype = 'transactionid' AND transactionid = '{xid}'::xid"
    );
    let deadline = Instant::now() + VISIBLE_PATIENCE;
    while session.query_value(&is_held).await?.is_some() && Instant::now() < deadline {
        sleep(VISIBLE_PAUSE).await;
    }
    Ok(())
}

/// Reads a table. `None` if there is none of this name.
///
/// # Errors
/// If a query fails.
pub async fn find(session: &Session, id: &TableId) -> Result<Option<Table>, Failure> {
    let client = session.client();
    let (schema, name) = (&*id.schema, &*id.table);
    let rows = session
        .run(client.query(BY_NAME, &[&schema, &name]))
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let oid = row.try_get(0).map_err(|error| unreadable(&error))?;
    let tables = read(session, vec![(oid, id.clone())]).await?;
    Ok(tables.into_iter().next())
}

/// Reads the tables that are wanted, in the order of their names.
///
/// # Errors
/// If a query fails.
pub async fn load(
    session: &Session,
    wanted: impl Fn(&TableId) -> bool,
) -> Result<Vec<Table>, Failure> {
    let mut named = all(session).await?;
    named.retain(|(_, id)| wanted(id));
    read(session, named).await
}

/// How many rows tables have, by their numbers, where the server has an idea.
///
/// # Errors
/// If the query fails.
pub async fn row_estimates(session: &Session) -> Result<HashMap<u32, u64>, Failure> {
    let rows = session.run(session.client().query(ESTIMATES, &[])).await?;
    rows.iter()
        .map(|row| {
            let (oid, rows): (u32, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok((oid, u64::try_from(rows).unwrap_or(0)))
        })
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&error))
}

/// Reads tables. One that is gone, or has no columns, is left out.
async fn read(session: &Session, named: Vec<(u32, TableId)>) -> Result<Vec<Table>, Failure> {
    let generated = match session.version() >= GENERATED_COLUMNS {
        true => "a.attgenerated <> ''",
        false => "false",
    };
    let columns = COLUMNS.replace("{generated}", generated);
    let client = session.client();
    let oids: Vec<u32> = named.iter().map(|(oid, _)| *oid).collect();
    let mut tables: HashMap<u32, Table> = HashMap::with_capacity(named.len());
    for row in session.run(client.query(&columns, &[&oids])).await? {
        add_column(&mut tables, &row).map_err(|error| unreadable(&error))?;
    }
    for row in session.run(client.query(KEYS, &[&oids])).await? {
        add_key(&mut tables, &row).map_err(|error| unreadable(&error))?;
    }
    let read = named.into_iter().filter_map(|(oid, id)| {
        let table = tables.remove(&oid)?;
        Some(Table { id, ..table })
    });
    Ok(read.collect())
}

fn add_column(tables: &mut HashMap<u32, Table>, row: &Row) -> Result<(), Error> {
    let oid: u32 = row.try_get(0)?;
    let column = column(row)?;
    if let Some(table) = tables.get_mut(&oid) {
        table.columns.push(column);
        return Ok(());
    }
    let identity: String = row.try_get(1)?;
    let identity = identity.bytes().next().unwrap_or_default();
    let table = Table {
        id: TableId::new("", ""),
        oid,
        columns: vec![column],
        key: Vec::new(),
        replica_identity: ReplicaIdentity::from_letter(identity),
    };
    tables.insert(oid, table);
    Ok(())
}

fn add_key(tables: &mut HashMap<u32, Table>, row: &Row) -> Result<(), Error> {
    let (oid, name): (u32, String) = (row.try_get(0)?, row.try_get(1)?);
    if let Some(table) = tables.get_mut(&oid) {
        let place = table.columns.iter().position(|column| *column.name == name);
        table.key.extend(place);
    }
    Ok(())
}

fn column(row: &Row) -> Result<Column, Error> {
    let name: String = row.try_get(2)?;
    let default: Option<String> = row.try_get(6)?;
    let dimensions: i32 = row.try_get(8)?;
    Ok(Column {
        name: name.into(),
        type_oid: row.try_get(3)?,
        modifier: row.try_get(4)?,
        nullable: row.try_get(5)?,
        generated: row.try_get(7)?,
        dimensions: u8::try_from(dimensions).unwrap_or(u8::MAX),
        default: default.map(Into::into),
    })
}

fn unreadable(error: &Error) -> Failure {
    Failure::from(error).during("reading tables from the catalog")
}

/// All tables of the database by name, the server's own too. Views and foreign
/// tables are none; neither are the partitions of an index.
const ALL: &str = "\
SELECT c.oid, n.nspname::text, c.relname::text \
FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relkind IN ('r', 'p') \
ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"";

/// The names of all tables of the database, in order.
///
/// # Errors
/// If the query fails.
pub async fn names(session: &Session) -> Result<Vec<TableId>, Failure> {
    let all = all(session).await?;
    Ok(all.into_iter().map(|(_, id)| id).collect())
}

async fn all(session: &Session) -> Result<Vec<(u32, TableId)>, Failure> {
    let rows = session.run(session.client().query(ALL, &[])).await?;
    rows.iter()
        .map(|row| {
            let (schema, table): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            Ok((row.try_get(0)?, TableId::new(schema, table)))
        })
        .collect::<Result<_, Error>>()
        .map_err(|error| unreadable(&error))
}
