//! The task that sends: to each broker as many requests at a time as it may, of
//! all partitions that the broker leads.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::coordinator::{Asked, Coordinator};
use super::identity::Identity;
use super::metadata::Knowledge;
use super::node::{Link, Node};
use super::outcomes::Outcomes;
use super::state::State;
use super::{LOG, Shared};
use crate::broker::messages::{ClusterMetadata, InitializedProducer, ProduceAnswer};
use crate::broker::{Answers, BrokerError, BrokerErrorKind, Brokers, Requests, Split};
use crate::{KafkaError, KafkaErrorKind};

/// How long a task waits that has nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// Sends until the producer is dropped.
pub(super) struct SendTask {
    pub(super) shared: Arc<Shared>,
    pub(super) brokers: Arc<dyn Brokers>,
    pub(super) nodes: HashMap<i32, Node>,
    pub(super) knowledge: Knowledge,
    pub(super) identity: Identity,
    pub(super) coordinator: Coordinator,
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// How many requests with records were made.
    pub(super) turns: usize,
}

/// What has come to its end.
pub(super) enum Done {
    Metadata(Result<ClusterMetadata, BrokerError>),
    Identified(Result<InitializedProducer, BrokerError>),
    Coordinated(Asked),
    Connected {
        node: i32,
        outcome: Result<Split, BrokerError>,
    },
    Written {
        node: i32,
        connection: u64,
        outcome: Result<Box<dyn Requests>, BrokerError>,
    },
    Answered {
        node: i32,
        connection: u64,
        outcome: Result<(Box<dyn Answers>, i32, Bytes), BrokerError>,
    },
    /// Nobody waits for it any more.
    Nothing,
}

impl SendTask {
    pub(super) fn new(shared: Arc<Shared>, brokers: Arc<dyn Brokers>) -> Self {
        Self {
            shared,
            brokers,
            nodes: HashMap::new(),
            knowledge: Knowledge::default(),
            identity: Identity::default(),
            coordinator: Coordinator::default(),
            under_way: FuturesUnordered::new(),
            turns: 0,
        }
    }

