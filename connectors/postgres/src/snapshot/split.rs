//! Splits tables into parts that are read side by side.
//!
//! The reference counts all rows and then looks up the key at equal distances.
//! Small tables are split at exactly those keys here too. Of large ones some
//! blocks are read instead: what counts is that parts have about as many rows,
//! and that no connection waits meanwhile.

use super::range::{Bound, Range, RangeOrder};
use crate::replication::{Failure, Session, TextRow, literal};
use crate::table::Table;

/// Tables of up to so many rows are split at exact distances.
const COUNTED: u64 = 50_000;

/// About how many blocks of a larger table are looked at.
const SAMPLED_BLOCKS: f64 = 500.0;

/// The least share of a table that is looked at, in percent.
const LEAST_SAMPLE: f64 = 0.000_1;

/// About how many bytes are read in a step, and how many rows at least and at
/// most: what comes again if a snapshot is interrupted.
const STEP_BYTES: u64 = 8 * 1024 * 1024;
const LEAST_STEP: u64 = 100;
const LARGEST_STEP: u64 = 20_000;

/// How many blocks are read in a step.
pub(super) const STEP_BLOCKS: u32 = 1024;

/// The first version of the server that lists the partitions of a table.
const PARTITION_TREES: u32 = 120_000;

/// What is looked at if it is not known how large a table is, in percent.
const BLIND_SAMPLE: f64 = 1.0;

/// The columns of a table's own key, if none of them may be null: with nulls,
/// comparisons would leave out rows.
pub(super) fn key(table: &Table) -> Option<Vec<String>> {
    let columns = table.key.iter().map(|index| &table.columns[*index]);
    let is_complete = columns.clone().all(|column| !column.nullable);
    let names: Vec<String> = columns.map(|column| column.name.to_string()).collect();
    (is_complete && !names.is_empty()).then_some(names)
}

/// The ranges of keys of a table: as many as are wanted, or fewer if it has
/// fewer rows.
///
/// # Errors
/// If the server cannot be asked.
pub(super) async fn by_key(
    session: &Session,
    table: &Table,
    order: &RangeOrder,
    wanted: usize,
) -> Result<Vec<Range>, Failure> {
    let Some(columns) = order.columns().filter(|_| wanted > 1) else {
        return Ok(Range::between(Vec::new()));
    };
    let from = table.id.quoted();
    let rows = number(session, &counted(&from)).await?.unwrap_or(0);
    let statement = if rows <= COUNTED {
        let distance = rows / parts(rows, wanted);
        equally(&from, &columns, distance, parts(rows, wanted))
    } else {
        let statement = blocks(table.oid, session.version());
        let blocks = number(session, &statement).await?.unwrap_or(0);
        sampled(&from, &columns, sample_percent(blocks), wanted)
    };
    let found = session.query(&statement).await?;
    Ok(Range::between(
        found.into_iter().filter_map(bound).collect(),
    ))
}

/// How many parts a table of so many rows has.
fn parts(rows: u64, wanted: usize) -> u64 {
    rows.clamp(1, wanted.max(1) as u64)
}

fn bound(row: TextRow) -> Option<Bound> {
    row.into_iter().collect::<Option<_>>().map(Bound::Key)
}

/// What a table is like on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    /// What its ranges are good for: they are not if this changes.
    pub(super) form: String,
    /// How many blocks of rows it has.
    pub(super) blocks: u32,
    /// How many bytes it has, with what is stored out of line.
    pub(super) bytes: u64,
    /// Whether all its rows are in these blocks, and can be found by them.
    pub(super) goes_by_blocks: bool,
}

/// Asks how a table is stored whose ranges go by this order.
///
/// # Errors
/// If the server cannot be asked.
pub(super) async fn storage(
    session: &Session,
    table: &Table,
    order: &RangeOrder,
) -> Result<Storage, Failure> {
    let key: &[String] = match order {
        RangeOrder::Key(columns) => columns,
        RangeOrder::None | RangeOrder::Blocks => &[],
    };
    let rows = session.query(&stored(table.oid, key)).await?;
    let row = rows.into_iter().next();
    let row = row.ok_or_else(|| Failure::permanent("the table is gone"))?;
    let text = |index: usize| row.get(index).and_then(Option::as_deref);
    let number = |index: usize| text(index).and_then(|text| text.parse::<u64>().ok());
    Ok(Storage {
        form: text(0).unwrap_or_default().to_owned(),
        blocks: number(1)
            .and_then(|blocks| u32::try_from(blocks).ok())
            .unwrap_or(0),
        bytes: number(2).unwrap_or(0),
        goes_by_blocks: text(3) == Some("t") && session.version() >= BLOCK_SCANS,
    })
}

