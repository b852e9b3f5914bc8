//! Who a producer without transactions is to the brokers, so that they let each
//! of its batches in once and in its turn.

use std::sync::Arc;

use tokio::time::Instant;

use super::LOG;
use super::errors::{Cure, cure, failure};
use super::outcomes::Outcomes;
use super::sending::Found;
use super::state::State;
use super::task::{Done, SendTask};
use super::topics::{Gap, Place};
use crate::broker::messages::{InitProducerId, InitializedProducer, ProducerIdentity};
use crate::broker::{BrokerError, ask};
use crate::{KafkaError, KafkaErrorKind};

/// The identity of a producer.
#[derive(Default)]
pub(super) struct Identity {
    known: Option<ProducerIdentity>,
    under_way: bool,
    not_before: Option<Instant>,
    failures: u32,
}

impl Identity {
    /// It is asked for anew.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    fn again(&mut self, after: std::time::Duration) {
        self.not_before = Some(Instant::now() + after);
        self.failures = self.failures.saturating_add(1);
    }
}

impl SendTask {
    /// Who this producer is.
    pub(super) fn producer(&self, state: &State) -> Option<ProducerIdentity> {
        match &state.transaction {
            Some(transaction) => transaction.producer,
            None => self.identity.known,
        }
    }

    /// Asks who this producer is, if that has to be known. Returns when to look
    /// again.
    pub(super) fn identify(
        &mut self,
        state: &State,
        found: &Found,
        now: Instant,
    ) -> Option<Instant> {
        let settings = &self.shared.settings;
        let is_wanted = settings.idempotent && state.transaction.is_none();
        if !is_wanted
            || found.ready.is_empty()
            || self.identity.known.is_some()
            || self.identity.under_way
        {
            return None;
        }
        if let Some(at) = self.identity.not_before.filter(|at| *at > now) {
            return Some(at);
        }
        self.identity.under_way = true;
        let init = InitProducerId {
            transactional_id: None,
            timeout_ms: i32::MAX,
        };
        let (brokers, timeout) = (Arc::clone(&self.brokers), settings.request_timeout);
        self.under_way.push(Box::pin(async move {
            let asked = async {
                let mut any = brokers.any().await?;
                ask(&mut *any, &init, timeout).await
            };
            Done::Identified(asked.await)
        }));
        None
    }

    pub(super) fn identified(
        &mut self,
        state: &mut State,
        outcome: Result<InitializedProducer, BrokerError>,
        outcomes: &mut Outcomes,
    ) -> Result<(), BrokerError> {
        self.identity.under_way = false;
        let backoff = self
            .shared
            .settings
            .backoff
            .random_after(self.identity.failures);
        let told = match outcome {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(target: LOG, %error, "No producer id could be asked for; trying again");
                self.identity.again(backoff);
                return Err(error);
            }
        };
        if told.error == 0 {
            tracing::debug!(target: LOG, producer = told.identity.id, "A producer id is there");
            self.identity.known = Some(told.identity);
            self.identity.failures = 0;
        } else if cure(told.error) != Cure::None {
            self.identity.again(backoff);
        } else {
            let error = failure("Failed to get a producer id", told.error, None);
            state.drop_queued(&error, true, outcomes);
            state.fatal = Some(error);
        }
        Ok(())
    }

    /// Numbers what is left of partitions anew in which a batch is missing: in a
    /// new epoch, in which the broker has taken nothing of them
    /// (`TransactionManager.bumpIdempotentProducerEpoch`, KIP-360).
    pub(super) fn renew_sequences(
        &mut self,
        state: &mut State,
        places: &[Place],
        outcomes: &mut Outcomes,
    ) {
        for place in places {
            let is_transactional = state.transaction.is_some();
            let Some(partition) = state.topics.partition_mut(*place) else {
                continue;
            };
            if is_transactional {
                // The transaction has failed, and this producer begins no other.
                partition.close();
                let error = KafkaError::new(
                    KafkaErrorKind::Abortable,
                    "Failed to write a record: one before it in the same partition was not written",
                );
                for batch in std::mem::take(&mut partition.queue) {
                    state.give_up(*place, batch, &error, outcomes);
                }
                continue;
            }
            partition.gap = Gap::No;
            for batch in &mut partition.queue {
                batch.sequence = None;
            }
            if partition.producer == self.identity.known {
                self.identity.known = self.identity.known.and_then(next_epoch);
            }
            partition.producer = None;
        }
    }
}

/// The same producer in its next epoch, if there is one.
fn next_epoch(producer: ProducerIdentity) -> Option<ProducerIdentity> {
    // The largest number is never in use.
    let epoch = producer
        .epoch
        .checked_add(1)
        .filter(|epoch| *epoch < i16::MAX)?;
    Some(ProducerIdentity { epoch, ..producer })
}
