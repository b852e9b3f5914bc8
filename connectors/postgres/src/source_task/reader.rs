//! Reads the database from the start of the task to its end, whatever happens
//! on the way.

use std::sync::Arc;

use tether_api::source::SourceTaskContext;
use tether_api::{ConnectError, Result};
use tokio_util::sync::CancellationToken;

use super::heartbeat_action::ActionQuery;
use super::idle::IdlePosition;
use super::initial_snapshot::Output;
use super::queue::{Batch, Queue};
use super::retry::Retry;
use super::signals::{Arrivals, Channels, Requests};
use super::stream_loop::{Ended, StreamLoop};
use super::{blocking_snapshot, catch_up, initial_snapshot, settings, start};
use crate::config::{Settings, SlotLimitAction};
use crate::event::{ContextHeaders, Records};
use crate::guardian::{Guardian, LimitExceeded};
use crate::incremental::IncrementalSnapshots;
use crate::lsn::Lsn;
use crate::metrics::{Groups, Meters, QueueGauge, register};
use crate::notification::Notifications;
use crate::offset::PostgresOffset;
use crate::replication::{EventStream, PublicationName, Purpose, Session, drop_slot};
use crate::streaming::{Changes, Progress};

/// Puts the records of a task into its queue.
pub(super) struct Reader {
    settings: Arc<Settings>,
    context: SourceTaskContext,
    queue: Queue,
    stopping: CancellationToken,
    headers: ContextHeaders,
    action: ActionQuery,
    channels: Channels,
    requests: Requests,
    notifications: Notifications,
    /// How far snapshots are.
    meters: Meters,
    /// The metrics of the task are there as long as it is.
    _groups: Groups,
    retry: Retry,
    /// What is made and not yet in the queue.
    batch: Batch,
    /// The stream, once one began; another connection goes on with it.
    streaming: Option<Streaming>,
    /// What a snapshot had sent when it was interrupted, if another one can go on
    /// with the rest.
    reached: Option<PostgresOffset>,
    /// Where the task is if nothing is to be streamed, and what makes records
    /// there.
    resting: Option<(PostgresOffset, Records)>,
}

struct Streaming {
    changes: Changes,
    incremental: Option<IncrementalSnapshots>,
    publication: PublicationName,
    position: Lsn,
    idle: IdlePosition,
}

impl Reader {
    pub(super) fn new(
        settings: Arc<Settings>,
        context: SourceTaskContext,
        queue: Queue,
        stopping: CancellationToken,
    ) -> Result<Self> {
        let query = settings.heartbeat.action_query.clone();
        let errors = settings.errors;
        let meters = Meters::new(settings.metrics.statistics, settings.events.skip_unchanged);
        let gauge: Arc<dyn QueueGauge> = Arc::new(queue.clone());
        let groups = register(&context.metrics, &settings, &meters, &gauge);
        Ok(Self {
            channels: Channels::new(&settings, &stopping)?,
            headers: settings::headers(&settings),
            action: ActionQuery::start(settings.connection.clone(), query),
            retry: Retry::new(errors.max_retries, errors.restart_wait),
            requests: Requests::default(),
            notifications: Notifications::new(&settings),
            _groups: groups,
            meters,
            batch: Batch::default(),
            streaming: None,
            reached: None,
            resting: None,
            settings,
            context,
            queue,
            stopping,
        })
    }

    /// Reads until the task stops. What ends it otherwise goes to the queue.
    pub(super) async fn run(mut self) {
        let mut guardian = Guardian::start(self.settings.clone(), self.meters.slot.clone());
        let read = tokio::select! {
            read = self.read() => read,
            // The stream ends here, and so its hold of the slot.
            exceeded = guardian.exceeded() => Err(self.give_up(exceeded).await),
        };
        self.meters.streaming.connected(false);
        self.channels.close().await;
        if let Err(error) = read {
            tracing::error!(error = %error, "The connector stops");
            let message = "An exception occurred in the change event producer. This connector \
                           will be stopped.";
            self.queue
                .fail(ConnectError::other(message).caused_by(error));
        }
    }

