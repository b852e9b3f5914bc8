//! The actors of all connectors, made when a connector is first heard of and
//! gone when it is deleted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::Shared;
use super::actor::{Actor, Command};
use crate::traces;

/// A command and the span of what it is given for.
pub(super) type Order = (Command, Span);

#[derive(Clone)]
pub(super) struct Actors {
    shared: Arc<Shared>,
    handles: Arc<Mutex<HashMap<String, Handle>>>,
}

struct Handle {
    commands: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

impl Actors {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            handles: Arc::default(),
        }
    }

    /// Gives a command to a connector's actor.
    pub(super) fn send(&self, connector: &str, command: Command) {
        let mut handles = self.lock();
        if self.shared.stopping.is_cancelled() {
            return;
        }
        let handle = handles.entry(connector.to_owned()).or_insert_with(|| {
            let (commands, receiver) = mpsc::unbounded_channel();
            let actor = Actor::new(connector.to_owned(), Arc::clone(&self.shared));
            Handle {
                commands,
                task: tokio::spawn(actor.run(receiver, self.clone())),
            }
        });
        // The actor removes itself under the same lock, so it is there.
        let _ = handle.commands.send((command, traces::current()));
    }

    /// Ends the actor of a deleted connector unless there is more for it to do;
    /// the next command is returned then.
    pub(super) fn retire(
        &self,
        connector: &str,
        receiver: &mut mpsc::UnboundedReceiver<Order>,
    ) -> Option<Order> {
        let mut handles = self.lock();
        let next = receiver.try_recv().ok();
        if next.is_none() {
            handles.remove(connector);
        }
        next
    }

    /// Waits until every actor has ended; the herder is stopping. Those that
    /// take longer are given up: what they write to the store counts as a whole
    /// or not at all.
    pub(super) async fn stop(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let handles: Vec<_> = self.lock().drain().collect();
        for (connector, mut handle) in handles {
            match timeout_at(deadline, &mut handle.task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(connector, %error, "The actor of a connector ended badly");
                }
                Err(_) => {
                    tracing::error!(connector, "Gave up waiting for work on a connector");
                    handle.task.abort();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Handle>> {
        // The map is whole after every statement that holds the lock.
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
