//! Where the coordinator of the group is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tether_kafka::broker::messages::{CoordinatorKind, FindCoordinator};
use tether_kafka::broker::{self, BrokerConnection, Brokers};

use super::GroupSettings;
use super::answer::{Failure, Meaning};

/// Connects to the coordinator, and remembers where it is.
pub(super) struct Finder {
    brokers: Arc<dyn Brokers>,
    settings: Arc<GroupSettings>,
    known: Mutex<Option<(String, u16)>>,
}

impl Finder {
    pub(super) fn new(brokers: Arc<dyn Brokers>, settings: Arc<GroupSettings>) -> Self {
        Self {
            brokers,
            settings,
            known: Mutex::new(None),
        }
    }

    /// A new connection to the coordinator, which is looked for if it is unknown.
    pub(super) async fn connect(&self) -> Result<Box<dyn BrokerConnection>, Failure> {
        let known = self.known().clone();
        let (host, port) = match known {
            Some(known) => known,
            None => self.find().await?,
        };
        let connected = self.brokers.connect(&host, port).await;
        *self.known() = connected.is_ok().then_some((host, port));
        Ok(connected?)
    }

    /// The coordinator is not where it was, or does not answer.
    pub(super) fn forget(&self) {
        *self.known() = None;
    }

    async fn find(&self) -> Result<(String, u16), Failure> {
        let coordinator = FindCoordinator {
            kind: CoordinatorKind::Group,
            id: self.settings.group_id.clone(),
        };
        let mut any = self.brokers.any().await?;
        let timeout: Duration = self.settings.request_timeout;
        let found = broker::ask(&mut *any, &coordinator, timeout).await?;
        match Meaning::of(found.error, &self.settings) {
            Meaning::Fine => match u16::try_from(found.port) {
                Ok(port) => {
                    tracing::debug!(
                        "The coordinator of the group {} is {}:{port}",
                        self.settings.group_id,
                        found.host
                    );
                    Ok((found.host, port))
                }
                Err(_) => Err(Failure::Passing(format!(
                    "The coordinator of the group is said to be at port {}",
                    found.port
                ))),
            },
            Meaning::Failed(failure) => Err(failure),
            _ => Err(Failure::Passing(format!(
                "The group {} has no coordinator at present{}",
                self.settings.group_id,
                found
                    .message
                    .map_or_else(String::new, |said| format!(": {said}"))
            ))),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(String, u16)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
