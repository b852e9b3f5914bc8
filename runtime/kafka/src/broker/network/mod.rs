//! Connections over TCP, with TLS and SASL as a worker's properties say.

mod connection;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod halves;
mod peer;
mod reconnects;
mod sasl;
mod settings;
mod tls;
mod wire;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, sleep_until, timeout};

#[cfg(feature = "fuzzing")]
pub(crate) use fuzzing::{fuzz_answers, fuzz_scram};

use super::{BrokerConnection, BrokerError, BrokerErrorKind, Brokers};
use crate::properties::ClientKind;
use crate::tokens::TokenProviders;
use connection::{Connection, Security};
use reconnects::Reconnects;
use settings::{Address, Buffers, Settings};
use tls::Tls;
use wire::{Stream, Wire};

/// Reaches the brokers of a cluster over the network.
pub struct NetworkBrokers {
    servers: Vec<Address>,
    client_id: String,
    tls: Option<Tls>,
    security: Arc<Security>,
    reconnects: Reconnects,
    buffers: Buffers,
}

impl fmt::Debug for NetworkBrokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkBrokers")
            .field("servers", &self.servers)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl NetworkBrokers {
    /// Connections with the properties of a worker: `bootstrap.servers`,
    /// `client.id`, `request.timeout.ms`, `reconnect.backoff.*`,
    /// `socket.connection.setup.timeout.*`, `receive.buffer.bytes`,
    /// `send.buffer.bytes`, `security.protocol`, `ssl.*` and `sasl.*` as an admin
    /// client has them. Connects to nothing yet.
    ///
    /// # Errors
    /// Invalid, if a property is wrong or a store cannot be loaded; the message
    /// names it.
    pub fn new(properties: &ConfigMap) -> crate::Result<Self> {
        Self::of(ClientKind::Admin, properties, &TokenProviders::default())
    }

    /// Connections with the properties of a client of this kind, which get their
    /// tokens from these providers.
    ///
    /// # Errors
    /// As [`NetworkBrokers::new`] has them.
    pub(crate) fn of(
        kind: ClientKind,
        properties: &ConfigMap,
        tokens: &TokenProviders,
    ) -> crate::Result<Self> {
        let settings = Settings::new(kind, properties, tokens)?;
        Ok(Self {
            servers: settings.servers,
            client_id: settings.client_id,
            security: Arc::new(Security {
                encrypted: settings.tls.is_some(),
                credentials: settings.credentials,
                timeout: settings.request_timeout,
            }),
            tls: settings.tls,
            reconnects: Reconnects::new(settings.backoff, settings.setup),
            buffers: settings.buffers,
        })
    }

    /// Waits until an attempt is due, and makes it.
    async fn attempt(&self, broker: &Address) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        if let Some(next) = self.reconnects.next(broker) {
            sleep_until(next).await;
        }
        let outcome = self.open(broker).await;
        match &outcome {
            Ok(_) => self.reconnects.succeeded(broker),
            Err(_) => self.reconnects.failed(broker),
        }
        Ok(Box::new(outcome?))
    }

    async fn open(&self, broker: &Address) -> Result<Connection, BrokerError> {
        let limit = self.reconnects.setup_timeout(broker);
        let stream = connect(broker, self.buffers, limit).await?;
        let name = broker.to_string();
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => {
                let handshake = tls.connect(stream, &broker.host, &name);
                let stream = timeout(limit, handshake).await;
                Box::new(stream.map_err(|_| silent(broker, "TLS was not set up", limit))??)
            }
        };
        let wire = Wire::new(stream, name, self.client_id.clone());
        Connection::open(wire, Arc::clone(&self.security)).await
    }
}

#[async_trait]
impl Brokers for NetworkBrokers {
    async fn any(&self) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        let mut servers: Vec<&Address> = self.servers.iter().collect();
        if !servers.is_empty() {
            servers.rotate_left(rand::random_range(0..self.servers.len()));
        }
        // Those that failed last come last, the next to be tried again first.
        let now = Instant::now();
        servers.sort_by_key(|server| self.reconnects.next(server).filter(|at| *at > now));
        let mut errors = Vec::new();
        for server in servers {
            match self.attempt(server).await {
                Ok(connection) => return Ok(connection),
                Err(error) => errors.push(error),
            }
        }
        Err(none_of(errors))
    }

    async fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        let broker = Address {
            host: host.to_owned(),
            port,
        };
        self.attempt(&broker).await
    }
}

/// Connects to one of the addresses of a broker, each of which has this time.
async fn connect(
    broker: &Address,
    buffers: Buffers,
    limit: Duration,
) -> Result<TcpStream, BrokerError> {
    let unreachable = |what: String| {
        BrokerError::new(
            BrokerErrorKind::Unreachable,
            format!("Broker {broker}: {what}"),
        )
    };
    let addresses = timeout(limit, lookup_host((broker.host.as_str(), broker.port)))
        .await
        .map_err(|_| silent(broker, "its name was not resolved", limit))?
        .map_err(|error| unreachable(format!("its name cannot be resolved: {error}")))?;
    let mut last = unreachable("its name has no addresses".to_owned());
    for address in addresses {
        match timeout(limit, connect_to(address, buffers)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = unreachable(format!("cannot connect to {address}: {error}")),
            Err(_) => last = silent(broker, &format!("{address} did not answer"), limit),
        }
    }
    Err(last)
}

async fn connect_to(address: SocketAddr, buffers: Buffers) -> std::io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // As Java's sockets.
    socket.set_keepalive(true)?;
    if let Some(bytes) = buffers.receive.filter(|bytes| *bytes > 0) {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(bytes) = buffers.send.filter(|bytes| *bytes > 0) {
        socket.set_send_buffer_size(bytes)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn silent(broker: &Address, what: &str, limit: Duration) -> BrokerError {
    let limit = limit.as_millis();
    BrokerError::new(
        BrokerErrorKind::Unreachable,
        format!("Broker {broker}: {what} within {limit} ms"),
    )
}

/// One error of those of all servers.
fn none_of(mut errors: Vec<BrokerError>) -> BrokerError {
    if errors.len() == 1
        && let Some(error) = errors.pop()
    {
        return error;
    }
    // What somebody has to change matters more than what may pass.
    let kinds = [BrokerErrorKind::Refused, BrokerErrorKind::Incompatible];
    let kind = kinds
        .into_iter()
        .find(|kind| errors.iter().any(|error| error.kind == *kind))
        .unwrap_or(BrokerErrorKind::Unreachable);
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    BrokerError::new(
        kind,
        format!(
            "None of bootstrap.servers can be used: {}",
            messages.join("; ")
        ),
    )
}

#[cfg(test)]
mod tests;
