//! What a bare client writes: the ceiling for a sink, and the ways between which it has to choose.

use std::pin::pin;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use clap::ValueEnum;
use futures::{SinkExt, future};
use tokio_postgres::{Client, Statement};

use crate::case::Mode;
use crate::encoded::{self, Array};
use crate::row::{Column, KEY, Width};
use crate::table::Tables;

/// A way to write the rows of a batch in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// `COPY` of new rows.
    Copy,
    /// `INSERT … SELECT … FROM UNNEST(…)` of new rows.
    InsertUnnest,
    /// The same with `ON CONFLICT … DO UPDATE`.
    UpsertUnnest,
    /// `INSERT … SELECT … FROM UNNEST($1)` of one array of the table's rows.
    InsertRows,
    /// The same with `ON CONFLICT … DO UPDATE`.
    UpsertRows,
    /// `COPY` into a temporary table, and `INSERT … SELECT … ON CONFLICT … DO UPDATE` from there.
    UpsertStaged,
}

/// A batch of rows as it is sent.
enum Batch {
    Copied(Bytes),
    Arrays(Vec<Array>),
}

/// The statements of a way.
struct Statements {
    /// The target of `COPY`.
    copy: Statement,
    /// What takes arrays, or moves the rows of the temporary table.
    write: Statement,
}

/// The temporary table.
const STAGED: &str = "staged";
/// Batches of the comparison of ways.
const SIZES: [i64; 6] = [1, 10, 100, 400, 3000, 10_000];
/// Rows that are written in batches of one row, and how many times as many at most in larger ones.
const SINGLE_ROWS: i64 = 5000;
const MOST_TIMES: i64 = 100;

impl Way {
    /// The way of the ceiling.
    pub(crate) fn fastest(mode: Mode) -> Self {
        match mode {
            Mode::Insert => Self::Copy,
            Mode::Upsert => Self::UpsertRows,
        }
    }

    fn mode(self) -> Mode {
        match self {
            Self::Copy | Self::InsertUnnest | Self::InsertRows => Mode::Insert,
            Self::UpsertUnnest | Self::UpsertRows | Self::UpsertStaged => Mode::Upsert,
        }
    }

    /// How many rows a second are written in batches of so many. The batches are made beforehand.
    pub(crate) fn measure(
        self,
        tables: &Tables,
        width: Width,
        rows: u64,
        batch: i64,
    ) -> Result<f64> {
        tables.prepare(self.mode(), width, rows)?;
        let columns = width.columns();
        let last = i64::try_from(rows)?;
        let row_type = tables.row_type(width)?;
        let firsts = (1..=last).step_by(usize::try_from(batch)?);
        let batches = firsts.map(|first| {
            let keys = first..=last.min(first + batch - 1);
            let rows = keys.map(|key| width.row(&columns, key));
            Ok(match self {
                Self::Copy | Self::UpsertStaged => Batch::Copied(encoded::copy(&columns, rows)?),
                Self::InsertUnnest | Self::UpsertUnnest => {
                    Batch::Arrays(encoded::arrays(&columns, &rows.collect::<Vec<_>>())?)
                }
                Self::InsertRows | Self::UpsertRows => {
                    let rows = rows.collect::<Vec<_>>();
                    Batch::Arrays(vec![encoded::rows(&columns, row_type, &rows)?])
                }
            })
        });
        let batches: Vec<Batch> = batches.collect::<Result<_>>()?;
        let seconds = tables.runtime.block_on(async {
            let client = &tables.client;
            let statements = self.statements(client, width, &columns).await?;
            let start = Instant::now();
            for batch in batches {
                self.write(client, &statements, batch).await?;
            }
            anyhow::Ok(start.elapsed().as_secs_f64())
        })?;
        #[allow(
            clippy::cast_precision_loss,
            reason = "numbers of rows are far below 2^52"
        )]
        Ok(rows as f64 / seconds)
    }

    async fn statements(
        self,
        client: &Client,
        width: Width,
        columns: &[Column],
    ) -> Result<Statements> {
        let table = width.name();
        let (target, rows) = match self {
            Self::UpsertStaged => {
                let create = format!(
                    "DROP TABLE IF EXISTS {STAGED}; \
                     CREATE TEMPORARY TABLE {STAGED} (LIKE {table}) ON COMMIT DELETE ROWS"
                );
                client.batch_execute(&create).await?;
                (STAGED, STAGED.to_owned())
            }
            Self::InsertRows | Self::UpsertRows => (table, format!("UNNEST($1::{table}[])")),
            _ => (table, unnest(columns)),
        };
        let insert = format!("INSERT INTO {table} SELECT * FROM {rows}");
        let write = match self.mode() {
            Mode::Insert => insert,
            Mode::Upsert => {
                let updates = columns.iter().skip(1);
                let updates: Vec<_> = updates
                    .map(|column| format!("{0} = EXCLUDED.{0}", column.name))
                    .collect();
                format!(
                    "{insert} ON CONFLICT ({KEY}) DO UPDATE SET {}",
                    updates.join(", ")
                )
            }
        };
        let copy = format!("COPY {target} FROM STDIN BINARY");
        Ok(Statements {
            copy: client.prepare(&copy).await?,
            write: client.prepare(&write).await?,
        })
    }

    /// One batch, all of it sent at once.
    async fn write(self, client: &Client, statements: &Statements, batch: Batch) -> Result<()> {
        match batch {
            Batch::Copied(rows) if self == Self::UpsertStaged => {
                let (begun, copied, moved, committed) = future::join4(
                    client.batch_execute("BEGIN"),
                    copy(client, &statements.copy, rows),
                    client.execute_raw(&statements.write, &[] as &[Array]),
                    client.batch_execute("COMMIT"),
                )
                .await;
                begun?;
                copied?;
                moved?;
                committed?;
            }
            Batch::Copied(rows) => copy(client, &statements.copy, rows).await?,
            Batch::Arrays(arrays) => {
                client.execute_raw(&statements.write, &arrays).await?;
            }
        }
        Ok(())
    }
}

/// Rows a second of all ways in batches of all sizes, as a Markdown table.
pub(crate) fn compare(tables: &Tables, width: Width) -> Result<String> {
    let sizes = SIZES.map(|size| size.to_string()).join(" | ");
    let mut table = format!(
        "| {} rows | {sizes} |\n|---{}|\n",
        width.name(),
        "|---:".repeat(SIZES.len())
    );
    for way in Way::value_variants() {
        let rates = SIZES.map(|size| {
            let rows = u64::try_from(SINGLE_ROWS * size.min(MOST_TIMES))?;
            let rate = way.measure(tables, width, width.rows(rows).max(1000), size)?;
            anyhow::Ok(format!("{rate:.0}"))
        });
        let rates: Vec<String> = rates.into_iter().collect::<Result<_>>()?;
        let name = way.to_possible_value();
        let name = name.as_ref().map_or("", |value| value.get_name());
        table.push_str(&format!("| {name} | {} |\n", rates.join(" | ")));
    }
    Ok(table)
}

async fn copy(client: &Client, statement: &Statement, rows: Bytes) -> Result<()> {
    let mut sink = pin!(client.copy_in(statement).await?);
    sink.send(rows).await?;
    sink.finish().await?;
    Ok(())
}

/// `UNNEST($1::int8[], …)`.
fn unnest(columns: &[Column]) -> String {
    let parameters = (1..).zip(columns);
    let parameters: Vec<_> = parameters
        .map(|(number, column)| format!("${number}::{}[]", column.kind.postgres().name()))
        .collect();
    format!("UNNEST({})", parameters.join(", "))
}
