//! The tables in PostgreSQL: made, filled by a bare client, watched and checked.

use std::pin::pin;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::SinkExt;
use tether_services::Postgres;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

use crate::case::Mode;
use crate::encoded::{self, Array};
use crate::row::{Cell, Column, KEY, MARK, Width};

/// Rows in a transaction of the bare client, and in a batch of the sinks.
pub(crate) const BATCH: i64 = 3000;

/// A batch of the bare client.
enum Encoded {
    Copy(Bytes),
    Arrays(Vec<Array>),
}

/// The server and a connection to it.
pub(crate) struct Tables {
    pub(crate) postgres: Postgres,
    runtime: Runtime,
    client: Client,
}

impl Tables {
    /// A server that only this benchmark uses, with the memory that Debian's package gives it.
    pub(crate) fn start() -> Result<Self> {
        let postgres = Postgres::start_with(&["shared_buffers=128MB", "wal_level=replica"])?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(&postgres.url(), NoTls))?;
        runtime.spawn(connection);
        Ok(Self {
            postgres,
            runtime,
            client,
        })
    }

    /// Makes the table anew; for upserts with every second row, as nobody has written it yet.
    pub(crate) fn prepare(&self, mode: Mode, width: Width, rows: u64) -> Result<()> {
        let table = width.name();
        let statement = format!("DROP TABLE IF EXISTS {table}; {}", width.create_table());
        self.execute(&statement)?;
        if mode == Mode::Upsert {
            let columns = width.columns();
            let last = i64::try_from(rows)?;
            for batch in (2..=last).step_by(usize::try_from(2 * BATCH)?) {
                let keys = (batch..=last.min(batch + 2 * BATCH - 1)).step_by(2);
                let stale = keys.map(|key| {
                    let mut row = width.row(&columns, key);
                    row[1] = Cell::Int32(-1);
                    row
                });
                let batch = encoded::copy(&columns, stale)?;
                self.runtime.block_on(self.copy(width, batch))?;
            }
        }
        self.execute(&format!("VACUUM ANALYZE {table}"))?;
        self.execute("CHECKPOINT")
    }

    /// How many rows a second a bare client writes, a transaction for each batch: `COPY` of new rows, or
    /// a prepared upsert of arrays.
    pub(crate) fn ceiling(&self, mode: Mode, width: Width, rows: u64) -> Result<f64> {
        self.prepare(mode, width, rows)?;
        let columns = width.columns();
        let last = i64::try_from(rows)?;
        let firsts = (1..=last).step_by(usize::try_from(BATCH)?);
        let batches = firsts.map(|first| {
            let keys = first..=last.min(first + BATCH - 1);
            let batch = keys.map(|key| width.row(&columns, key));
            Ok(match mode {
                Mode::Insert => Encoded::Copy(encoded::copy(&columns, batch)?),
                Mode::Upsert => {
                    Encoded::Arrays(encoded::arrays(&columns, &batch.collect::<Vec<_>>())?)
                }
            })
        });
        let batches: Vec<Encoded> = batches.collect::<Result<_>>()?;
        let start = Instant::now();
        self.runtime.block_on(async {
            let upsert = self.client.prepare(&upsert(width, &columns)).await?;
            for batch in batches {
                match batch {
                    Encoded::Copy(rows) => self.copy(width, rows).await?,
                    Encoded::Arrays(arrays) => {
                        self.client.execute_raw(&upsert, &arrays).await?;
                    }
                }
            }
            anyhow::Ok(())
        })?;
        #[allow(
            clippy::cast_precision_loss,
            reason = "numbers of rows are far below 2^52"
        )]
        Ok(rows as f64 / start.elapsed().as_secs_f64())
    }

    async fn copy(&self, width: Width, rows: Bytes) -> Result<()> {
        let statement = format!("COPY {} FROM STDIN BINARY", width.name());
        let mut sink = pin!(self.client.copy_in(&statement).await?);
        sink.send(rows).await?;
        sink.finish().await?;
        Ok(())
    }

    /// Prepares to ask [`Tables::has`].
    pub(crate) fn watch(&self, width: Width) -> Result<Statement> {
        let query = format!(
            "SELECT 1 FROM {} WHERE {KEY} = $1 AND {MARK} >= 0",
            width.name()
        );
        Ok(self.runtime.block_on(self.client.prepare(&query))?)
    }

    /// Whether the row with this key was written. One task writes the records of one partition in their
    /// order, so all rows before it were as well.
    pub(crate) fn has(&self, watch: &Statement, key: u64) -> Result<bool> {
        let key = i64::try_from(key)?;
        let row = self
            .runtime
            .block_on(self.client.query_opt(watch, &[&key]))?;
        Ok(row.is_some())
    }

    /// The number of rows, a sum over their keys and one over everything that they hold, and the first
    /// row.
    pub(crate) fn fingerprint(&self, width: Width) -> Result<String> {
        let table = width.name();
        let query = format!(
            "SELECT count(*) || ' rows, keys ' || sum({KEY}) || ', values ' || \
             sum(hashtextextended(r::text, 0)) || ', first ' || \
             (SELECT f::text FROM {table} AS f WHERE {KEY} = 1) FROM {table} AS r"
        );
        let row = self.runtime.block_on(self.client.query_one(&query, &[]))?;
        row.try_get(0).context("no rows")
    }

    fn execute(&self, statements: &str) -> Result<()> {
        for statement in statements.split("; ") {
            self.runtime
                .block_on(self.client.batch_execute(statement))?;
        }
        Ok(())
    }
}

/// `INSERT … SELECT … FROM UNNEST(…) ON CONFLICT … DO UPDATE`.
fn upsert(width: Width, columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let parameters = (1..).zip(columns);
    let parameters: Vec<_> = parameters
        .map(|(number, column)| format!("${number}::{}[]", column.kind.postgres().name()))
        .collect();
    let updates: Vec<_> = names
        .iter()
        .skip(1)
        .map(|name| format!("{name} = EXCLUDED.{name}"))
        .collect();
    format!(
        "INSERT INTO {} ({}) SELECT * FROM UNNEST({}) ON CONFLICT ({KEY}) DO UPDATE SET {}",
        width.name(),
        names.join(", "),
        parameters.join(", "),
        updates.join(", ")
    )
}
