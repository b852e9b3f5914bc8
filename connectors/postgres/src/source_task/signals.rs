//! The signals of a task: where they arrive, and what they make it do.

use std::collections::VecDeque;
use std::future::Future;

use crate::offset::PostgresOffset;
use crate::signal::{Action, Signal, SnapshotRequest, SnapshotType};

/// Where signals other than rows of the signal table arrive.
pub(super) trait Arrivals: Send {
    /// The next one. Dropping the future loses none.
    fn next(&mut self) -> impl Future<Output = Signal> + Send;
}

/// The channels of a task.
pub(super) struct Channels;

impl Arrivals for Channels {
    async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}

/// What signals have asked for and the stream has to be left for.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Blocking snapshots, in the order in which they were asked for.
    pub(super) snapshots: VecDeque<SnapshotRequest>,
}

impl Requests {
    /// Whether there is anything.
    pub(super) fn any(&self) -> bool {
        !self.snapshots.is_empty()
    }

    /// Executes what a signal asks for at this position. A signal that cannot
    /// be executed is logged.
    pub(super) fn execute(&mut self, signal: &Signal, offset: &PostgresOffset) {
        tracing::debug!(id = signal.id, kind = signal.kind, "A signal has arrived");
        let action = match Action::parse(signal) {
            Ok(action) => action,
            Err(error) => {
                tracing::warn!("{error}");
                return;
            }
        };
        match action {
            Action::Log(message) => {
                tracing::info!("{}", message.replacen("{}", &offset.text(), 1));
            }
            Action::ExecuteSnapshot(request) => {
                tracing::info!(
                    "Requested '{:?}' snapshot of data collections '{:?}' with additional \
                     conditions '{:?}' and surrogate key '{}'",
                    request.kind,
                    request.data_collections,
                    request.conditions,
                    request
                        .surrogate_key
                        .as_deref()
                        .unwrap_or("PK of table will be used")
                );
                match request.kind {
                    SnapshotType::Blocking => self.snapshots.push_back(request),
                    SnapshotType::Incremental => no_incremental(signal),
                }
            }
            // Blocking snapshots are not stopped, as in the reference.
            Action::StopSnapshot(request) if request.kind == SnapshotType::Blocking => {}
            Action::StopSnapshot(_)
            | Action::PauseSnapshot
            | Action::ResumeSnapshot
            | Action::OpenWindow
            | Action::CloseWindow => no_incremental(signal),
            Action::SchemaChanges => tracing::info!(
                "The stream describes tables itself, so the signal '{}' changes nothing",
                signal.id
            ),
        }
    }
}

fn no_incremental(signal: &Signal) {
    tracing::warn!(
        "Signal '{}' of type '{}' has been received, but there are no incremental snapshots",
        signal.id,
        signal.kind
    );
}
