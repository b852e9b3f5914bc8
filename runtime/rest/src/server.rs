//! The server: sockets, connections and their end.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tether_api::{ConnectError, Result};
use tether_worker::herder::{Herder, Peers};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::access_log::{self, Peer};
use crate::api::Api;
use crate::config::{AdminListeners, RestConfig};
use crate::error::RestError;
use crate::forward::RestClient;
use crate::in_flight::InFlight;
use crate::listener::{BoundListener, Listener, RestUrl, Scheme};
use crate::tls::TlsConfig;
use crate::{auth, cors, headers, path, request_id, routes, trace, ui};

/// How long a client may take to finish the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be idle, or a client take to send the head of a
/// request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait before the next connection is accepted after one could not
/// be, as when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server whose sockets are open, so that the worker knows its address before
/// there is a herder to answer requests. Clients that connect meanwhile wait.
pub struct RestServer {
    config: RestConfig,
    regular: Vec<Socket>,
    admin: Vec<Socket>,
    url: RestUrl,
    client: RestClient,
}

struct Socket {
    listener: Listener,
    address: SocketAddr,
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Socket {
    async fn bind(listener: &Listener, tls: &TlsConfig) -> Result<Self> {
        let tls = match listener.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(tls.acceptor()?),
        };
        let failed = |error: std::io::Error| {
            ConnectError::other(format!("Unable to listen at {listener}")).caused_by(error)
        };
        let socket = bind(listener).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            listener: listener.clone(),
            address,
            socket,
            tls,
        })
    }

    fn bound(&self) -> BoundListener {
        BoundListener {
            listener: self.listener.clone(),
            address: self.address,
        }
    }
}

async fn bind(listener: &Listener) -> std::io::Result<TcpListener> {
    if !listener.host.is_empty() {
        return TcpListener::bind((listener.host.as_str(), listener.port)).await;
    }
    // All interfaces: the IPv6 wildcard takes IPv4 too, where there is IPv6.
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, listener.port)).await {
        Ok(socket) => Ok(socket),
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, listener.port)).await,
    }
}

impl RestServer {
    /// Opens the sockets of all listeners.
    ///
    /// # Errors
    /// Config, if keys or certificates can't be read; Other, if an address
    /// can't be had.
    pub async fn bind(config: RestConfig) -> Result<Self> {
        let client = RestClient::new(config.tls.clone(), config.timeouts.forward())?;
        let mut regular = Vec::new();
        for listener in &config.listeners {
            regular.push(Socket::bind(listener, &config.tls).await?);
        }
        let mut admin = Vec::new();
        if let AdminListeners::Separate(listeners) = &config.admin {
            for listener in listeners {
                admin.push(Socket::bind(listener, &config.admin_tls).await?);
            }
        }
        let bound: Vec<BoundListener> = regular.iter().map(Socket::bound).collect();
        let local_host = if RestUrl::needs_local_host(&config.advertised, &bound) {
            local_host().await
        } else {
            String::new()
        };
        let url = RestUrl::advertised(&config.advertised, &bound, &local_host);
        Ok(Self {
            config,
            regular,
            admin,
            url,
            client,
        })
    }

    /// What to tell other workers and clients; the worker's id follows from
    /// it.
    pub fn url(&self) -> &RestUrl {
        &self.url
    }

    /// The way to other workers of the group.
    pub fn peers(&self) -> Arc<dyn Peers> {
        Arc::new(self.client.clone())
    }

    /// The addresses of the regular listeners, in their order.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.regular.iter().map(|socket| socket.address).collect()
    }

    /// The addresses of the admin listeners, in their order.
    pub fn admin_addresses(&self) -> Vec<SocketAddr> {
        self.admin.iter().map(|socket| socket.address).collect()
    }

    /// Begins to answer requests.
    pub fn serve(self, herder: Arc<dyn Herder>) -> RunningServer {
        let in_flight = InFlight::default();
        let stop = CancellationToken::new();
        let abort = CancellationToken::new();
        let tasks = TaskTracker::new();
        let api = Api::new(herder, self.client, self.config.timeouts);
        let (regular, admin) = routers(&self.config, api, &in_flight);
        let sockets = self.regular.into_iter().map(|socket| (socket, &regular));
        let sockets = sockets.chain(self.admin.into_iter().map(|socket| (socket, &admin)));
        for (socket, router) in sockets {
            tracing::info!(listener = %socket.listener, address = %socket.address, "REST server listening");
            let acceptor = Acceptor {
                router: router.clone(),
                scheme: socket.listener.scheme,
                tls: socket.tls,
                stop: stop.clone(),
                abort: abort.clone(),
                tasks: tasks.clone(),
            };
            tasks.spawn(acceptor.run(socket.socket));
        }
        tracing::info!(url = %self.url, "REST server advertises its URL");
        RunningServer {
            in_flight,
            stop,
            abort,
            tasks,
        }
    }
}

