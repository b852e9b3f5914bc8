//! The captured tables.

use super::Findings;
use super::finding::Finding;
use crate::config::{Settings, SnapshotMode};
use crate::replication::{Failure, Session};
use crate::table::{ReplicaIdentity, TableId};

const KEY: &str = "table.include.list";

/// From how many bytes on the first snapshot is called large.
const LARGE: u64 = 10 << 30;

const TABLES: &str = "SELECT n.nspname, c.relname, c.relreplident, \
    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), \
    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indexprs IS NULL), \
    c.relpersistence = 'u', \
    has_table_privilege(c.oid, 'SELECT'), \
    EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
        AND NOT a.attisdropped AND a.attstorage IN ('x', 'e') AND a.attlen = -1 \
        AND a.atttypid <> 'numeric'::regtype), \
    pg_catalog.pg_table_size(c.oid) \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' ORDER BY 1, 2";

/// A captured table, as far as it is asked about here.
pub(super) struct Captured {
    pub(super) id: TableId,
    identity: ReplicaIdentity,
    has_primary_key: bool,
    has_key: bool,
    unlogged: bool,
    readable: bool,
    /// Whether values may be stored out of line.
    toasts: bool,
    bytes: u64,
}

/// The tables that the filters let through.
pub(super) async fn captured(
    settings: &Settings,
    session: &Session,
) -> Result<Vec<Captured>, Failure> {
    let rows = session.query(TABLES).await?;
    let tables = rows.iter().filter_map(|row| read(row));
    Ok(tables
        .filter(|table| settings.filters.captures(&table.id))
        .collect())
}

fn read(row: &[Option<String>]) -> Option<Captured> {
    let text = |index: usize| row.get(index)?.as_deref();
    let is = |index| text(index) == Some("t");
    Some(Captured {
        id: TableId::new(text(0)?, text(1)?),
        identity: match text(2)? {
            "n" => ReplicaIdentity::Nothing,
            "f" => ReplicaIdentity::Full,
            "i" => ReplicaIdentity::Index,
            _ => ReplicaIdentity::Default,
        },
        has_primary_key: is(3),
        has_key: is(4),
        unlogged: is(5),
        readable: is(6),
        toasts: is(7),
        bytes: text(8).and_then(|bytes| bytes.parse().ok()).unwrap_or(0),
    })
}

pub(super) async fn findings(settings: &Settings, session: &Session) -> Findings {
    let tables = captured(settings, session).await?;
    Ok(judge(settings, &tables))
}

fn judge(settings: &Settings, tables: &[Captured]) -> Vec<Finding> {
    if tables.is_empty() {
        return vec![Finding::new(KEY, "No table of the database is captured")];
    }
    let names = |is: &dyn Fn(&Captured) -> bool| -> Vec<String> {
        let those = tables.iter().filter(|table| is(table));
        those.map(|table| table.id.to_string()).collect()
    };
    let has_own_key = |table: &Captured| table.has_key || settings.key_columns.may_name(&table.id);
    let refuses = |table: &Captured| match table.identity {
        ReplicaIdentity::Nothing => true,
        ReplicaIdentity::Default => !table.has_primary_key,
        ReplicaIdentity::Full | ReplicaIdentity::Index => false,
    };
    let mut found: Vec<Finding> = [
        ("The role may not read these tables", names(&|table| !table.readable)),
        (
            "The server refuses updates and deletions of these tables once they are published, as their replica identity names no columns: set it to FULL, or add a primary key",
            names(&refuses),
        ),
        (
            "Records of these tables have no key, as the tables have none: add one, or set message.key.columns",
            names(&|table| !has_own_key(table)),
        ),
        (
            "The replica identity of these tables is an index: their records' keys are those of the primary key, of which the server then sends nothing for deletions",
            names(&|table| table.identity == ReplicaIdentity::Index),
        ),
        (
            "Updates of these tables lack large values that were not changed, as their replica identity is not FULL: unavailable.value.placeholder stands for them",
            names(&|table| table.toasts && table.identity != ReplicaIdentity::Full),
        ),
        (
            "Changes of these tables are never streamed, as they are unlogged",
            names(&|table| table.unlogged),
        ),
    ]
    .iter()
    .filter_map(|(message, names)| Finding::of_each(KEY, message, names))
    .collect();
    let bytes: u64 = tables
        .iter()
        .filter(|table| settings.filters.in_snapshot(&table.id))
        .map(|table| table.bytes)
        .sum();
    if settings.snapshot.mode != SnapshotMode::NoData && bytes >= LARGE {
        found.push(Finding::new(
            "snapshot.mode",
            format!(
                "A snapshot reads {} GiB, and the server keeps its log meanwhile: consider snapshot.max.threads",
                bytes >> 30
            ),
        ));
    }
    found
}

/// A text as SQL takes it, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    format!("E'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Captured {
        Captured {
            id: TableId::new("s", name),
            identity: ReplicaIdentity::Default,
            has_primary_key: true,
            has_key: true,
            unlogged: false,
            readable: true,
            toasts: false,
            bytes: 0,
        }
    }

    fn judged(entries: &[(&str, &str)], tables: &[Captured]) -> Vec<String> {
        let config = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::read(&config).unwrap();
        let found = judge(&settings, tables).into_iter();
        found.map(|finding| finding.message).collect()
    }

    #[test]
    fn a_sound_table_is_not_talked_of() {
        assert!(judged(&[], &[table("a")]).is_empty());
        assert_eq!(judged(&[], &[]), ["No table of the database is captured"]);
    }

    #[test]
    fn tables_without_a_key_are_named() {
        let mut keyless = table("a");
        keyless.has_primary_key = false;
        keyless.has_key = false;
        keyless.identity = ReplicaIdentity::Full;
        let found = judged(&[], &[table("b"), keyless]);
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with(": s.a"), "{found:?}");
    }

    #[test]
    fn a_key_of_the_configuration_counts() {
        let mut keyless = table("a");
        keyless.has_key = false;
        assert!(judged(&[("message.key.columns", "s.a:x")], &[keyless]).is_empty());
    }

    #[test]
    fn a_large_snapshot_is_announced() {
        let mut large = table("a");
        large.bytes = 3 * LARGE;
        assert_eq!(
            judged(&[("snapshot.mode", "no_data")], &[table("b"), large]).len(),
            0
        );
        let mut large = table("a");
        large.bytes = 3 * LARGE;
        let found = judged(&[], &[large]);
        assert!(found[0].contains("30 GiB"), "{found:?}");
    }

    #[test]
    fn text_is_quoted_for_sql() {
        assert_eq!(literal(r"a'b\c"), r"E'a''b\\c'");
    }
}
