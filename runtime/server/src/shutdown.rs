//! Signals that end the process.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Failure;

/// Tells when the process is to end.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Listens for SIGTERM and SIGINT from now on: the first one of a process in
    /// a container has no effect at all if nobody listens. A second signal ends
    /// the process at once, for those who cannot wait for tasks to drain.
    ///
    /// # Errors
    /// If signals cannot be handled.
    pub(crate) fn install() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .context("Could not listen for signals")
                .map_err(Failure::Startup)
        };
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let signal = next().await;
            tracing::info!(signal, "Asked to stop");
            sender.send_replace(true);
            next().await;
            tracing::warn!(
                "Asked to stop a second time: leaving at once; uncommitted records will come again"
            );
            std::process::exit(130);
        });
        Ok(Self(receiver))
    }

    /// Waits until the process is asked to end.
    pub(crate) async fn requested(&self) {
        // The sender stays as long as the process.
        let _ = self.0.clone().wait_for(|requested| *requested).await;
    }
}
