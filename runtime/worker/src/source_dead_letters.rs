//! `errors.source.deadletterqueue.*`: a topic for records that a source could
//! not convert or transform, an extension to Connect.
//!
//! The reference has dead letter queues for sinks only, and passes over a
//! sink's keys where a source has them; so these are keys of their own.

use tether_api::config::{ConfigData, ConfigKey, ConfigType, Importance, Validator, Width};

/// What the keys have in common. A connector without any of them is not shown
/// them by validation either.
pub(crate) const PREFIX: &str = "errors.source.deadletterqueue.";

/// The keys, in this group.
pub(crate) fn keys(group: &'static str) -> [ConfigKey; 2] {
    [
        ConfigKey::new(format!("{PREFIX}topic.name"), ConfigType::String)
            .default_string("")
            .importance(Importance::Medium)
            .doc(
                "The topic that gets records which the converters or transformations of this source could \
                 not handle, as readable JSON. None if blank.",
            )
            .form(group, 11, Width::Medium, "Dead Letter Queue Topic Name"),
        ConfigKey::new(
            format!("{PREFIX}topic.replication.factor"),
            ConfigType::Short,
        )
        .default(ConfigData::Short(-1))
        .validator(Validator::custom(
            "-1 for the broker's default, or a positive number",
            |_, value| match value {
                // That it is no number is told already.
                ConfigData::Null => Ok(()),
                ConfigData::Short(factor) if *factor == -1 || *factor > 0 => Ok(()),
                _ => Err("Value must be -1, for the default of the brokers, or at least 1".to_owned()),
            },
        ))
        .importance(Importance::Medium)
        .doc(
            "The replication factor with which the dead letter queue is created if it does not exist; -1 is \
             the default of the brokers.",
        )
        .form(
            group,
            12,
            Width::Medium,
            "Dead Letter Queue Topic Replication Factor",
        ),
    ]
}
