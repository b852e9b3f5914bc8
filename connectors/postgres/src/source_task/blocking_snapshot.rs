//! Snapshots that signals ask for while the stream waits.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::initial_snapshot::{self, Output};
use crate::config::Settings;
use crate::event::Records;
use crate::offset::PostgresOffset;
use crate::replication::{EventStream, Failure};
use crate::signal::SnapshotRequest;
use crate::snapshot::Snapshot;

/// Takes a snapshot at the position of the stream, which is kept alive
/// meanwhile. A snapshot that fails is logged, and the stream goes on.
///
/// # Errors
/// If the stream fails meanwhile, once the snapshot has ended: it is taken
/// anyhow, as the signal is not seen again.
pub(super) async fn take<S: EventStream>(
    settings: &Arc<Settings>,
    request: &SnapshotRequest,
    (offset, records): (&PostgresOffset, &mut Records),
    output: &Output<'_>,
    stream: &mut S,
    stopping: &CancellationToken,
) -> Result<(), Failure> {
    tracing::info!("Streaming will now pause");
    let mut failure = None;
    {
        let mut taken = std::pin::pin!(read(settings, request, offset, records, output));
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return Ok(()),
                () = &mut taken => break,
                failed = stream.keep_alive(), if failure.is_none() => failure = Some(failed),
            }
        }
    }
    tracing::info!("Streaming resumed");
    match failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Takes a snapshot at this position. If it fails, that is logged.
pub(super) async fn read(
    settings: &Arc<Settings>,
    request: &SnapshotRequest,
    offset: &PostgresOffset,
    records: &mut Records,
    output: &Output<'_>,
) {
    let source = records.source_schema().clone();
    let open = Snapshot::open_blocking(settings, request, offset, &source);
    // It is not gone on with.
    let reached = &mut None;
    if let Err(error) = initial_snapshot::read(open, Some(offset), records, output, reached).await {
        tracing::warn!(error = %error, "Error while executing requested blocking snapshot.");
    }
}
