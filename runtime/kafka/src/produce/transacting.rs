//! What the coordinator has to be asked for, and what its answers come to.
//!
//! A batch of a transaction is sent only after its partition was added, so that
//! the coordinator knows of every partition that has records of it: if this
//! process dies, the next producer with the id, or the end of
//! `transaction.timeout.ms`, has all of them aborted. The end of a transaction is
//! asked for only when every batch is answered, and again until it is answered
//! itself, whichever broker coordinates by then; the same end asked for twice is
//! one end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::coordinator::{Asked, Question, Reply};
use super::errors::{Cure, cure, failure};
use super::outcomes::Outcomes;
use super::state::State;
use super::task::{Done, SendTask};
use super::topics::{InTransaction, Place};
use super::transaction::{Call, Phase, Transaction};
use crate::broker::BrokerError;
use crate::broker::messages::{
    AddPartitionsToTxn, AddedPartition, CONCURRENT_TRANSACTIONS, COORDINATOR_NOT_AVAILABLE, EndTxn,
    ErrorCode, InitProducerId, NOT_COORDINATOR, OPERATION_NOT_ATTEMPTED,
    TOPIC_AUTHORIZATION_FAILED, TRANSACTION_ABORTABLE,
};
use crate::{KafkaError, KafkaErrorKind};

/// The pause before the first partition is added again, while the transaction
/// before is being ended (`ADD_PARTITIONS_RETRY_BACKOFF_MS`).
const SHORT_PAUSE: Duration = Duration::from_millis(20);

impl SendTask {
    /// Asks the coordinator for what is next. Returns when to look again.
    pub(super) fn coordinate(
        &mut self,
        state: &mut State,
        to_add: &[Place],
        now: Instant,
        outcomes: &mut Outcomes,
    ) -> Option<Instant> {
        let failed = match &state.transaction.as_ref()?.phase {
            Phase::Failed(error) => Some(error.clone()),
            Phase::Asking(Call::Abort) => Some(KafkaError::new(
                KafkaErrorKind::Abortable,
                "Failed to write a record: its transaction is aborted",
            )),
            _ => None,
        };
        if let Some(error) = failed {
            // Those that the broker may have are waited for.
            state.drop_queued(&error, false, outcomes);
        }
        if state.fatal.is_some() {
            return None;
        }
        let due = self.coordinator.due(now)?;
        let quiet = state.outstanding == 0
            && outcomes.is_empty()
            && self.nodes.values().all(|node| node.in_flight.is_empty());
        let question = next_question(
            state,
            to_add,
            quiet,
            self.shared.settings.transaction_timeout,
        )?;
        if due > now {
            return Some(due);
        }
        let transaction = state.transaction.as_mut()?;
        if matches!(question, Question::Add(_)) {
            for place in to_add {
                if let Some(partition) = state.topics.partition_mut(*place) {
                    partition.in_transaction = InTransaction::Asked;
                }
                transaction.adding.push(*place);
            }
        }
        let id = Arc::clone(&transaction.id);
        let brokers = Arc::clone(&self.brokers);
        let asked = self
            .coordinator
            .ask(brokers, &id, question, &self.shared.settings);
        self.under_way
            .push(Box::pin(async { Done::Coordinated(asked.await) }));
        None
    }

    /// The coordinator has answered, or has not.
    pub(super) fn coordinated(
        &mut self,
        state: &mut State,
        asked: Asked,
        outcomes: &mut Outcomes,
    ) -> Result<(), BrokerError> {
        let settings = &self.shared.settings;
        let (connection, reply) = match asked {
            Ok(answered) => answered,
            Err(error) => {
                self.coordinator.failed(&error, settings);
                return Err(error);
            }
        };
        self.coordinator.answered(connection);
        state.set_refusal(None);
        let Some(transaction) = &mut state.transaction else {
            return Ok(());
        };
        let doing = transaction
            .asking()
            .map_or("Failed to write a record in a transaction", Call::doing);
        let (error, message) = match reply {
            Reply::Missing(error, message) => (error, message),
            Reply::Initialized(init) if init.error == 0 => {
                transaction.producer = Some(init.identity);
                transaction.done();
                (0, None)
            }
            Reply::Initialized(init) => (init.error, None),
            Reply::Added(added) => (partitions_added(state, &added), None),
            Reply::Ended(0) => {
                state.end_transaction();
                (0, None)
            }
            Reply::Ended(error) => (error, None),
        };
        self.take_error(state, error, message.as_deref(), doing, outcomes);
        Ok(())
    }

