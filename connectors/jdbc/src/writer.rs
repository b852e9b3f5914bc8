//! Writes a delivery: one transaction for all of its records, whatever tables
//! they go to.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;
use tokio_util::sync::CancellationToken;

use crate::config::{Guarantee, InsertMode, SinkConfig};
use crate::connected::Connected;
use crate::database::{Database, Session};
use crate::delivery::Mode;
use crate::errant::Errant;
use crate::error::{Failure, SqlError};
use crate::isolation::Ending;
use crate::offsets::Ledger;
use crate::structure;

/// Writes records, whatever the database.
#[async_trait]
pub(crate) trait RecordWriter: Send {
    /// Writes all of these records or none.
    async fn write(&mut self, records: &[SinkRecord]) -> Result<(), Failure>;

    /// Writes all of these records but those that cannot be written, which it
    /// returns, as far as `ending` says.
    ///
    /// # Errors
    /// What would have met any record. Nothing is written then.
    async fn isolate<'r>(
        &mut self,
        records: &'r [SinkRecord],
        ending: Ending,
    ) -> Result<Vec<Errant<'r>>, Failure>;

    /// Takes over partitions. With exactly once it returns where to read on.
    ///
    /// # Errors
    /// What the database says. Nothing of these partitions can be written then.
    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure>;

    /// Forgets partitions that are taken away.
    fn release(&mut self, partitions: &[TopicPartition]);

    /// Leaves a record out when it comes again.
    fn leave_out(&mut self, record: &SinkRecord);

    /// What may be committed of these offsets, up to which everything was put.
    async fn committable(&mut self, offsets: &Offsets) -> Offsets;

    /// Looks whether tables are there.
    ///
    /// # Errors
    /// If one is not.
    async fn check_tables(&mut self, names: &[String]) -> Result<(), Failure>;
}

/// Writes records to one kind of database.
pub(crate) struct Writer<D: Database> {
    config: Arc<SinkConfig>,
    database: D,
    stopping: CancellationToken,
    connected: Option<Connected<D::Session>>,
    /// Present with exactly once.
    ledger: Option<Ledger>,
}

#[async_trait]
impl<D: Database> RecordWriter for Writer<D> {
    async fn write(&mut self, records: &[SinkRecord]) -> Result<(), Failure> {
        let was_connected = self.connected.is_some();
        match self.attempt(records, Mode::Batched).await {
            // What was known before may be the reason: the server may have closed
            // an idle connection, or a person may have changed a table.
            Err(Failure::Sql(error))
                if was_connected && (error.is_stale_metadata || error.is_connection_lost) =>
            {
                tracing::info!(
                    error = %error.text(self.config.trim_sensitive_log),
                    "the connection or a table changed; trying again with nothing remembered"
                );
                self.attempt(records, Mode::Batched).await
            }
            // A transaction that had an unknown outcome was committed after all,
            // or another task is the reason, which shows now.
            Err(Failure::Fenced) => self.attempt(records, Mode::Batched).await,
            Err(Failure::Sql(error)) if error.may_be_grouping && self.changes_order() => {
                tracing::info!(
                    error = %error.text(self.config.trim_sensitive_log),
                    "the records cannot be written together; writing them one by one"
                );
                self.attempt(records, Mode::OneByOne).await
            }
            outcome => outcome,
        }
    }

    async fn isolate<'r>(
        &mut self,
        records: &'r [SinkRecord],
        ending: Ending,
    ) -> Result<Vec<Errant<'r>>, Failure> {
        let outcome = self.isolate_connected(records, ending).await;
        self.forget_after(outcome)
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure> {
        if self.ledger.is_none() {
            return Ok(Offsets::new());
        }
        let outcome = self.claim(partitions).await;
        self.forget_after(outcome)
    }

    fn release(&mut self, partitions: &[TopicPartition]) {
        if let Some(ledger) = &mut self.ledger {
            ledger.release(partitions);
        }
    }

    fn leave_out(&mut self, record: &SinkRecord) {
        if let Some(ledger) = &mut self.ledger {
            ledger.leave_out(record);
        }
    }

    async fn committable(&mut self, offsets: &Offsets) -> Offsets {
        let Some(ledger) = &mut self.ledger else {
            return offsets.clone();
        };
        if let Some(connected) = &mut self.connected
            && connected.session.is_usable()
        {
            let session = &mut connected.session;
            if let Err(failure) = ledger.catch_up(&self.config, session, offsets).await {
                // A delivery meets the same, and says so.
                tracing::debug!(?failure, "the offsets in the database stay as they are");
            }
        }
        ledger.committable(offsets)
    }

    async fn check_tables(&mut self, names: &[String]) -> Result<(), Failure> {
        self.connect().await?;
        match &mut self.connected {
            Some(connected) => structure::check_tables(&mut connected.session, names).await,
            None => Ok(()),
        }
    }
}

