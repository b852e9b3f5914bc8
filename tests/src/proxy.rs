//! A network that can be cut.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::Result;

/// Passes connections on to a port of this machine until they are cut.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Both ends of what is passed on.
    streams: Mutex<Vec<TcpStream>>,
    /// Nothing is passed on.
    severed: AtomicBool,
    stopped: AtomicBool,
}

impl Proxy {
    /// A proxy on a free port, in front of this one.
    pub fn start(target: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if served.stopped.load(Ordering::Acquire) {
                    break;
                }
                // Whoever connects sees a closed connection if that fails.
                let _ = stream.and_then(|stream| pass_on(&served, stream, target));
            }
        });
        Ok(Self {
            port,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections, and new ones as soon as they come.
    pub fn sever(&self) {
        self.shared.severed.store(true, Ordering::Release);
        self.shared.end_all();
    }

    /// Passes new connections on again.
    pub fn mend(&self) {
        self.shared.severed.store(false, Ordering::Release);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.sever();
        // Wakes the acceptor.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn streams(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_all(&self) {
        for stream in self.streams().drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(shared: &Shared, client: TcpStream, target: u16) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    let ends = [(&client, &server), (&server, &client)];
    for (from, to) in ends {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        });
    }
    let mut streams = shared.streams();
    // Those that have ended would take file descriptors for as long as the proxy lives.
    streams.retain(|stream| stream.peer_addr().is_ok());
    streams.extend([client, server]);
    drop(streams);
    if shared.severed.load(Ordering::Acquire) {
        shared.end_all();
    }
    Ok(())
}
