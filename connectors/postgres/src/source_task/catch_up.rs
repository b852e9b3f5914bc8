//! The stream up to where a snapshot was taken, before its rows: with
//! `snapshot.mode=always`, a start goes on behind the stored offset first.
//!
//! Without it, what happened between that offset and the snapshot would be
//! missed. Rows would show it, but for those that are gone: nobody would be told
//! that they were deleted.

use std::sync::Arc;
use std::time::Duration;

use tether_api::Result;
use tether_api::source::SourceTaskContext;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::heartbeat_action::ActionQuery;
use super::idle::IdlePosition;
use super::queue::{Batch, Queue};
use super::signals::{Arrivals, Requests};
use super::stream_loop::StreamLoop;
use super::{settings, start};
use crate::config::Settings;
use crate::event::Records;
use crate::lsn::Lsn;
use crate::metrics::Meters;
use crate::notification::Notifications;
use crate::pgoutput::{Message, decode};
use crate::replication::{Event, EventStream, Failure};
use crate::signal::Signal;
use crate::streaming::{ChangeSettings, Changes, Progress, RowSignals};

/// How long, and how often, is waited for the server to see that nobody streams
/// from the slot any more.
const RELEASE_PATIENCE: Duration = Duration::from_secs(10);
const RELEASE_PAUSE: Duration = Duration::from_millis(20);

/// What the changes go through.
pub(super) struct Tools<'a> {
    pub(super) settings: &'a Arc<Settings>,
    pub(super) context: &'a mut SourceTaskContext,
    pub(super) action: &'a mut ActionQuery,
    pub(super) notifications: &'a Notifications,
    pub(super) meters: &'a Meters,
    pub(super) batch: &'a mut Batch,
    pub(super) queue: &'a Queue,
    pub(super) stopping: &'a CancellationToken,
}

/// Streams from an offset on, up to a position and without what ended behind
/// it. Returns once all of it is in the queue, or the task stops.
///
/// Signals that come with the stream are not executed: what they would read is
/// read next.
///
/// # Errors
/// Retriable, if it may pass.
pub(super) async fn stream(
    from: start::StreamFrom,
    until: Lsn,
    records: Records,
    tools: Tools<'_>,
) -> Result<()> {
    tracing::info!(position = %from.position, %until, "Streaming what comes before the snapshot");
    let Tools {
        settings,
        context,
        action,
        notifications,
        meters,
        batch,
        queue,
        stopping,
    } = tools;
    let session = start::connect(settings).await?;
    let (mut stream, mut tables) =
        start::stream(settings, &from.publication, from.position, session).await?;
    let reached = stopping.child_token();
    let mut idle = IdlePosition::new(None, &from.offset);
    let mut changes = Changes::new(
        Progress::after(from.offset, Some(from.position)),
        records,
        ChangeSettings {
            signals: RowSignals::None,
            ..settings::changes(settings)
        },
    );
    let stream_loop = StreamLoop {
        stream: &mut Bounded {
            stream: &mut stream,
            until,
            reached: &reached,
        },
        tables: &mut tables,
        action,
        arrivals: &mut NoSignals,
        requests: &mut Requests::default(),
        incremental: None,
        notifications,
        changes: &mut changes,
        batch: &mut *batch,
        queue,
        committed: &mut context.committed,
        stopping: &reached,
        xmin_interval: settings.streaming.xmin_interval,
        received: &mut false,
        idle: &mut idle,
        meters,
        passed: 0,
    };
    stream_loop.run().await?;
    while !queue.try_put(batch) {
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            () = queue.space() => {}
        }
    }
    stream.close().await;
    tracing::info!(offset = %changes.offset().text(), "The stream has come to the snapshot");
    released(settings).await
}

/// Waits until another connection may stream from the slot.
async fn released(settings: &Settings) -> Result<()> {
    let session = start::connect(settings).await?;
    let deadline = Instant::now() + RELEASE_PATIENCE;
    while Instant::now() < deadline && start::is_streamed(settings, &session).await? {
        sleep(RELEASE_PAUSE).await;
    }
    Ok(())
}

/// A stream that ends at a position.
struct Bounded<'a, S> {
    stream: &'a mut S,
    /// What commits from here on is not let through.
    until: Lsn,
    /// Is cancelled once all that comes before has come.
    reached: &'a CancellationToken,
}

