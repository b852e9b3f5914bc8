//! The transactions that rows are read in.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::SnapshotIsolation;
use crate::lsn::Lsn;
use crate::replication::{CreatedSlot, Failure, Session};
use crate::table::TableId;

/// How long to wait for transactions that may be about to commit. Those that
/// take longer have not begun to, but for a standby that does not answer.
const COMMITTING: Duration = Duration::from_secs(2);
const COMMITTING_PAUSE: Duration = Duration::from_millis(20);

/// The server's connection may not end while other connections read.
const NO_TIMEOUT: &str = "SET idle_in_transaction_session_timeout = 0";

/// Begins a transaction with the view of the slot that was just created, or
/// with a new one. Returns the position that the view belongs to.
///
/// # Errors
/// If the server refuses.
pub(super) async fn begin(
    session: &Session,
    isolation: SnapshotIsolation,
    slot: Option<&CreatedSlot>,
) -> Result<Lsn, Failure> {
    session.execute(NO_TIMEOUT).await?;
    if let Some((slot, view)) = slot.and_then(|slot| Some((slot, slot.snapshot.as_deref()?))) {
        share(session, view).await?;
        return Ok(slot.position);
    }
    let position = settled_position(session).await?;
    let statement = statement(isolation);
    tracing::info!(statement, "Opening the transaction of the snapshot");
    session.execute(statement).await?;
    Ok(position)
}

/// Begins a transaction with the view of another one.
///
/// # Errors
/// If the server refuses.
pub(super) async fn join(session: &Session, view: &str) -> Result<(), Failure> {
    session.execute(NO_TIMEOUT).await?;
    share(session, view).await
}

/// Lets others join the view of a transaction; returns its name.
///
/// # Errors
/// If the server refuses.
pub(super) async fn export(session: &Session) -> Result<String, Failure> {
    let view = session.query_value("SELECT pg_export_snapshot()").await?;
    view.ok_or_else(|| Failure::permanent("the server exported no snapshot"))
}

/// Locks tables against being altered, until the transaction ends.
///
/// # Errors
/// If a table is not there, or a lock is not to be had in time.
pub(super) async fn lock(
    session: &Session,
    tables: impl Iterator<Item = &TableId>,
    timeout: Duration,
) -> Result<(), Failure> {
    let millis = timeout.as_millis();
    tracing::info!("Waiting a maximum of {timeout:?} for each table lock");
    session
        .execute(&format!("SET lock_timeout = {millis}"))
        .await?;
    for table in tables {
        let statement = format!("LOCK TABLE {} IN ACCESS SHARE MODE", table.quoted());
        let locked = session.execute(&statement).await;
        locked.map_err(|failure| failure.during(format!("locking the table {table}")))?;
    }
    Ok(())
}

/// The number of the transaction, which this gives it; 0 on a standby.
///
/// # Errors
/// If the server cannot be asked.
pub(super) async fn number(session: &Session) -> Result<Option<u32>, Failure> {
    let number = session
        .query_value("SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE txid_current() END")
        .await?;
    let number: Option<u64> = number.and_then(|number| number.parse().ok());
    // The stream's numbers are these without their epoch.
    Ok(number.and_then(|number| u32::try_from(number & u64::from(u32::MAX)).ok()))
}

async fn share(session: &Session, view: &str) -> Result<(), Failure> {
    session
        .execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let view = view.replace('\'', "''");
    session
        .execute(&format!("SET TRANSACTION SNAPSHOT '{view}'"))
        .await
}

fn statement(isolation: SnapshotIsolation) -> &'static str {
    match isolation {
        SnapshotIsolation::Serializable => {
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE"
        }
        SnapshotIsolation::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        SnapshotIsolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY",
        SnapshotIsolation::ReadUncommitted => "BEGIN ISOLATION LEVEL READ UNCOMMITTED, READ ONLY",
    }
}

/// The position of the log, of which everything before can be seen. A
/// transaction is in the log shortly before it can be seen: it is waited for
/// those that were under way when the position was taken.
async fn settled_position(session: &Session) -> Result<Lsn, Failure> {
    let position = session
        .query_value(
            "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
             ELSE pg_current_wal_lsn() END",
        )
        .await?;
    let position = position
        .and_then(|position| position.parse().ok())
        .ok_or_else(|| Failure::permanent("the server does not tell the position of its log"))?;
    let under_way = session
        .query("SELECT txid_snapshot_xip(txid_current_snapshot())")
        .await?;
    let under_way: Vec<String> = under_way
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect();
    if under_way.is_empty() {
        return Ok(position);
    }
    let still = format!(
        "SELECT count(*) FROM txid_snapshot_xip(txid_current_snapshot()) AS x WHERE x IN ({})",
        under_way.join(", ")
    );
    let end = Instant::now() + COMMITTING;
    while Instant::now() < end && session.query_value(&still).await?.as_deref() != Some("0") {
        sleep(COMMITTING_PAUSE).await;
    }
    Ok(position)
}
