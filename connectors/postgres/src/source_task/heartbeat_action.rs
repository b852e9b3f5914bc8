//! The statement that is executed with each heartbeat.

use std::sync::Arc;

use tether_api::ConnectError;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::stream_loop::HeartbeatAction;
use crate::config::ConnectionSettings;
use crate::replication::{Failure, Purpose, Session};

/// The table of the statement is missing, which no waiting changes.
const UNDEFINED_TABLE: &str = "42P01";

/// Executes `heartbeat.action.query` on a connection of its own, beside the
/// stream. A heartbeat that comes while the statement runs is served once it
/// has ended. Statements that fail are logged; only a table that does not exist
/// ends the task.
#[derive(Debug)]
pub(super) struct ActionQuery {
    beats: Arc<Notify>,
    failures: mpsc::Receiver<ConnectError>,
    runner: Option<JoinHandle<()>>,
}

impl ActionQuery {
    /// Does nothing without a statement.
    pub(super) fn start(settings: ConnectionSettings, query: Option<String>) -> Self {
        let beats = Arc::new(Notify::new());
        let (failed, failures) = mpsc::channel(1);
        let runner = query.map(|query| {
            let beats = beats.clone();
            tokio::spawn(async move {
                let mut session = None;
                loop {
                    beats.notified().await;
                    if let Err(failure) = execute(&settings, &mut session, &query).await {
                        report(&failure, &failed);
                    }
                }
            })
        });
        Self {
            beats,
            failures,
            runner,
        }
    }
}

impl Drop for ActionQuery {
    fn drop(&mut self) {
        if let Some(runner) = &self.runner {
            runner.abort();
        }
    }
}

impl HeartbeatAction for ActionQuery {
    fn beat(&self) {
        self.beats.notify_one();
    }

    async fn failed(&mut self) -> ConnectError {
        match self.failures.recv().await {
            Some(error) => error,
            // There is no statement, or nothing that could fail any more.
            None => std::future::pending().await,
        }
    }
}

async fn execute(
    settings: &ConnectionSettings,
    session: &mut Option<Session>,
    query: &str,
) -> Result<(), Failure> {
    if session.as_ref().is_none_or(Session::is_closed) {
        *session = Some(Session::connect(settings, Purpose::Heartbeat).await?);
    }
    match session {
        Some(session) => session.execute(query).await,
        None => Ok(()),
    }
}

fn report(failure: &Failure, failed: &mpsc::Sender<ConnectError>) {
    let state = failure.state().unwrap_or("none");
    let message = format!("Could not execute heartbeat action query (Error: {state})");
    if failure.state() == Some(UNDEFINED_TABLE) {
        // One failure is enough.
        let _ = failed.try_send(ConnectError::other(message).caused_by(failure.clone()));
        return;
    }
    tracing::error!(error = %failure, "{message}");
}
