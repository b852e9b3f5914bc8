//! Writing beside the task: while the database works on a delivery, the worker
//! gets and converts the next one.

use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;
use tether_api::{ConnectError, Result};
use tokio_util::task::AbortOnDropHandle;

use crate::error::Failure;
use crate::writer::RecordWriter;

/// A writer, which may be busy.
pub(crate) struct Writing {
    writer: Option<Box<dyn RecordWriter>>,
    busy: Option<AbortOnDropHandle<(Box<dyn RecordWriter>, Written)>>,
}

/// A delivery, and what became of it.
pub(crate) struct Written {
    /// Its records.
    pub(crate) records: Vec<SinkRecord>,
    /// Whether they are in the database.
    pub(crate) outcome: Result<(), Failure>,
}

impl Writing {
    /// A writer with nothing to do.
    pub(crate) fn new(writer: Box<dyn RecordWriter>) -> Self {
        Self {
            writer: Some(writer),
            busy: None,
        }
    }

    /// Begins to write records, which are taken, with `spare` in their place.
    ///
    /// # Errors
    /// As those of [`Writing::writer`].
    pub(crate) fn begin(
        &mut self,
        records: &mut Vec<SinkRecord>,
        spare: Vec<SinkRecord>,
    ) -> Result<()> {
        let mut writer = self.writer.take().ok_or_else(busy)?;
        let records = std::mem::replace(records, spare);
        let writing = tokio::spawn(async move {
            let outcome = writer.write(&records).await;
            (writer, Written { records, outcome })
        });
        self.busy = Some(AbortOnDropHandle::new(writing));
        Ok(())
    }

    /// Waits for the end of a delivery, if one is being written.
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

    /// What is left without the records of partitions; `None` if nothing is.
    pub(crate) fn without(mut self, partitions: &[TopicPartition]) -> Option<Self> {
        self.records
            .retain(|record| !partitions.contains(&record.original));
        (!self.records.is_empty()).then_some(self)
    }
}