    pub(super) async fn run(mut self) {
        // When it is dropped, whatever is left fails.
        while let Some(next) = self.begin() {
            tokio::select! {
                Some(done) = self.under_way.next() => self.finish(done),
                () = self.shared.changed.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Begins what can begin now. Returns when to look again, if nothing else
    /// happens; `None` if nobody has the producer any more.
    fn begin(&mut self) -> Option<Instant> {
        let shared = Arc::clone(&self.shared);
        let mut outcomes = Outcomes::default();
        let mut state = shared.state();
        if state.closed {
            return None;
        }
        if std::mem::take(&mut state.purging) {
            self.purge(&mut state, &mut outcomes);
        }
        let now = Instant::now();
        self.end_late_requests(&mut state, now, &mut outcomes);
        let mut next = now + LONG;
        let mut look_at = |at: Option<Instant>| next = at.map_or(next, |at| next.min(at));
        let mut found = state.look(now, &shared.settings, &mut outcomes);
        if !found.gaps.is_empty() {
            self.renew_sequences(&mut state, &found.gaps, &mut outcomes);
            found = state.look(now, &shared.settings, &mut outcomes);
        }
        look_at(found.next);
        look_at(self.identify(&state, &found, now));
        look_at(self.coordinate(&mut state, &found.to_add, now, &mut outcomes));
        let mut parcels = Vec::new();
        look_at(self.pack(&mut state, &found, now, &mut parcels));
        if found.leader_missing || std::mem::take(&mut state.look_again) {
            self.knowledge.ask_soon();
        }
        match self.knowledge.due(&state, &shared.settings, now) {
            Some(due) if due <= now => {
                let brokers = Arc::clone(&self.brokers);
                let asked = self.knowledge.ask(&state, brokers, &shared.settings);
                self.under_way
                    .push(Box::pin(async { Done::Metadata(asked.await) }));
            }
            due => look_at(due),
        }
        look_at(self.next_deadline());
        state.next_look = Some(next);
        shared.tell(state, outcomes);
        for parcel in parcels {
            self.write(parcel);
        }
        Some(next)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let oldest = self
            .nodes
            .values()
            .filter_map(|node| node.in_flight.front());
        oldest.map(|request| request.deadline).min()
    }

    fn finish(&mut self, done: Done) {
        let shared = Arc::clone(&self.shared);
        let mut outcomes = Outcomes::default();
        let mut state = shared.state();
        let refused = match done {
            Done::Metadata(Ok(metadata)) => {
                self.take_brokers(&metadata);
                let settings = &shared.settings;
                self.knowledge
                    .answered(&metadata, &mut state, settings, &mut outcomes);
                Ok(())
            }
            Done::Metadata(Err(error)) => {
                self.knowledge.failed(&error);
                Err(error)
            }
            Done::Identified(outcome) => self.identified(&mut state, outcome, &mut outcomes),
            Done::Coordinated(asked) => self.coordinated(&mut state, asked, &mut outcomes),
            Done::Connected { node, outcome } => self.connected(node, outcome),
            Done::Written {
                node,
                connection,
                outcome,
            } => self.written(&mut state, node, connection, outcome, &mut outcomes),
            Done::Answered {
                node,
                connection,
                outcome,
            } => self.answered(&mut state, node, connection, outcome, &mut outcomes),
            Done::Nothing => return,
        };
        match refused {
            Ok(()) => {}
            // Only what does not pass has to be heard.
            Err(error) if error.kind == BrokerErrorKind::Refused => state.set_refusal(Some(
                KafkaError::new(KafkaErrorKind::NotAuthorized, error.message),
            )),
            Err(_) => {}
        }
        shared.tell(state, outcomes);
        shared.progressed.notify_waiters();
    }

    fn take_brokers(&mut self, metadata: &ClusterMetadata) {
        for broker in &metadata.brokers {
            let node = self.nodes.entry(broker.node).or_default();
            if !node.set_address(broker) && node.in_flight.is_empty() {
                node.link = Link::None;
            }
        }
        let is_alive = |id| metadata.brokers.iter().any(|broker| broker.node == id);
        self.nodes
            .retain(|id, node| is_alive(*id) || !node.in_flight.is_empty());
    }

    fn purge(&mut self, state: &mut State, outcomes: &mut Outcomes) {
        let error = KafkaError::new(
            KafkaErrorKind::Fatal,
            "Failed to write a record: the producer was purged before it was written",
        );
        if let Some(transaction) = &mut state.transaction {
            transaction.fail(&error);
        }
        state.drop_queued(&error, true, outcomes);
        let flying = self.nodes.values_mut().flat_map(|node| &mut node.in_flight);
        for flying in flying.flat_map(|request| &mut request.batches) {
            flying.batch.abandoned = true;
            outcomes.failed(&mut flying.batch, error.clone());
        }
    }

    /// Requests that were not answered in time take their connection along.
    fn end_late_requests(&mut self, state: &mut State, now: Instant, outcomes: &mut Outcomes) {
        let late = |node: &Node| {
            let oldest = node.in_flight.front();
            oldest.is_some_and(|oldest| oldest.deadline <= now)
        };
        let nodes: Vec<i32> = self
            .nodes
            .iter()
            .filter(|(_, node)| late(node))
            .map(|(id, _)| *id)
            .collect();
        for node in nodes {
            let limit = self.shared.settings.request_timeout.as_millis();
            let error = BrokerError::new(
                BrokerErrorKind::Unreachable,
                format!("Broker {node}: no answer came within {limit} ms"),
            );
            self.lost(state, node, &error, outcomes);
        }
    }

    /// The connection to a broker is gone.
    pub(super) fn lost(
        &mut self,
        state: &mut State,
        node: i32,
        error: &BrokerError,
        outcomes: &mut Outcomes,
    ) {
        let Some(known) = self.nodes.get_mut(&node) else {
            return;
        };
        self.knowledge.ask_soon();
        if known.in_flight.is_empty() {
            // Brokers end connections that are idle.
            tracing::debug!(target: LOG, %error, "The connection to a broker has ended");
            known.link = Link::None;
            return;
        }
        let settings = &self.shared.settings;
        for request in known.failed(error, settings) {
            state.take_silence(request.batches, &error.message, settings, outcomes);
        }
    }

    /// Reads the answer to a request.
    pub(super) fn answer_to(
        &self,
        node: i32,
        bytes: &Bytes,
        version: i16,
    ) -> Result<ProduceAnswer, BrokerError> {
        use crate::broker::messages::{Produce, decode_body};
        decode_body::<Produce>(version, bytes).map_err(|error| {
            BrokerError::new(
                BrokerErrorKind::Incompatible,
                format!("Broker {node}: a message is not as Kafka's protocol has it: {error}"),
            )
        })
    }
}

impl Drop for SendTask {
    fn drop(&mut self) {
        let error = KafkaError::new(
            KafkaErrorKind::Fatal,
            "Failed to write a record: the producer was closed before it was written",
        );
        let mut outcomes = Outcomes::default();
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        state.closed = true;
        state.drop_queued(&error, true, &mut outcomes);
        let flying = self.nodes.values_mut().flat_map(|node| &mut node.in_flight);
        for flying in flying.flat_map(|request| &mut request.batches) {
            outcomes.failed(&mut flying.batch, error.clone());
        }
        shared.tell(state, outcomes);
        shared.progressed.notify_waiters();
    }
}
