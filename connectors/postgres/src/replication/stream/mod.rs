//! The changes, and what is confirmed of them.

mod confirmation;
mod event;
mod start;
mod status;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use postgres_protocol::message::backend::{
    COMMAND_COMPLETE_TAG, COPY_DATA_TAG, COPY_DONE_TAG, READY_FOR_QUERY_TAG,
};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep, timeout};

use self::confirmation::Confirmation;
pub use self::confirmation::confirmable;
use self::event::event;
pub use self::event::{Event, KeepAlive, XLogData};
pub use self::start::{StreamStart, start_streaming};
use self::status::Status;
use super::failure::Failure;
use super::wire::{LONGEST_MESSAGE, Transport, Wire, answer};
use crate::config::{LsnFlushTimeoutAction, StreamingSettings};
use crate::lsn::Lsn;

/// How long an orderly end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where changes come from: [`ReplicationStream`], or a script in tests.
///
/// Take events with `next` until there is none, then `fill`. While nothing is
/// taken, such as when a queue is full, race `keep_alive` with whatever is
/// waited for, or the server takes this side for dead.
pub trait EventStream: Send {
    /// The next event that is there already.
    ///
    /// # Errors
    /// If the server reports an error or ends the stream, or what it sends is
    /// not the protocol.
    fn next(&mut self) -> Result<Option<Event>, Failure>;

    /// Waits for bytes, which need not be a whole event. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// If the connection is lost.
    fn fill(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Tells the server now and then that this side lives, and takes nothing.
    /// Returns when the connection is lost. Dropping the future loses nothing.
    fn keep_alive(&mut self) -> impl Future<Output = Failure> + Send;

    /// Tells that everything up to here is stored ([`confirmable`]).
    fn confirm(&mut self, position: Lsn);
}

/// The stream of changes. The server ends it soon after this value is dropped.
#[derive(Debug)]
pub struct ReplicationStream<T = Transport> {
    wire: Wire<T>,
    confirmation: Confirmation,
    /// Up to where everything has come.
    received: Lsn,
    /// How often the server is told how far this side is.
    interval: Duration,
    /// When it is told next.
    next_status: Pin<Box<Sleep>>,
    /// Whether it is to be told now, and asked to answer.
    due: Due,
    flush_timeout: Duration,
    flush_timeout_action: LsnFlushTimeoutAction,
    /// When a confirmation that does not go out has waited too long.
    flush_deadline: Option<Pin<Box<Sleep>>>,
}

/// Whether the server is to be told how far this side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Not now.
    No,
    /// It wants to know.
    Status,
    /// There is something to confirm.
    Confirmation,
    /// It is time, and it shall answer.
    SignOfLife,
}

impl<T: AsyncRead + AsyncWrite + Unpin> ReplicationStream<T> {
    /// A stream on a connection whose other side streams from now on, from
    /// `start` on.
    pub fn over(io: T, start: Lsn, settings: &StreamingSettings) -> Self {
        Self::on(Wire::new(io, LONGEST_MESSAGE), start, settings)
    }

    fn on(wire: Wire<T>, start: Lsn, settings: &StreamingSettings) -> Self {
        Self {
            wire,
            confirmation: Confirmation::new(settings.lsn_flush_mode),
            received: start,
            interval: settings.status_interval,
            next_status: Box::pin(sleep(settings.status_interval)),
            // The first status goes out at once, as that of the driver.
            due: Due::SignOfLife,
            flush_timeout: settings.lsn_flush_timeout,
            flush_timeout_action: settings.lsn_flush_timeout_action,
            flush_deadline: None,
        }
    }

    /// Up to where the server may forget; no position for not yet.
    pub fn flushed(&self) -> Lsn {
        self.confirmation.flushed()
    }

    /// Ends the stream in order, with what is confirmed.
    pub async fn close(mut self) {
        self.put_status(false);
        frontend::terminate(&mut self.wire.out);
        // The server ends the stream in any case once the connection is gone.
        let _ = timeout(FAREWELL, self.wire.send()).await;
    }

    fn put_status(&mut self, asks_for_answer: bool) {
        self.put(self.confirmation.flushed(), asks_for_answer);
    }

    fn put(&mut self, flushed: Lsn, asks_for_answer: bool) {
        let status = Status {
            received: self.received,
            flushed,
            asks_for_answer,
        };
        status.put(&mut self.wire.out);
    }

