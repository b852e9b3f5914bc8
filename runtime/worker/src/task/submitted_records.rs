//! Which source offsets may be committed (`SubmittedRecords` of the reference).
//!
//! Records are submitted in the order in which the connector gave them and are
//! acknowledged in any order. The offset that may be committed for a source
//! partition is that of its longest acknowledged *prefix*: whatever comes after
//! a record that Kafka does not have yet must be read again after a crash. A
//! record that stays unacknowledged holds up its own source partition only.
//!
//! Nothing here is shared between threads; acknowledgements come in through
//! `source/deliveries.rs`.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tether_api::offset::{OffsetMap, SourceOffset};

/// How many low bits of a token number a record within its partition. 2^40
/// records of a partition can be in flight, and 2^24 partitions.
const SEQUENCE_BITS: u32 = 40;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;

// A token carries both numbers, so that an acknowledgement finds its record
// without a search.
const _: () = assert!(usize::BITS >= 64);

/// Submitted records by source partition.
#[derive(Default)]
pub(crate) struct SubmittedRecords {
    queues: Vec<Queue>,
    /// Queues that no partition uses.
    free: Vec<usize>,
    by_partition: HashMap<Arc<OffsetMap>, usize>,
    /// The queue of the last record: most records follow one of their own
    /// partition.
    last: usize,
    /// Queues whose first record was acknowledged.
    ready: Vec<usize>,
    in_flight: usize,
    in_flight_bytes: usize,
    pending: usize,
}

/// The records of one source partition in order.
#[derive(Default)]
struct Queue {
    /// `None` while the queue is not in use.
    partition: Option<Arc<OffsetMap>>,
    records: VecDeque<Submitted>,
    /// The number of the first record. It goes on when another partition takes
    /// the queue over, so that an old token never means a new record.
    first: u64,
}

struct Submitted {
    offset: SourceOffset,
    bytes: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    InFlight,
    Acknowledged,
    Failed,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Kafka has it.
    Acknowledged,
    /// Kafka does not have it, and the connector tolerates that; or its dead
    /// letter is there.
    PassedOver,
    /// Kafka does not have it; nothing after it may be committed.
    Failed,
}

/// An offset that may be committed, with its partition.
pub(crate) type Committable = (Arc<OffsetMap>, SourceOffset);

impl SubmittedRecords {
    /// Notes that a record is about to be sent; `bytes` is its size. The token
    /// names it until it is resolved or withdrawn.
    pub(crate) fn submit(
        &mut self,
        partition: &Arc<OffsetMap>,
        offset: SourceOffset,
        bytes: usize,
    ) -> usize {
        let index = self.queue_of(partition);
        let queue = &mut self.queues[index];
        let sequence = queue.first + queue.records.len() as u64;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        queue.records.push_back(Submitted {
            offset,
            bytes,
            state: State::InFlight,
        });
        self.in_flight += 1;
        self.in_flight_bytes += bytes as usize;
        self.pending += 1;
        ((index as u64) << SEQUENCE_BITS | (sequence & SEQUENCE_MASK)) as usize
    }

    /// Notes a position without a record. It may be committed once all records
    /// before it may.
    pub(crate) fn pass(&mut self, partition: &Arc<OffsetMap>, offset: SourceOffset) {
        let token = self.submit(partition, offset, 0);
        self.resolve(token, Outcome::Acknowledged);
    }

    /// Takes back the last submission of its partition: the producer did not
    /// accept the record.
    pub(crate) fn withdraw(&mut self, token: usize) {
        let Some((index, position)) = self.find(token) else {
            return;
        };
        let queue = &mut self.queues[index];
        if position + 1 != queue.records.len() {
            return;
        }
        if let Some(record) = queue.records.pop_back() {
            self.pending -= 1;
            self.landed(&record);
        }
        self.release_if_empty(index);
    }