/// The services of regular and of admin listeners.
pub(crate) fn routers(config: &RestConfig, api: Api, in_flight: &InFlight) -> (Router, Router) {
    let mut regular = routes::regular();
    if config.admin == AdminListeners::Regular {
        regular = regular.merge(routes::admin());
    }
    if config.ui {
        regular = regular.merge(ui::routes());
    }
    let regular = filtered(routed(regular, &api), config);
    let admin = routed(routes::admin(), &api);
    (entered(regular, in_flight), entered(admin, in_flight))
}

/// What answers every path, as the fallback of a router without routes, so that
/// layers over it come before routing.
fn routed(router: Router<Api>, api: &Api) -> Router {
    let router = router
        .route_layer(from_fn(trace::name))
        .fallback(async || RestError::no_resource())
        .with_state(api.clone());
    Router::new().fallback_service(router)
}

/// Adds what regular listeners do to every request, the innermost first.
fn filtered(mut router: Router, config: &RestConfig) -> Router {
    if let Some(auth) = &config.auth {
        let auth = Arc::new(auth.clone());
        router = router.layer(from_fn_with_state(auth, auth::require));
    }
    if !config.headers.is_empty() {
        let rules = Arc::new(config.headers.clone());
        router = router.layer(from_fn_with_state(rules, headers::add));
    }
    if let Some(cors) = &config.cors {
        let cors = Arc::new(cors.clone());
        router = router.layer(from_fn_with_state(cors, cors::allow));
    }
    router
}

/// Adds what comes first for every request.
fn entered(router: Router, in_flight: &InFlight) -> Router {
    router
        .layer(from_fn(path::normalize))
        .layer(from_fn_with_state(in_flight.clone(), access_log::record))
        .layer(from_fn(trace::serve))
        .layer(from_fn(request_id::assign))
}

/// The address of this host, as other hosts of the network may know it
/// (`InetAddress.getLocalHost`).
async fn local_host() -> String {
    let name = tokio::fs::read_to_string("/proc/sys/kernel/hostname")
        .await
        .or_else(|_| std::env::var("HOSTNAME"))
        .unwrap_or_default();
    let addresses = lookup_host((name.trim(), 0)).await;
    let addresses: Vec<SocketAddr> = addresses.map(Iterator::collect).unwrap_or_default();
    addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or(addresses.first())
        .map_or_else(
            || Ipv4Addr::LOCALHOST.to_string(),
            |address| address.ip().to_string(),
        )
}

/// A server that answers requests.
pub struct RunningServer {
    in_flight: InFlight,
    stop: CancellationToken,
    abort: CancellationToken,
    tasks: TaskTracker,
}

impl RunningServer {
    /// The requests that are running, oldest first, method and path each.
    pub fn running_requests(&self) -> Vec<String> {
        self.in_flight.names()
    }

    /// Accepts no more connections, closes idle ones, and waits for running
    /// requests. Those that take longer than `deadline` are cut off and
    /// returned, method and path each.
    pub async fn stop(self, deadline: Duration) -> Vec<String> {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait())
            .await
            .is_ok()
        {
            return Vec::new();
        }
        let stragglers = self.in_flight.names();
        tracing::warn!(
            requests = ?stragglers,
            "REST requests did not end within {} ms and are cut off",
            deadline.as_millis()
        );
        self.abort.cancel();
        self.tasks.wait().await;
        stragglers
    }
}

/// Takes the connections of a socket.
#[derive(Clone)]
struct Acceptor {
    router: Router,
    scheme: Scheme,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    abort: CancellationToken,
    tasks: TaskTracker,
}

impl Acceptor {
    async fn run(self, socket: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    self.tasks.spawn(self.clone().connection(stream, peer));
                }
                Err(error) => {
                    tracing::warn!(%error, "A REST connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "A REST connection keeps Nagle's algorithm");
        }
        let abort = self.abort.clone();
        let served = async {
            match &self.tls {
                None => self.requests(stream, peer).await,
                Some(tls) => match self.handshake(tls.accept(stream)).await {
                    Some(Ok(stream)) => self.requests(stream, peer).await,
                    Some(Err(error)) => {
                        tracing::debug!(%peer, %error, "A TLS handshake failed");
                    }
                    None => tracing::debug!(%peer, "A TLS handshake was given up"),
                },
            }
        };
        tokio::select! {
            () = abort.cancelled() => {}
            () = served => {}
        }
    }

    /// The outcome of a handshake, unless it takes too long or the server
    /// stops.
    async fn handshake<T>(&self, handshake: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.stop.cancelled() => None,
            outcome = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake) => outcome.ok(),
        }
    }

    async fn requests(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
        let service = service_fn(|request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(self.scheme);
            request.extensions_mut().insert(Peer(peer));
            self.router.clone().oneshot(request)
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
        );
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "A REST connection broke");
        }
    }
}
