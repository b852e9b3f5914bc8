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
    let opened = async { Ok(snapshot) };
    read(opened, stored, records, notifications, queue)
        .await
        .map(Some)
}

/// Opens and reads a snapshot, whatever it was asked for by, and tells of it.
/// `before` is the offset before it.
///
/// # Errors
/// As [`Snapshot::read`], and as to open it.
pub(super) async fn read(
    open: impl Future<Output = Result<Snapshot>>,
    before: Option<&PostgresOffset>,
    records: &mut Records,
    notifications: &Notifications,
    queue: &Queue,
) -> Result<PostgresOffset> {
    tell(notifications, InitialSnapshot::Started, before, queue).await?;
    let mut begun = before.cloned();
    let read = match open.await {
        Ok(snapshot) => {
            begun = Some(snapshot.offset().clone());
            let sink = &mut QueueSink(queue);
            snapshot.read(records, notifications, sink).await
        }
        Err(error) => Err(error),
    };
    let (event, offset) = match &read {
        Ok(offset) => (InitialSnapshot::Completed, Some(offset)),
        Err(_) => (InitialSnapshot::Aborted, begun.as_ref()),
    };
    let offset = offset.map(|offset| PostgresOffset {
        // An initial one has to be taken anew; others are not taken up again.
        snapshot: offset
            .snapshot
            .filter(|progress| read.is_err() && progress.kind == SnapshotKind::Initial),
        ..offset.clone()
    });
    tell(notifications, event, offset.as_ref(), queue).await?;
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
