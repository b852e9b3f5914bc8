//! Requests with records, until they are written.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::ProduceSettings;
use super::batch::Batch;
use super::node::{Flying, InFlight, Link, Node};
use super::outcomes::Outcomes;
use super::sending::Found;
use super::state::State;
use super::task::{Done, SendTask};
use super::topics::Place;
use crate::broker::bytes::BytesError;
use crate::broker::messages::{Produce, ProducePartition, Request};
use crate::broker::{BrokerError, BrokerErrorKind};
use crate::{KafkaError, KafkaErrorKind};

/// Batches for a broker, each with the name of its topic.
pub(super) struct Parcel {
    node: i32,
    batches: Vec<(Arc<str>, Place, Batch)>,
}

impl SendTask {
    /// Packs what was found to be ready and can be written now, and opens the
    /// connections that are missing. Returns when to look again.
    pub(super) fn pack(
        &mut self,
        state: &mut State,
        found: &Found,
        now: Instant,
        parcels: &mut Vec<Parcel>,
    ) -> Option<Instant> {
        let shared = Arc::clone(&self.shared);
        let settings = &shared.settings;
        let mut next: Option<Instant> = None;
        // Who the producer is has to be known before its records are sent.
        if settings.idempotent && self.producer(state).is_none() {
            return None;
        }
        for (id, places) in &found.ready {
            let Some(node) = self.nodes.get_mut(id) else {
                self.knowledge.ask_soon();
                continue;
            };
            if let Some(at) = node.not_before.filter(|at| *at > now) {
                next = Some(next.map_or(at, |next| next.min(at)));
                continue;
            }
            if node.is_ready(settings) {
                self.turns = self.turns.wrapping_add(1);
                let mut places = places.clone();
                // The first ones get more, so each is the first in its turn.
                let first = self.turns % places.len().max(1);
                places.rotate_left(first);
                parcels.extend(self.parcel(state, *id, &places));
            } else if matches!(node.link, Link::None) {
                let outcome = node.connect(Arc::clone(&self.brokers));
                let node = *id;
                self.under_way.push(Box::pin(async move {
                    Done::Connected {
                        node,
                        outcome: outcome.await,
                    }
                }));
            }
        }
        next
    }

    /// A batch of each of these partitions, as far as a request may be that
    /// large.
    fn parcel(&self, state: &mut State, node: i32, places: &[Place]) -> Option<Parcel> {
        let settings = &self.shared.settings;
        let producer = self.producer(state).filter(|_| settings.idempotent);
        let mut batches = Vec::new();
        let mut left = settings.max_request_size;
        for place in places {
            // A single batch goes whatever its size is.
            let most = if batches.is_empty() { usize::MAX } else { left };
            if let Some(batch) = state.take_batch(*place, most, producer) {
                left = left.saturating_sub(batch.filling.len());
                let name = state.topics.get(place.topic)?.name.clone();
                batches.push((name, *place, batch));
            }
        }
        // Partitions of a topic stand together.
        batches.sort_by_key(|(_, place, _)| *place);
        (!batches.is_empty()).then_some(Parcel { node, batches })
    }

    /// Writes a request. To compress and to sum up takes time, so that nobody
    /// waits for the lock meanwhile.
    pub(super) fn write(&mut self, parcel: Parcel) {
        let shared = Arc::clone(&self.shared);
        let settings = &shared.settings;
        let (mut batches, mut partitions) = (Vec::new(), Vec::new());
        for (topic, place, mut batch) in parcel.batches {
            match batch.lend(settings.codec, settings.transactional_id.is_some()) {
                Ok(bytes) => {
                    partitions.push(ProducePartition {
                        topic,
                        partition: i32::try_from(place.partition).unwrap_or(i32::MAX),
                        bytes: bytes.len(),
                    });
                    batches.push(Flying {
                        place,
                        batch,
                        bytes,
                    });
                }
                Err(damage) => {
                    let message = format!("A batch cannot be compressed: {damage}");
                    let error = KafkaError::new(KafkaErrorKind::Fatal, message);
                    self.not_sent(|state, outcomes| {
                        state.landed(place);
                        state.give_up(place, batch, &error, outcomes);
                    });
                }
            }
        }
        if batches.is_empty() {
            return;
        }
        let id = parcel.node;
        let Some(Node {
            link: Link::Up(connected),
            in_flight,
            ..
        }) = self.nodes.get_mut(&id)
        else {
            self.not_sent(|state, outcomes| {
                state.take_silence(batches, "the connection has ended", settings, outcomes);
            });
            return;
        };
        let body = body(connected.version, &partitions, &batches, settings);
        let (version, number) = (connected.version, connected.number);
        let request = connected.next_id();
        let (requests, alive) = (connected.requests.take(), connected.alive.clone());
        in_flight.push_back(InFlight {
            id: request,
            batches,
            deadline: Instant::now() + settings.request_timeout,
        });
        self.under_way.push(Box::pin(async move {
            let written = async {
                let Some(mut requests) = requests else {
                    return Err(busy());
                };
                let body = body.map_err(BrokerError::from)?;
                requests.send(Produce::KEY, version, request, &body).await?;
                Ok(requests)
            };
            match alive.run_until_cancelled(written).await {
                None => Done::Nothing,
                Some(outcome) => Done::Written {
                    node: id,
                    connection: number,
                    outcome,
                },
            }
        }));
    }

    /// Deals with batches that cannot be sent now.
    fn not_sent(&self, deal: impl FnOnce(&mut State, &mut Outcomes)) {
        let mut outcomes = Outcomes::default();
        let mut state = self.shared.state();
        deal(&mut state, &mut outcomes);
        self.shared.tell(state, outcomes);
    }
}

/// A request in parts, the batches among them.
fn body(
    version: i16,
    partitions: &[ProducePartition],
    batches: &[Flying],
    settings: &ProduceSettings,
) -> Result<Vec<Bytes>, BytesError> {
    let produce = Produce {
        transactional_id: settings.transactional_id.clone(),
        acks: settings.acks,
        timeout_ms: settings.request_timeout_ms(),
    };
    let parts = produce.encode_parts(version, partitions)?;
    let batches = batches.iter().map(|flying| flying.bytes.clone());
    Ok(parts
        .into_iter()
        .zip(batches)
        .flat_map(|(part, batch)| [Bytes::from(part), batch])
        .collect())
}

fn busy() -> BrokerError {
    BrokerError::new(
        BrokerErrorKind::Unreachable,
        "The connection is in use by another request",
    )
}