/// The first version of the server that finds rows by ranges of blocks without
/// reading the others.
const BLOCK_SCANS: u32 = 140_000;

/// The file, the key's columns with types and collations; blocks; bytes; whether
/// there is nothing of it elsewhere.
fn stored(oid: u32, key: &[String]) -> String {
    let names: Vec<String> = key.iter().map(|name| literal(name)).collect();
    format!(
        "SELECT coalesce(pg_catalog.pg_relation_filenode(c.oid), 0) || coalesce((\
         SELECT string_agg(format(' %s %s %s', a.attname, a.atttypid, a.attcollation), ',' \
         ORDER BY k.place) \
         FROM unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS k (name, place) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name), ''), \
         pg_catalog.pg_relation_size(c.oid) / \
         pg_catalog.current_setting('block_size')::int8, \
         pg_catalog.pg_table_size(c.oid), \
         c.relkind = 'r' AND NOT c.relhassubclass \
         FROM pg_catalog.pg_class c WHERE c.oid = {oid}",
        names.join(", ")
    )
}

/// The ranges of blocks of a table, as many as are wanted, or fewer if it has
/// fewer blocks.
pub(super) fn by_block(blocks: u32, wanted: usize) -> Vec<Range> {
    let parts = u32::try_from(wanted)
        .unwrap_or(u32::MAX)
        .clamp(1, blocks.max(1));
    let bound = |part: u32| {
        let block = u64::from(blocks) * u64::from(part) / u64::from(parts);
        Bound::Block(u32::try_from(block).unwrap_or(u32::MAX))
    };
    Range::between((1..parts).map(bound).collect())
}

/// How many rows are read in a step, by how many bytes a table has and how many
/// rows it may have.
pub(super) fn step_rows(bytes: u64, rows: Option<u64>) -> u64 {
    let of_row = bytes / rows.unwrap_or(0).max(1);
    let fit = STEP_BYTES / of_row.max(1);
    match rows {
        Some(_) => fit.clamp(LEAST_STEP, LARGEST_STEP),
        None => LARGEST_STEP,
    }
}

/// The key at which a step ends that begins with a range; `None` if the rest of
/// the range is not more than a step.
///
/// # Errors
/// If the server cannot be asked.
pub(super) async fn step_end(
    session: &Session,
    table: &Table,
    order: &RangeOrder,
    range: &Range,
    rows: u64,
) -> Result<Option<Bound>, Failure> {
    let Some(columns) = order.columns() else {
        return Ok(None);
    };
    let condition = order.condition(range);
    let condition = condition.map(|condition| format!(" WHERE {condition}"));
    let statement = format!(
        "SELECT {columns} FROM {}{} ORDER BY {columns} OFFSET {} LIMIT 1",
        table.id.quoted(),
        condition.unwrap_or_default(),
        rows.saturating_sub(1)
    );
    let found = session.query(&statement).await?;
    Ok(found.into_iter().next().and_then(bound))
}

async fn number(session: &Session, statement: &str) -> Result<Option<u64>, Failure> {
    let number = session.query_value(statement).await?;
    Ok(number.and_then(|number| number.parse().ok()))
}

/// How many rows there are, but not many more than counted at most.
fn counted(from: &str) -> String {
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM {from} LIMIT {}) AS first_rows",
        COUNTED + 1
    )
}

/// How many blocks a table has, with those of its partitions.
fn blocks(oid: u32, version: u32) -> String {
    let tables = match version >= PARTITION_TREES {
        true => format!("pg_catalog.pg_partition_tree({oid}) AS t (oid)"),
        false => format!("(SELECT {oid}) AS t (oid)"),
    };
    format!(
        "SELECT sum(pg_catalog.pg_relation_size(oid) / \
         pg_catalog.current_setting('block_size')::int8)::int8 FROM {tables}"
    )
}

