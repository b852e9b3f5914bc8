//! The signals of a task: where they arrive, and what they make it do.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tether_api::Result;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::incremental;
use crate::offset::PostgresOffset;
use crate::signal::{Action, Signal, SignalReader, SnapshotRequest, SnapshotType, ask, readers};

/// The least time between two questions.
const LEAST_INTERVAL: Duration = Duration::from_millis(1);

/// Where signals other than rows of the signal table arrive.
pub(super) trait Arrivals: Send {
    /// The next one. Dropping the future loses none.
    fn next(&mut self) -> impl Future<Output = Signal> + Send;
}

/// The channels of a task that are asked for signals, once it streams.
pub(super) struct Channels {
    readers: Vec<Box<dyn SignalReader>>,
    interval: Duration,
    stopping: CancellationToken,
    asked: Option<(Receiver<Signal>, JoinHandle<()>)>,
}

impl Channels {
    /// The channels of a configuration, which are asked until the task stops.
    ///
    /// # Errors
    /// If one of them misses a setting.
    pub(super) fn new(settings: &Settings, stopping: &CancellationToken) -> Result<Self> {
        Ok(Self {
            readers: readers(settings)?,
            interval: settings.signals.poll_interval.max(LEAST_INTERVAL),
            // A failure ends the asking too.
            stopping: stopping.child_token(),
            asked: None,
        })
    }

    /// Begins to ask, unless that was done before.
    pub(super) fn start(&mut self) {
        if self.readers.is_empty() {
            return;
        }
        let (out, signals) = mpsc::channel(1);
        let readers = std::mem::take(&mut self.readers);
        let asking = ask(readers, self.interval, out, self.stopping.clone());
        self.asked = Some((signals, tokio::spawn(asking)));
    }

    /// Closes the channels.
    pub(super) async fn close(&mut self) {
        if let Some((signals, asking)) = self.asked.take() {
            self.stopping.cancel();
            drop(signals);
            // It ends by itself; if it panicked, that has been logged.
            let _ = asking.await;
        }
    }
}

impl Arrivals for Channels {
    async fn next(&mut self) -> Signal {
        if let Some((signals, _)) = &mut self.asked
            && let Some(signal) = signals.recv().await
        {
            return signal;
        }
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
    /// be executed is logged. Returns what is asked of incremental snapshots.
    pub(super) fn execute(
        &mut self,
        signal: &Signal,
        offset: &PostgresOffset,
    ) -> Option<incremental::Request> {
        tracing::debug!(id = signal.id, kind = signal.kind, "A signal has arrived");
        let action = match Action::parse(signal) {
            Ok(action) => action,
            Err(error) => {
                tracing::warn!("{error}");
                return None;
            }
        };
        match action {
            Action::Log(message) => {
                tracing::info!("{}", message.replacen("{}", &offset.text(), 1));
            }
            Action::ExecuteSnapshot(request) => {
                let conditions = request.conditions.iter();
                let conditions: Vec<_> = conditions
                    .map(|condition| (&condition.data_collection, &condition.filter))
                    .collect();
                let key = request.surrogate_key.as_deref();
                tracing::info!(
                    "Requested '{:?}' snapshot of data collections {:?} with additional \
                     conditions {conditions:?} and surrogate key '{}'",
                    request.kind,
                    request.data_collections,
                    key.unwrap_or("PK of table will be used")
                );
                match request.kind {
                    SnapshotType::Blocking => self.snapshots.push_back(request),
                    SnapshotType::Incremental => {
                        return Some(incremental::Request::Execute {
                            id: signal.id.clone(),
                            request,
                        });
                    }
                }
            }
            // Blocking snapshots are not stopped, as in the reference.
            Action::StopSnapshot(request) if request.kind == SnapshotType::Blocking => {}
            Action::StopSnapshot(request) => {
                tracing::info!(
                    "Requested stop of snapshot '{:?}' for data collections '{:?}'",
                    request.kind,
                    request.data_collections
                );
                return Some(incremental::Request::Stop(request));
            }
            Action::PauseSnapshot => return Some(incremental::Request::Pause),
            Action::ResumeSnapshot => return Some(incremental::Request::Resume),
            Action::OpenWindow => {
                return Some(incremental::Request::OpenWindow(signal.id.clone()));
            }
            Action::CloseWindow => {
                return Some(incremental::Request::CloseWindow(signal.id.clone()));
            }
            Action::SchemaChanges => tracing::info!(
                "The stream describes tables itself, so the signal '{}' changes nothing",
                signal.id
            ),
        }
        None
    }
}
