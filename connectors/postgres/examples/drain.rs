//! What it costs this side to take changes from a server, without records being made of them.
//!
//! `cargo run --profile profiling --package tether-connector-postgres --example drain -- PORT [ROWS]`
//! with a server on 127.0.0.1 whose `wal_level` is `logical` and that takes the role `postgres` without a
//! password. It makes and drops a database of its own.

#![allow(
    clippy::print_stdout,
    reason = "an example tells what it found on the standard output"
)]

use std::error::Error;
use std::fs;
use std::time::Instant;

use tether_connector_postgres::config::Settings;
use tether_connector_postgres::pgoutput::{Message, decode};
use tether_connector_postgres::replication::{
    Event, EventStream, PublicationRequest, Purpose, ReplicationConnection, Session, StreamStart,
    create_slot, drop_slot, ensure_publication, start_streaming,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Nanoseconds that this thread has run, in the kernel or not.
fn processor_time() -> Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_ascii_whitespace().next().ok_or("no time")?;
    Ok(first.parse()?)
}

fn settings(port: &str, database: &str) -> Result<Settings> {
    let config = [
        ("database.hostname", "127.0.0.1"),
        ("database.port", port),
        ("database.user", "postgres"),
        ("database.dbname", database),
        ("database.sslmode", "disable"),
        ("topic.prefix", "drain"),
        ("slot.name", "drain"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    Ok(Settings::parse(&config.into_iter().collect())?)
}

/// Takes the stream up to `rows` changes.
async fn drain(settings: &Settings, rows: u64, decodes: bool) -> Result<()> {
    let mut connection = ReplicationConnection::connect(&settings.connection).await?;
    let position = connection.identify_system().await?.position;
    drop(connection);
    let session = Session::connect(&settings.connection, Purpose::General).await?;
    let publication = ensure_publication(
        &session,
        PublicationRequest {
            settings: &settings.publication,
            skipped: settings.events.skipped,
            captured: &[],
            timeout: settings.slot.create_timeout,
        },
    )
    .await?;
    let start = StreamStart {
        slot: &settings.slot,
        publication: &publication,
        streaming: &settings.streaming,
        position: tether_connector_postgres::lsn::Lsn(0),
    };
    let mut stream = start_streaming(&settings.connection, start).await?;
    let (started, before) = (Instant::now(), processor_time()?);
    let (mut changes, mut bytes, mut fills) = (0, 0, 0_u64);
    while changes < rows {
        let Some(event) = stream.next()? else {
            stream.fill().await?;
            fills += 1;
            continue;
        };
        let Event::XLogData(data) = event else {
            continue;
        };
        bytes += data.payload.len();
        let is_change = match decodes {
            true => matches!(decode(data.payload)?, Message::Insert { .. }),
            false => data.payload.first() == Some(&b'I'),
        };
        changes += u64::from(is_change);
    }
    let (elapsed, used) = (started.elapsed(), processor_time()? - before);
    println!(
        "{changes} changes, {bytes} bytes, {fills} reads, decoding {decodes}: {:.0} ns of \
         processor time each, {:.2} s in all, up to {position}",
        used as f64 / changes as f64,
        elapsed.as_secs_f64(),
    );
    stream.close().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().ok_or("the port is missing")?;
    let rows = arguments
        .next()
        .map_or(Ok(1_000_000), |rows| rows.parse())?;
    let server =
        Session::connect(&settings(&port, "postgres")?.connection, Purpose::General).await?;
    server.execute("DROP DATABASE IF EXISTS drain").await?;
    server.execute("CREATE DATABASE drain").await?;
    let settings = settings(&port, "drain")?;
    let session = Session::connect(&settings.connection, Purpose::General).await?;
    session
        .execute(
            "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric(10, 2), at timestamp); \
             CREATE PUBLICATION dbz_publication FOR ALL TABLES",
        )
        .await?;
    let mut connection = ReplicationConnection::connect(&settings.connection).await?;
    create_slot(&mut connection, &settings.slot).await?;
    drop(connection);
    session
        .execute(&format!(
            "INSERT INTO t SELECT i, 'name ' || i, i * 0.01, '2024-01-01'::timestamp + i * \
             interval '1 s' FROM generate_series(1, {rows}) i"
        ))
        .await?;
    for decodes in [false, true, false, true] {
        drain(&settings, rows, decodes).await?;
    }
    drop_slot(&session, &settings.slot.name).await;
    drop(session);
    server.execute("DROP DATABASE drain WITH (FORCE)").await?;
    Ok(())
}
