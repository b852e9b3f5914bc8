//! A worker with two sinks that write the same topic all the time.

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::Postgres;
use tether_tests::database;
use tether_tests::eventually::{PATIENCE, eventually, within};
use tether_tests::names::unique;
use tether_tests::proxy::Proxy;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::load::{Load, PARTITIONS};
use super::small_disk::SmallDisk;

/// ```text
/// load ─► topic ─┬► exactly once, plain inserts without a key ─► table once
///                └► at least once, the same                   ─► table least
/// ```
///
/// Both go through a proxy to a database server of the scene's own.
pub(super) struct Scene {
    pub(super) postgres: Postgres,
    pub(super) proxy: Proxy,
    pub(super) worker: WorkerProcess,
    pub(super) disk: Option<SmallDisk>,
    load: Load,
    names: [String; 2],
}

impl Scene {
    /// Starts it all, and waits until rows arrive.
    pub(super) fn start(bootstrap: &str) -> Result<Self> {
        let postgres = Postgres::start()?;
        let disk = SmallDisk::mount(&postgres)?;
        let space = disk.as_ref().map_or("", |_| "TABLESPACE small");
        // Rows in table `least` come again, so they are looked at by number. Those in `once` have their
        // place on the disk that may be full.
        postgres.sql(&format!(
            "CREATE TABLE once (n bigint NOT NULL) {space}; CREATE TABLE least (n bigint NOT NULL)"
        ))?;
        let proxy = Proxy::start(postgres.port())?;
        let name = unique("sink-load");
        let topics = Topics::new(bootstrap);
        topics.create(&name, PARTITIONS)?;
        let worker = WorkerProcess::distributed(&WorkerOptions::new(&name, bootstrap)?)?;
        let scene = Self {
            load: Load::start(bootstrap, &name)?,
            names: ["once", "least"].map(|table| format!("{name}-{table}")),
            postgres,
            proxy,
            worker,
            disk,
        };
        let url = format!(
            "jdbc:postgresql://127.0.0.1:{}/postgres?user=postgres&password=postgres",
            scene.proxy.port()
        );
        let guarantees = [("once", "exactly_once"), ("least", "at_least_once")];
        for ((table, guarantee), connector) in guarantees.into_iter().zip(&scene.names) {
            let config = json!({
                "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
                "tasks.max": PARTITIONS.to_string(), "topics": name, "table.name.format": table,
                "connection.url": url, "delivery.guarantee": guarantee,
                "max.retries": "1000", "retry.backoff.ms": "50", "connection.attempts": "1",
                // Nothing of this may ever be blamed on a record.
                "errors.tolerance": "all",
            });
            scene.worker.rest().create(connector, &config)?;
        }
        scene.wait_progress(100)?;
        Ok(scene)
    }

    /// Runs SQL on the server, past the proxy.
    pub(super) fn sql(&self, statements: &str) -> Result<Vec<database::Row>> {
        database::query(&self.postgres.url(), statements)
    }

    /// The number that a query finds.
    fn number(&self, query: &str) -> Result<u64> {
        let rows = self.sql(query)?;
        let value = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        Ok(value.flatten().unwrap_or_default().parse().unwrap_or(0))
    }

    /// Waits until numbers have arrived in both tables that were not yet appended when this was called,
    /// and `more` besides.
    pub(super) fn wait_progress(&self, more: u64) -> Result<()> {
        let goal = self.load.appended() + more;
        for table in ["once", "least"] {
            eventually(&format!("number {goal} arrives in {table}"), || {
                let last = self.number(&format!("SELECT max(n) FROM {table}"))?;
                ensure!(last >= goal, "{last} is the last one; {}", self.states()?);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until the log of the worker has these words once more than it had so far.
    pub(super) fn wait_logged(&self, words: &str, before: usize) -> Result<()> {
        eventually(&format!("the worker says {words}"), || {
            let now = self.logged(words);
            ensure!(now > before, "it did so {now} times");
            Ok(())
        })
    }

    /// How often the log of the worker has these words.
    pub(super) fn logged(&self, words: &str) -> usize {
        self.worker.log().matches(words).count()
    }

    fn states(&self) -> Result<String> {
        let rest = self.worker.rest();
        let states = self.names.iter().map(|name| {
            let states = rest.states(name)?;
            Ok(match states.contains("FAILED") {
                true => format!("{states}: {}", rest.traces(name)?),
                false => states,
            })
        });
        Ok(states.collect::<Result<Vec<_>>>()?.join("; "))
    }

    /// Stops the load and waits until everything has arrived: each number once in table `once` (and what
    /// was made of it, `once_*`), at least once in the other. All tasks run.
    pub(super) fn finish(mut self, once: &str) -> Result<()> {
        let count = self.load.stop()?;
        within(PATIENCE * 2, "all numbers arrive", || {
            let found = self.number("SELECT count(DISTINCT n) FROM least")?;
            ensure!(
                found == count,
                "{found} of {count} in least; {}",
                self.states()?
            );
            let found = self.number(&format!("SELECT count(*) FROM ({once}) t"))?;
            ensure!(
                found >= count,
                "{found} of {count} in once; {}",
                self.states()?
            );
            Ok(())
        })?;
        let exact = format!("SELECT count(*), count(DISTINCT n), min(n), max(n) FROM ({once}) t");
        let expected = [count, count, 0, count - 1].map(|number| Some(number.to_string()));
        ensure!(
            self.sql(&exact)? == [expected.to_vec()],
            "{:?} where {expected:?} is due",
            self.sql(&exact)?
        );
        let stored = self.number("SELECT sum(next_offset) FROM __connect_sink_offsets")?;
        ensure!(stored == count, "offset {stored} where {count} is due");
        for name in &self.names {
            let running = vec!["RUNNING"; PARTITIONS.unsigned_abs() as usize].join(",");
            self.worker
                .rest()
                .wait_for(name, &format!("RUNNING[{running}]"))?;
        }
        let left_out = self.logged("leaving out a record");
        ensure!(left_out == 0, "{left_out} records were left out");
        Ok(())
    }
}
