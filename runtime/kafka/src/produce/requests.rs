//! What happens to requests with records, from a broker's connection on.

use bytes::Bytes;

use super::LOG;
use super::answers::Taken;
use super::node::Link;
use super::outcomes::Outcomes;
use super::state::State;
use super::task::{Done, SendTask};
use crate::broker::messages::ProduceAnswer;
use crate::broker::{Answers, BrokerError, BrokerErrorKind, Requests, Split};

impl SendTask {
    pub(super) fn connected(
        &mut self,
        id: i32,
        outcome: Result<Split, BrokerError>,
    ) -> Result<(), BrokerError> {
        let Some(node) = self.nodes.get_mut(&id) else {
            return Ok(());
        };
        match outcome.and_then(|split| node.connected(split)) {
            Ok(answers) => {
                self.read(id, answers);
                Ok(())
            }
            Err(error) => {
                // Nothing can be under way without a connection.
                node.failed(&error, &self.shared.settings);
                self.knowledge.ask_soon();
                Err(error)
            }
        }
    }

    /// Waits for the next answer, or the end of the connection.
    fn read(&mut self, id: i32, mut answers: Box<dyn Answers>) {
        let Some(Link::Up(connected)) = self.nodes.get(&id).map(|node| &node.link) else {
            return;
        };
        let (number, alive) = (connected.number, connected.alive.clone());
        self.under_way.push(Box::pin(async move {
            let read = async {
                let (request, answer) = answers.next().await?;
                Ok((answers, request, answer))
            };
            match alive.run_until_cancelled(read).await {
                None => Done::Nothing,
                Some(outcome) => Done::Answered {
                    node: id,
                    connection: number,
                    outcome,
                },
            }
        }));
    }

    /// A request is written.
    pub(super) fn written(
        &mut self,
        state: &mut State,
        id: i32,
        number: u64,
        outcome: Result<Box<dyn Requests>, BrokerError>,
        outcomes: &mut Outcomes,
    ) -> Result<(), BrokerError> {
        let Some(node) = self.nodes.get_mut(&id) else {
            return Ok(());
        };
        let Some(connected) = node.connection(number) else {
            return Ok(());
        };
        match outcome {
            Ok(requests) => {
                connected.requests = Some(requests);
                if self.shared.settings.acks == 0
                    && let Some(sent) = node.in_flight.pop_front()
                {
                    state.take_unanswered(sent.batches, outcomes);
                }
                Ok(())
            }
            Err(error) => {
                self.lost(state, id, &error, outcomes);
                Err(error)
            }
        }
    }

    /// A broker has answered, or the connection has ended.
    pub(super) fn answered(
        &mut self,
        state: &mut State,
        id: i32,
        number: u64,
        outcome: Result<(Box<dyn Answers>, i32, Bytes), BrokerError>,
        outcomes: &mut Outcomes,
    ) -> Result<(), BrokerError> {
        let Some(node) = self.nodes.get_mut(&id) else {
            return Ok(());
        };
        let Some(connected) = node.connection(number) else {
            return Ok(());
        };
        let version = connected.version;
        let expected = node.in_flight.front().map(|request| request.id);
        let answer = outcome.and_then(|(answers, request, bytes)| {
            if expected != Some(request) {
                let message = format!("Broker {id}: it answers request {request} out of turn");
                return Err(BrokerError::new(BrokerErrorKind::Incompatible, message));
            }
            Ok((answers, self.answer_to(id, &bytes, version)?))
        });
        match answer {
            Ok((answers, answer)) => {
                state.set_refusal(None);
                self.read(id, answers);
                self.take(state, id, &answer, outcomes);
                Ok(())
            }
            Err(error) => {
                self.lost(state, id, &error, outcomes);
                Err(error)
            }
        }
    }

    fn take(
        &mut self,
        state: &mut State,
        id: i32,
        answer: &ProduceAnswer,
        outcomes: &mut Outcomes,
    ) {
        let Some(node) = self.nodes.get_mut(&id) else {
            return;
        };
        node.answered(answer.throttle());
        let Some(request) = node.in_flight.pop_front() else {
            return;
        };
        let settings = &self.shared.settings;
        let Taken {
            leaders_moved,
            producer_lost,
        } = state.take_answer(answer, request.batches, settings, outcomes);
        if leaders_moved {
            self.knowledge.ask_soon();
        }
        if producer_lost && state.transaction.is_none() {
            tracing::warn!(
                target: LOG,
                "The brokers do not take the epoch of this producer; asking for another producer id"
            );
            self.identity.forget();
        }
    }
}
