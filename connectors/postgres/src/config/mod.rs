//! Keys, their checks, and the settings that the rest reads.
//!
//! [`fields`] has every key with its default and rules, [`Settings`] what they
//! say. Regular expressions are compiled and enumerations read here, once.

mod check;
mod choice;
mod column_rules;
mod definition;
mod field;
mod fields;
mod filters;
mod key_columns;
mod reader;
mod regex_list;
mod replica_identity;
mod settings;
mod table_name;
mod unavailable;
mod validation;

pub use choice::*;
pub use column_rules::{ColumnRule, ColumnRules, HashRule, HashVersion};
pub use definition::definition;
pub use filters::Filters;
pub use key_columns::KeyColumns;
pub use regex_list::{NameFilter, RegexList};
pub use replica_identity::{NewIdentities, NewIdentity};
pub use settings::{
    ConfigurationBased, ConnectionSettings, ErrorSettings, EventSettings, GuardianSettings,
    GuardrailSettings, HeartbeatSettings, IncrementalSettings, KafkaSignals, MetricSettings,
    NotificationChannel, NotificationSettings, PublicationSettings, QueueSettings,
    ReselectSettings, Settings, SignalChannel, SignalSettings, SkippedOperations, SlotSettings,
    SnapshotSettings, StreamingSettings, TlsSettings, ValueSettings,
};
pub(crate) use table_name::parse as table_name;
pub use validation::validate;
