//! Servers that go away, and connections that end.

use anyhow::{Result, ensure};
use tether_connector_postgres::lsn::Lsn;
use tether_connector_postgres::pgoutput::Message;
use tether_connector_postgres::replication::{EventStream, Failure, ReplicationStream};
use tether_services::Postgres;

use super::capture::{self, Capture, run, session, until};

#[test]
fn a_stream_that_an_administrator_ends_may_begin_again() -> Result<()> {
    let capture = Capture::new("terminated")?;
    let settings = capture.settings(&[])?;
    run(async {
        let session = session(&settings).await?;
        capture::prepare(&settings).await?;
        let mut stream = capture::stream(&settings).await?;
        session
            .query(&format!(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots \
                 WHERE slot_name = '{}'",
                settings.slot.name
            ))
            .await?;
        let failure = capture::end(&mut stream).await;
        assert_eq!(failure.state(), Some("57P01"), "{failure}");
        assert!(failure.is_temporary(), "{failure}");
        capture::stream(&settings).await?;
        Ok(())
    })
}

#[test]
fn a_slot_has_one_stream_at_a_time() -> Result<()> {
    let capture = Capture::new("active")?;
    let impatient = capture.settings(&[("slot.max.retries", "0")])?;
    let patient = capture.settings(&[("slot.max.retries", "600")])?;
    run(async {
        capture::prepare(&impatient).await?;
        let stream = capture::stream(&impatient).await?;
        let Err(failure) = capture::stream(&impatient).await else {
            anyhow::bail!("two streams of one slot");
        };
        assert_eq!(failure.state(), Some("55006"), "{failure}");
        assert!(failure.is_temporary(), "{failure}");
        let text = failure.to_string();
        assert!(
            text.starts_with("Failed to start replication stream at 0/0"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "; when setting up multiple connectors for the same database host, please make \
                 sure to use a distinct replication slot name for each."
            ),
            "{text}"
        );
        // Once a stream is abandoned the server lets go of the slot.
        drop(stream);
        capture::stream(&patient).await?;
        Ok(())
    })
}

#[test]
fn a_restart_of_the_server_passes() -> Result<()> {
    let mut postgres = Postgres::start()?;
    let capture = Capture::on(&postgres.url(), "restart")?;
    let settings = capture.settings(&[("slot.max.retries", "600")])?;
    run(async {
        let session = session(&settings).await?;
        session.execute("CREATE TABLE t (id int)").await?;
        capture::prepare(&settings).await?;
        let mut stream = capture::stream(&settings).await?;
        let stopping = tokio::task::spawn_blocking(move || {
            postgres.stop()?;
            Ok::<_, anyhow::Error>(postgres)
        });
        let failure = capture::end(&mut stream).await;
        ensure!(failure.is_temporary(), "{failure}");
        drop(stream);
        let failure = session
            .execute("SELECT 1")
            .await
            .expect_err("the server is gone");
        ensure!(failure.is_temporary(), "{failure}");
        let mut postgres = stopping.await??;
        let Err(failure) = capture::stream(&capture.settings(&[("slot.max.retries", "0")])?).await
        else {
            anyhow::bail!("a stream of a server that is gone");
        };
        ensure!(failure.is_temporary(), "{failure}");
        let postgres = tokio::task::spawn_blocking(move || {
            postgres.restart()?;
            Ok::<_, anyhow::Error>(postgres)
        });
        let postgres = postgres.await??;
        capture::stream(&settings).await?;
        drop(postgres);
        Ok(())
    })
}

#[test]
fn a_server_may_stop_although_not_all_is_stored() -> Result<()> {
    let mut postgres = Postgres::start()?;
    let capture = Capture::on(&postgres.url(), "stop")?;
    let settings = capture.settings(&[])?;
    run(async {
        let session = session(&settings).await?;
        session.execute("CREATE TABLE t (id int)").await?;
        capture::prepare(&settings).await?;
        let mut stream = capture::stream(&settings).await?;
        session.execute("INSERT INTO t VALUES (1)").await?;
        let first = commit(&mut stream).await?;
        stream.confirm(first);
        session.execute("INSERT INTO t VALUES (2)").await?;
        commit(&mut stream).await?;
        let stopping = tokio::task::spawn_blocking(move || {
            postgres.stop()?;
            Ok::<_, anyhow::Error>(postgres)
        });
        let failure = capture::end(&mut stream).await;
        ensure!(failure.is_temporary(), "{failure}");
        drop(stream);
        let mut postgres = stopping.await??;
        let postgres = tokio::task::spawn_blocking(move || {
            postgres.restart()?;
            Ok::<_, anyhow::Error>(postgres)
        });
        let postgres = postgres.await??;
        // What was not stored comes again; a server may forget the last confirmation.
        let mut stream = capture::stream(&settings).await?;
        while commit(&mut stream).await? <= first {}
        drop(postgres);
        Ok(())
    })
}

/// Where the next transaction ends.
async fn commit(stream: &mut ReplicationStream) -> Result<Lsn> {
    loop {
        if let (_, Message::Commit { end_lsn, .. }) = capture::message(stream).await? {
            return Ok(end_lsn);
        }
    }
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled() -> Result<()> {
    let capture = Capture::new("slow")?;
    let settings = capture.settings(&[("database.query.timeout.ms", "200")])?;
    run(async {
        let session = session(&settings).await?;
        let failure: Failure = session
            .execute("SELECT pg_sleep(600)")
            .await
            .expect_err("too long");
        assert_eq!(failure.state(), Some("57014"), "{failure}");
        // The connection is as good as before.
        session.execute("SELECT 1").await?;
        Ok(())
    })
}

#[test]
fn an_abandoned_connection_ends_on_the_server() -> Result<()> {
    let capture = Capture::new("abandoned")?;
    let settings = capture.settings(&[])?;
    run(async {
        let watcher = session(&settings).await?;
        capture::prepare(&settings).await?;
        let stream = capture::stream(&settings).await?;
        let session = session(&settings).await?;
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND pid <> pg_backend_pid()";
        until(&watcher, others, "2").await?;
        drop(stream);
        until(&watcher, others, "1").await?;
        {
            // In the middle of a statement.
            let call = session.execute("SELECT pg_sleep(600)");
            let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                           AND query = 'SELECT pg_sleep(600)' AND state = 'active'";
            tokio::select! {
                _ = call => anyhow::bail!("nobody sleeps so fast"),
                begun = until(&watcher, running, "1") => begun?,
            }
        }
        drop(session);
        watcher
            .query(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await?;
        until(&watcher, others, "0").await
    })
}
