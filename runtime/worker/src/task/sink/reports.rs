//! Offsets wait for the reports of records that failed.

use tether_api::converter::Encoded;
use tether_api::data::{Bytes, SchemaRef, Value};
use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};
use tether_kafka::ConsumedRecord;

use super::WorkerSinkTask;
use super::errant_records::Errant;
use crate::conversion::{Converters, Side};
use crate::task::MAX_PREPARATIONS;

impl WorkerSinkTask {
    /// Hands the dead letters of records that the task reported to the
    /// producer. One that does not get there before the task is to stop holds
    /// its partition's offset back.
    ///
    /// # Errors
    /// Other, if a record that the task made itself cannot be encoded.
    pub(super) async fn send_reports(&mut self) -> Result<()> {
        let (Some(reporter), Some(letters)) = (&self.errant_records, &self.dead_letters) else {
            return Ok(());
        };
        for Errant { record, failure } in reporter.take() {
            let is_it = |consumed: &&ConsumedRecord| {
                consumed.offset == record.offset()
                    && consumed.partition == record.original.partition
                    && consumed.topic == record.original.topic
            };
            let sent = match self.consumed.iter().find(is_it) {
                Some(consumed) => letters.send(consumed, &failure).await,
                None => {
                    let encoded = encoded(&self.converters, &record).await.map_err(|error| {
                        letters.hold_back(&record.original);
                        ConnectError::other(format!(
                            "The dead letter of the record {record} could not be made: its converters \
                             refuse it"
                        ))
                        .caused_by(error)
                    })?;
                    letters.send(&encoded, &failure).await
                }
            };
            if !sent {
                letters.hold_back(&record.original);
            }
        }
        Ok(())
    }

    /// Waits for the reports of these partitions, as long as a commit may take
    /// or until the task is to stop, and returns the partitions whose offsets
    /// may be committed.
    ///
    /// # Errors
    /// As [`Self::send_reports`].
    pub(super) async fn reported(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<TopicPartition>> {
        self.send_reports().await?;
        let Some(letters) = &self.dead_letters else {
            return Ok(partitions.to_vec());
        };
        let was_stopping = self.control.is_stopping();
        let reported = tokio::select! {
            biased;
            reported = letters.wait(partitions, self.flush_timeout) => reported,
            // The last commit waits for itself.
            () = self.control.stopping.cancelled(), if !was_stopping => return Ok(Vec::new()),
        };
        if reported.len() < partitions.len() {
            tracing::warn!(
                task = %self.control.id,
                partitions = partitions.len() - reported.len(),
                "Dead letters are still on their way to Kafka; the offsets of their partitions wait for them"
            );
        }
        Ok(reported)
    }
}

/// The bytes of a record that the task made itself, or kept for longer than the
/// call that brought it: its converters make them, as they are after the
/// transformations.
async fn encoded(converters: &Converters, record: &SinkRecord) -> Result<ConsumedRecord> {
    let SinkRecord {
        record: content,
        timestamp_type,
        original,
    } = record;
    let (key_schema, value_schema) = (content.key_schema.as_ref(), content.value_schema.as_ref());
    let topic = &content.topic;
    let mut headers = Vec::with_capacity(content.headers.len());
    for header in &content.headers {
        let mut bytes = Vec::new();
        let (schema, value) = (header.value.schema.as_ref(), &header.value.value);
        let written =
            converters
                .header
                .from_connect_header(topic, &header.key, schema, value, &mut bytes)?;
        headers.push(((*header.key).into(), written.then(|| Bytes::from(bytes))));
    }
    Ok(ConsumedRecord {
        topic: original.topic.clone(),
        partition: original.partition,
        offset: record.offset(),
        timestamp: content.timestamp,
        timestamp_type: *timestamp_type,
        key: side(converters, Side::Key, topic, key_schema, &content.key).await?,
        value: side(converters, Side::Value, topic, value_schema, &content.value).await?,
        headers,
    })
}

async fn side(
    converters: &Converters,
    side: Side,
    topic: &str,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> Result<Option<Bytes>> {
    let converter = converters.of(side);
    for _ in 0..=MAX_PREPARATIONS {
        let mut bytes = Vec::new();
        match converter.from_connect(topic, schema, value, &mut bytes)? {
            Encoded::Written => return Ok(Some(bytes.into())),
            Encoded::Null => return Ok(None),
            Encoded::Unprepared => converter.prepare_from_connect(topic, schema).await?,
        }
    }
    Err(ConnectError::other(format!(
        "The {side:?} converter is not ready although it prepared itself"
    )))
}