    async fn read(&mut self) -> Result<()> {
        loop {
            let mut received = false;
            let ended = self.connect_and_stream(&mut received).await;
            self.meters.streaming.connected(false);
            if let Some(streaming) = &mut self.streaming {
                self.meters
                    .add(streaming.changes.tally(), &self.batch.records);
            }
            let Err(error) = ended else {
                return Ok(());
            };
            if !error.is_retriable() {
                return Err(error);
            }
            if received {
                self.retry.succeeded();
            }
            let Some(wait) = self.retry.wait() else {
                tracing::error!(
                    "The maximum number of {} retries has been attempted",
                    self.retry.failures()
                );
                return Err(error);
            };
            tracing::warn!(
                error = %error,
                attempt = self.retry.failures(),
                "The connection to the database failed; trying again in {wait:?}"
            );
            let mut wait = std::pin::pin!(tokio::time::sleep(wait));
            // What was made before the failure goes on its way meanwhile.
            loop {
                let is_empty = self.queue.try_put(&mut self.batch);
                tokio::select! {
                    biased;
                    () = self.stopping.cancelled() => return Ok(()),
                    () = &mut wait => break,
                    () = self.queue.space(), if !is_empty => {}
                }
            }
        }
    }

    /// Connects and streams until the task stops.
    async fn connect_and_stream(&mut self, received: &mut bool) -> Result<()> {
        let stopping = self.stopping.clone();
        let connected = tokio::select! {
            biased;
            () = stopping.cancelled() => return Ok(()),
            connected = self.connect() => connected?,
        };
        // More records may follow what is left of the last stream.
        self.batch.end = None;
        let (Some((mut stream, mut tables)), Some(streaming)) = (connected, &mut self.streaming)
        else {
            self.rest().await;
            return Ok(());
        };
        if let Some(incremental) = &mut streaming.incremental {
            tokio::select! {
                () = stopping.cancelled() => {}
                begun = incremental.begin(&mut streaming.changes) => begun?,
                failure = stream.keep_alive() => return Err(failure.into()),
            }
            let offset = streaming.changes.offset();
            incremental.tell(&self.notifications, offset, &mut self.batch.records)?;
        }
        self.channels.start();
        let output = Output::new(
            &self.settings,
            &self.notifications,
            &self.meters.snapshot,
            &self.queue,
        );
        loop {
            if let Some(request) = self.requests.snapshots.pop_front() {
                let offset = streaming.changes.offset().clone();
                blocking_snapshot::take(
                    &self.settings,
                    &request,
                    (&offset, streaming.changes.records_mut()),
                    &output,
                    &mut stream,
                    &self.stopping,
                )
                .await?;
                continue;
            }
            let stream_loop = StreamLoop {
                stream: &mut stream,
                tables: &mut tables,
                action: &mut self.action,
                arrivals: &mut self.channels,
                requests: &mut self.requests,
                incremental: streaming.incremental.as_mut(),
                notifications: &self.notifications,
                meters: &self.meters,
                changes: &mut streaming.changes,
                batch: &mut self.batch,
                queue: &self.queue,
                committed: &mut self.context.committed,
                stopping: &self.stopping,
                xmin_interval: self.settings.streaming.xmin_interval,
                received: &mut *received,
                idle: &mut streaming.idle,
                passed: 0,
            };
            if stream_loop.run().await? == Ended::Stopped {
                break;
            }
        }
        stream.close().await;
        if self.settings.slot.drop_on_stop {
            self.drop_slot().await;
        }
        Ok(())
    }

