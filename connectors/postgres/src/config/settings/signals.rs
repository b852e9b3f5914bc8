//! Signals to the connector, and notifications from it.

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::config::{Password, with_prefix};

use crate::config::fields;
use crate::config::reader::Reader;

/// Where signals come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalChannel {
    /// Rows of the signal table.
    Source,
    /// Records of a topic.
    Kafka,
    /// Lines of a file.
    File,
    /// Operations of a managed bean.
    Jmx,
    /// Calls within the program.
    InProcess,
}

/// Signals.
#[derive(Debug, Clone)]
pub struct SignalSettings {
    /// Where they come from. The table is a filter of
    /// [`Filters`](crate::config::Filters).
    pub channels: Vec<SignalChannel>,
    /// How often channels are asked.
    pub poll_interval: Duration,
    /// The channel Kafka.
    pub kafka: KafkaSignals,
    /// The file of the channel of files.
    pub file: String,
}

/// Signals that are records of a topic.
#[derive(Debug, Clone)]
pub struct KafkaSignals {
    /// The topic.
    pub topic: String,
    /// Where it is; required for this channel.
    pub bootstrap_servers: Option<String>,
    /// The consumer's group.
    pub group_id: String,
    /// How long to wait for records.
    pub poll_timeout: Duration,
    /// Further properties of the consumer. Any of them may be a secret.
    pub consumer: BTreeMap<String, Password>,
}

/// Where notifications go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationChannel {
    /// A topic.
    Sink,
    /// The log.
    Log,
    /// Attributes of a managed bean.
    Jmx,
}

/// Notifications.
#[derive(Debug, Clone)]
pub struct NotificationSettings {
    /// Where they go.
    pub channels: Vec<NotificationChannel>,
    /// The topic of [`NotificationChannel::Sink`].
    pub topic: Option<String>,
}

impl SignalSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        let prefix = reader.string(&fields::TOPIC_PREFIX);
        let text = |field| reader.text(field).map(str::to_owned);
        Self {
            channels: reader
                .list(&fields::SIGNAL_ENABLED_CHANNELS)
                .into_iter()
                .filter_map(|name| {
                    let channel = match name {
                        "source" => SignalChannel::Source,
                        "kafka" => SignalChannel::Kafka,
                        "file" => SignalChannel::File,
                        "jmx" => SignalChannel::Jmx,
                        "in-process" => SignalChannel::InProcess,
                        _ => {
                            tracing::warn!("There is no signal channel '{name}'");
                            return None;
                        }
                    };
                    Some(channel)
                })
                .collect(),
            poll_interval: reader.millis(&fields::SIGNAL_POLL_INTERVAL_MS),
            kafka: KafkaSignals {
                topic: text(&fields::SIGNAL_KAFKA_TOPIC)
                    .unwrap_or_else(|| format!("{prefix}-signal")),
                bootstrap_servers: text(&fields::SIGNAL_KAFKA_BOOTSTRAP_SERVERS),
                group_id: reader.string(&fields::SIGNAL_KAFKA_GROUPID).to_owned(),
                poll_timeout: reader.millis(&fields::SIGNAL_KAFKA_POLL_TIMEOUT_MS),
                consumer: with_prefix(reader.0, "signal.consumer.")
                    .into_iter()
                    .map(|(name, value)| (name, Password::new(value)))
                    .collect(),
            },
            file: reader.string(&fields::SIGNAL_FILE).to_owned(),
        }
    }
}

impl NotificationSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        Self {
            channels: reader
                .list(&fields::NOTIFICATION_ENABLED_CHANNELS)
                .into_iter()
                .filter_map(|name| {
                    let channel = match name {
                        "sink" => NotificationChannel::Sink,
                        "log" => NotificationChannel::Log,
                        "jmx" => NotificationChannel::Jmx,
                        _ => {
                            tracing::warn!("There is no notification channel '{name}'");
                            return None;
                        }
                    };
                    Some(channel)
                })
                .collect(),
            topic: reader
                .text(&fields::NOTIFICATION_SINK_TOPIC_NAME)
                .map(str::to_owned),
        }
    }
}
