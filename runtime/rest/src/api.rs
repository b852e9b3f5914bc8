//! What the handlers of all resources share.

use std::future::Future;
use std::sync::Arc;

use tether_api::ConnectError;
use tether_worker::herder::Herder;

use crate::error::RestError;
use crate::timeout::{self, Timeouts};

/// The herder and how long to wait for it.
#[derive(Clone)]
pub(crate) struct Api {
    herder: Arc<dyn Herder>,
    timeouts: Timeouts,
}

impl Api {
    pub(crate) fn new(herder: Arc<dyn Herder>, timeouts: Timeouts) -> Self {
        Self { herder, timeouts }
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
        timeout::complete(self.herder(), self.timeouts.request, work).await
    }
}
