//! Writing records to Kafka.

use std::time::Duration;

use async_trait::async_trait;

use crate::{KafkaError, Result};

/// A record to write. Everything is borrowed: the client copies it into its own
/// queue, so that one buffer can serve a whole batch.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRecord<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None` leaves it to the partitioner (murmur2 of the key,
    /// as in Java).
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since the epoch; `None` takes the time of sending.
    pub timestamp: Option<i64>,
    /// Names and values of the headers.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordMetadata {
    /// The partition.
    pub partition: i32,
    /// The offset; -1 if the broker did not tell.
    pub offset: i64,
}

/// Why a run of records was not taken as a whole.
#[derive(Debug)]
pub struct Refusal {
    /// So many records, from the first on, were taken.
    pub taken: usize,
    /// Why the next one was not. No record after it was taken either.
    pub error: KafkaError,
}

/// Learns what became of records.
pub trait DeliveryHandler: Send + Sync {
    /// The record that was sent with this token is in Kafka, or never will be.
    /// Called once per accepted record, on a thread that serves others too, so it
    /// must not block.
    fn delivered(&self, token: usize, outcome: std::result::Result<RecordMetadata, KafkaError>);

    /// The same for records that are in Kafka, one behind the other, the first of
    /// them there.
    fn run_written(&self, tokens: &[usize], first: RecordMetadata) {
        for (offset, token) in (first.offset..).zip(tokens) {
            let offset = if first.offset < 0 { -1 } else { offset };
            self.delivered(*token, Ok(RecordMetadata { offset, ..first }));
        }
    }
}

/// Writes records.
#[async_trait]
pub trait Producer: Send + Sync {
    /// Queues a record. Records of one partition keep their order. The handler
    /// that was given at creation gets `token` back.
    ///
    /// # Errors
    /// `QueueFull` asks to wait; every other error means that this record was
    /// not taken and the handler won't hear of it.
    fn send(&self, record: &OutgoingRecord<'_>, token: usize) -> Result<()>;

    /// Queues records in order, each with its token, as [`Producer::send`] does
    /// but for less per record.
    ///
    /// # Errors
    /// That of the first record that was not taken, with the number of those
    /// that were.
    fn send_run(&self, run: &[(OutgoingRecord<'_>, usize)]) -> std::result::Result<(), Refusal> {
        for (taken, (record, token)) in run.iter().enumerate() {
            self.send(record, *token)
                .map_err(|error| Refusal { taken, error })?;
        }
        Ok(())
    }

    /// Waits until nothing is queued, at most this long.
    ///
    /// # Errors
    /// Retriable, if records are still queued.
    async fn flush(&self, timeout: Duration) -> Result<()>;

    /// Throws away what is queued; the handler hears of each record as failed.
    fn purge(&self);
}
