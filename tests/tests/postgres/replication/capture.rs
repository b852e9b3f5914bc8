//! A database of a test's own with what a stream of its changes needs.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tether_connector_postgres::config::Settings;
use tether_connector_postgres::lsn::Lsn;
use tether_connector_postgres::pgoutput::{Message, decode};
use tether_connector_postgres::replication::{
    CreatedSlot, Event, EventStream, Failure, PublicationName, PublicationRequest, Purpose,
    ReplicationConnection, ReplicationStream, Session, StreamStart, create_slot,
    ensure_publication, start_streaming,
};
use tether_services::shared;
use tether_tests::database::{Database, query};
use tether_tests::eventually::{PATIENCE, within, within_async};
use tether_tests::names;

/// How long a slot may be busy that is not used any more.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

/// A database with a name for a slot, which is dropped with this value.
pub(super) struct Capture {
    database: Database,
    server: String,
    slot: String,
}

/// Runs a test's asynchronous part.
pub(super) fn run<T>(part: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, part).await? })
}

/// The settings of a configuration with these entries, for a role with the password `postgres`.
pub(super) fn settings(
    address: &str,
    database: &str,
    entries: &[(&str, &str)],
) -> Result<Settings> {
    let (host, port) = address.split_once(':').context("no port")?;
    let required = [
        ("database.hostname", host),
        ("database.port", port),
        ("database.user", "postgres"),
        ("database.password", "postgres"),
        ("database.dbname", database),
        ("topic.prefix", "srv"),
        ("plugin.name", "pgoutput"),
        ("slot.retry.delay.ms", "50"),
    ];
    let config = required
        .iter()
        .chain(entries)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Ok(Settings::parse(&config)?)
}

impl Capture {
    /// Creates an empty database on the shared server.
    pub(super) fn new(name: &str) -> Result<Self> {
        Self::on(&shared::postgres_url()?, name)
    }

    /// Creates an empty database on the server with this URL.
    pub(super) fn on(server: &str, name: &str) -> Result<Self> {
        let name = names::unique(name).replace('-', "_");
        Ok(Self {
            database: Database::create(server, &name)?,
            server: server.to_owned(),
            slot: name,
        })
    }

    pub(super) fn settings(&self, entries: &[(&str, &str)]) -> Result<Settings> {
        let slot = [("slot.name", self.slot.as_str())];
        let entries: Vec<_> = slot.iter().chain(entries).copied().collect();
        settings(self.database.address(), &self.slot, &entries)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let slot = &self.slot;
        let condition = format!("FROM pg_replication_slots WHERE slot_name = '{slot}'");
        // The server may be gone; then so is the slot.
        let _ = query(
            &self.server,
            &format!("SELECT pg_terminate_backend(active_pid) {condition} AND active"),
        );
        let drop = format!("SELECT pg_drop_replication_slot(slot_name) {condition}");
        let _ = within(DROP_PATIENCE, "the slot is free", || {
            query(&self.server, &drop)
        });
    }
}

/// An ordinary connection.
pub(super) async fn session(settings: &Settings) -> Result<Session> {
    Ok(Session::connect(&settings.connection, Purpose::General).await?)
}

/// Makes the publication, for all tables unless the settings say otherwise.
pub(super) async fn publication(settings: &Settings) -> Result<PublicationName, Failure> {
    let session = Session::connect(&settings.connection, Purpose::General).await?;
    let request = PublicationRequest {
        settings: &settings.publication,
        skipped: settings.events.skipped,
        captured: &[],
        timeout: settings.slot.create_timeout,
    };
    ensure_publication(&session, request).await
}

/// Makes the publication and the slot.
pub(super) async fn prepare(settings: &Settings) -> Result<CreatedSlot> {
    publication(settings).await?;
    let mut connection = ReplicationConnection::connect(&settings.connection).await?;
    Ok(create_slot(&mut connection, &settings.slot).await?)
}

/// Streams from the slot's position on.
pub(super) async fn stream(settings: &Settings) -> Result<ReplicationStream, Failure> {
    let publication = PublicationName::parse(&settings.publication.name);
    let start = StreamStart {
        slot: &settings.slot,
        publication: &publication,
        streaming: &settings.streaming,
        position: Lsn(0),
    };
    start_streaming(&settings.connection, start).await
}

/// The next event.
pub(super) async fn next(stream: &mut ReplicationStream) -> Result<Event, Failure> {
    loop {
        match stream.next()? {
            Some(event) => return Ok(event),
            None => stream.fill().await?,
        }
    }
}

/// The next message and where it stands.
pub(super) async fn message(stream: &mut ReplicationStream) -> Result<(Lsn, Message)> {
    loop {
        if let Event::XLogData(data) = next(stream).await? {
            return Ok((data.wal_start, decode(data.payload)?));
        }
    }
}

/// What ends the stream.
pub(super) async fn end(stream: &mut ReplicationStream) -> Failure {
    loop {
        if let Err(failure) = next(stream).await {
            return failure;
        }
    }
}

/// Asks until an answer has this as its first column.
pub(super) async fn until(session: &Session, question: &str, expected: &str) -> Result<()> {
    within_async(PATIENCE / 2, question, async || {
        let answer = session.query_value(question).await?;
        ensure!(answer.as_deref() == Some(expected), "{answer:?}");
        Ok(())
    })
    .await
}
