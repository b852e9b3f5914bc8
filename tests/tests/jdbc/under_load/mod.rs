//! Databases and workers that fail while records flow: nothing is lost, and with exactly once nothing is
//! written twice, although the rows have no key.

mod load;
mod scene;
mod small_disk;

use anyhow::{Result, ensure};
use tether_services::shared;
use tether_tests::database::Session;
use tether_tests::eventually::eventually;
use tether_tests::turns;
use tether_tests::worker::Worker;

use self::scene::Scene;

const ONCE: &str = "SELECT n FROM once";

/// How often each fault is repeated: more often in `make soak`.
fn rounds(usual: u64) -> u64 {
    let soak = std::env::var("TETHER_TEST_ROUNDS").ok();
    soak.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

#[test]
fn counts_are_exact_whatever_the_database_does() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start(&shared::bootstrap()?)?;
    let mut tables = ONCE.to_owned();
    for round in 0..rounds(1) {
        cut_connections(&scene)?;
        restart_database(&mut scene)?;
        provoke_deadlocks(&scene)?;
        tables = format!("{tables} UNION ALL {}", change_schema(&scene, round)?);
        fill_disk(&scene)?;
    }
    scene.wait_progress(100)?;
    scene.finish(&tables)
}

#[test]
fn counts_are_exact_whenever_the_worker_is_killed() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start(&shared::bootstrap()?)?;
    for round in 0..rounds(2) {
        scene.worker.kill();
        scene.worker.restart()?;
        // Early and late after the start.
        scene.wait_progress(round % 4 * 500)?;
    }
    scene.finish(ONCE)
}

/// Most of the time a transaction is under way. Its outcome is not known then.
fn cut_connections(scene: &Scene) -> Result<()> {
    for _ in 0..5 {
        scene.proxy.sever();
        scene.proxy.mend();
        scene.wait_progress(50)?;
    }
    Ok(())
}

fn restart_database(scene: &mut Scene) -> Result<()> {
    scene.postgres.restart()?;
    scene.wait_progress(100)?;
    scene.postgres.kill();
    scene.postgres.restart()?;
    scene.wait_progress(100)
}

/// A writer that takes table and offsets in the opposite order, and the second once a sink waits for the
/// first, so that the server finds the deadlock from the sink's side.
fn provoke_deadlocks(scene: &Scene) -> Result<()> {
    let words = "SQLSTATE 40P01";
    let before = scene.logged(words);
    let waiting = "SELECT 1 FROM pg_locks WHERE relation = 'once'::regclass AND NOT granted";
    eventually("a deadlock ends a sink's transaction", || {
        let writer = Session::open(&scene.postgres.url())?;
        writer.sql("BEGIN; LOCK TABLE once")?;
        eventually("a sink waits for the table", || {
            ensure!(!scene.sql(waiting)?.is_empty(), "none does");
            Ok(())
        })?;
        // Either of the two may be the one that the server ends.
        let _ = writer.sql("UPDATE __connect_sink_offsets SET updated_at = now(); COMMIT");
        ensure!(scene.logged(words) > before, "it was the writer's");
        Ok(())
    })?;
    scene.wait_progress(100)
}

/// Types and columns change, and in the end the table is another one. Returns what selects the rows of
/// the old one.
fn change_schema(scene: &Scene, round: u64) -> Result<String> {
    for statements in [
        "ALTER TABLE once ADD COLUMN extra int DEFAULT 1",
        "ALTER TABLE once ALTER COLUMN n TYPE numeric",
        "ALTER TABLE once DROP COLUMN extra",
        "ALTER TABLE once ALTER COLUMN n TYPE bigint",
        "CREATE INDEX ON once (n)",
    ] {
        scene.sql(statements)?;
        scene.wait_progress(50)?;
    }
    let space = scene.disk.as_ref().map_or("", |_| "TABLESPACE small");
    scene.sql(&format!(
        "BEGIN; ALTER TABLE once RENAME TO once_{round}; \
         ALTER TABLE once_{round} SET TABLESPACE pg_default; \
         CREATE TABLE once (n bigint NOT NULL) {space}; COMMIT"
    ))?;
    scene.wait_progress(100)?;
    Ok(format!("SELECT n FROM once_{round}"))
}

/// The server says 53100. Where nobody may mount a small disk, a trigger says it.
fn fill_disk(scene: &Scene) -> Result<()> {
    let words = "SQLSTATE 53100";
    let before = scene.logged(words);
    match &scene.disk {
        Some(disk) => {
            disk.fill()?;
            scene.wait_logged(words, before)?;
            disk.clear()?;
        }
        None => {
            scene.sql(
                "CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE disk_full; END $$; \
                 CREATE TRIGGER full BEFORE INSERT ON once FOR EACH ROW EXECUTE FUNCTION full()",
            )?;
            scene.wait_logged(words, before)?;
            scene.sql("DROP FUNCTION full() CASCADE")?;
        }
    }
    scene.wait_progress(100)
}
