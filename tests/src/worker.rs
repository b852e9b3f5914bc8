//! What tests do with a worker, ours or the Java one.

use anyhow::Result;
use tether_services::ConnectWorker;

use crate::rest_client::RestClient;

/// A worker process.
pub trait Worker {
    /// A client of its REST API.
    fn rest(&self) -> RestClient;

    /// What it has logged since it was last started.
    fn log(&self) -> String;

    /// Stops in order, as `SIGTERM` does.
    ///
    /// # Errors
    ///
    /// It does not end in time, or not as a worker that stops in order does.
    fn stop(&mut self) -> Result<()>;

    /// `kill -9`.
    fn kill(&mut self);

    /// Starts again with the same files and port, after stopping in order if it still runs; returns
    /// once it is ready.
    ///
    /// # Errors
    ///
    /// It does not get ready in time.
    fn restart(&mut self) -> Result<()>;
}

impl Worker for ConnectWorker {
    fn rest(&self) -> RestClient {
        RestClient::new(self.url())
    }

    fn log(&self) -> String {
        self.log()
    }

    fn stop(&mut self) -> Result<()> {
        self.stop()
    }

    fn kill(&mut self) {
        self.kill();
    }

    fn restart(&mut self) -> Result<()> {
        self.restart()
    }
}
