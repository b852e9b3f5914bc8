//! The task that fetches: one request at a time to each broker, of all
//! partitions that it leads.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tether_api::offset::TopicPartition;
use tokio::time::{Instant, sleep_until};

use super::leaders::Leaders;
use super::node::{Answer, Asked, Node, request};
use super::partitions::Wanted;
use super::{AHEAD, AT_ONCE, Shared, State};
use crate::broker::messages::ClusterMetadata;
use crate::broker::{BrokerConnection, BrokerError, BrokerErrorKind, Brokers};
use crate::{KafkaError, KafkaErrorKind};

/// How long a task waits that has nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// Fetches until it is aborted.
pub(super) struct FetchTask {
    shared: Arc<Shared>,
    brokers: Arc<dyn Brokers>,
    nodes: HashMap<i32, Node>,
    leaders: Leaders,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// How many requests for records were made.
    turns: usize,
}

/// What has come to its end.
enum Done {
    Leaders(Result<ClusterMetadata, BrokerError>),
    Request {
        node: i32,
        asked: Vec<Asked>,
        outcome: Result<(Box<dyn BrokerConnection>, Answer), BrokerError>,
    },
}

impl FetchTask {
    pub(super) fn new(shared: Arc<Shared>, brokers: Arc<dyn Brokers>) -> Self {
        Self {
            leaders: Leaders::new(&shared.settings),
            shared,
            brokers,
            nodes: HashMap::new(),
            under_way: FuturesUnordered::new(),
            turns: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let next = self.begin();
            tokio::select! {
                Some(done) = self.under_way.next() => self.finish(done),
                () = self.shared.changed.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Begins what can begin now. Returns when to look again, if nothing else
    /// happens.
    fn begin(&mut self) -> Instant {
        let shared = Arc::clone(&self.shared);
        let state = shared.state();
        let now = Instant::now();
        // Whoever reads what is there says so.
        let next = match state.chunks.unread(&state.partitions) < AHEAD {
            true => self.begin_requests(&state, now),
            false => now + LONG,
        };
        match self.leaders.due(&state.partitions, now) {
            Some(due) if due <= now => {
                let timeout = shared.settings.request_timeout;
                let brokers = Arc::clone(&self.brokers);
                let asked = self.leaders.ask(&state.partitions, brokers, timeout);
                let done = async { Done::Leaders(asked.await) };
                self.under_way.push(Box::pin(done));
                next
            }
            Some(due) => next.min(due),
            None => next,
        }
    }

    fn begin_requests(&mut self, state: &State, now: Instant) -> Instant {
        let settings = &self.shared.settings;
        let mut next = now + LONG;
        let mut wanted: HashMap<i32, Vec<(&TopicPartition, Wanted)>> = HashMap::new();
        for (partition, known) in state.partitions.iter() {
            match known.wanted(now) {
                Some((node, what)) => wanted.entry(node).or_default().push((partition, what)),
                None => next = known.not_before().map_or(next, |at| next.min(at.max(now))),
            }
        }
        let at_once = AT_ONCE / wanted.len().max(1);
        for (id, mut wanted) in wanted {
            let Some(node) = self.nodes.get_mut(&id) else {
                self.leaders.ask_soon();
                continue;
            };
            match node.not_before.filter(|at| *at > now) {
                Some(at) => next = next.min(at),
                None if node.busy => {}
                None => {
                    // The first ones get more, so each is the first in its turn.
                    let first = self.turns % wanted.len();
                    wanted.rotate_left(first);
                    self.turns = self.turns.wrapping_add(1);
                    let (request, asked) = request(settings, &wanted, at_once);
                    let brokers = Arc::clone(&self.brokers);
                    let outcome = node.ask(brokers, request, settings);
                    self.under_way.push(Box::pin(async move {
                        Done::Request {
                            node: id,
                            asked,
                            outcome: outcome.await,
                        }
                    }));
                }
            }
        }
        next
    }

    fn finish(&mut self, done: Done) {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let refused = match done {
            Done::Leaders(Ok(metadata)) => {
                let is_alive = |id| metadata.brokers.iter().any(|broker| broker.node == id);
                self.nodes.retain(|id, node| node.busy || is_alive(*id));
                for broker in &metadata.brokers {
                    let node = self.nodes.entry(broker.node).or_default();
                    node.set_address(broker);
                }
                self.leaders.answered(&metadata, &mut state);
                None
            }
            Done::Leaders(Err(error)) => {
                self.leaders.failed(&error);
                refusal(&error)
            }
            Done::Request {
                node,
                asked,
                outcome,
            } => {
                let node = self.nodes.entry(node).or_default();
                match outcome {
                    Ok((connection, answer)) => {
                        let taken = match answer {
                            Answer::Fetched(fetched) => {
                                node.answered(connection, fetched.throttle());
                                state.take_fetched(fetched, &asked, &shared.settings)
                            }
                            Answer::EpochEnds(ends) => {
                                node.answered(connection, Duration::ZERO);
                                state.take_epoch_ends(&ends, &asked, &shared.settings)
                            }
                        };
                        if taken.leaders_moved {
                            self.leaders.ask_soon();
                        }
                        None
                    }
                    Err(error) => {
                        node.failed(&error, &shared.settings);
                        state.forget_leaders(&asked);
                        refusal(&error)
                    }
                }
            }
        };
        if refused.is_some() {
            state.error = refused;
        }
        drop(state);
        shared.arrived.notify_one();
    }
}

/// What the consumer has to hear: only what does not pass.
fn refusal(error: &BrokerError) -> Option<KafkaError> {
    (error.kind == BrokerErrorKind::Refused)
        .then(|| KafkaError::new(KafkaErrorKind::NotAuthorized, error.message.clone()))
}
