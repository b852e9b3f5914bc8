//! A batch of records for one partition, from its first record until it is
//! known what became of them.

use bytes::Bytes;
use tokio::time::Instant;

use crate::KafkaError;
use crate::broker::messages::ProducerIdentity;
use crate::records::{Codec, Damage, Filling, Seal};

/// How records count for a broker that lets them in once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Whose records they are.
    pub(super) producer: ProducerIdentity,
    /// The number of the first one in its partition.
    pub(super) first: i32,
}

/// A batch.
pub(super) struct Batch {
    pub(super) filling: Filling,
    /// The tokens of the records, in their order; none if nobody waits for them
    /// any more.
    pub(super) tokens: Vec<usize>,
    /// When the first record came.
    pub(super) created: Instant,
    /// Its place among the batches of its partition.
    pub(super) order: u64,
    /// Bytes of the producer's memory that it takes.
    pub(super) charged: usize,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// As what it was sent first, which has to stay: the broker may have it.
    pub(super) sequence: Option<Sequence>,
    /// Why it is to be sent again.
    pub(super) error: Option<KafkaError>,
    /// Whether its records were given up, so that it is not sent again.
    pub(super) abandoned: bool,
}

impl Batch {
    pub(super) fn new(buffer: Vec<u8>, created: Instant, order: u64) -> Self {
        let filling = Filling::new(buffer);
        Self {
            charged: filling.len(),
            filling,
            tokens: Vec::new(),
            created,
            order,
            attempts: 0,
            sequence: None,
            error: None,
            abandoned: false,
        }
    }

    /// The bytes to send. They come back by [`Filling::give_back`].
    ///
    /// # Errors
    /// What the codec says.
    pub(super) fn lend(&mut self, codec: Codec, transactional: bool) -> Result<Bytes, Damage> {
        self.filling.compress(codec)?;
        self.filling.seal(match self.sequence {
            None => Seal::PLAIN,
            Some(Sequence { producer, first }) => Seal {
                producer_id: producer.id,
                producer_epoch: producer.epoch,
                base_sequence: first,
                transactional,
            },
        });
        Ok(self.filling.lend())
    }

    /// Two batches with the first and second half of the records, and the
    /// sequences that they have already.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn split(mut self) -> Result<[Self; 2], Damage> {
        let (first, second) = self.filling.split()?;
        let count = first.count();
        let at = usize::try_from(count).unwrap_or(0).min(self.tokens.len());
        let rest = self.tokens.split_off(at);
        let half = |filling: Filling, tokens, skipped: i32| Self {
            charged: filling.len(),
            filling,
            tokens,
            created: self.created,
            // Nothing is between the halves.
            order: self.order,
            attempts: 0,
            sequence: self.sequence.map(|sequence| Sequence {
                first: after(sequence.first, skipped),
                ..sequence
            }),
            error: self.error.clone(),
            abandoned: self.abandoned,
        };
        Ok([half(first, self.tokens, 0), half(second, rest, count)])
    }
}

/// The sequence after so many records (`DefaultRecordBatch.incrementSequence`).
pub(super) fn after(sequence: i32, count: i32) -> i32 {
    // Past the largest number they begin with 0 again.
    (i64::from(sequence) + i64::from(count)).rem_euclid(1 << 31) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_begin_again_after_the_largest() {
        assert_eq!(after(5, 3), 8);
        assert_eq!(after(i32::MAX, 1), 0);
        assert_eq!(after(i32::MAX - 1, 3), 1);
    }
}
