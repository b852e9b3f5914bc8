//! Counts what workers and the broker say to each other.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tether_services::{Behind, port};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const BUFFER: usize = 16 * 1024;

/// Stands before as many ports of the broker as there are workers. One thread serves them all, for a
/// worker has a connection or more for each task.
pub(crate) struct Meters {
    meters: Vec<Meter>,
    // It serves until it is dropped.
    _runtime: Runtime,
}

struct Meter {
    behind: Behind,
    passed: Arc<Passed>,
}

/// What has come through.
#[derive(Default)]
struct Passed {
    bytes: AtomicU64,
    connections: AtomicU64,
}

impl Meters {
    /// In front of this many ports, on which nobody listens yet.
    pub(crate) fn start(count: usize) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let meters = (0..count).map(|_| {
            let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
            let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
            let behind = Behind {
                port: target.port(),
                proxy: listener.local_addr()?.port(),
            };
            let passed = Arc::default();
            runtime.spawn(serve(listener, target, Arc::clone(&passed)));
            Ok(Meter { behind, passed })
        });
        Ok(Self {
            meters: meters.collect::<Result<_>>()?,
            _runtime: runtime,
        })
    }

    /// Where the broker is to listen, and where each worker connects.
    pub(crate) fn ports(&self) -> impl Iterator<Item = Behind> {
        self.meters.iter().map(|meter| meter.behind)
    }

    /// Bytes of all workers so far, in both directions.
    pub(crate) fn bytes(&self) -> u64 {
        let meters = self.meters.iter();
        meters
            .map(|meter| meter.passed.bytes.load(Ordering::Relaxed))
            .sum()
    }

    /// How many connections all workers have opened so far.
    pub(crate) fn connections(&self) -> u64 {
        let meters = self.meters.iter();
        meters
            .map(|meter| meter.passed.connections.load(Ordering::Relaxed))
            .sum()
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, passed: Arc<Passed>) {
    while let Ok((client, _)) = listener.accept().await {
        passed.connections.fetch_add(1, Ordering::Relaxed);
        let passed = Arc::clone(&passed);
        tokio::spawn(async move {
            // The client sees a closed connection.
            let Ok(server) = TcpStream::connect(target).await else {
                return;
            };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::select! {
                () = pass(&mut from_client, &mut to_server, &passed.bytes) => {}
                () = pass(&mut from_server, &mut to_client, &passed.bytes) => {}
            }
        });
    }
}

/// Passes bytes on until either side ends.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    bytes: &AtomicU64,
) {
    let mut buffer = Vec::with_capacity(BUFFER);
    while matches!(from.read_buf(&mut buffer).await, Ok(1..)) {
        bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        if to.write_all(&buffer).await.is_err() {
            return;
        }
        buffer.clear();
    }
}