    fn take_error(
        &mut self,
        state: &mut State,
        error: ErrorCode,
        message: Option<&str>,
        doing: &str,
        outcomes: &mut Outcomes,
    ) {
        let settings = &self.shared.settings;
        let Some(transaction) = &mut state.transaction else {
            return;
        };
        let is_first = transaction.partitions.is_empty() && !transaction.adding.is_empty();
        match error {
            0 => self.coordinator.succeeded(),
            TRANSACTION_ABORTABLE | TOPIC_AUTHORIZATION_FAILED => {
                transaction.fail(&failure(doing, error, message));
            }
            CONCURRENT_TRANSACTIONS if is_first => {
                self.coordinator.again(settings, Some(SHORT_PAUSE));
            }
            error if cure(error) != Cure::None => {
                if matches!(error, NOT_COORDINATOR | COORDINATOR_NOT_AVAILABLE) {
                    self.coordinator.forget();
                }
                self.coordinator.again(settings, None);
            }
            error => {
                let error = failure(doing, error, message);
                state.drop_queued(&error, true, outcomes);
                state.fatal = Some(error);
            }
        }
    }
}

/// What to ask for now. Moves on what needs no coordinator.
fn next_question(
    state: &mut State,
    to_add: &[Place],
    quiet: bool,
    timeout: Duration,
) -> Option<Question> {
    let transaction = state.transaction.as_mut()?;
    let id = Arc::clone(&transaction.id);
    if matches!(transaction.phase, Phase::Asking(Call::Init)) {
        return Some(Question::Init(InitProducerId {
            transactional_id: Some(id),
            timeout_ms: i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
        }));
    }
    let producer = transaction.producer?;
    // Whether those were added is not known, which has to be before the end.
    let mut places = transaction.adding.clone();
    if matches!(transaction.phase, Phase::Open | Phase::Asking(Call::Commit)) {
        places.extend(to_add);
    }
    if !places.is_empty() {
        let topics = &state.topics;
        let partitions = places.iter().filter_map(|place| {
            let name = topics.get(place.topic)?.name.clone();
            Some((name, i32::try_from(place.partition).ok()?))
        });
        return Some(Question::Add(AddPartitionsToTxn {
            transactional_id: id,
            producer,
            partitions: partitions.collect(),
        }));
    }
    let call = transaction.asking().filter(|_| quiet)?;
    if transaction.partitions.is_empty() {
        state.end_transaction();
        return None;
    }
    Some(Question::End(EndTxn {
        transactional_id: id,
        producer,
        commit: call == Call::Commit,
    }))
}

/// Takes which partitions are added; returns the error of the others, 0 for
/// none.
fn partitions_added(state: &mut State, added: &[AddedPartition]) -> ErrorCode {
    let Some(transaction) = &mut state.transaction else {
        return 0;
    };
    let mut worst = 0;
    for place in std::mem::take(&mut transaction.adding) {
        let name = state
            .topics
            .get(place.topic)
            .map(|topic| topic.name.clone());
        let told = added.iter().find(|added| {
            usize::try_from(added.partition) == Ok(place.partition)
                && name.as_deref() == Some(added.topic.as_str())
        });
        let error = told.map_or(OPERATION_NOT_ATTEMPTED, |told| told.error);
        let Some(partition) = state.topics.partition_mut(place) else {
            continue;
        };
        partition.in_transaction = match error {
            0 => InTransaction::Yes,
            _ => InTransaction::No,
        };
        match error {
            0 => transaction.partitions.push(place),
            // Another one was in the way.
            OPERATION_NOT_ATTEMPTED if worst != 0 => {}
            error if worst == 0 || worst == OPERATION_NOT_ATTEMPTED => worst = error,
            _ => {}
        }
    }
    match worst {
        OPERATION_NOT_ATTEMPTED => TRANSACTION_ABORTABLE,
        worst => worst,
    }
}

impl State {
    /// The open transaction is at its end.
    fn end_transaction(&mut self) {
        let Some(Transaction {
            partitions, phase, ..
        }) = &mut self.transaction
        else {
            return;
        };
        for place in std::mem::take(partitions) {
            if let Some(partition) = self.topics.partition_mut(place) {
                partition.in_transaction = InTransaction::No;
            }
        }
        if let Phase::Asking(call) = *phase {
            *phase = Phase::Done(call);
        }
    }
}
