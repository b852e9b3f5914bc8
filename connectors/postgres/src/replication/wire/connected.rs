//! A connection on which messages come and go.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::{
    DATA_ROW_TAG, ERROR_RESPONSE_TAG, NOTICE_RESPONSE_TAG, NOTIFICATION_RESPONSE_TAG,
    PARAMETER_STATUS_TAG, READY_FOR_QUERY_TAG,
};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use super::frame::{Frame, Frames};
use super::report::server_report;
use crate::replication::failure::Failure;

/// A row of an answer: each column as text, `None` for NULL.
pub(crate) type Row = Vec<Option<String>>;

/// A connection on which messages come and go.
#[derive(Debug)]
pub(crate) struct Wire<T> {
    io: T,
    pub(crate) frames: Frames,
    /// What has to go out.
    pub(crate) out: BytesMut,
    /// Whether what went out may still be on this side of TLS.
    needs_flush: bool,
}

/// What a failed login or an ended connection says.
fn lost(error: &io::Error) -> Failure {
    Failure::connection("the connection to the server is lost", error)
}

impl<T: AsyncRead + AsyncWrite + Unpin> Wire<T> {
    /// Takes messages up to this length in bytes.
    pub(crate) fn new(io: T, limit: usize) -> Self {
        Self {
            io,
            frames: Frames::new(limit),
            out: BytesMut::new(),
            needs_flush: false,
        }
    }

    /// Writes what has to go out. Pending if not all of it went.
    pub(crate) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.out));
            match written {
                Ok(0) => {
                    let error = io::Error::from(io::ErrorKind::WriteZero);
                    return Poll::Ready(Err(lost(&error)));
                }
                Ok(count) => self.out.advance(count),
                Err(error) => return Poll::Ready(Err(lost(&error))),
            }
            self.needs_flush = true;
        }
        if self.needs_flush {
            let flushed = ready!(Pin::new(&mut self.io).poll_flush(context));
            flushed.map_err(|error| lost(&error))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once. Ready with whether bytes came; if not, the server has closed
    /// the connection.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        let read = ready!(poll_read_buf(
            Pin::new(&mut self.io),
            context,
            self.frames.room()
        ));
        Poll::Ready(match read {
            Ok(count) => Ok(count > 0),
            Err(error) => Err(lost(&error)),
        })
    }

    /// The next message that is there already.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Failure> {
        self.frames
            .next()
            .map_err(|error| Failure::permanent(error.to_string()))
    }

    /// Sends what has to go out.
    pub(crate) async fn send(&mut self) -> Result<(), Failure> {
        poll_fn(|context| self.poll_send(context)).await
    }

    /// Waits for a message. What needs no answer, such as notices, is left out.
    ///
    /// # Errors
    /// If the server reports an error, or the connection is lost.
    pub(crate) async fn receive(&mut self) -> Result<Frame, Failure> {
        loop {
            while let Some(frame) = self.next()? {
                if let Some(frame) = answer(frame)? {
                    return Ok(frame);
                }
            }
            if !poll_fn(|context| self.poll_fill(context)).await? {
                return Err(Failure::temporary("the server closed the connection"));
            }
        }
    }

    /// Runs a command of the simple protocol and returns its rows.
    ///
    /// # Errors
    /// If the server reports an error, or the connection is lost. After an error
    /// that is not FATAL the connection can be used further.
    pub(crate) async fn query(&mut self, command: &str) -> Result<Vec<Row>, Failure> {
        frontend::query(command, &mut self.out)
            .map_err(|error| Failure::permanent(format!("{command} cannot be sent: {error}")))?;
        self.send().await?;
        let mut rows = Vec::new();
        let mut failed = None;
        loop {
            match self.receive().await {
                Ok(frame) => match frame.tag {
                    DATA_ROW_TAG => rows.push(row(&frame.body)?),
                    READY_FOR_QUERY_TAG => break,
                    _ => {}
                },
                // The connection ends after a fatal error, whose words say more.
                Err(failure) => match failed {
                    Some(first) => return Err(first),
                    None if failure.state().is_some() => failed = Some(failure),
                    None => return Err(failure),
                },
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None => Ok(rows),
        }
    }
}

/// The message unless it is one that may come at any time and needs no answer.
///
/// # Errors
/// If it is an error.
pub(crate) fn answer(frame: Frame) -> Result<Option<Frame>, Failure> {
    match frame.tag {
        ERROR_RESPONSE_TAG => Err(Failure::of_response(&frame.body)),
        NOTICE_RESPONSE_TAG => {
            let report = server_report(&frame.body);
            tracing::debug!(
                severity = report.severity,
                message = report.message,
                "the server says"
            );
            Ok(None)
        }
        PARAMETER_STATUS_TAG | NOTIFICATION_RESPONSE_TAG => Ok(None),
        _ => Ok(Some(frame)),
    }
}

/// Reads a row: the number of columns, and for each its length, -1 for NULL,
/// and its text.
fn row(body: &[u8]) -> Result<Row, Failure> {
    let mut columns = Vec::new();
    let damaged = || Failure::permanent("the server sent a row that cannot be read");
    let (count, mut rest) = body.split_first_chunk().ok_or_else(damaged)?;
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk().ok_or_else(damaged)?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            columns.push(None);
            rest = after;
            continue;
        };
        let (value, after) = after.split_at_checked(length).ok_or_else(damaged)?;
        columns.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_read() {
        let body = b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0";
        let expected = [Some("ab".to_owned()), None, Some(String::new())];
        assert_eq!(row(body).unwrap(), expected);
        assert!(row(b"\0\x01\0\0\0\x02a").is_err());
        assert!(row(b"\0").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_row_or_not(body: Vec<u8>) {
            let _ = row(&body);
        }
    }
}
