//! What whoever sends and the task share: the topics with what waits there, the
//! memory that it takes, and whether records are taken at all.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;
use super::outcomes::Outcomes;
use super::settings::ProduceSettings;
use super::topics::{Gap, Place, Topics, Waiting};
use super::transaction::Transaction;
use crate::{KafkaError, KafkaErrorKind};

/// How many bytes of buffers are kept for later batches.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// How long a refusal counts. While it lasts, the task hears it anew.
const REFUSAL_COUNTS: Duration = Duration::from_secs(10);

/// What is guarded by the producer's lock.
pub(super) struct State {
    pub(super) topics: Topics,
    /// Partitions that have something to send.
    pub(super) active: Vec<Place>,
    /// Topics that records wait for.
    pub(super) unknown: Vec<usize>,
    /// Bytes of `buffer.memory` in use.
    pub(super) used: usize,
    /// Whether a record was not taken for want of memory since some was given
    /// back.
    pub(super) starved: bool,
    /// How many wait for everything to be sent.
    pub(super) flushing: usize,
    /// What is queued is to be thrown away.
    pub(super) purging: bool,
    /// Nobody has the producer any more.
    pub(super) closed: bool,
    /// A partition was asked for that is not known.
    pub(super) look_again: bool,
    /// When the task looks next by itself.
    pub(super) next_look: Option<Instant>,
    /// Records whose outcome has not been told.
    pub(super) outstanding: usize,
    /// Why nothing can be written any more.
    pub(super) fatal: Option<KafkaError>,
    /// Why the brokers did not let this client in, and when that was.
    refusal: Option<(Instant, KafkaError)>,
    pub(super) transaction: Option<Transaction>,
    pub(super) buffers: Vec<Vec<u8>>,
}

impl State {
    pub(super) fn new(settings: &ProduceSettings) -> Self {
        Self {
            topics: Topics::default(),
            active: Vec::new(),
            unknown: Vec::new(),
            used: 0,
            starved: false,
            flushing: 0,
            purging: false,
            closed: false,
            look_again: false,
            next_look: None,
            outstanding: 0,
            fatal: None,
            refusal: None,
            transaction: settings
                .transactional_id
                .as_ref()
                .map(|id| Transaction::new(Arc::clone(id))),
            buffers: Vec::new(),
        }
    }

    /// Why no record is taken at present.
    pub(super) fn refuses(&self) -> Option<KafkaError> {
        self.fatal
            .clone()
            .or_else(|| self.ended())
            .or_else(|| self.refusal())
            .or_else(|| self.transaction.as_ref()?.refuses())
    }

    /// Why nothing is sent any more, if that is so.
    pub(super) fn ended(&self) -> Option<KafkaError> {
        self.closed.then(|| {
            KafkaError::new(
                KafkaErrorKind::Fatal,
                "Records are not sent any more: the runtime that did has ended",
            )
        })
    }

    /// Why the brokers do not let this client in, if they do not.
    pub(super) fn refusal(&self) -> Option<KafkaError> {
        let (at, error) = self.refusal.as_ref()?;
        (at.elapsed() < REFUSAL_COUNTS).then(|| error.clone())
    }

    pub(super) fn set_refusal(&mut self, error: Option<KafkaError>) {
        self.refusal = error.map(|error| (Instant::now(), error));
    }

    /// A batch is done: its memory is free again.
    pub(super) fn free(&mut self, batch: Batch) {
        self.used = self.used.saturating_sub(batch.charged);
        self.starved = false;
        let buffer = batch.filling.into_buffer();
        let kept: usize = self.buffers.iter().map(Vec::capacity).sum();
        if buffer.capacity() > 0 && kept + buffer.capacity() <= KEPT_BYTES {
            self.buffers.push(buffer);
        }
    }

    /// Fails the records that wait for the partitions of a topic.
    pub(super) fn fail_waiting(
        &mut self,
        topic: usize,
        error: &KafkaError,
        outcomes: &mut Outcomes,
        which: impl Fn(&Waiting) -> bool,
    ) {
        let Some(known) = self.topics.get_mut(topic) else {
            return;
        };
        let mut tokens = Vec::new();
        let used = &mut self.used;
        known.waiting.retain(|waiting| {
            let fails = which(waiting);
            if fails {
                tokens.push(waiting.token);
                *used -= waiting.charged;
            }
            !fails
        });
        outcomes.tokens_failed(tokens, error.clone());
    }

    /// Gives up what is queued and was not sent; and what was, too, if `all` of
    /// it is to be given up.
    pub(super) fn drop_queued(&mut self, error: &KafkaError, all: bool, outcomes: &mut Outcomes) {
        for topic in std::mem::take(&mut self.unknown) {
            self.fail_waiting(topic, error, outcomes, |_| true);
        }
        for place in self.active.clone() {
            let Some(partition) = self.topics.partition_mut(place) else {
                continue;
            };
            partition.close();
            let (dropped, kept): (Vec<_>, Vec<_>) = partition
                .queue
                .drain(..)
                .partition(|batch| all || batch.sequence.is_none());
            partition.queue = kept.into();
            // Later ones with a sequence do not follow what the broker has.
            if dropped.iter().any(|batch| batch.sequence.is_some()) {
                partition.gap = Gap::Possible;
            }
            for mut batch in dropped {
                outcomes.failed(&mut batch, error.clone());
                self.free(batch);
            }
        }
    }
}
