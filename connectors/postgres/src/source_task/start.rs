//! What has to be there before changes can be streamed, and where they go on.

use std::sync::Arc;

use tether_api::data::SchemaRef;
use tether_api::offset::OffsetReader;
use tether_api::{ConnectError, Result};

use super::plan::Plan;
use super::tables::CatalogTables;
use crate::catalog::tables;
use crate::config::{OffsetMismatch, Settings, SnapshotMode};
use crate::event::ProcessingTime;
use crate::lsn::Lsn;
use crate::offset::{PostgresOffset, SnapshotKind};
use crate::replication::{
    PositionCheck, PublicationName, PublicationRequest, Purpose, ReplicationConnection,
    ReplicationStream, Session, SlotState, StoredPosition, StreamStart, advance_slot,
    check_position, check_wal_level, create_slot, drop_slot, effective_plugin, ensure_publication,
    set_replica_identities, slot_state, start_position, start_streaming, valid_slot_state,
};
use crate::snapshot::Snapshot;
use crate::table::TableId;

/// What a start comes to.
pub(super) struct Start {
    /// The offset that the task goes on from, if there is one.
    pub(super) stored: Option<PostgresOffset>,
    /// What is streamed before the rows are read, if anything is.
    pub(super) catch_up: Option<CatchUp>,
    /// The rows to read first, if any are.
    pub(super) snapshot: Option<Snapshot>,
    /// What follows, if anything is to be streamed.
    pub(super) stream: Option<StreamFrom>,
}

/// A stream that ends where a snapshot was taken.
pub(super) struct CatchUp {
    pub(super) from: StreamFrom,
    pub(super) until: Lsn,
}

/// A stream that is to begin.
pub(super) struct StreamFrom {
    /// After what the stream goes on.
    pub(super) offset: PostgresOffset,
    /// Where to ask the server to begin.
    pub(super) position: Lsn,
    /// Whose changes come.
    pub(super) publication: PublicationName,
    /// The tables whose changes are wanted.
    pub(super) captured: Vec<TableId>,
}

/// Checks the database, makes publication and slot where they are missing, and
/// finds where the stream goes on. `reached` is how far a snapshot of this task
/// came before it was interrupted, `source` the schema of source blocks.
///
/// # Errors
/// Retriable, if it may pass.
pub(super) async fn start(
    settings: &Arc<Settings>,
    offsets: &dyn OffsetReader,
    reached: Option<&PostgresOffset>,
    session: &Session,
    source: &SchemaRef,
) -> Result<Start> {
    let mut stored = match reached {
        // The worker stores the same a little later.
        Some(reached) => Some(reached.clone()),
        None => stored_offset(settings, offsets).await?,
    };
    let mode = settings.snapshot.mode;
    let mut plan = Plan::of(mode, settings.snapshot.configuration_based, stored.as_ref())?;
    let mut slot = None;
    if plan.stream {
        effective_plugin(settings.slot.plugin);
        check_wal_level(session).await?;
        let database = &settings.connection.database;
        slot = valid_slot_state(session, &settings.slot.name, database).await?;
    }
    if let Some(offset) = stored
        .as_ref()
        .filter(|offset| !is_of_first_snapshot(offset))
        && plan.stream
        && settings.streaming.check_position
    {
        let check = check(settings, offset, slot.as_ref());
        if !check.is_available() {
            if !takes_snapshot_anew(settings) {
                return Err(gone(&check, offset));
            }
            tracing::info!(
                reason = %check,
                "The last recorded offset is no longer available. Attempting to snapshot data to \
                 fill the gap."
            );
            stored = None;
            plan.snapshot = true;
        }
    }
    if plan.snapshot {
        tokio::time::sleep(settings.snapshot.delay).await;
    }
    if !plan.stream {
        let snapshot = match plan.snapshot {
            true => Some(Snapshot::open(settings, None, source).await?),
            false => None,
        };
        return Ok(Start {
            stored,
            catch_up: None,
            snapshot,
            stream: None,
        });
    }
    let (publication, captured) = publication(settings, session).await?;
    if plan.snapshot && slot.as_ref().is_some_and(|slot| slot.lost.is_some()) {
        // What it kept is gone, and the snapshot makes up for it.
        drop_slot(session, &settings.slot.name).await;
        slot = None;
    }
    let known = slot.as_ref().and_then(SlotState::position);
    // The view of a new slot is there as long as this connection is.
    let mut connection;
    let (position, created) = match known {
        Some(position) => (position, None),
        None => {
            connection = ReplicationConnection::connect(&settings.connection).await?;
            let created = create_slot(&mut connection, &settings.slot).await?;
            (created.position, Some(created))
        }
    };
    if plan.snapshot {
        let resumed = resume(settings, stored.as_ref(), slot.as_ref(), source).await?;
        let is_resumed = resumed.is_some();
        let snapshot = match resumed {
            Some(resumed) => resumed,
            None => {
                let opened = Snapshot::open(settings, created.as_ref(), source).await?;
                opened.resumable()
            }
        };
        let offset = snapshot.offset().clone();
        let catch_up = match (known, &stored, offset.lsn) {
            (Some(position), Some(stored), Some(until))
                if !is_resumed
                    && mode == SnapshotMode::Always
                    && check(settings, stored, slot.as_ref()).is_available() =>
            {
                Some(CatchUp {
                    from: StreamFrom {
                        offset: PostgresOffset {
                            snapshot: None,
                            ..stored.clone()
                        },
                        position: go_on(settings, session, stored, position).await?,
                        publication: publication.clone(),
                        captured: captured.clone(),
                    },
                    until,
                })
            }
            _ => None,
        };
        return Ok(Start {
            stored,
            catch_up,
            snapshot: Some(snapshot),
            stream: Some(StreamFrom {
                position: offset.start().unwrap_or(position),
                offset,
                publication,
                captured,
            }),
        });
    }
    let offset = stored.clone().unwrap_or_else(|| beginning(position));
    let position = go_on(settings, session, &offset, position).await?;
    Ok(Start {
        stored,
        catch_up: None,
        snapshot: None,
        stream: Some(StreamFrom {
            offset,
            position,
            publication,
            captured,
        }),
    })
}