    /// Sends what is due. Pending once there is nothing more to do.
    fn poll_status(&mut self, context: &mut Context<'_>) -> Poll<Failure> {
        if self.next_status.as_mut().poll(context).is_ready() {
            let next = Instant::now() + self.interval;
            self.next_status.as_mut().reset(next);
            // The clock of the new instant has to wake this side too.
            let _ = self.next_status.as_mut().poll(context);
            self.due = Due::SignOfLife;
        }
        loop {
            match self.wire.poll_send(context) {
                Poll::Ready(Ok(())) => self.flush_deadline = None,
                Poll::Ready(Err(failure)) => return Poll::Ready(failure),
                Poll::Pending => return self.poll_flush_deadline(context),
            }
            match self.due {
                Due::No => return Poll::Pending,
                // A server that shuts down asks until all that it sent is
                // confirmed or, of a side that confirms nothing, received. A slot
                // stays where it is if nothing is confirmed, so it is left out
                // here: otherwise the shutdown would wait for a record that may
                // never come.
                Due::Status => self.put(Lsn(0), false),
                Due::SignOfLife => self.put_status(true),
                Due::Confirmation => {
                    self.put_status(false);
                    self.flush_deadline = Some(Box::pin(sleep(self.flush_timeout)));
                }
            }
            self.due = Due::No;
        }
    }

    fn poll_flush_deadline(&mut self, context: &mut Context<'_>) -> Poll<Failure> {
        let Some(deadline) = &mut self.flush_deadline else {
            return Poll::Pending;
        };
        if deadline.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.flush_deadline = None;
        let position = self.confirmation.flushed();
        match self.flush_timeout_action {
            LsnFlushTimeoutAction::Fail => {
                return Poll::Ready(Failure::permanent(format!(
                    "LSN flush operation timed out for LSN '{position}'. Task is configured to \
                     fail on timeout as configured by lsn.flush.timeout.action configuration."
                )));
            }
            LsnFlushTimeoutAction::Warn => tracing::warn!(
                %position,
                "the server did not take a confirmation within {:?} (lsn.flush.timeout.ms); it is \
                 repeated with the next one",
                self.flush_timeout
            ),
            LsnFlushTimeoutAction::Ignore => tracing::debug!(
                %position,
                "the server did not take a confirmation within {:?} (lsn.flush.timeout.ms)",
                self.flush_timeout
            ),
        }
        Poll::Pending
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> EventStream for ReplicationStream<T> {
    fn next(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(frame) = self.wire.next()? {
            if frame.tag == COPY_DATA_TAG {
                let event = event(frame.body)?;
                match &event {
                    Event::XLogData(change) => {
                        self.received = self.received.max(change.wal_start);
                        self.confirmation.message();
                    }
                    Event::KeepAlive(sign) => {
                        self.received = self.received.max(sign.wal_end);
                        if self.confirmation.keep_alive(sign.wal_end) {
                            self.due = Due::Confirmation;
                        } else if sign.reply_requested && self.due == Due::No {
                            self.due = Due::Status;
                        }
                    }
                }
                return Ok(Some(event));
            }
            match answer(frame).map_err(start::explained)? {
                None => {}
                Some(frame) => match frame.tag {
                    COPY_DONE_TAG | COMMAND_COMPLETE_TAG | READY_FOR_QUERY_TAG => {
                        return Err(Failure::temporary("the server ended the stream"));
                    }
                    tag => {
                        return Err(Failure::permanent(format!(
                            "the server sent a message of kind {tag:#04x} within the stream"
                        )));
                    }
                },
            }
        }
        Ok(None)
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        poll_fn(|context| {
            // Both ways at once: the server may wait for this side to read before
            // it reads itself.
            let status = self.poll_status(context);
            match self.wire.poll_fill(context) {
                Poll::Ready(Ok(true)) => return Poll::Ready(Ok(())),
                // What the server said before it closed is there already.
                Poll::Ready(Ok(false)) => {
                    return Poll::Ready(Err(Failure::temporary(
                        "the server closed the connection of the stream",
                    )));
                }
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Pending => {}
            }
            status.map(Err)
        })
        .await
    }

    async fn keep_alive(&mut self) -> Failure {
        poll_fn(|context| self.poll_status(context)).await
    }

    fn confirm(&mut self, position: Lsn) {
        if self.confirmation.confirm(position) {
            self.due = Due::Confirmation;
        }
    }
}

#[cfg(test)]
mod tests;
