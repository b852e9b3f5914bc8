//! The way to the server: TCP, with TLS or without.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use socket2::{SockRef, TcpKeepalive};
use tether_postgres_client::{Stream, Tls};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::config::ConnectionSettings;
use crate::replication::address::{address, connect_timeout};
use crate::replication::failure::Failure;

/// How long a connection is idle before the system asks whether the other side
/// is there, and how often it asks.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long bytes may wait for the other side's confirmation. A status goes out
/// every few seconds, so this finds a server that has vanished.
const UNCONFIRMED: Duration = Duration::from_mins(1);

/// Whether TLS is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negotiation {
    /// No.
    Never,
    /// If the server can.
    IfPossible,
    /// Yes.
    Always,
}

/// A connection to a server, on which nobody has logged in yet.
#[derive(Debug)]
pub enum Transport {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS.
    Tls(Stream<TcpStream>),
}

impl Transport {
    /// Connects.
    pub(crate) async fn open(
        settings: &ConnectionSettings,
        negotiation: Negotiation,
        tls: Option<&Tls>,
    ) -> Result<Self, Failure> {
        let limit = connect_timeout(settings);
        tokio::time::timeout(limit, Self::negotiate(settings, negotiation, tls))
            .await
            .unwrap_or_else(|_| {
                Err(Failure::temporary(format!(
                    "the server did not answer within {limit:?}"
                )))
            })
            .map_err(|failure| failure.during(format!("connecting to {}", address(settings))))
    }

    async fn negotiate(
        settings: &ConnectionSettings,
        negotiation: Negotiation,
        tls: Option<&Tls>,
    ) -> Result<Self, Failure> {
        let unreachable =
            |error: io::Error| Failure::connection("the server cannot be reached", &error);
        let mut socket = TcpStream::connect((settings.host.as_str(), settings.port))
            .await
            .map_err(unreachable)?;
        set_up(&socket, settings).map_err(unreachable)?;
        let Some(tls) = tls.filter(|_| negotiation != Negotiation::Never) else {
            return Ok(Self::Plain(socket));
        };
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        socket.write_all(&request).await.map_err(unreachable)?;
        // Nothing may come with the answer: it would be read as if TLS had
        // protected it.
        match socket.read_u8().await.map_err(unreachable)? {
            b'S' => tls
                .stream(&settings.host, socket)
                .await
                .map(Self::Tls)
                .map_err(|error| Failure::connection("TLS could not be negotiated", &error)),
            b'N' if negotiation == Negotiation::IfPossible => Ok(Self::Plain(socket)),
            b'N' => Err(Failure::permanent(
                "the server has no TLS, which database.sslmode asks for",
            )),
            answer => Err(Failure::permanent(format!(
                "what answers is no PostgreSQL server: {answer:#04x} to the question for TLS"
            ))),
        }
    }

    /// What a login can be bound to, with TLS.
    pub(crate) fn end_point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.end_point(),
        }
    }
}

fn set_up(socket: &TcpStream, settings: &ConnectionSettings) -> io::Result<()> {
    socket.set_nodelay(true)?;
    if settings.keep_alive {
        let socket = SockRef::from(socket);
        let keep_alive = TcpKeepalive::new()
            .with_time(KEEP_ALIVE)
            .with_interval(KEEP_ALIVE);
        socket.set_tcp_keepalive(&keep_alive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(UNCONFIRMED))?;
    }
    Ok(())
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
