//! The start of a stream.

use postgres_protocol::message::frontend;
use tokio::time::sleep;

use super::ReplicationStream;
use crate::config::{ConnectionSettings, SlotSettings, StreamingSettings};
use crate::lsn::Lsn;
use crate::replication::connection::ReplicationConnection;
use crate::replication::failure::Failure;
use crate::replication::publication::PublicationName;
use crate::replication::wire::Transport;

/// The answer of a server that begins to stream (`CopyBothResponse`).
const COPY_BOTH_TAG: u8 = b'W';

/// The first version with logical messages in the stream.
const WITH_MESSAGES: u32 = 140_000;

/// What the stream is to be.
#[derive(Debug, Clone, Copy)]
pub struct StreamStart<'a> {
    /// The slot, and how often a start that failed is tried again.
    pub slot: &'a SlotSettings,
    /// The publication.
    pub publication: &'a PublicationName,
    /// What the server is told meanwhile.
    pub streaming: &'a StreamingSettings,
    /// From where on; the server does not go before what it knows to be
    /// confirmed.
    pub position: Lsn,
}

impl StreamStart<'_> {
    /// The command of protocol version 1, values as text.
    fn command(&self, version: u32) -> String {
        let publication = self.publication.quoted();
        let mut options = vec![("proto_version", "1"), ("publication_names", &publication)];
        if version >= WITH_MESSAGES {
            options.push(("messages", "true"));
        }
        for (name, value) in &self.slot.stream_params {
            if options.iter().all(|(known, _)| known != name) {
                options.push((name, value));
            }
        }
        let options: Vec<_> = options
            .iter()
            .map(|(name, value)| {
                let (name, value) = (name.replace('"', "\"\""), value.replace('\'', "''"));
                format!("\"{name}\" '{value}'")
            })
            .collect();
        let (slot, position, options) = (&self.slot.name, self.position, options.join(", "));
        format!("START_REPLICATION SLOT \"{slot}\" LOGICAL {position} ({options})")
    }
}

/// Connects and starts to stream. What may pass is tried again, such as a slot
/// that another connection still holds.
///
/// # Errors
/// If the server cannot be reached or refuses, also after some more attempts.
pub async fn start_streaming(
    connection: &ConnectionSettings,
    start: StreamStart<'_>,
) -> Result<ReplicationStream, Failure> {
    let (position, slot) = (start.position, start.slot);
    let mut attempt = 0;
    loop {
        let failure = match try_start(connection, start).await {
            Ok(stream) => return Ok(stream),
            Err(failure) => failure,
        };
        if !failure.is_temporary() || attempt >= slot.max_retries {
            return Err(failure.during(format!("Failed to start replication stream at {position}")));
        }
        attempt += 1;
        tracing::warn!(
            %failure, %position,
            "the stream cannot be started; trying again in {:?}, attempt {attempt} of {}",
            slot.retry_delay, slot.max_retries
        );
        sleep(slot.retry_delay).await;
    }
}

async fn try_start(
    connection: &ConnectionSettings,
    start: StreamStart<'_>,
) -> Result<ReplicationStream<Transport>, Failure> {
    let connection = ReplicationConnection::connect(connection).await?;
    let command = start.command(connection.version());
    tracing::info!(%command, "starting to stream");
    let mut wire = connection.into_wire();
    frontend::query(&command, &mut wire.out)
        .map_err(|error| Failure::permanent(format!("{command} cannot be sent: {error}")))?;
    wire.send().await?;
    let frame = wire.receive().await.map_err(explained)?;
    match frame.tag {
        COPY_BOTH_TAG => Ok(ReplicationStream::on(wire, start.position, start.streaming)),
        tag => Err(Failure::permanent(format!(
            "the server answers the start of the stream with a message of kind {tag:#04x}"
        ))),
    }
}

/// Says in the reference's words that changes are gone.
pub(super) fn explained(failure: Failure) -> Failure {
    let message = failure.message();
    if message.contains("requested WAL segment") && message.contains("has already been removed") {
        return failure.during(
            "The offset to start reading from has been removed from the database write-ahead log. \
             Create a new snapshot and consider setting of PostgreSQL parameter \
             wal_keep_segments = 0.",
        );
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::replication::fixture::settings;

    #[test]
    fn the_command_has_the_options_of_the_plug_in() {
        let mut settings = settings(&[]);
        let publication = PublicationName::parse("Dbz");
        let command = |settings: &Settings, version| {
            StreamStart {
                slot: &settings.slot,
                publication: &publication,
                streaming: &settings.streaming,
                position: Lsn(0x1_0000_00A0),
            }
            .command(version)
        };
        assert_eq!(
            command(&settings, 130_011),
            "START_REPLICATION SLOT \"debezium\" LOGICAL 1/A0 (\"proto_version\" '1', \
             \"publication_names\" '\"dbz\"')"
        );
        settings.slot.stream_params = vec![
            ("proto_version".to_owned(), "2".to_owned()),
            ("origin".to_owned(), "it's".to_owned()),
        ];
        assert_eq!(
            command(&settings, 150_000),
            "START_REPLICATION SLOT \"debezium\" LOGICAL 1/A0 (\"proto_version\" '1', \
             \"publication_names\" '\"dbz\"', \"messages\" 'true', \"origin\" 'it''s')"
        );
    }

    #[test]
    fn changes_that_are_gone_are_named() {
        let failure = explained(Failure::reported(
            "58P01",
            "ERROR: requested WAL segment 000000010000000000000001 has already been removed",
        ));
        let text = failure.to_string();
        assert!(
            text.starts_with("The offset to start reading from has been removed"),
            "{text}"
        );
        assert!(!failure.is_temporary());
    }
}
