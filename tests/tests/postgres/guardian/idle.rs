//! A quiet database beside a busy one: the offset moves without a record, the slot with it, and whoever
//! goes on from there loses nothing.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::{ConnectWorker, Postgres, shared};
use tether_tests::database::Session;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::{TopicReader, Topics};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::write_elsewhere;
use crate::postgres::{settings, workers};

const HEAP_MEBIBYTES: u32 = 512;

#[test]
fn the_slot_of_a_quiet_database_moves_and_nothing_is_lost() -> Result<()> {
    let _turn = turns::take();
    go_on_after_a_quiet_time(&[], &json!({}))
}

#[test]
fn the_same_in_transactions_of_the_producer_and_with_heartbeats() -> Result<()> {
    let _turn = turns::take();
    go_on_after_a_quiet_time(
        &[("exactly.once.source.support", "enabled")],
        // The heartbeats carry positions too, which must not fall back.
        &json!({"heartbeat.interval.ms": "300", "provide.transaction.metadata": "true"}),
    )
}

/// Ours goes on after it was killed while the position moved without records, then the reference does,
/// and then ours again. Each time a transaction is open that began before the position.
fn go_on_after_a_quiet_time(worker: &[(&str, &str)], connector: &Value) -> Result<()> {
    let mut scene = Scene::new(worker)?;
    scene.sql("INSERT INTO t VALUES (1)")?;
    let mut ours = WorkerProcess::distributed(&scene.options)?;
    ours.rest().create(&scene.name, &scene.config(connector))?;
    scene.ids_arrive(1, &ours)?;

    // Nothing comes at all.
    let before = scene.value("SELECT pg_current_wal_lsn()")?;
    eventually("the server forgets its log", || {
        write_elsewhere(&scene.postgres)?;
        let query = format!("SELECT restart_lsn > '{before}' FROM pg_replication_slots");
        let moved = scene.value(&query)?;
        ensure!(
            moved == "t",
            "it keeps what is behind {before}\n{}",
            ours.log()
        );
        Ok(())
    })?;

    let open = scene.open_transaction(2)?;
    scene.offset_moves(&ours)?;
    ours.kill();
    open.sql("COMMIT")?;
    scene.sql("INSERT INTO t VALUES (3)")?;
    ours.restart()?;
    scene.ids_arrive(3, &ours)?;

    let open = scene.open_transaction(4)?;
    scene.offset_moves(&ours)?;
    ours.stop()?;
    open.sql("COMMIT")?;
    scene.sql("INSERT INTO t VALUES (5)")?;
    let mut java = ConnectWorker::distributed(workers::java(&scene.options, HEAP_MEBIBYTES)?)?;
    scene.ids_arrive(5, &java)?;
    java.stop()?;

    scene.sql("INSERT INTO t VALUES (6)")?;
    ours.restart()?;
    scene.ids_arrive(6, &ours)?;
    ours.stop()
}

/// A captured database with the table `t`, and another one beside it.
struct Scene {
    options: WorkerOptions,
    postgres: Postgres,
    name: String,
    topic: TopicReader,
}

impl Scene {
    fn new(worker: &[(&str, &str)]) -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let name = unique("quiet").replace('-', "_");
        let postgres = Postgres::start()?;
        postgres.sql("CREATE DATABASE busy")?;
        postgres.sql("CREATE TABLE t (id int PRIMARY KEY)")?;
        let topics = Topics::new(&bootstrap);
        let topic = format!("{name}.public.t");
        topics.create(&topic, 1)?;
        let mut options = WorkerOptions::new(&name, &bootstrap)?
            .property("session.timeout.ms", "6000")
            .property("heartbeat.interval.ms", "1500")
            .property("value.converter.schemas.enable", "false");
        for (key, value) in worker {
            options = options.property(key, *value);
        }
        Ok(Self {
            options,
            topic: topics.reader(&topic)?,
            postgres,
            name,
        })
    }

    fn config(&self, more: &Value) -> Value {
        let config = settings::with_own_slot(&self.postgres, &self.name);
        let config = settings::with(config, &json!({"poll.interval.ms": "50"}));
        settings::with(config, more)
    }

    fn sql(&self, statements: &str) -> Result<String> {
        self.postgres.sql(statements)
    }

    fn value(&self, query: &str) -> Result<String> {
        Ok(self.sql(query)?.trim().to_owned())
    }

    /// Begins a transaction with this row.
    fn open_transaction(&self, id: u32) -> Result<Session> {
        let open = Session::open(&self.postgres.url())?;
        open.sql(&format!("BEGIN; INSERT INTO t VALUES ({id})"))?;
        Ok(open)
    }

    /// Waits until the stored offset, and what is confirmed, is beyond where the log ends now.
    fn offset_moves(&self, worker: &WorkerProcess) -> Result<()> {
        let end = self.value("SELECT pg_current_wal_lsn()")?;
        let path = format!("/connectors/{}/offsets", self.name);
        eventually("the offset moves without a record", || {
            write_elsewhere(&self.postgres)?;
            let offsets = worker.rest().get(&path)?;
            let offset = &offsets["offsets"][0]["offset"];
            let stored = offset["lsn_proc"].as_u64().unwrap_or_default();
            let query = format!(
                "SELECT {stored} > '{end}'::pg_lsn - '0/0', confirmed_flush_lsn > '{end}', \
                 confirmed_flush_lsn - '0/0' <= {stored} FROM pg_replication_slots"
            );
            let moved = self.value(&query)?;
            ensure!(
                moved == "t|t|t" && offset["messageType"] == "MESSAGE",
                "{moved}: {offset} and {end}\n{}",
                worker.log()
            );
            Ok(())
        })
    }

    /// Waits for the row of this number. All rows before came once, in order: nothing came again either,
    /// as each worker stopped when all was stored.
    fn ids_arrive(&mut self, last: u64, worker: &impl Worker) -> Result<()> {
        let topic = &mut self.topic;
        let ids = eventually(&format!("row {last}"), || {
            let ids: Result<Vec<u64>> = topic
                .read()?
                .iter()
                .map(|record| {
                    let value: Value = serde_json::from_str(&record.value_text())?;
                    value["after"]["id"].as_u64().context("no row")
                })
                .collect();
            let ids = ids?;
            ensure!(ids.contains(&last), "{ids:?}\n{}", worker.log());
            Ok(ids)
        })?;
        ensure!(ids == (1..=last).collect::<Vec<_>>(), "{ids:?}");
        Ok(())
    }
}
