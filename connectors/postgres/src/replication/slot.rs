//! The slot: what the server keeps of the log, and for whom.

use std::time::Duration;

use tokio::time::sleep;

use super::connection::{ReplicationConnection, first};
use super::failure::{Failure, Prospect};
use super::session::{Session, TextRow, literal};
use crate::config::{Plugin, SlotSettings};
use crate::lsn::Lsn;

/// The only plug-in whose messages are read.
const PGOUTPUT: &str = "pgoutput";

/// How often, and how long after, a slot that is being made is looked at again.
const STATE_ATTEMPTS: u32 = 900;
const STATE_PAUSE: Duration = Duration::from_secs(2);

/// How often, and how long after, it is tried to drop a slot that is in use.
const DROP_ATTEMPTS: u32 = 3;
const DROP_PAUSE: Duration = Duration::from_secs(1);

/// The first versions with these columns of `pg_replication_slots`, and with
/// slots that survive a failover.
const WITH_WAL_STATUS: u32 = 130_000;
const WITH_REASON: u32 = 170_000;
const WITH_FAILOVER: u32 = 170_000;

/// What the server knows of a slot (`pg_replication_slots`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotState {
    /// The plug-in; none for a physical slot.
    pub plugin: Option<String>,
    /// The database; none for a physical slot.
    pub database: Option<String>,
    /// The process of the server that streams from it.
    pub active_pid: Option<u32>,
    /// The oldest transaction whose catalog the server keeps for it.
    pub catalog_xmin: Option<i64>,
    /// From where on the server keeps the log for it.
    pub restart: Option<Lsn>,
    /// Up to where all has been confirmed.
    pub confirmed: Option<Lsn>,
    /// Why the server has given it up.
    pub lost: Option<String>,
    /// Where the server's log ends; not known of a standby, which follows
    /// another one's.
    pub log_end: Option<Lsn>,
}

impl SlotState {
    /// Where a stream without a position of its own begins.
    pub fn position(&self) -> Option<Lsn> {
        self.confirmed.or(self.restart)
    }

    fn of_row(row: &TextRow) -> Result<Self, Failure> {
        let text = |index: usize| row.get(index).cloned().flatten();
        let position = |index: usize| {
            let text = text(index).map(|text| text.parse());
            text.transpose()
                .map_err(|error| Failure::permanent(format!("the slot cannot be read: {error}")))
        };
        let wal_status = text(6);
        let is_lost = wal_status.as_deref() == Some("lost");
        Ok(Self {
            plugin: text(0),
            database: text(1),
            active_pid: text(2).and_then(|pid| pid.parse().ok()),
            catalog_xmin: text(3).and_then(|xmin| xmin.parse().ok()),
            restart: position(4)?,
            confirmed: position(5)?,
            lost: is_lost.then(|| text(7).unwrap_or_else(|| "wal_removed".to_owned())),
            log_end: position(8)?,
        })
    }
}

/// Asks what the server knows of a slot; `None` if there is none of this name.
///
/// # Errors
/// If the server cannot be asked.
pub async fn slot_state(session: &Session, slot: &str) -> Result<Option<SlotState>, Failure> {
    let wal_status = match session.version() {
        WITH_WAL_STATUS.. => "wal_status",
        _ => "NULL",
    };
    let reason = match session.version() {
        WITH_REASON.. => "invalidation_reason",
        _ => "NULL",
    };
    let rows = session
        .query(&format!(
            "SELECT plugin, database, active_pid, catalog_xmin, restart_lsn, \
             confirmed_flush_lsn, {wal_status}, {reason}, \
             CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
             ELSE pg_catalog.pg_current_wal_lsn() END \
             FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            literal(slot)
        ))
        .await?;
    rows.first().map(SlotState::of_row).transpose()
}

/// The same, for a slot that is to be streamed from: waits until it can be, as
/// one that is being made cannot before transactions of others have ended.
///
/// A slot that the server has given up is returned as it is.
///
/// # Errors
/// If the server cannot be asked, the slot is another's, or it does not become
/// usable within half an hour.
pub async fn valid_slot_state(
    session: &Session,
    slot: &str,
    database: &str,
) -> Result<Option<SlotState>, Failure> {
    for attempt in 1..=STATE_ATTEMPTS {
        let Some(state) = slot_state(session, slot).await? else {
            return Ok(None);
        };
        check_owner(&state, slot, database)?;
        let is_usable = state.restart.is_some() && state.confirmed.is_some();
        if is_usable || state.lost.is_some() {
            return Ok(Some(state));
        }
        tracing::warn!(
            slot,
            database,
            attempt,
            of = STATE_ATTEMPTS,
            "Cannot obtain valid replication slot, concurrent tx probably blocks taking snapshot."
        );
        sleep(STATE_PAUSE).await;
    }
    Err(Failure::permanent(
        "Unable to obtain valid replication slot. Make sure there are no long-running transactions \
         running in parallel as they may hinder the allocation of the replication slot when \
         starting this connector",
    ))
}