/// Starts a stream, and gets ready for the tables in it.
///
/// # Errors
/// Retriable, if it may pass.
pub(super) async fn stream(
    settings: &Arc<Settings>,
    publication: &PublicationName,
    position: Lsn,
    session: Session,
) -> Result<(ReplicationStream, CatalogTables)> {
    let tables = CatalogTables::new(settings.clone(), session).await?;
    let start = StreamStart {
        slot: &settings.slot,
        publication,
        streaming: &settings.streaming,
        position,
    };
    let stream = start_streaming(&settings.connection, start).await?;
    Ok((stream, tables))
}

/// Checks that the slot still has what follows this offset, before a stream that
/// was interrupted goes on.
///
/// # Errors
/// Retriable, if it may pass; not, if the slot is gone.
pub(super) async fn check_slot(
    settings: &Settings,
    offset: &PostgresOffset,
    session: &Session,
) -> Result<()> {
    let database = &settings.connection.database;
    let slot = valid_slot_state(session, &settings.slot.name, database).await?;
    let check = check(settings, offset, slot.as_ref());
    match check.is_available() || !settings.streaming.check_position {
        true => Ok(()),
        false => Err(gone(&check, offset)),
    }
}

/// Goes on with a snapshot that was interrupted, if that is asked for and the
/// slot has everything since.
async fn resume(
    settings: &Arc<Settings>,
    stored: Option<&PostgresOffset>,
    slot: Option<&SlotState>,
    source: &SchemaRef,
) -> Result<Option<Snapshot>> {
    let unfinished = stored.filter(|offset| is_of_first_snapshot(offset));
    let (true, Some(stored), Some(slot)) = (settings.snapshot.resumes, unfinished, slot) else {
        return Ok(None);
    };
    let is_kept = slot
        .confirmed
        .is_some_and(|confirmed| stored.lsn.is_some_and(|position| confirmed <= position));
    if !is_kept || !check(settings, stored, Some(slot)).is_available() {
        tracing::warn!(
            position = stored.lsn.map(tracing::field::display),
            "The slot does not have all changes since the snapshot began, which is taken anew"
        );
        return Ok(None);
    }
    Snapshot::resume(settings, stored, source).await
}

