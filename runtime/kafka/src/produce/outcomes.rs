//! What became of records, until the handler hears of it.

use super::batch::Batch;
use crate::{DeliveryHandler, KafkaError, RecordMetadata};

/// Outcomes in their order. They are told when no lock is held.
#[derive(Default)]
pub(super) struct Outcomes(Vec<Outcome>);

struct Outcome {
    tokens: Vec<usize>,
    outcome: Result<RecordMetadata, KafkaError>,
}

impl Outcomes {
    /// The first of the records of a batch is here.
    pub(super) fn written(&mut self, batch: &mut Batch, first: RecordMetadata) {
        self.push(std::mem::take(&mut batch.tokens), Ok(first));
    }

    /// The records of a batch will not be written.
    pub(super) fn failed(&mut self, batch: &mut Batch, error: KafkaError) {
        self.push(std::mem::take(&mut batch.tokens), Err(error));
    }

    /// These records will not be written.
    pub(super) fn tokens_failed(&mut self, tokens: Vec<usize>, error: KafkaError) {
        self.push(tokens, Err(error));
    }

    fn push(&mut self, tokens: Vec<usize>, outcome: Result<RecordMetadata, KafkaError>) {
        if !tokens.is_empty() {
            self.0.push(Outcome { tokens, outcome });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells them all; returns how many records they are about.
    pub(super) fn tell(self, handler: &dyn DeliveryHandler) -> usize {
        let mut count = 0;
        for Outcome { tokens, outcome } in self.0 {
            count += tokens.len();
            match outcome {
                Ok(first) => handler.run_written(&tokens, first),
                Err(error) => {
                    for token in tokens {
                        handler.delivered(token, Err(error.clone()));
                    }
                }
            }
        }
        count
    }
}