/// Whether the slot was made for this database and can be read.
fn check_owner(state: &SlotState, slot: &str, database: &str) -> Result<(), Failure> {
    let Some(plugin) = &state.plugin else {
        return Err(Failure::permanent(format!(
            "replication slot '{slot}' is a physical one: set slot.name to another name"
        )));
    };
    if plugin != PGOUTPUT {
        return Err(Failure::permanent(format!(
            "replication slot '{slot}' was made for the plug-in {plugin}, and only pgoutput can be \
             read: set slot.name to another name, or stop what reads the slot and drop it"
        )));
    }
    match state.database.as_deref() {
        Some(other) if other != database => Err(Failure::permanent(format!(
            "replication slot '{slot}' belongs to database {other}: set slot.name to another name"
        ))),
        _ => Ok(()),
    }
}

/// The plug-in that is used. The reference's default needs an extension that
/// few servers have, and fails without; every server has pgoutput.
pub fn effective_plugin(configured: Option<Plugin>) -> Plugin {
    match configured {
        Some(Plugin::Pgoutput) => {}
        Some(Plugin::Decoderbufs) => tracing::warn!(
            "plugin.name=decoderbufs is not there: pgoutput is used, which needs a publication \
             and makes the same records"
        ),
        None => tracing::warn!(
            "plugin.name is not set: pgoutput is used, and not decoderbufs, which is the default \
             of the reference"
        ),
    }
    Plugin::Pgoutput
}

/// What the creation of a slot answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedSlot {
    /// Where the stream begins: the snapshot shows everything before.
    pub position: Lsn,
    /// Name of the snapshot, for `SET TRANSACTION SNAPSHOT`. It is there until
    /// the next command on the connection that made the slot, or its end.
    pub snapshot: Option<String>,
}

/// Creates a slot and exports a snapshot. Long transactions of others may keep
/// the server from doing that; it is then tried again.
///
/// # Errors
/// If the server refuses, also after some more attempts.
pub async fn create_slot(
    connection: &mut ReplicationConnection,
    settings: &SlotSettings,
) -> Result<CreatedSlot, Failure> {
    let name = &settings.name;
    let options = match settings.failover && can_fail_over(connection).await? {
        true => " ( FAILOVER )",
        false => "",
    };
    let command = format!("CREATE_REPLICATION_SLOT \"{name}\" LOGICAL {PGOUTPUT}{options}");
    tracing::info!(%command, "creating the replication slot");
    let mut attempt = 0;
    loop {
        let limit = settings.create_timeout;
        let failure = match connection.query_within(&command, limit).await {
            Ok(rows) => return created(&rows),
            Err(failure) => failure,
        };
        if !matches!(failure.state(), Some("57014" | "55P03")) {
            return Err(creation_failure(failure));
        }
        attempt += 1;
        if attempt > settings.max_retries {
            return Err(failure.during(SLOT_TIMED_OUT));
        }
        tracing::warn!(
            "{SLOT_TIMED_OUT} Waiting for {:?} and retrying, attempt number {attempt} over {}",
            settings.retry_delay,
            settings.max_retries
        );
        sleep(settings.retry_delay).await;
    }
}

const SLOT_TIMED_OUT: &str = "Creation of replication slot failed; query to create replication \
     slot timed out, please make sure that there are no long running queries on the database.";

fn creation_failure(failure: Failure) -> Failure {
    match failure.state() {
        Some("42710") => failure.during(
            "Creation of replication slot failed; when setting up multiple connectors for the same \
             database host, please make sure to use a distinct replication slot name for each.",
        ),
        _ => failure.during("Creation of replication slot failed"),
    }
}

fn created(rows: &[TextRow]) -> Result<CreatedSlot, Failure> {
    let column = |index: usize| rows.first()?.get(index)?.as_deref();
    let position = column(1)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::permanent("No replication slot found"))?;
    Ok(CreatedSlot {
        position,
        snapshot: column(2).map(str::to_owned),
    })
}

/// Whether the server can keep a slot over a failover: a primary of a version
/// that knows of it.
async fn can_fail_over(connection: &mut ReplicationConnection) -> Result<bool, Failure> {
    if connection.version() < WITH_FAILOVER {
        tracing::debug!("no failover slot: the server is older than version 17");
        return Ok(false);
    }
    let rows = connection.query("SELECT pg_is_in_recovery()").await?;
    Ok(first(&rows) == Some("f"))
}

/// Drops a slot; whether it was dropped. A failure is logged, as the connector
/// ends in any case.
pub async fn drop_slot(session: &Session, slot: &str) -> bool {
    let statement = format!("SELECT pg_drop_replication_slot({})", literal(slot));
    for attempt in 1..=DROP_ATTEMPTS {
        let Err(failure) = session.query(&statement).await else {
            return true;
        };
        match failure.state() {
            Some("55006") if attempt < DROP_ATTEMPTS => sleep(DROP_PAUSE).await,
            Some("55006") => {
                tracing::warn!("Cannot drop replication slot '{slot}' because it's still in use")
            }
            Some("42704") => {
                tracing::debug!("Replication slot {slot} has already been dropped");
                break;
            }
            _ => {
                tracing::error!(
                    %failure,
                    "Unexpected error while attempting to drop replication slot"
                );
                break;
            }
        }
    }
    false
}

