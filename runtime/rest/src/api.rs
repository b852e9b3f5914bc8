//! What the handlers of all resources share.

use std::future::Future;
use std::sync::Arc;

use tether_api::ConnectError;
use tether_worker::herder::{self, Herder};

use crate::error::RestError;
use crate::forward::{Hop, Onward, Outcome, RestClient, Retries};
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

    /// The way to other workers.
    pub(crate) fn client(&self) -> &RestClient {
        &self.client
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
    /// request is sent on to that one. If that has not begun to do it, the herder
    /// is asked again, for it may know better then.
    ///
    /// # Errors
    /// As for [`Self::ask`], and those of [`Onward::send`].
    pub(crate) async fn ask_or_forward<R, T, F>(
        &self,
        hop: &Hop,
        onward: Onward,
        request: R,
        work: impl Fn(Arc<dyn Herder>, R) -> F,
    ) -> Result<Outcome<T>, RestError>
    where
        R: Clone,
        T: Send + 'static,
        F: Future<Output = Result<T, ConnectError>> + Send + 'static,
    {
        let mut retries = Retries::within(self.timeouts.forwarding);
        loop {
            let work = work(Arc::clone(&self.herder), request.clone());
            let error = match timeout::complete(self.herder(), self.timeouts.request, work).await? {
                Ok(answer) => return Ok(Outcome::Own(answer)),
                Err(error) => error,
            };
            let Some(target) = herder::target_of(&error) else {
                return Err(error.into());
            };
            match onward.send(&self.client, hop, target).await {
                Ok(answer) => return Ok(Outcome::Remote(answer)),
                Err(error) if error.is_retriable() && retries.next().await => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
