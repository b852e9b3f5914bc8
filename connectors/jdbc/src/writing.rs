//! Writing beside the task: while the database works on records, the worker gets
//! and converts the next ones, which wait and then go together. So a busy
//! database has fewer and larger transactions.

use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;
use tether_api::{ConnectError, Result};
use tokio_util::task::AbortOnDropHandle;

use crate::error::Failure;
use crate::writer::RecordWriter;

/// The most deliveries that wait. The worker limits the bytes of each.
const MOST_DELIVERIES: usize = 8;

/// The most values of records that wait, which limits their memory where the
/// bytes of deliveries are few: 6,000 rows of 6 columns.
const MOST_VALUES: usize = 36_000;

/// A writer, which may be busy.
pub(crate) struct Writing {
    writer: Option<Box<dyn RecordWriter>>,
    busy: Option<AbortOnDropHandle<(Box<dyn RecordWriter>, Written)>>,
    waiting: Waiting,
}

/// Records that are to be written once the writer has nothing to do, in their
/// order.
struct Waiting {
    records: Vec<SinkRecord>,
    /// How many there may be.
    most: usize,
    /// How many deliveries they came with.
    deliveries: usize,
}

/// Records that were given to the writer, and what became of them.
pub(crate) struct Written {
    /// The records.
    pub(crate) records: Vec<SinkRecord>,
    /// Whether they are in the database.
    pub(crate) outcome: Result<(), Failure>,
}

impl Writing {
    /// A writer with nothing to do, for which up to so many records may wait.
    pub(crate) fn new(writer: Box<dyn RecordWriter>, most_waiting: usize) -> Self {
        Self {
            writer: Some(writer),
            busy: None,
            waiting: Waiting {
                records: Vec::new(),
                most: most_waiting,
                deliveries: 0,
            },
        }
    }

    /// Takes records that are to be written as soon as the writer is free, if it
    /// is busy and there is room for them.
    pub(crate) fn wait(&mut self, records: &mut Vec<SinkRecord>) -> bool {
        let is_busy = self.busy.as_ref().is_some_and(|busy| !busy.is_finished());
        let waits = is_busy && self.waiting.has_room(records);
        if waits {
            self.waiting.add(records);
        }
        waits
    }

    /// Begins to write the records that wait and then these, which are taken.
    ///
    /// # Errors
    /// As those of [`Writing::writer`].
    pub(crate) fn begin(&mut self, records: &mut Vec<SinkRecord>) -> Result<()> {
        let mut writer = self.writer.take().ok_or_else(busy)?;
        self.waiting.add(records);
        let records = self.waiting.take();
        let writing = tokio::spawn(async move {
            let outcome = writer.write(&records).await;
            (writer, Written { records, outcome })
        });
        self.busy = Some(AbortOnDropHandle::new(writing));
        Ok(())
    }

    /// The records that wait, which wait no longer; `None` if there are none.
    pub(crate) fn take_waiting(&mut self) -> Option<Vec<SinkRecord>> {
        (!self.waiting.records.is_empty()).then(|| self.waiting.take())
    }

    /// Takes back the memory of records that are written.
    pub(crate) fn reuse(&mut self, mut records: Vec<SinkRecord>) {
        if self.waiting.records.capacity() == 0 {
            records.clear();
            self.waiting.records = records;
        }
    }

    /// Forgets the records of partitions that wait.
    pub(crate) fn forget(&mut self, partitions: &[TopicPartition]) {
        let waiting = &mut self.waiting.records;
        waiting.retain(|record| !partitions.contains(&record.original));
    }

    /// Waits for the end of what is being written, if anything is.
    ///
    /// # Errors
    /// If it panicked.
    pub(crate) async fn end(&mut self) -> Result<Option<Written>> {
        let Some(busy) = &mut self.busy else {
            return Ok(None);
        };
        let ended = busy.await;
        self.busy = None;
        let (writer, written) = ended.map_err(|error| {
            ConnectError::other(format!(
                "Writing to the database ended unexpectedly: {error}"
            ))
        })?;
        self.writer = Some(writer);
        Ok(Some(written))
    }

    /// The writer, which has nothing to do.
    ///
    /// # Errors
    /// If a delivery is being written, or the last one panicked.
    pub(crate) fn writer(&mut self) -> Result<&mut dyn RecordWriter> {
        match &mut self.writer {
            Some(writer) => Ok(&mut **writer),
            None => Err(busy()),
        }
    }
}

impl Waiting {
    fn has_room(&self, records: &[SinkRecord]) -> bool {
        let total = self.records.len() + records.len();
        let first = records.first().map(|record| &record.record);
        let schema = first.and_then(|record| record.value_schema.as_ref());
        let values = total * schema.map_or(1, |schema| schema.fields().len());
        self.deliveries < MOST_DELIVERIES && total <= self.most && values <= MOST_VALUES
    }

    fn add(&mut self, records: &mut Vec<SinkRecord>) {
        self.deliveries += 1;
        if self.records.is_empty() {
            std::mem::swap(&mut self.records, records);
        } else {
            self.records.append(records);
        }
    }

    fn take(&mut self) -> Vec<SinkRecord> {
        self.deliveries = 0;
        std::mem::take(&mut self.records)
    }
}

fn busy() -> ConnectError {
    ConnectError::illegal_state("A delivery to the database has not ended")
}

/// Records that the worker counts as put, and that are not in the database.
pub(crate) struct Unwritten {
    /// The records.
    pub(crate) records: Vec<SinkRecord>,
    /// Why they are not there, until that has been dealt with.
    pub(crate) failure: Option<Failure>,
}

impl Unwritten {
    /// Records that were not written.
    pub(crate) fn new(records: Vec<SinkRecord>, failure: Failure) -> Self {
        Self {
            records,
            failure: Some(failure),
        }
    }

    /// The offsets, but none behind the first of these records of its partition.
    pub(crate) fn limit(&self, offsets: &Offsets) -> Offsets {
        let mut offsets = offsets.clone();
        for record in &self.records {
            if let Some(offset) = offsets.get_mut(&record.original) {
                *offset = record.offset().min(*offset);
            }
        }
        offsets
    }

    /// Records that come after those that were not written.
    pub(crate) fn behind(records: Vec<SinkRecord>) -> Self {
        Self {
            records,
            failure: None,
        }
    }

    /// What is left without the records of partitions; `None` if nothing is.
    pub(crate) fn without(mut self, partitions: &[TopicPartition]) -> Option<Self> {
        self.records
            .retain(|record| !partitions.contains(&record.original));
        (!self.records.is_empty()).then_some(self)
    }
}
