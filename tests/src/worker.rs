//! What tests do with a worker, ours or the Java one.

use anyhow::Result;
use tether_services::ConnectWorker;

use crate::rest_client::RestClient;

/// A worker process.
pub trait Worker {
    /// A client of its REST API.
    fn rest(&self) -> RestClient;

    /// Its address, `host:port`, by which statuses call it.
    fn address(&self) -> String;

    /// Its process id.
    fn pid(&self) -> u32;

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

    /// Freezes the process: its connections stay open, and nothing answers.
    ///
    /// # Errors
    ///
    /// It is not there.
    fn pause(&mut self) -> Result<()>;

    /// Ends [`Worker::pause`].
    ///
    /// # Errors
    ///
    /// It is not there.
    fn resume(&mut self) -> Result<()>;

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

    fn address(&self) -> String {
        address(self.url())
    }

    fn pid(&self) -> u32 {
        self.pid()
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

    fn pause(&mut self) -> Result<()> {
        self.pause()
    }

    fn resume(&mut self) -> Result<()> {
        self.resume()
    }

    fn restart(&mut self) -> Result<()> {
        self.restart()
    }
}

/// The address in the base URL of a REST API.
pub(crate) fn address(url: &str) -> String {
    let (_, address) = url.split_once("://").unwrap_or(("", url));
    address.trim_end_matches('/').to_owned()
}