impl<D: Database> Writer<D> {
    pub(crate) fn new(config: Arc<SinkConfig>, database: D, stopping: CancellationToken) -> Self {
        let is_once = config.delivery.guarantee == Guarantee::ExactlyOnce;
        Self {
            config,
            database,
            stopping,
            connected: None,
            ledger: is_once.then(Ledger::default),
        }
    }

    /// Whether batches may have records in another order than the topic.
    fn changes_order(&self) -> bool {
        self.config.delete_enabled || self.config.insert_mode != InsertMode::Insert
    }

    async fn attempt(&mut self, records: &[SinkRecord], mode: Mode) -> Result<(), Failure> {
        let outcome = self.attempt_connected(records, mode).await;
        self.forget_after(outcome)
    }

    /// After an error, whatever was known of the tables may be the reason, and a
    /// transaction may have been committed or not.
    fn forget_after<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if outcome.is_err() {
            self.connected = self.connected.take().and_then(Connected::without_metadata);
            if let Some(ledger) = &mut self.ledger {
                ledger.doubt();
            }
        }
        outcome
    }

    /// Makes sure that there is a connection.
    async fn connect(&mut self) -> Result<(), Failure> {
        let is_usable = |connected: &Connected<D::Session>| connected.session.is_usable();
        if !self.connected.as_ref().is_some_and(is_usable) {
            self.connected = None;
            let session = connect(&self.database, &self.config, &self.stopping).await?;
            self.connected = Some(Connected::new(session));
        }
        Ok(())
    }

    async fn attempt_connected(
        &mut self,
        records: &[SinkRecord],
        mode: Mode,
    ) -> Result<(), Failure> {
        self.connect().await?;
        let (config, Some(connected)) = (&self.config, &mut self.connected) else {
            return Ok(());
        };
        let Some(ledger) = &mut self.ledger else {
            return connected.write(config, records.iter(), mode, None).await;
        };
        ledger.settle(config, &mut connected.session).await?;
        let selection = ledger.select(config, records)?;
        if !selection.is_empty() {
            let guard = ledger.guard(config, &connected.session, &selection)?;
            let records = selection.records.iter().copied();
            connected.write(config, records, mode, Some(&guard)).await?;
        }
        ledger.written(&selection);
        Ok(())
    }

    async fn isolate_connected<'r>(
        &mut self,
        records: &'r [SinkRecord],
        ending: Ending,
    ) -> Result<Vec<Errant<'r>>, Failure> {
        self.connect().await?;
        let (config, Some(connected)) = (&self.config, &mut self.connected) else {
            return Ok(Vec::new());
        };
        let Some(ledger) = &mut self.ledger else {
            let records = records.iter();
            return connected.isolate(config, records, ending, None).await;
        };
        ledger.settle(config, &mut connected.session).await?;
        let selection = ledger.select(config, records)?;
        if selection.is_empty() {
            ledger.written(&selection);
            return Ok(Vec::new());
        }
        let guard = ledger.guard(config, &connected.session, &selection)?;
        let records = selection.records.iter().copied();
        let errants = connected
            .isolate(config, records, ending, Some(&guard))
            .await?;
        if errants.is_empty() {
            ledger.written(&selection);
        }
        Ok(errants)
    }

    async fn claim(&mut self, partitions: &[TopicPartition]) -> Result<Offsets, Failure> {
        self.connect().await?;
        match (&mut self.ledger, &mut self.connected) {
            (Some(ledger), Some(connected)) => {
                let session = &mut connected.session;
                ledger.claim(&self.config, session, partitions).await
            }
            _ => Ok(Offsets::new()),
        }
    }
}

/// Connects, with `connection.attempts` tries. A wait between two ends when the
/// task is to stop.
async fn connect<D: Database>(
    database: &D,
    config: &SinkConfig,
    stopping: &CancellationToken,
) -> Result<D::Session, SqlError> {
    let connection = &config.connection;
    let mut attempt = 1;
    loop {
        let error = match database.connect().await {
            Ok(session) => return Ok(session),
            Err(error) => error.during(|| format!("connecting to {}", connection.url)),
        };
        if !error.is_transient || attempt >= connection.attempts {
            return Err(error);
        }
        tracing::info!(
            attempt,
            attempts = connection.attempts,
            error = %error.text(config.trim_sensitive_log),
            "cannot connect to the database; trying again"
        );
        let stopped = tokio::time::timeout(connection.backoff, stopping.cancelled()).await;
        if stopped.is_ok() {
            return Err(error);
        }
        attempt += 1;
    }
}
