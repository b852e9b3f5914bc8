//! The sink task: one connection, one transaction per delivery, retries.
//! Deliveries of many records are written while the worker gets the next ones.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::{Offsets, SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};

use crate::config::{Flavour, Guarantee, InsertMode, Schemaless, SinkConfig};
use crate::database::mysql::MySql;
use crate::database::postgres::Postgres;
use crate::database::sqlite::Sqlite;
use crate::dialect::Dialects;
use crate::errant::{self, Errants};
use crate::error::Failure;
use crate::isolation::Ending;
use crate::retry::Retries;
use crate::schemaless::Entries;
use crate::writer::{RecordWriter, Writer};
use crate::writing::{Unwritten, Writing};

/// Deliveries of so many records are written while the worker gets the next one:
/// more are likely to be there.
const LARGE: usize = 100;

/// The most new rows of deliveries that wait for the ones before and are then
/// written together. `COPY` gains by larger transactions up to 10,000 and more
/// (`make bench-jdbc ARGS=--ways`), but records that wait take memory.
const MOST_INSERTED: usize = 6000;

/// How soon the worker looks what became of a delivery if no other one comes.
const LOOK: Duration = Duration::from_millis(20);

/// Writes records of topics to tables
/// (`io.confluent.connect.jdbc.sink.JdbcSinkTask` and its kin).
pub(crate) struct JdbcSinkTask {
    flavour: &'static Flavour,
    running: Option<Running>,
}

impl JdbcSinkTask {
    /// A task that has not been started.
    pub(crate) fn new(flavour: &'static Flavour) -> Self {
        Self {
            flavour,
            running: None,
        }
    }
}

struct Running {
    context: SinkTaskContext,
    config: Arc<SinkConfig>,
    writing: Writing,
    /// Records that the worker counts as put, and that are not written.
    unwritten: Option<Unwritten>,
    retries: Retries,
    entries: Entries,
    errants: Errants,
    /// Partitions that could not be opened yet.
    waiting: Vec<TopicPartition>,
    /// Whether topics are chosen by a pattern, so that only an assignment says
    /// which they are.
    checks_assigned: bool,
}

#[async_trait]
impl SinkTask for JdbcSinkTask {
    async fn start(&mut self, context: SinkTaskContext, raw: ConfigMap) -> Result<()> {
        let config = Arc::new(self.flavour.parse(&raw)?);
        tracing::info!(url = %config.connection.url, dialect = ?config.connection.dialect, "starting a JDBC sink task");
        let stopping = context.stopping.clone();
        let writer: Box<dyn RecordWriter> = match config.connection.dialect {
            Dialects::Postgres => {
                let database = Postgres::new(&config)?;
                Box::new(Writer::new(config.clone(), database, stopping))
            }
            Dialects::MySql => {
                let database = MySql::new(&config)?;
                Box::new(Writer::new(config.clone(), database, stopping))
            }
            Dialects::Sqlite => {
                let database = Sqlite::new(&config)?;
                Box::new(Writer::new(config.clone(), database, stopping))
            }
        };
        // Tasks that write the same rows in several statements of a transaction may
        // wait for each other; one statement takes rows in the order of their keys.
        let most_waiting = match config.insert_mode {
            InsertMode::Insert if !config.delete_enabled => MOST_INSERTED,
            _ => config.batch_size,
        };
        let topics = topics(&raw);
        let mut running = Running {
            errants: Errants::new(&raw, context.errant_records.clone()),
            context,
            retries: Retries::new(config.retry),
            config,
            writing: Writing::new(writer, most_waiting),
            unwritten: None,
            entries: Entries::default(),
            waiting: Vec::new(),
            checks_assigned: topics.is_empty(),
        };
        let checked = running.check_tables(topics).await;
        checked.map_err(|failure| running.failed(failure))?;
        self.running = Some(running);
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        self.running()?.put(records).await
    }

    async fn put_batch(&mut self, records: &mut Vec<SinkRecord>) -> Result<()> {
        let running = self.running()?;
        match running.is_written_beside(records) {
            true => running.put_beside(records).await,
            false => running.put(records).await,
        }
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        match &mut self.running {
            Some(running) => running.open(partitions).await,
            None => Ok(()),
        }
    }

    async fn pre_commit(&mut self, offsets: &Offsets) -> Result<Offsets> {
        match &mut self.running {
            Some(running) => running.committable(offsets).await,
            None => Ok(Offsets::new()),
        }
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        match &mut self.running {
            Some(running) => running.close(partitions).await,
            None => Ok(()),
        }
    }

