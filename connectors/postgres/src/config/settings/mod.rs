//! Everything that a configuration says, typed and by subject.

mod connection;
mod events;
mod guardian;
mod replication;
mod reselect;
mod running;
mod signals;
mod snapshot;
mod values;

use tether_api::config::ConfigMap;
use tether_api::data::Text;
use tether_api::{ConnectError, Result};

pub use connection::{ConnectionSettings, TlsSettings};
pub use events::{EventSettings, HeartbeatSettings, SkippedOperations};
pub use guardian::GuardianSettings;
pub use replication::{PublicationSettings, SlotSettings, StreamingSettings};
pub use reselect::ReselectSettings;
pub(super) use reselect::mistakes as post_processor_mistakes;
pub use running::{ErrorSettings, GuardrailSettings, MetricSettings, QueueSettings};
pub use signals::{
    KafkaSignals, NotificationChannel, NotificationSettings, SignalChannel, SignalSettings,
};
pub use snapshot::{ConfigurationBased, IncrementalSettings, SnapshotSettings};
pub use values::ValueSettings;

use super::check::messages;
use super::choice::LsnFlushMode;
use super::column_rules::ColumnRules;
use super::fields;
use super::filters::Filters;
use super::key_columns::KeyColumns;
use super::reader::Reader;
use super::unavailable::unavailable;
use crate::naming::TopicNaming;

/// What a configuration says. Read once; nothing else looks at the
/// configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The connector's name.
    pub connector: String,
    /// The name of this source of changes.
    pub topic_prefix: Text,
    /// How to reach the database.
    pub connection: ConnectionSettings,
    /// The replication slot.
    pub slot: SlotSettings,
    /// The publication.
    pub publication: PublicationSettings,
    /// The stream.
    pub streaming: StreamingSettings,
    /// The guardian of the slot.
    pub guardian: GuardianSettings,
    /// The snapshot of what is there already.
    pub snapshot: SnapshotSettings,
    /// Snapshots while changes are streamed.
    pub incremental: IncrementalSettings,
    /// What is captured.
    pub filters: Filters,
    /// Keys other than tables' own.
    pub key_columns: KeyColumns,
    /// What is done to single columns.
    pub column_rules: ColumnRules,
    /// How values are represented.
    pub values: ValueSettings,
    /// Columns that are read anew.
    pub reselect: Vec<ReselectSettings>,
    /// What records carry.
    pub events: EventSettings,
    /// How topics are called.
    pub topics: TopicNaming,
    /// Heartbeats.
    pub heartbeat: HeartbeatSettings,
    /// Signals to the connector.
    pub signals: SignalSettings,
    /// Notifications from the connector.
    pub notifications: NotificationSettings,
    /// Errors.
    pub errors: ErrorSettings,
    /// The queue between the database and the worker.
    pub queue: QueueSettings,
    /// Metrics.
    pub metrics: MetricSettings,
    /// The limit of tables.
    pub guardrail: GuardrailSettings,
}

impl Settings {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Config, naming everything that the rules of single keys find, or the
    /// first thing that cannot be had.
    pub fn parse(config: &ConfigMap) -> Result<Self> {
        let refused = unavailable(config)
            .into_iter()
            .map(|(field, reason)| format!("The '{}' value is invalid: {reason}", field.name));
        let problems: Vec<String> = fields::all()
            .flat_map(|field| messages(field, config))
            .chain(refused)
            .collect();
        if !problems.is_empty() {
            return Err(ConnectError::config(problems.join("\n")));
        }
        Self::read(config)
    }

    /// Reads a configuration whose keys have been checked.
    ///
    /// # Errors
    /// Config, for the first thing that cannot be used.
    pub(crate) fn read(config: &ConfigMap) -> Result<Self> {
        let reader = Reader(config);
        let expression = |error| ConnectError::config(format!("A filter is invalid: {error}"));
        let streaming = StreamingSettings::read(reader);
        let events = EventSettings::read(reader);
        let heartbeats_needed = streaming.lsn_flush_mode == LsnFlushMode::ConnectorAndDriver
            && !events.transaction_metadata;
        Ok(Self {
            connector: config.get("name").cloned().unwrap_or_default(),
            topic_prefix: reader.string(&fields::TOPIC_PREFIX).into(),
            connection: ConnectionSettings::read(reader)?,
            slot: SlotSettings::read(reader),
            publication: PublicationSettings::read(reader)?,
            snapshot: SnapshotSettings::read(reader),
            incremental: IncrementalSettings::read(reader),
            filters: Filters::read(reader).map_err(expression)?,
            key_columns: KeyColumns::parse(reader.string(&fields::MESSAGE_KEY_COLUMNS))
                .map_err(expression)?,
            column_rules: ColumnRules::read(config).map_err(expression)?,
            values: ValueSettings::read(reader)?,
            reselect: ReselectSettings::read(config).map_err(expression)?,
            topics: events::topic_naming(reader)?,
            heartbeat: HeartbeatSettings::read(reader, heartbeats_needed),
            signals: SignalSettings::read(reader),
            notifications: NotificationSettings::read(reader),
            errors: ErrorSettings::read(reader),
            queue: QueueSettings::read(reader),
            metrics: MetricSettings::read(reader),
            guardrail: GuardrailSettings::read(reader),
            guardian: GuardianSettings::read(reader, streaming.lsn_flush_mode),
            streaming,
            events,
        })
    }
}

#[cfg(test)]
mod tests;