/// Whether somebody streams from the slot.
///
/// # Errors
/// Retriable, if the database cannot be asked now.
pub(super) async fn is_streamed(settings: &Settings, session: &Session) -> Result<bool> {
    let state = slot_state(session, &settings.slot.name).await?;
    Ok(state.is_some_and(|state| state.active_pid.is_some()))
}

/// A connection for questions.
///
/// # Errors
/// Retriable, if it may pass.
pub(super) async fn connect(settings: &Settings) -> Result<Session> {
    Ok(Session::connect(&settings.connection, Purpose::General).await?)
}

async fn stored_offset(
    settings: &Settings,
    offsets: &dyn OffsetReader,
) -> Result<Option<PostgresOffset>> {
    let partition = PostgresOffset::partition(&settings.topic_prefix);
    let stored = offsets.offsets(&[partition]).await?;
    // The reference stores an empty one with the first notification.
    let stored = stored.into_iter().next().flatten();
    let Some(stored) = stored.filter(|stored| !stored.is_empty()) else {
        tracing::info!("No previous offset found");
        return Ok(None);
    };
    let offset =
        PostgresOffset::load(&stored).map_err(|error| ConnectError::other(error.to_string()))?;
    tracing::info!(offset = %offset.text(), "Found previous offset");
    Ok(Some(offset))
}

fn check(settings: &Settings, offset: &PostgresOffset, slot: Option<&SlotState>) -> PositionCheck {
    let strategy = settings.streaming.offset_mismatch;
    check_position(strategy, offset.lsn_proc.or(offset.lsn), slot)
}

/// Whether the stream has not yet begun at this offset.
fn is_of_first_snapshot(offset: &PostgresOffset) -> bool {
    let snapshot = offset.snapshot;
    snapshot.is_some_and(|progress| progress.kind == SnapshotKind::Initial)
}

fn gone(check: &PositionCheck, offset: &PostgresOffset) -> ConnectError {
    ConnectError::other(check.message(&offset.text())).with_class("io.debezium.DebeziumException")
}

fn takes_snapshot_anew(settings: &Settings) -> bool {
    match settings.snapshot.mode {
        SnapshotMode::WhenNeeded => true,
        SnapshotMode::ConfigurationBased => settings.snapshot.configuration_based.on_data_error,
        _ => false,
    }
}

/// The publication, and the tables that are captured.
async fn publication(
    settings: &Settings,
    session: &Session,
) -> Result<(PublicationName, Vec<TableId>)> {
    let mut captured = tables::names(session).await?;
    captured.retain(|table| settings.filters.captures(table));
    let request = PublicationRequest {
        settings: &settings.publication,
        skipped: settings.events.skipped,
        captured: &captured,
        timeout: settings.slot.create_timeout,
    };
    let publication = ensure_publication(session, request).await?;
    let identities = &settings.publication.replica_identities;
    set_replica_identities(session, identities, &captured).await?;
    Ok((publication, captured))
}

/// Where a stream begins that none went before. A heartbeat may carry this
/// offset before the first message comes; it must not be further than the slot,
/// or what is in between would be lost after a restart.
fn beginning(slot: Lsn) -> PostgresOffset {
    PostgresOffset {
        lsn: Some(slot),
        ts_usec: Some(ProcessingTime::now().micros()),
        ..PostgresOffset::default()
    }
}

/// Where to ask the server to begin, with the slot moved if the strategy says
/// so.
async fn go_on(
    settings: &Settings,
    session: &Session,
    offset: &PostgresOffset,
    slot: Lsn,
) -> Result<Lsn> {
    let stored = StoredPosition {
        start: offset.start(),
        commit: offset.lsn_commit,
    };
    let strategy: OffsetMismatch = settings.streaming.offset_mismatch;
    let start = start_position(strategy, settings.streaming.lsn_flush_mode, slot, stored);
    if let Some(position) = start.advance_slot_to {
        advance_slot(session, &settings.slot.name, position).await?;
    }
    Ok(start.position)
}