    fn stores_offsets(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_exactly_once)
    }

    async fn stop(&mut self) -> Result<()> {
        // A delivery that is still being written ends with the connection.
        self.running = None;
        Ok(())
    }
}

impl JdbcSinkTask {
    fn running(&mut self) -> Result<&mut Running> {
        let running = self.running.as_mut();
        running.ok_or_else(|| ConnectError::illegal_state("The task has not been started"))
    }
}

/// The topics that a configuration names.
fn topics(config: &ConfigMap) -> Vec<&str> {
    let names = config.get("topics").map_or("", String::as_str).split(',');
    names
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

impl Running {
    fn is_exactly_once(&self) -> bool {
        self.config.delivery.guarantee == Guarantee::ExactlyOnce
    }

    /// Looks for the tables of topics, if the configuration asks for it.
    async fn check_tables(&mut self, topics: Vec<&str>) -> Result<(), Failure> {
        if !self.config.evolution.checks_at_start {
            return Ok(());
        }
        let naming = &self.config.table_naming;
        // One table of all records is known without a topic.
        let one = [""].into_iter().filter(|_| naming.is_one_table());
        let mut names: Vec<String> = Vec::new();
        for topic in topics.into_iter().chain(one) {
            let name = naming.table_of_topic(topic)?;
            names.extend(name.filter(|name| !names.contains(name)));
        }
        self.writing.writer()?.check_tables(&names).await
    }

    async fn take_over(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure> {
        if self.checks_assigned {
            let topics = partitions.iter().map(|partition| &*partition.topic);
            self.check_tables(topics.collect()).await?;
        }
        self.writing.writer()?.open(partitions).await
    }

    /// Takes over partitions. Nothing is read of them as long as the database
    /// cannot say where to begin.
    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.end_writing().await?;
        let failure = match self.take_over(partitions).await {
            Ok(positions) => {
                for (partition, offset) in positions {
                    self.context.rewind(partition, offset);
                }
                return Ok(());
            }
            Err(failure) => failure,
        };
        match self.retry(&failure, 0) {
            Some(_) => {
                self.context.pause(partitions);
                self.waiting.extend_from_slice(partitions);
                Ok(())
            }
            None => Err(self.failed(failure)),
        }
    }

    /// Tries again to open the partitions that wait for it.
    async fn open_waiting(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let partitions = std::mem::take(&mut self.waiting);
        self.open(&partitions).await?;
        if self.waiting.is_empty() {
            self.retries.reset();
            self.context.resume(&partitions);
        }
        Ok(())
    }

    /// Whether these records are written while the worker gets the next ones. A
    /// record whose offset is stored with it, or that has to be reported, is
    /// dealt with before the worker goes on.
    fn is_written_beside(&self, records: &[SinkRecord]) -> bool {
        records.len() >= LARGE
            && !self.is_exactly_once()
            && self.context.errant_records.is_none()
            && self.config.values.schemaless != Schemaless::InferFromTable
    }

    /// Begins to write these records, with those that wait, once those before are
    /// written. As long as that takes, they wait.
    async fn put_beside(&mut self, records: &mut Vec<SinkRecord>) -> Result<()> {
        if !self.writing.wait(records) {
            self.make_up_begun().await?;
            self.open_waiting().await?;
            self.writing.begin(records)?;
        }
        self.context.retry_after(LOOK);
        // What was begun waits on this thread until it is free, and conversion
        // keeps it for as long as records are there.
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Writes these records, after those before.
    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        self.make_up().await?;
        self.open_waiting().await?;
        if records.is_empty() {
            return Ok(());
        }
        let records = self.entries.structured(&self.config, records);
        self.write(&records).await
    }

    /// Waits for the end of what is being written.
    async fn end_writing(&mut self) -> Result<()> {
        let Some(written) = self.writing.end().await? else {
            return Ok(());
        };
        match written.outcome {
            Ok(()) => {
                self.retries.reset();
                self.writing.reuse(written.records);
            }
            Err(failure) => self.unwritten = Some(Unwritten::new(written.records, failure)),
        }
        Ok(())
    }

    /// Sees to it that all records are written that the writer had.
    ///
    /// # Errors
    /// As those of `put`. The records that are not written stay here.
    async fn make_up_begun(&mut self) -> Result<()> {
        self.end_writing().await?;
        let Some(mut unwritten) = self.unwritten.take() else {
            return Ok(());
        };
        let outcome = match unwritten.failure.take() {
            Some(failure) => self.cope(failure, &unwritten.records).await,
            None => self.write(&unwritten.records).await,
        };
        if outcome.is_err() {
            self.unwritten = Some(unwritten);
        }
        outcome
    }

    /// Sees to it that all records before are written.
    ///
    /// # Errors
    /// As those of `put`. The records that are not written stay here.
    async fn make_up(&mut self) -> Result<()> {
        self.make_up_begun().await?;
        if let Some(waiting) = self.writing.take_waiting() {
            self.unwritten = Some(Unwritten::behind(waiting));
            self.make_up_begun().await?;
        }
        Ok(())
    }

    /// What may be committed of these offsets, once what is under way is written.
    async fn committable(&mut self, offsets: &Offsets) -> Result<Offsets> {
        self.end_writing().await?;
        if let Some(mut waiting) = self.writing.take_waiting() {
            match &mut self.unwritten {
                Some(unwritten) => unwritten.records.append(&mut waiting),
                None => {
                    self.writing.begin(&mut waiting)?;
                    self.end_writing().await?;
                }
            }
        }
        let writer = self.writing.writer()?;
        match &self.unwritten {
            Some(unwritten) => Ok(writer.committable(&unwritten.limit(offsets)).await),
            None => Ok(writer.committable(offsets).await),
        }
    }

    /// Forgets partitions that are taken away.
    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.end_writing().await?;
        let unwritten = self.unwritten.take();
        self.unwritten = unwritten.and_then(|unwritten| unwritten.without(partitions));
        self.writing.forget(partitions);
        self.writing.writer()?.release(partitions);
        self.waiting.retain(|waiting| !partitions.contains(waiting));
        Ok(())
    }

    async fn write(&mut self, records: &[SinkRecord]) -> Result<()> {
        match self.writing.writer()?.write(records).await {
            Ok(()) => {
                self.retries.reset();
                Ok(())
            }
            Err(failure) => self.cope(failure, records).await,
        }
    }

    /// Does what helps against a failure, if anything does.
    async fn cope(&mut self, failure: Failure, records: &[SinkRecord]) -> Result<()> {
        match self.retry(&failure, records.len()) {
            Some(error) => Err(error),
            None if failure.is_record_fault() => self.isolate(records).await,
            None => Err(self.failed(failure)),
        }
    }

    /// Finds the records that cannot be written, reports them and writes the
    /// rest; if the connector does not tolerate errors, nothing is written.
    async fn isolate(&mut self, records: &[SinkRecord]) -> Result<()> {
        let ending = match (self.errants.is_tolerant(), self.is_exactly_once()) {
            (false, _) => Ending::FirstErrant,
            (true, false) => Ending::WithoutErrant,
            (true, true) => Ending::AllOrNothing,
        };
        let writer = self.writing.writer()?;
        match writer.isolate(records, ending).await {
            Ok(errants) => {
                self.retries.reset();
                for errant in &errants {
                    self.errants.report(errant)?;
                    writer.leave_out(errant.record);
                }
                if ending != Ending::AllOrNothing || errants.is_empty() {
                    return Ok(());
                }
                // Offsets move over these records when their dead letters are in
                // Kafka, which the worker waits for before it comes again.
                self.context.retry_after(Duration::ZERO);
                Err(ConnectError::retriable(format!(
                    "{} of {} records cannot be written and were reported; the others come again",
                    errants.len(),
                    records.len()
                )))
            }
            Err(failure) => match self.retry(&failure, records.len()) {
                Some(error) => Err(error),
                None => Err(self.failed(failure)),
            },
        }
    }

    /// The request to come again with so many records, while that may help and
    /// retries are left.
    fn retry(&mut self, failure: &Failure, count: usize) -> Option<ConnectError> {
        let Failure::Sql(error) = failure else {
            return None;
        };
        let wait = self.retries.next(error)?;
        let error = errant::sql(&self.config, error, "");
        tracing::warn!(
            records = count,
            retry = self.retries.used(),
            wait_ms = wait.as_millis(),
            %error,
            "the database does not take what is due; it is tried again"
        );
        self.context.retry_after(wait);
        Some(ConnectError::retriable(error.message()))
    }

    fn failed(&self, failure: Failure) -> ConnectError {
        match failure {
            Failure::Sql(error) => errant::sql(&self.config, &error, ""),
            Failure::Record(error) | Failure::Connect(error) => error,
            Failure::Fenced => ConnectError::other(format!(
                "The offsets of connector {} in table {} change under this task; nothing was \
                 written",
                self.config.connector, self.config.delivery.offset_table
            )),
        }
    }
}
