//! Where notifications go.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::{MapValue, Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value};
use tether_api::offset::OffsetMap;
use tether_api::record::{ConnectRecord, SourceRecord};

use super::{IncrementalSnapshot, InitialSnapshot, Notification};
use crate::config::{NotificationChannel, Settings};
use crate::offset::PostgresOffset;

const KEY: &str = "io.debezium.connector.common.NotificationKey";
const VALUE: &str = "io.debezium.connector.common.Notification";

/// The channels that are enabled (`notification.enabled.channels`).
#[derive(Debug)]
pub struct Notifications {
    /// `topic.prefix`.
    connector: Text,
    partition: Arc<OffsetMap>,
    sink: Option<Sink>,
    log: bool,
}

/// A topic (`notification.sink.topic.name`). The names of its schemas are never
/// adjusted.
#[derive(Debug)]
struct Sink {
    topic: Arc<str>,
    key_schema: SchemaRef,
    value_schema: SchemaRef,
}

impl Notifications {
    /// The channels of a configuration.
    pub fn new(settings: &Settings) -> Self {
        let enabled = |channel| settings.notifications.channels.contains(&channel);
        if enabled(NotificationChannel::Jmx) {
            tracing::warn!("There are no managed beans, so nobody gets notifications by JMX");
        }
        let topic = settings.notifications.topic.as_deref();
        Self {
            connector: settings.topic_prefix.clone(),
            partition: Arc::new(PostgresOffset::partition(&settings.topic_prefix)),
            sink: topic
                .filter(|_| enabled(NotificationChannel::Sink))
                .map(Sink::new),
            log: enabled(NotificationChannel::Log),
        }
    }

    /// Tells of a snapshot for which the stream waits; see [`Self::send`].
    ///
    /// # Errors
    /// As there.
    pub fn initial(
        &self,
        event: InitialSnapshot<'_>,
        offset: Option<&PostgresOffset>,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        if self.is_silent() {
            return Ok(());
        }
        self.send(event.notification(self.connector.clone()), offset, out)
    }

    /// Tells of an incremental snapshot, which this signal began; see
    /// [`Self::send`].
    ///
    /// # Errors
    /// As there.
    pub fn incremental(
        &self,
        signal: Option<Text>,
        event: IncrementalSnapshot<'_>,
        offset: &PostgresOffset,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        if self.is_silent() {
            return Ok(());
        }
        let notification = event.notification(signal, self.connector.clone());
        self.send(notification, Some(offset), out)
    }

    /// Whether no channel is enabled.
    fn is_silent(&self) -> bool {
        self.sink.is_none() && !self.log
    }

    /// Sends a notification to the channels; appends the record of it if one of
    /// them is a topic. The record has the position, if there is one yet.
    ///
    /// # Errors
    /// None that a configuration can cause.
    fn send(
        &self,
        notification: Notification,
        offset: Option<&PostgresOffset>,
        out: &mut Vec<SourceRecord>,
    ) -> Result<()> {
        if self.log {
            tracing::info!("[Notification Service]  {}", notification.text());
        }
        if let Some(sink) = &self.sink {
            out.push(SourceRecord {
                record: sink.record(notification)?,
                source_partition: self.partition.clone(),
                source_offset: offset.map(|offset| Arc::new(offset.clone()) as _),
            });
        }
        Ok(())
    }
}

impl Sink {
    fn new(topic: &str) -> Self {
        let text = || Schema::primitive(Type::String, false);
        Self {
            topic: topic.into(),
            key_schema: SchemaBuilder::structure()
                .name(KEY)
                .version(1)
                .field("id", text())
                .build(),
            value_schema: SchemaBuilder::structure()
                .name(VALUE)
                .version(1)
                .field("id", text())
                .field("type", text())
                .field("aggregate_type", text())
                .field(
                    "additional_data",
                    SchemaBuilder::map(text(), text()).optional().build(),
                )
                .field("timestamp", Schema::primitive(Type::Int64, false))
                .build(),
        }
    }

    fn record(&self, notification: Notification) -> Result<ConnectRecord> {
        let id = Value::String(notification.id);
        let data = notification
            .additional_data
            .into_iter()
            .map(|(name, value)| (Value::String(Text::from_static(name)), Value::String(value)))
            .collect();
        let key = Struct::from_values(self.key_schema.clone(), vec![id.clone()])?;
        let value = Struct::from_values(
            self.value_schema.clone(),
            vec![
                id,
                Value::String(Text::from_static(notification.kind)),
                Value::String(Text::from_static(notification.aggregate_type)),
                MapValue::from_distinct(data).into(),
                Value::Int64(notification.timestamp),
            ],
        )?;
        Ok(ConnectRecord::new(self.topic.clone())
            .key(Some(self.key_schema.clone()), key)
            .value(Some(self.value_schema.clone()), value))
    }
}