    /// Waits until the task stops, as nothing is to be streamed; signals may
    /// still come.
    async fn rest(&mut self) {
        tracing::info!("Nothing is to be streamed");
        self.channels.start();
        let Some((offset, records)) = &mut self.resting else {
            return;
        };
        let output = Output::new(
            &self.settings,
            &self.notifications,
            &self.meters.snapshot,
            &self.queue,
        );
        let resting = async {
            loop {
                let signal = self.channels.next().await;
                if self.requests.execute(&signal, offset).is_some() {
                    tracing::warn!(
                        "The signal '{}' of type '{}' needs a stream, and there is none",
                        signal.id,
                        signal.kind
                    );
                }
                while let Some(request) = self.requests.snapshots.pop_front() {
                    blocking_snapshot::read(&self.settings, &request, offset, records, &output)
                        .await;
                }
            }
        };
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = resting => {}
        }
    }

    /// Starts a stream: the first one, or one that goes on where the last one
    /// was interrupted.
    async fn connect(
        &mut self,
    ) -> Result<
        Option<(
            crate::replication::ReplicationStream,
            super::tables::CatalogTables,
        )>,
    > {
        let session = start::connect(&self.settings).await?;
        let streaming = match &mut self.streaming {
            Some(streaming) => {
                let changes = &mut streaming.changes;
                start::check_slot(&self.settings, changes.offset(), &session).await?;
                changes.reconnected();
                streaming.position = changes.start().unwrap_or(streaming.position);
                streaming
            }
            None => {
                let offsets = &*self.context.offsets;
                let mut records = settings::records(&self.settings, self.headers.clone())?;
                let source = records.source_schema().clone();
                let reached = self.reached.as_ref();
                let start =
                    start::start(&self.settings, offsets, reached, &session, &source).await?;
                if let Some(start::CatchUp { from, until }) = start.catch_up {
                    let records = settings::records(&self.settings, self.headers.clone())?;
                    let tools = catch_up::Tools {
                        settings: &self.settings,
                        context: &mut self.context,
                        action: &mut self.action,
                        notifications: &self.notifications,
                        meters: &self.meters,
                        batch: &mut self.batch,
                        queue: &self.queue,
                        stopping: &self.stopping,
                    };
                    catch_up::stream(from, until, records, tools).await?;
                }
                let read = initial_snapshot::take(
                    start.snapshot,
                    start.stored.as_ref(),
                    &mut records,
                    &Output::new(
                        &self.settings,
                        &self.notifications,
                        &self.meters.snapshot,
                        &self.queue,
                    ),
                    &mut self.reached,
                )
                .await?;
                let Some(start) = start.stream else {
                    let offset = PostgresOffset {
                        snapshot: None,
                        ..read.or(start.stored).unwrap_or_default()
                    };
                    self.resting = Some((offset, records));
                    return Ok(None);
                };
                self.meters.streaming.captures(&start.captured);
                tokio::time::sleep(self.settings.streaming.delay).await;
                let offset = read.unwrap_or(start.offset);
                self.streaming.insert(Streaming {
                    idle: IdlePosition::new(self.settings.guardian.idle_bytes, &offset),
                    changes: Changes::new(
                        Progress::after(offset, Some(start.position)),
                        records,
                        settings::changes(&self.settings),
                    ),
                    incremental: IncrementalSnapshots::new(
                        self.settings.clone(),
                        self.meters.snapshot.clone(),
                    ),
                    publication: start.publication,
                    position: start.position,
                })
            }
        };
        let position = streaming.position;
        let started =
            start::stream(&self.settings, &streaming.publication, position, session).await?;
        self.meters.streaming.connected(true);
        tracing::info!(%position, "Streaming begins");
        Ok(Some(started))
    }

    /// Ends the task as the server keeps too much of its log for the slot.
    async fn give_up(&self, exceeded: LimitExceeded) -> ConnectError {
        let LimitExceeded { action, message } = exceeded;
        let slot = &self.settings.slot.name;
        let what = match action {
            SlotLimitAction::Fail => format!(
                "The task stops. The slot stays, so nothing is lost, but the server goes on to \
                 keep its log for it: start the task again once it can catch up, or drop the slot \
                 (pg_drop_replication_slot('{slot}')) and take a new snapshot"
            ),
            SlotLimitAction::Drop => match self.drop_slot().await {
                true => "The slot was dropped (slot.guardian.limit.action=drop), and the changes \
                         that it was kept for are lost. A new snapshot makes up for them \
                         (snapshot.mode=when_needed)"
                    .to_owned(),
                false => format!(
                    "The task stops, but the slot could not be dropped: drop it \
                     (pg_drop_replication_slot('{slot}')), or the server goes on to keep its log"
                ),
            },
        };
        ConnectError::other(format!("{message} {what}"))
    }

    /// Drops the slot; whether it was dropped.
    async fn drop_slot(&self) -> bool {
        match Session::connect(&self.settings.connection, Purpose::DropSlot).await {
            Ok(session) => drop_slot(&session, &self.settings.slot.name).await,
            Err(failure) => {
                tracing::error!(error = %failure, "The slot cannot be dropped");
                false
            }
        }
    }
}