impl<S> Bounded<'_, S> {
    /// Whether everything that comes before the end has come, as this event
    /// comes.
    fn is_behind(&self, event: &Event) -> bool {
        match event {
            // Up to there everything has been sent.
            Event::KeepAlive(sign) => sign.wal_end >= self.until,
            // Of others, most of all rows, this says nothing.
            Event::XLogData(data) if !matches!(data.payload.first(), Some(b'B' | b'M')) => false,
            // What is wrong with it is said where it is read.
            Event::XLogData(data) => match decode(data.payload.clone()) {
                Ok(Message::Begin { final_lsn, .. }) => final_lsn >= self.until,
                Ok(Message::Logical {
                    transactional: false,
                    lsn,
                    ..
                }) => lsn >= self.until,
                _ => false,
            },
        }
    }
}

impl<S: EventStream> EventStream for Bounded<'_, S> {
    fn next(&mut self) -> Result<Option<Event>, Failure> {
        if self.reached.is_cancelled() {
            return Ok(None);
        }
        let next = self.stream.next()?;
        if next.as_ref().is_some_and(|event| self.is_behind(event)) {
            self.reached.cancel();
            return Ok(None);
        }
        Ok(next)
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        self.stream.fill().await
    }

    async fn keep_alive(&mut self) -> Failure {
        self.stream.keep_alive().await
    }

    fn confirm(&mut self, position: Lsn) {
        self.stream.confirm(position);
    }
}

struct NoSignals;

impl Arrivals for NoSignals {
    async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::{BufMut, Bytes, BytesMut};

    use super::*;
    use crate::replication::{KeepAlive, XLogData};

    struct Script(VecDeque<Event>);

    impl EventStream for Script {
        fn next(&mut self) -> Result<Option<Event>, Failure> {
            Ok(self.0.pop_front())
        }

        async fn fill(&mut self) -> Result<(), Failure> {
            std::future::pending().await
        }

        async fn keep_alive(&mut self) -> Failure {
            std::future::pending().await
        }

        fn confirm(&mut self, _: Lsn) {}
    }

    fn data(payload: Bytes) -> Event {
        Event::XLogData(XLogData {
            wal_start: Lsn(1),
            wal_end: Lsn(1),
            server_time: 0,
            payload,
        })
    }

    fn begin(final_lsn: u64) -> Event {
        let mut payload = BytesMut::new();
        payload.put_u8(b'B');
        payload.put_u64(final_lsn);
        payload.put_u64(0);
        payload.put_u32(7);
        data(payload.freeze())
    }

    fn message(lsn: u64, transactional: bool) -> Event {
        let mut payload = BytesMut::new();
        payload.put_slice(&[b'M', u8::from(transactional)]);
        payload.put_u64(lsn);
        payload.put_slice(b"p\0");
        payload.put_u32(0);
        data(payload.freeze())
    }

    fn alive(wal_end: u64) -> Event {
        Event::KeepAlive(KeepAlive {
            wal_end: Lsn(wal_end),
            server_time: 0,
            reply_requested: false,
        })
    }

    /// How many of these come, up to position 100.
    fn passed(events: Vec<Event>) -> Result<(usize, bool), Failure> {
        let reached = CancellationToken::new();
        let mut bounded = Bounded {
            stream: &mut Script(events.into()),
            until: Lsn(100),
            reached: &reached,
        };
        let mut count = 0;
        while bounded.next()?.is_some() {
            count += 1;
        }
        Ok((count, reached.is_cancelled()))
    }

    #[test]
    fn what_commits_behind_the_position_does_not_come() -> Result<(), Failure> {
        let rows = || data(Bytes::from_static(b"I"));
        assert_eq!(
            passed(vec![begin(99), rows(), begin(100), rows()])?,
            (2, true)
        );
        assert_eq!(passed(vec![alive(99), alive(100), rows()])?, (1, true));
        assert_eq!(passed(vec![message(99, false), rows()])?, (2, false));
        assert_eq!(passed(vec![message(100, false), rows()])?, (0, true));
        // It belongs to the transaction under way, which ends before.
        assert_eq!(passed(vec![message(100, true), rows()])?, (2, false));
        assert_eq!(
            passed(vec![data(Bytes::from_static(b"B")), rows()])?,
            (2, false)
        );
        Ok(())
    }
}
