//! A broker that leads partitions, and the requests to it that are under way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::LOG;
use super::batch::Batch;
use super::settings::ProduceSettings;
use super::topics::Place;
use crate::broker::messages::{BrokerMetadata, Produce};
use crate::broker::{Answers, BrokerError, Brokers, Requests, Split};

/// A batch in a request.
pub(super) struct Flying {
    pub(super) place: Place,
    pub(super) batch: Batch,
    /// What was lent to the connection.
    pub(super) bytes: Bytes,
}

/// A request that is under way.
pub(super) struct InFlight {
    pub(super) id: i32,
    pub(super) batches: Vec<Flying>,
    /// Until when it has to be answered.
    pub(super) deadline: Instant,
}

/// A broker.
#[derive(Default)]
pub(super) struct Node {
    host: String,
    port: u16,
    pub(super) link: Link,
    /// Requests without an answer, the oldest first.
    pub(super) in_flight: VecDeque<InFlight>,
    /// When it may be asked again.
    pub(super) not_before: Option<Instant>,
    /// How often it could not be asked, in a row.
    failures: u32,
    /// How many connections there were.
    connections: u64,
}

/// The connection to a broker.
#[derive(Default)]
pub(super) enum Link {
    #[default]
    None,
    Connecting,
    Up(Connected),
}

/// A connection that is there.
pub(super) struct Connected {
    /// Its number, which tells its news from those of others.
    pub(super) number: u64,
    /// `None` while a request is written.
    pub(super) requests: Option<Box<dyn Requests>>,
    pub(super) version: i16,
    next_id: i32,
    renew_at: Option<Instant>,
    used: Instant,
    /// Ends what is written and read when the connection goes.
    pub(super) alive: CancellationToken,
    _end: DropGuard,
}

impl Node {
    /// Takes the address that metadata names; false if it was another one.
    pub(super) fn set_address(&mut self, broker: &BrokerMetadata) -> bool {
        // What is no port cannot be connected to, and says so.
        let port = u16::try_from(broker.port).unwrap_or(0);
        let same = self.host == broker.host && self.port == port;
        self.host.clone_from(&broker.host);
        self.port = port;
        same
    }

    /// Opens a connection.
    pub(super) fn connect(
        &mut self,
        brokers: Arc<dyn Brokers>,
    ) -> impl Future<Output = Result<Split, BrokerError>> + Send + use<> {
        self.link = Link::Connecting;
        let (host, port) = (self.host.clone(), self.port);
        async move { brokers.connect(&host, port).await?.split() }
    }

    /// A connection is there. Returns the half that answers come out of, if the
    /// broker can be used.
    ///
    /// # Errors
    /// Incompatible, if the broker is too old.
    pub(super) fn connected(&mut self, split: Split) -> Result<Box<dyn Answers>, BrokerError> {
        let Some(version) = split.requests.versions().latest::<Produce>() else {
            return Err(BrokerError::no_version_of::<Produce>());
        };
        self.connections += 1;
        let alive = CancellationToken::new();
        self.link = Link::Up(Connected {
            number: self.connections,
            requests: Some(split.requests),
            version,
            next_id: 0,
            renew_at: split.renew_at,
            used: Instant::now(),
            _end: alive.clone().drop_guard(),
            alive,
        });
        Ok(split.answers)
    }

    /// The connection of this number, if it still is the one in use.
    pub(super) fn connection(&mut self, number: u64) -> Option<&mut Connected> {
        match &mut self.link {
            Link::Up(connected) if connected.number == number => Some(connected),
            _ => None,
        }
    }

    /// Whether a request can be written now. Closes a connection that cannot be
    /// used any more.
    pub(super) fn is_ready(&mut self, settings: &ProduceSettings) -> bool {
        let Link::Up(connected) = &self.link else {
            return false;
        };
        let now = Instant::now();
        let is_old = connected.renew_at.is_some_and(|at| at <= now)
            || now.saturating_duration_since(connected.used) >= settings.max_idle;
        if is_old {
            if self.in_flight.is_empty() && connected.requests.is_some() {
                self.link = Link::None;
            }
            return false;
        }
        connected.requests.is_some() && self.in_flight.len() < settings.max_in_flight
    }

    /// It has answered, and wants the next request after this time.
    pub(super) fn answered(&mut self, throttle: Duration) {
        self.failures = 0;
        self.not_before = (!throttle.is_zero()).then(|| Instant::now() + throttle);
    }

    /// The connection is gone, or did not come. The reason is told once. Returns
    /// what was under way.
    pub(super) fn failed(
        &mut self,
        error: &BrokerError,
        settings: &ProduceSettings,
    ) -> VecDeque<InFlight> {
        match self.failures {
            0 => {
                tracing::warn!(target: LOG, %error, "A broker could not be written to; trying again")
            }
            _ => tracing::debug!(target: LOG, %error, "A broker could not be written to again"),
        }
        self.not_before = Some(Instant::now() + settings.backoff.random_after(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.link = Link::None;
        std::mem::take(&mut self.in_flight)
    }
}

impl Connected {
    /// The number of the next request.
    pub(super) fn next_id(&mut self) -> i32 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        self.used = Instant::now();
        id
    }
}
