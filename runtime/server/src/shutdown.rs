//! Signals that end the process.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT and says which came. A second one ends the
/// process at once, for those who cannot wait for tasks to drain.
///
/// # Errors
/// If signals cannot be handled.
pub(crate) async fn requested() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!(
            "Asked to stop a second time: leaving at once; uncommitted records will come again"
        );
        std::process::exit(130);
    });
    Ok(name)
}
