//! Requests and answers on a stream of bytes: each behind its length and with a
//! header, one at a time.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::halves::{AnswerHalf, RequestHalf};
use super::peer::Peer;
use crate::broker::BrokerError;
use crate::broker::bytes::{BytesError, Reader, put_count, put_text};
use crate::broker::messages::{Request, SupportedVersions, decode_body};

/// Bytes of the header of an answer: the number of the request.
pub(super) const HEADER: usize = 4;

/// Why nothing is asked any more.
const BROKE_EARLIER: &str = "the connection broke with an earlier request";

/// Memory that is taken for an answer because of its length alone, in bytes:
/// enough for most fetches of one partition.
const TAKEN_AT_ONCE: usize = 1024 * 1024 + 64 * 1024;

/// What carries bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One end of a stream whose other end is a broker.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    pub(super) peer: Peer,
    client_id: String,
    next_id: i32,
    /// A request began and its answer has not been read.
    broken: bool,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, broker: String, client_id: String) -> Self {
        Self {
            stream,
            peer: Peer {
                name: broker,
                largest: 0,
                hint: "",
            },
            client_id,
            next_id: 0,
            broken: false,
        }
    }

    /// From now on answers may have this many bytes, and this is what may be the
    /// cause if the broker ends the connection.
    pub(super) fn expect(&mut self, largest: usize, hint: &'static str) {
        self.peer.largest = largest;
        self.peer.hint = hint;
    }

    /// Sends a request in the latest version that both sides know, and reads its
    /// answer.
    pub(super) async fn ask<R: Request + Sync>(
        &mut self,
        versions: &SupportedVersions,
        request: &R,
        timeout: Duration,
    ) -> Result<R::Response, BrokerError> {
        let Some(version) = versions.latest::<R>() else {
            return Err(self.peer.no_common_version(R::KEY));
        };
        let mut body = Vec::new();
        request
            .encode(version, &mut body)
            .map_err(|error| self.peer.malformed(&error))?;
        let answer = self.call(R::KEY, version, &body, timeout).await?;
        decode_body::<R>(version, &answer).map_err(|error| self.peer.malformed(&error))
    }

    /// Both directions by themselves.
    ///
    /// # Errors
    /// If the connection is broken.
    pub(super) fn split(
        self,
        versions: SupportedVersions,
    ) -> Result<(RequestHalf, AnswerHalf), BrokerError> {
        if self.broken {
            return Err(self.peer.unreachable(BROKE_EARLIER));
        }
        let (read, write) = tokio::io::split(self.stream);
        let requests = RequestHalf {
            stream: write,
            peer: self.peer.clone(),
            versions,
            client_id: self.client_id,
        };
        let answers = AnswerHalf {
            stream: read,
            peer: self.peer,
        };
        Ok((requests, answers))
    }

    /// As [`crate::broker::BrokerConnection::call`].
    pub(super) async fn call(
        &mut self,
        key: i16,
        version: i16,
        body: &[u8],
        limit: Duration,
    ) -> Result<Bytes, BrokerError> {
        if self.broken {
            return Err(self.peer.unreachable(BROKE_EARLIER));
        }
        self.broken = true;
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let request = frame(key, version, id, &self.client_id, body)
            .map_err(|error| self.peer.malformed(&error))?;
        let exchange = async {
            self.stream.write_all(&request).await?;
            self.stream.flush().await?;
            read_frame(&mut *self.stream, self.peer.largest).await
        };
        let answer = match timeout(limit, exchange).await {
            Err(_) => {
                let limit = limit.as_millis();
                return Err(self
                    .peer
                    .unreachable(&format!("no answer came within {limit} ms")));
            }
            Ok(Err(unread)) => return Err(self.peer.unread(&unread)),
            Ok(Ok(answer)) => answer,
        };
        let answered = Reader::new(&answer)
            .int32("the number of the request")
            .map_err(|error| self.peer.malformed(&error))?;
        if answered != id {
            return Err(self.peer.wrong_answer(answered, id));
        }
        self.broken = false;
        let mut answer = Bytes::from(answer);
        answer.advance(HEADER);
        Ok(answer)
    }

    /// Every later call fails.
    pub(super) fn give_up(&mut self) {
        self.broken = true;
    }
}

/// A request with its header (version 1) and, in front, the length of both.
fn frame(
    key: i16,
    version: i16,
    id: i32,
    client_id: &str,
    body: &[u8],
) -> Result<Vec<u8>, BytesError> {
    let mut frame = frame_start(key, version, id, client_id, body.len())?;
    frame.extend_from_slice(body);
    Ok(frame)
}

/// What stands before a body of so many bytes.
pub(super) fn frame_start(
    key: i16,
    version: i16,
    id: i32,
    client_id: &str,
    body_length: usize,
) -> Result<Vec<u8>, BytesError> {
    let mut header = Vec::with_capacity(client_id.len() + 10);
    header.extend_from_slice(&key.to_be_bytes());
    header.extend_from_slice(&version.to_be_bytes());
    header.extend_from_slice(&id.to_be_bytes());
    put_text(client_id, &mut header)?;
    let mut start = Vec::with_capacity(header.len() + 4);
    put_count(header.len() + body_length, &mut start)?;
    start.extend_from_slice(&header);
    Ok(start)
}

/// Why no frame could be read.
pub(super) enum Unread {
    Stream(io::Error),
    /// Its length is none that is allowed.
    TooLarge([u8; 4]),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

/// Reads an answer with its header. Past the first megabyte, memory is taken as
/// bytes come, not as many as the length says.
pub(super) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    largest: usize,
) -> Result<Vec<u8>, Unread> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let count = usize::try_from(i32::from_be_bytes(length))
        .ok()
        .filter(|count| (HEADER..=largest).contains(count))
        .ok_or(Unread::TooLarge(length))?;
    let mut answer = Vec::with_capacity(count.min(TAKEN_AT_ONCE));
    stream.take(count as u64).read_to_end(&mut answer).await?;
    if answer.len() < count {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(answer)
}
