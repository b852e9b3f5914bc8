//! Snapshots that signals ask for while the stream waits.

use std::sync::Arc;

use tether_api::Result;
use tokio_util::sync::CancellationToken;

use super::initial_snapshot;
use super::queue::Queue;
use crate::config::Settings;
use crate::notification::Notifications;
use crate::replication::EventStream;
use crate::signal::SnapshotRequest;
use crate::snapshot::Snapshot;
use crate::streaming::Changes;

/// Takes a snapshot at the position of the stream, which is kept alive
/// meanwhile. A snapshot that fails is logged, and the stream goes on.
///
/// # Errors
/// If the stream fails meanwhile, once the snapshot has ended: it is taken
/// anyhow, as the signal is not seen again.
pub(super) async fn take_snapshot<S: EventStream>(
    settings: &Arc<Settings>,
    request: &SnapshotRequest,
    changes: &mut Changes,
    notifications: &Notifications,
    stream: &mut S,
    queue: &Queue,
    stopping: &CancellationToken,
) -> Result<()> {
    tracing::info!("Streaming will now pause");
    let mut failure = None;
    let taken = {
        let mut taken = std::pin::pin!(read(settings, request, changes, notifications, queue));
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return Ok(()),
                taken = &mut taken => break taken,
                failed = stream.keep_alive(), if failure.is_none() => failure = Some(failed),
            }
        }
    };
    if let Err(error) = taken {
        tracing::warn!(error = %error, "Error while executing requested blocking snapshot.");
    }
    tracing::info!("Streaming resumed");
    match failure {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

async fn read(
    settings: &Arc<Settings>,
    request: &SnapshotRequest,
    changes: &mut Changes,
    notifications: &Notifications,
    queue: &Queue,
) -> Result<()> {
    let offset = changes.offset().clone();
    let records = changes.records_mut();
    let source = records.source_schema().clone();
    let open = Snapshot::open_blocking(settings, request, &offset, &source);
    initial_snapshot::read(open, Some(&offset), records, notifications, queue)
        .await
        .map(drop)
}