/// The keys at the ends of all parts but the last one.
fn equally(from: &str, columns: &str, distance: u64, parts: u64) -> String {
    let places: Vec<String> = (1..parts)
        .map(|part| (part * distance).to_string())
        .collect();
    let places = match places.is_empty() {
        true => "NULL".to_owned(),
        false => places.join(", "),
    };
    format!(
        "SELECT {} FROM (SELECT {columns}, row_number() OVER (ORDER BY {columns}) AS {PLACE} \
         FROM {from}) AS keys WHERE {PLACE} IN ({places}) ORDER BY {PLACE}",
        columns
    )
}

/// The same of some blocks. What is looked at is the same for all connections
/// and at all times.
fn sampled(from: &str, columns: &str, percent: f64, parts: usize) -> String {
    let places: Vec<String> = (1..parts)
        .map(|part| format!("{COUNT} * {part} / {parts}"))
        .collect();
    format!(
        "SELECT {} FROM (SELECT {columns}, row_number() OVER (ORDER BY {columns}) AS {PLACE}, \
         count(*) OVER () AS {COUNT} FROM {from} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0)) \
         AS keys WHERE {PLACE} IN ({}) ORDER BY {PLACE}",
        columns,
        places.join(", ")
    )
}

/// Names that no column of a key has by accident.
const PLACE: &str = "\"tether place\"";
const COUNT: &str = "\"tether count\"";

#[allow(clippy::cast_precision_loss)] // A share needs no more digits.
fn sample_percent(blocks: u64) -> f64 {
    match blocks {
        0 => BLIND_SAMPLE,
        blocks => (SAMPLED_BLOCKS / blocks as f64 * 100.0).clamp(LEAST_SAMPLE, 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, NO_MODIFIER, ReplicaIdentity, TableId};

    fn table(nullable: bool) -> Table {
        let column = |name: &str, nullable| Column {
            name: name.into(),
            type_oid: 23,
            modifier: NO_MODIFIER,
            dimensions: 0,
            nullable,
            generated: false,
            default: None,
        };
        Table {
            id: TableId::new("inv", "t"),
            oid: 17,
            columns: vec![column("x", true), column("b", nullable), column("a", false)],
            key: vec![2, 1],
            replica_identity: ReplicaIdentity::Default,
        }
    }

    #[test]
    fn nulls_are_not_compared() {
        assert_eq!(
            key(&table(false)),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(key(&table(true)), None);
        let keyless = Table {
            key: Vec::new(),
            ..table(false)
        };
        assert_eq!(key(&keyless), None);
    }

    #[test]
    fn parts_are_those_of_the_reference() {
        assert_eq!([0, 1, 3, 4, 10].map(|rows| parts(rows, 4)), [1, 1, 3, 4, 4]);
        assert_eq!(
            equally("t", "\"id\"", 2, 4),
            "SELECT \"id\" FROM (SELECT \"id\", row_number() OVER (ORDER BY \"id\") AS \
             \"tether place\" FROM t) AS keys WHERE \"tether place\" IN (2, 4, 6) \
             ORDER BY \"tether place\""
        );
    }

    #[test]
    fn steps_are_small() {
        assert_eq!(step_rows(0, None), LARGEST_STEP);
        assert_eq!(step_rows(1 << 30, Some(1 << 20)), 8192);
        assert_eq!(step_rows(1 << 40, Some(10)), LEAST_STEP);
        assert_eq!(step_rows(1 << 20, Some(1 << 20)), LARGEST_STEP);
    }

    #[test]
    fn blocks_are_shared_out() {
        let ends = |blocks, wanted| -> Vec<Option<Bound>> {
            let ranges = by_block(blocks, wanted);
            ranges.into_iter().map(|range| range.up_to).collect()
        };
        let block = |block| Some(Bound::Block(block));
        assert_eq!(ends(0, 4), [None]);
        assert_eq!(ends(3, 4), [block(1), block(2), None]);
        assert_eq!(ends(10, 4), [block(2), block(5), block(7), None]);
        assert_eq!(ends(10, 1), [None]);
    }

    #[test]
    fn large_tables_are_looked_at_here_and_there() {
        let percents = [0, 100, 500, 1_000, u64::MAX].map(sample_percent);
        assert_eq!(percents, [1.0, 100.0, 100.0, 50.0, LEAST_SAMPLE]);
        assert!(sampled("t", "\"id\"", 0.5, 3).contains(
            "TABLESAMPLE SYSTEM (0.5) REPEATABLE (0)) AS keys WHERE \"tether place\" IN \
                 (\"tether count\" * 1 / 3, \"tether count\" * 2 / 3)"
        ));
    }
}