/// Moves a slot to a position. Where the server has no function for that, or
/// does not let the role call it, the slot stays.
///
/// # Errors
/// If the slot is behind the position already, or the server cannot be asked.
pub async fn advance_slot(session: &Session, slot: &str, position: Lsn) -> Result<(), Failure> {
    let statement = format!(
        "SELECT pg_replication_slot_advance({}, '{position}')",
        literal(slot)
    );
    tracing::info!(slot, %position, "moving the replication slot");
    let Err(failure) = session.query(&statement).await else {
        return Ok(());
    };
    match failure.state() {
        Some("42883") => tracing::info!(
            "Postgres server doesn't support the command pg_replication_slot_advance(). Not \
             seeking to last known offset."
        ),
        Some("42501") => tracing::warn!(
            %failure,
            "Unable to use pg_replication_slot_advance() function. The Postgres server is likely \
             on an old RDS version or privileges are not correctly set"
        ),
        Some("55000") => {
            let context = format!(
                "Cannot seek to the last known offset '{position}' on replication slot '{slot}'. \
                 Error from server"
            );
            return Err(failure.during(context).with_prospect(Prospect::Permanent));
        }
        _ => return Err(failure.during(format!("moving replication slot '{slot}'"))),
    }
    Ok(())
}

/// Checks that the server's log has what is needed.
///
/// # Errors
/// If it has not, or the server cannot be asked.
pub async fn check_wal_level(session: &Session) -> Result<(), Failure> {
    let level = session.query_value("SHOW wal_level").await?;
    match level.as_deref() {
        Some("logical") => Ok(()),
        level => Err(Failure::permanent(format!(
            "Postgres server wal_level property must be 'logical' but is: '{}'",
            level.unwrap_or_default()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: [Option<&str>; 9]) -> TextRow {
        columns.map(|text| text.map(str::to_owned)).into()
    }

    #[test]
    fn the_state_is_read() {
        let columns = [
            Some("pgoutput"),
            Some("shop"),
            Some("4711"),
            Some("730"),
            Some("0/1530F40"),
            Some("0/1530F78"),
            Some("reserved"),
            None,
            Some("0/2000000"),
        ];
        let state = SlotState::of_row(&row(columns)).unwrap();
        let expected = SlotState {
            plugin: Some("pgoutput".to_owned()),
            database: Some("shop".to_owned()),
            active_pid: Some(4711),
            catalog_xmin: Some(730),
            restart: Some(Lsn(0x153_0F40)),
            confirmed: Some(Lsn(0x153_0F78)),
            lost: None,
            log_end: Some(Lsn(0x200_0000)),
        };
        assert_eq!(state, expected);
        assert_eq!(state.position(), Some(Lsn(0x153_0F78)));
        let lost = [
            Some("pgoutput"),
            Some("shop"),
            None,
            None,
            None,
            Some("0/10"),
            Some("lost"),
            None,
            Some("0/20"),
        ];
        let state = SlotState::of_row(&row(lost)).unwrap();
        assert_eq!(state.lost.as_deref(), Some("wal_removed"));
    }

    #[test]
    fn a_slot_of_others_is_refused() {
        let state = |plugin: Option<&str>, database: &str| SlotState {
            plugin: plugin.map(str::to_owned),
            database: Some(database.to_owned()),
            active_pid: None,
            catalog_xmin: None,
            restart: None,
            confirmed: None,
            lost: None,
            log_end: None,
        };
        assert!(check_owner(&state(Some("pgoutput"), "shop"), "s", "shop").is_ok());
        for (plugin, database, expected) in [
            (None, "shop", "physical"),
            (Some("decoderbufs"), "shop", "plug-in decoderbufs"),
            (Some("pgoutput"), "other", "belongs to database other"),
        ] {
            let failure = check_owner(&state(plugin, database), "s", "shop").unwrap_err();
            assert!(failure.to_string().contains(expected), "{failure}");
        }
    }

    #[test]
    fn what_was_created_is_read() {
        let row = |columns: &[&str]| {
            vec![
                columns
                    .iter()
                    .map(|text| Some((*text).to_owned()))
                    .collect(),
            ]
        };
        let created_slot = created(&row(&["s", "0/1530F78", "00000003-00000002-1", "pgoutput"]));
        let expected = CreatedSlot {
            position: Lsn(0x153_0F78),
            snapshot: Some("00000003-00000002-1".to_owned()),
        };
        assert_eq!(created_slot.unwrap(), expected);
        assert!(created(&[]).is_err());
    }
}
