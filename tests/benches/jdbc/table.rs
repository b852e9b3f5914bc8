//! The tables in PostgreSQL: made, filled by a bare client, watched and checked.

use std::pin::pin;

use anyhow::{Context, Result};
use futures::SinkExt;
use tether_services::Postgres;
use tokio::runtime::Runtime;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};

use crate::case::Mode;
use crate::encoded;
use crate::row::{Cell, KEY, MARK, Width};

/// Rows in a transaction of the bare client, and in a batch of the sinks.
pub(crate) const BATCH: i64 = 3000;

/// The server and a connection to it.
pub(crate) struct Tables {
    pub(crate) postgres: Postgres,
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
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
            let copy = format!("COPY {table} FROM STDIN BINARY");
            for batch in (2..=last).step_by(usize::try_from(2 * BATCH)?) {
                let keys = (batch..=last.min(batch + 2 * BATCH - 1)).step_by(2);
                let stale = keys.map(|key| {
                    let mut row = width.row(&columns, key);
                    row[1] = Cell::Int32(-1);
                    row
                });
                let batch = encoded::copy(&columns, stale)?;
                self.runtime.block_on(async {
                    let mut sink = pin!(self.client.copy_in(&copy).await?);
                    sink.send(batch).await?;
                    sink.finish().await
                })?;
            }
        }
        self.execute(&format!("VACUUM ANALYZE {table}"))?;
        self.execute("CHECKPOINT")
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

    /// The number of the type that the table's rows have.
    pub(crate) fn row_type(&self, width: Width) -> Result<u32> {
        let query = "SELECT reltype FROM pg_class WHERE oid = to_regclass($1)";
        let row = self.runtime.block_on(
            self.client
                .query_typed_one(query, &[(&width.name(), Type::TEXT)]),
        )?;
        row.try_get(0).context("no row type")
    }

    fn execute(&self, statements: &str) -> Result<()> {
        for statement in statements.split("; ") {
            self.runtime
                .block_on(self.client.batch_execute(statement))?;
        }
        Ok(())
    }
}
