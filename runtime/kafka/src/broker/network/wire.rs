//! Requests and answers on a stream of bytes: each behind its length and with a
//! header, one at a time.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::broker::bytes::{BytesError, Reader, put_bytes, put_text};
use crate::broker::messages::{Request, SupportedVersions, decode_body};
use crate::broker::{BrokerError, BrokerErrorKind};

/// The first bytes of an alert of TLS, which a listener with TLS answers if it
/// is spoken to without.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// Bytes of the header of an answer: the number of the request.
const HEADER: usize = 4;

/// Memory that is taken for an answer because of its length alone, in bytes:
/// enough for most fetches of one partition.
const TAKEN_AT_ONCE: usize = 1024 * 1024 + 64 * 1024;

/// What carries bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One end of a stream whose other end is a broker.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// Where the broker is, for messages.
    broker: String,
    client_id: String,
    next_id: i32,
    /// A request began and its answer has not been read.
    broken: bool,
    /// Bytes that an answer may have.
    largest: usize,
    /// What may be the cause if the broker ends the connection now.
    hint: &'static str,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, broker: String, client_id: String) -> Self {
        Self {
            stream,
            broker,
            client_id,
            next_id: 0,
            broken: false,
            largest: 0,
            hint: "",
        }
    }

    /// From now on answers may have this many bytes, and this is what may be the
    /// cause if the broker ends the connection.
    pub(super) fn expect(&mut self, largest: usize, hint: &'static str) {
        self.largest = largest;
        self.hint = hint;
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
            return Err(self.no_common_version(R::KEY));
        };
        let mut body = Vec::new();
        request
            .encode(version, &mut body)
            .map_err(|error| self.malformed(&error))?;
        let answer = self.call(R::KEY, version, &body, timeout).await?;
        decode_body::<R>(version, &answer).map_err(|error| self.malformed(&error))
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
            return Err(self.unreachable("the connection broke with an earlier request"));
        }
        self.broken = true;
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let request = frame(key, version, id, &self.client_id, body)
            .map_err(|error| self.malformed(&error))?;
        let exchange = async {
            self.stream.write_all(&request).await?;
            self.stream.flush().await?;
            read_frame(&mut *self.stream, self.largest).await
        };
        let answer = match timeout(limit, exchange).await {
            Err(_) => {
                let limit = limit.as_millis();
                return Err(self.unreachable(&format!("no answer came within {limit} ms")));
            }
            Ok(Err(Unread::Stream(error))) => return Err(self.ended(&error)),
            Ok(Err(Unread::TooLarge(length))) => return Err(self.too_large(length)),
            Ok(Ok(answer)) => answer,
        };
        let answered = Reader::new(&answer)
            .int32("the number of the request")
            .map_err(|error| self.malformed(&error))?;
        if answered != id {
            return Err(
                self.incompatible(&format!("it answers request {answered} instead of {id}"))
            );
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

    fn malformed(&self, error: &BytesError) -> BrokerError {
        self.incompatible(&format!(
            "a message is not as Kafka's protocol has it: {error}"
        ))
    }

    /// There is no version of a kind of request that both sides know.
    pub(super) fn no_common_version(&self, key: i16) -> BrokerError {
        self.incompatible(&format!(
            "it does not understand requests of kind {key} as they are sent here; Kafka 2.1 or \
             later is needed"
        ))
    }

    fn too_large(&self, [a, b, c, d]: [u8; 4]) -> BrokerError {
        if [a, b] == TLS_ALERT {
            return self.refused(
                "it expects TLS; set security.protocol to SSL or SASL_SSL, or use another \
                 listener of the broker",
            );
        }
        let length = i32::from_be_bytes([a, b, c, d]);
        let most = self.largest;
        self.incompatible(&format!(
            "its answer has a length of {length} bytes, where {HEADER} to {most} are allowed; is there \
             a broker of Kafka at this port?"
        ))
    }

    /// The stream ended or failed.
    fn ended(&self, error: &io::Error) -> BrokerError {
        let inner = error.get_ref();
        if let Some(alert) = inner.and_then(|inner| inner.downcast_ref::<openssl::ssl::Error>())
            && alert.ssl_error().is_some()
        {
            return super::tls::refused(&self.broker, alert);
        }
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ended the connection".to_owned(),
            _ => error.to_string(),
        };
        match self.hint {
            "" => self.unreachable(&what),
            hint => self.unreachable(&format!("{what}; {hint}")),
        }
    }

    fn unreachable(&self, what: &str) -> BrokerError {
        self.error(BrokerErrorKind::Unreachable, what)
    }

    fn incompatible(&self, what: &str) -> BrokerError {
        self.error(BrokerErrorKind::Incompatible, what)
    }

    /// One side does not trust the other.
    pub(super) fn refused(&self, what: impl AsRef<str>) -> BrokerError {
        self.error(BrokerErrorKind::Refused, what.as_ref())
    }

    fn error(&self, kind: BrokerErrorKind, what: &str) -> BrokerError {
        BrokerError::new(kind, format!("Broker {}: {what}", self.broker))
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
    let mut content = Vec::with_capacity(body.len() + client_id.len() + 10);
    content.extend_from_slice(&key.to_be_bytes());
    content.extend_from_slice(&version.to_be_bytes());
    content.extend_from_slice(&id.to_be_bytes());
    put_text(client_id, &mut content)?;
    content.extend_from_slice(body);
    let mut frame = Vec::with_capacity(content.len() + 4);
    put_bytes(&content, &mut frame)?;
    Ok(frame)
}

/// Why no frame could be read.
enum Unread {
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
async fn read_frame(stream: &mut dyn Stream, largest: usize) -> Result<Vec<u8>, Unread> {
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