    /// Notes what became of a record. A token that is unknown or resolved
    /// already has no effect.
    pub(crate) fn resolve(&mut self, token: usize, outcome: Outcome) {
        let Some((index, position)) = self.find(token) else {
            return;
        };
        let record = &mut self.queues[index].records[position];
        if record.state != State::InFlight {
            return;
        }
        record.state = match outcome {
            Outcome::Acknowledged | Outcome::PassedOver => State::Acknowledged,
            Outcome::Failed => State::Failed,
        };
        self.in_flight -= 1;
        self.in_flight_bytes -= record.bytes as usize;
        if position == 0 && outcome != Outcome::Failed {
            self.ready.push(index);
        }
    }

    /// The source partition and offset of a record that is not resolved.
    pub(crate) fn origin(&self, token: usize) -> Option<(&Arc<OffsetMap>, &SourceOffset)> {
        let (index, position) = self.find(token)?;
        let queue = &self.queues[index];
        Some((queue.partition.as_ref()?, &queue.records[position].offset))
    }

    /// Takes the offsets that have become committable since the last call.
    pub(crate) fn take_committable(&mut self) -> Vec<Committable> {
        let ready = std::mem::take(&mut self.ready);
        let mut offsets = Vec::with_capacity(ready.len());
        for &index in &ready {
            let queue = &mut self.queues[index];
            let mut offset = None;
            while let Some(record) = queue
                .records
                .pop_front_if(|record| record.state == State::Acknowledged)
            {
                queue.first += 1;
                self.pending -= 1;
                offset = Some(record.offset);
            }
            if let (Some(partition), Some(offset)) = (&queue.partition, offset) {
                offsets.push((partition.clone(), offset));
            }
            self.release_if_empty(index);
        }
        self.ready = ready;
        self.ready.clear();
        offsets
    }

    /// The number of records that are neither acknowledged nor failed.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The size of the records in flight.
    pub(crate) fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    /// The number of records whose offsets could not be taken yet: in flight,
    /// or behind one that is or that failed.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// The number of source partitions with pending records.
    pub(crate) fn partitions(&self) -> usize {
        self.by_partition.len()
    }

    fn queue_of(&mut self, partition: &Arc<OffsetMap>) -> usize {
        // A queue keeps its partition alive, so an equal pointer is the same
        // map.
        if let Some(Queue {
            partition: Some(last),
            ..
        }) = self.queues.get(self.last)
            && Arc::ptr_eq(last, partition)
        {
            return self.last;
        }
        self.last = match self.by_partition.get(partition) {
            Some(index) => *index,
            None => {
                let index = self.free.pop().unwrap_or_else(|| {
                    self.queues.push(Queue::default());
                    self.queues.len() - 1
                });
                self.queues[index].partition = Some(partition.clone());
                self.by_partition.insert(partition.clone(), index);
                index
            }
        };
        self.last
    }

    /// The queue and the position in it.
    fn find(&self, token: usize) -> Option<(usize, usize)> {
        let token = token as u64;
        let index = (token >> SEQUENCE_BITS) as usize;
        let queue = self.queues.get(index)?;
        let position = token.wrapping_sub(queue.first) & SEQUENCE_MASK;
        let position = usize::try_from(position).ok()?;
        (position < queue.records.len()).then_some((index, position))
    }

    fn landed(&mut self, record: &Submitted) {
        if record.state == State::InFlight {
            self.in_flight -= 1;
            self.in_flight_bytes -= record.bytes as usize;
        }
    }

    /// Lets go of a partition without pending records: connectors may have one
    /// per file or per shard, without end.
    fn release_if_empty(&mut self, index: usize) {
        let queue = &mut self.queues[index];
        if queue.records.is_empty()
            && let Some(partition) = queue.partition.take()
        {
            queue.first += 1;
            self.by_partition.remove(&partition);
            self.free.push(index);
        }
    }
}

#[cfg(test)]
mod tests;
