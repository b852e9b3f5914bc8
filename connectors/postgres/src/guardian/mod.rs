//! The guardian of the slot: it watches how much of its log the server keeps for
//! it, which is what fills disks.
//!
//! It has a connection of its own and looks in an interval from the start of the
//! task to its end: while the stream goes on, while nothing comes, while a
//! snapshot is read, and while the task waits to connect again. What it cannot
//! do is to watch the slot of a task that has failed or was stopped; that takes
//! the server's own limit, `max_slot_wal_keep_size`.

mod history;
mod usage;
mod verdict;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::history::History;
pub use self::usage::SlotGauges;
use self::verdict::{Judge, Verdict};
use crate::config::{Settings, SlotLimitAction};
use crate::replication::{Failure, Purpose, Session, SlotUsage, slot_usage};

/// More is kept than the configuration allows.
#[derive(Debug)]
pub struct LimitExceeded {
    /// What shall happen.
    pub action: SlotLimitAction,
    /// What is the case.
    pub message: String,
}

/// Watches the slot until it is dropped.
#[derive(Debug)]
pub struct Guardian {
    exceeded: oneshot::Receiver<LimitExceeded>,
    watch: Option<JoinHandle<()>>,
}

impl Guardian {
    /// Begins to watch, and writes what it sees to `gauges`. Does nothing if the
    /// configuration says so.
    pub fn start(settings: Arc<Settings>, gauges: Arc<SlotGauges>) -> Self {
        let (exceeds, exceeded) = oneshot::channel();
        let watch = settings.guardian.interval.map(|interval| {
            tokio::spawn(async move {
                let mut watch = Watch {
                    judge: Judge::new(&settings.slot.name, settings.guardian),
                    settings,
                    gauges,
                    session: None,
                    history: History::default(),
                };
                loop {
                    if let Some(found) = watch.look().await {
                        // The task is about to end.
                        let _ = exceeds.send(found);
                        return;
                    }
                    tokio::time::sleep(interval).await;
                }
            })
        });
        Self { exceeded, watch }
    }

    /// Returns once more is kept than the configuration allows.
    pub async fn exceeded(&mut self) -> LimitExceeded {
        match (&mut self.exceeded).await {
            Ok(exceeded) => exceeded,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

struct Watch {
    settings: Arc<Settings>,
    judge: Judge,
    gauges: Arc<SlotGauges>,
    session: Option<Session>,
    history: History,
}

impl Watch {
    /// Looks at the slot. What cannot be asked now is asked at the next look: it
    /// is the stream whose failures tell of outages.
    async fn look(&mut self) -> Option<LimitExceeded> {
        let usage = match self.ask().await {
            Ok(usage) => usage,
            Err(failure) => {
                tracing::debug!(%failure, "The replication slot cannot be looked at");
                return None;
            }
        };
        let Some(usage) = usage else {
            // It is not there yet, or no more.
            self.history = History::default();
            self.gauges.clear();
            return None;
        };
        let confirmed = usage.confirmed.unwrap_or(usage.end);
        let behind = self.history.look(Instant::now(), usage.end, confirmed);
        self.gauges.set(&usage, behind);
        for verdict in self.judge.look(&usage) {
            match verdict {
                Verdict::Warn(message) => tracing::warn!("{message}"),
                Verdict::Relief(message) => tracing::info!("{message}"),
                Verdict::Exceeded(action, message) => {
                    return Some(LimitExceeded { action, message });
                }
            }
        }
        None
    }

    async fn ask(&mut self) -> Result<Option<SlotUsage>, Failure> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => Session::connect(&self.settings.connection, Purpose::SlotInfo).await?,
        };
        let usage = slot_usage(&session, &self.settings.slot.name).await;
        self.session = Some(session);
        usage
    }
}
