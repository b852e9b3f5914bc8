//! The snapshot at the start of a task.

use tether_api::Result;

use super::queue::{Queue, QueueSink};
use crate::config::Settings;
use crate::event::Records;
use crate::notification::{InitialSnapshot, Notifications};
use crate::offset::{PostgresOffset, SnapshotKind};
use crate::snapshot::{RecordSink, Snapshot, SnapshotMeter};

/// About what a notification or a heartbeat takes in memory.
const SMALL: usize = 1024;

/// Where records of snapshots go.
pub(super) struct Output<'a> {
    notifications: &'a Notifications,
    meter: &'a SnapshotMeter,
    queue: &'a Queue,
    /// Whether there are heartbeats, of which one follows each snapshot.
    heartbeats: bool,
}

impl<'a> Output<'a> {
    /// Puts records into this queue, and counts rows in this meter.
    pub(super) fn new(
        settings: &Settings,
        notifications: &'a Notifications,
        meter: &'a SnapshotMeter,
        queue: &'a Queue,
    ) -> Self {
        Self {
            notifications,
            meter,
            queue,
            heartbeats: settings.heartbeat.interval.is_some(),
        }
    }

    async fn tell(
        &self,
        event: InitialSnapshot<'_>,
        offset: Option<&PostgresOffset>,
    ) -> Result<()> {
        let mut out = Vec::new();
        self.notifications.initial(event, offset, &mut out)?;
        QueueSink(self.queue).put(out, SMALL).await;
        Ok(())
    }

    async fn heartbeat(&self, records: &Records, offset: &PostgresOffset) -> Result<()> {
        let mut out = Vec::new();
        if self.heartbeats {
            records.heartbeat(offset, &mut out)?;
        }
        QueueSink(self.queue).put(out, SMALL).await;
        Ok(())
    }
}

/// Takes a snapshot, if there is one to take, and tells of it. `stored` is the
/// offset that the task was started with. Returns the offset after which the
/// stream goes on, if rows were read. If that fails, `reached` has what has been
/// sent, where the snapshot can go on with the rest.
///
/// # Errors
/// As [`Snapshot::read`].
pub(super) async fn take(
    snapshot: Option<Snapshot>,
    stored: Option<&PostgresOffset>,
    records: &mut Records,
    output: &Output<'_>,
    reached: &mut Option<PostgresOffset>,
) -> Result<Option<PostgresOffset>> {
    let Some(snapshot) = snapshot else {
        output.meter.skipped();
        output.tell(InitialSnapshot::Skipped, stored).await?;
        return Ok(None);
    };
    let opened = async { Ok(snapshot) };
    read(opened, stored, records, output, reached)
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
    output: &Output<'_>,
    reached: &mut Option<PostgresOffset>,
) -> Result<PostgresOffset> {
    output.meter.started();
    output.tell(InitialSnapshot::Started, before).await?;
    let mut begun = before.cloned();
    let read = match open.await {
        Ok(snapshot) => {
            begun = Some(snapshot.offset().clone());
            let sink = &mut QueueSink(output.queue);
            let Output {
                notifications,
                meter,
                ..
            } = output;
            snapshot
                .read(records, notifications, meter, sink, reached)
                .await
        }
        Err(error) => Err(error),
    };
    match &read {
        Ok(offset) => {
            let offset = PostgresOffset {
                snapshot: None,
                ..offset.clone()
            };
            output.heartbeat(records, &offset).await?;
            output.meter.completed();
            output
                .tell(InitialSnapshot::Completed, Some(&offset))
                .await?;
        }
        Err(_) => {
            // An initial one has to be taken anew; others are not taken up again.
            let is_initial = |kind| kind == SnapshotKind::Initial;
            if let Some(begun) = &mut begun {
                begun.snapshot = begun.snapshot.filter(|progress| is_initial(progress.kind));
            }
            output.meter.aborted();
            output
                .tell(InitialSnapshot::Aborted, begun.as_ref())
                .await?;
        }
    }
    read
}
