//! What the handlers of all resources share.

use std::future::Future;
use std::sync::Arc;

use tether_api::ConnectError;
use tether_worker::herder::{self, Herder};

use crate::error::RestError;
use crate::forward::{Hop, Onward, Outcome, RestClient};
use crate::timeout::{self, Timeouts};

/// The herder, the way to other workers, and how long to wait.
#[derive(Clone)]
pub(crate) struct Api {
    herder: Arc<dyn Herder>,
    client: RestClient,
    timeouts: Timeouts,
}

impl Api {
    pub(crate) fn new(herder: Arc<dyn Herder>, client: RestClient, timeouts: Timeouts) -> Self {
        Self {
            herder,
            client,
            timeouts,
        }
    }

    /// The herder, for questions that it answers at once.
    pub(crate) fn herder(&self) -> &dyn Herder {
        &*self.herder
    }

    /// How long requests may take.
    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Lets the herder work, and waits for it within the limit.
    ///
    /// # Errors
    /// The herder's; 500 if it takes too long.
    pub(crate) async fn ask<T, F>(
        &self,
        work: impl FnOnce(Arc<dyn Herder>) -> F,
    ) -> Result<T, RestError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ConnectError>> + Send + 'static,
    {
        let work = work(Arc::clone(&self.herder));
        timeout::complete(self.herder(), self.timeouts.request, work)
            .await?
            .map_err(RestError::from)
    }

    /// The same, but if the herder says that another worker has to answer, the
    /// request is sent on to that one.
    ///
    /// # Errors
    /// As for [`Self::ask`], and those of [`Onward::send`].
    pub(crate) async fn ask_or_forward<T, F>(
        &self,
        hop: &Hop,
        onward: Onward,
        work: impl FnOnce(Arc<dyn Herder>) -> F,
    ) -> Result<Outcome<T>, RestError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ConnectError>> + Send + 'static,
    {
        let work = work(Arc::clone(&self.herder));
        let error = match timeout::complete(self.herder(), self.timeouts.request, work).await? {
            Ok(answer) => return Ok(Outcome::Own(answer)),
            Err(error) => error,
        };
        match herder::target_of(&error) {
            Some(target) => onward
                .send(&self.client, hop, target)
                .await
                .map(Outcome::Remote),
            None => Err(error.into()),
        }
    }
}
