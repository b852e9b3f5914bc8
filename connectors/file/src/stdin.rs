//! The standard input as chunks of bytes that can be waited for.
//!
//! A read of the standard input cannot be interrupted, so a thread of its own
//! makes it. There is one standard input per process and so one such thread;
//! it outlives the task that asked for it first, and a chunk that arrives while
//! no task runs waits for the next one.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::thread;

use bytes::Bytes;
use tether_api::{ConnectError, Result};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

const CHUNK: usize = 64 * 1024;

/// Chunks waiting to be taken: one, so that the thread does not run ahead.
const WAITING: usize = 1;

type Chunks = mpsc::Receiver<io::Result<Bytes>>;

/// The right to read the standard input; one task has it at a time.
pub(crate) struct Stdin {
    chunks: OwnedMutexGuard<Chunks>,
}

impl Stdin {
    /// Waits until no other task reads the standard input. Safe to cancel.
    ///
    /// # Errors
    /// If the thread that reads cannot be started.
    pub(crate) async fn acquire() -> Result<Self> {
        static CHUNKS: OnceLock<Arc<Mutex<Chunks>>> = OnceLock::new();
        let chunks = match CHUNKS.get() {
            Some(chunks) => chunks,
            None => {
                let (sender, receiver) = mpsc::channel(WAITING);
                let chunks = CHUNKS.get_or_init(|| Arc::new(Mutex::new(receiver)));
                // Of two tasks that arrive here at once, the loser's receiver
                // is gone, which ends its thread before the first read.
                start_reading(io::stdin(), sender)?;
                chunks
            }
        };
        Ok(Self {
            chunks: chunks.clone().lock_owned().await,
        })
    }

    /// The next chunk; `None` at the end of the input. Safe to cancel.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub(crate) async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        self.chunks.recv().await.transpose().map_err(|error| {
            ConnectError::other("Error while reading the standard input").caused_by(error)
        })
    }
}

/// Starts the thread that reads `input` chunk by chunk until its end, an error
/// or the end of the receiver.
fn start_reading(
    mut input: impl Read + Send + 'static,
    chunks: mpsc::Sender<io::Result<Bytes>>,
) -> Result<()> {
    let read_all = move || {
        let mut buffer = vec![0; CHUNK];
        while !chunks.is_closed() {
            let chunk = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            if chunks.blocking_send(chunk).is_err() || failed {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(read_all)
        .map(drop)
        .map_err(|error| {
            ConnectError::other("Cannot start a thread to read the standard input").caused_by(error)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collect(input: impl Read + Send + 'static) -> (Vec<u8>, bool) {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        start_reading(input, sender).unwrap();
        let (mut all, mut failed) = (Vec::new(), false);
        while let Some(chunk) = receiver.recv().await {
            match chunk {
                Ok(chunk) => all.extend_from_slice(&chunk),
                Err(_) => failed = true,
            }
        }
        (all, failed)
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }

    #[tokio::test]
    async fn everything_arrives_in_order_until_the_end() {
        let bytes: Vec<u8> = (0..CHUNK * 2 + 7).map(|i| i as u8).collect();
        let (read, failed) = collect(io::Cursor::new(bytes.clone())).await;
        assert!(read == bytes);
        assert!(!failed);
    }

    #[tokio::test]
    async fn an_error_is_the_last_that_arrives() {
        let (read, failed) = collect(io::Cursor::new(b"abc").chain(Broken)).await;
        assert_eq!(read, b"abc");
        assert!(failed);
    }
}
