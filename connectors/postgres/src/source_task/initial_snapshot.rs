//! The snapshot at the start of a task.

use tether_api::Result;

use super::queue::{Queue, QueueSink};
use crate::event::Records;
use crate::notification::{InitialSnapshot, Notifications};
use crate::offset::{PostgresOffset, SnapshotKind};
use crate::snapshot::{RecordSink, Snapshot};

/// About what a notification takes in memory.
const NOTIFICATION: usize = 1024;

/// Takes a snapshot, if there is one to take, and tells of it. `stored` is the
/// offset that the task was started with. Returns the offset after which the
/// stream goes on, if rows were read.
///
/// # Errors
/// As [`Snapshot::read`].
pub(super) async fn take(
    snapshot: Option<Snapshot>,
    stored: Option<&PostgresOffset>,
    records: &mut Records,
    notifications: &Notifications,
    queue: &Queue,
) -> Result<Option<PostgresOffset>> {
    let Some(snapshot) = snapshot else {
        tell(notifications, InitialSnapshot::Skipped, stored, queue).await?;
        return Ok(None);
    };
    read(snapshot, stored, records, notifications, queue)
        .await
        .map(Some)
}

/// Reads a snapshot, whatever it was asked for by, and tells of it. `before` is
/// the offset before it.
///
/// # Errors
/// As [`Snapshot::read`].
pub(super) async fn read(
    snapshot: Snapshot,
    before: Option<&PostgresOffset>,
    records: &mut Records,
    notifications: &Notifications,
    queue: &Queue,
) -> Result<PostgresOffset> {
    tell(notifications, InitialSnapshot::Started, before, queue).await?;
    let begun = snapshot.offset().clone();
    let read = snapshot
        .read(records, notifications, &mut QueueSink(queue))
        .await;
    let (event, offset) = match &read {
        Ok(offset) => (InitialSnapshot::Completed, offset),
        Err(_) => (InitialSnapshot::Aborted, &begun),
    };
    let kind = offset.snapshot.map(|progress| progress.kind);
    // An initial one has to be taken anew; others are not taken up again.
    let is_over = read.is_ok() || kind != Some(SnapshotKind::Initial);
    let offset = PostgresOffset {
        snapshot: offset.snapshot.filter(|_| !is_over),
        ..offset.clone()
    };
    tell(notifications, event, Some(&offset), queue).await?;
    read
}

async fn tell(
    notifications: &Notifications,
    event: InitialSnapshot<'_>,
    offset: Option<&PostgresOffset>,
    queue: &Queue,
) -> Result<()> {
    let mut out = Vec::new();
    notifications.initial(event, offset, &mut out)?;
    QueueSink(queue).put(out, NOTIFICATION).await;
    Ok(())
}
