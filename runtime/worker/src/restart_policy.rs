//! `errors.restart.*`: whether failed tasks are restarted by themselves, an
//! extension to Connect.

use std::time::Duration;

use tether_api::Result;
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator, Width,
};

/// What the keys have in common. A connector without any of them is not shown
/// them by validation either.
pub(crate) const PREFIX: &str = "errors.restart.";

const MAX_ATTEMPTS: &str = "errors.restart.max.attempts";
const BACKOFF: &str = "errors.restart.backoff.ms";

/// How often, and after which first wait, a failed task is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RestartPolicy {
    /// At least 1.
    pub(crate) max_attempts: u32,
    /// The wait before the first attempt.
    pub(crate) backoff: Duration,
}

impl RestartPolicy {
    /// What a connector's configuration asks for; `None` if that is nothing.
    ///
    /// # Errors
    /// Config, if a key is wrong.
    pub(crate) fn new(config: &ConfigMap) -> Result<Option<Self>> {
        if !config.contains_key(MAX_ATTEMPTS) {
            return Ok(None);
        }
        let mut definition = ConfigDef::new();
        for key in keys("") {
            definition.add(key);
        }
        let parsed = definition.parse(config)?;
        let max_attempts = parsed.int(MAX_ATTEMPTS)?.max(0).unsigned_abs();
        let backoff = Duration::from_millis(parsed.long(BACKOFF)?.max(0).unsigned_abs());
        Ok((max_attempts > 0).then_some(Self {
            max_attempts,
            backoff,
        }))
    }
}

/// The keys, in this group.
pub(crate) fn keys(group: &'static str) -> [ConfigKey; 2] {
    [
        ConfigKey::new(MAX_ATTEMPTS, ConfigType::Int)
            .default_int(0)
            .validator(Validator::AtLeast(0))
            .importance(Importance::Medium)
            .doc(
                "How often a failed task is restarted without anybody asking; 0 is not at all. The count \
                 begins anew once a task has run for ten minutes.",
            )
            .form(group, 9, Width::Short, "Automatic Restarts of Tasks"),
        ConfigKey::new(BACKOFF, ConfigType::Long)
            .default(ConfigData::Long(10_000))
            .validator(Validator::AtLeast(0))
            .importance(Importance::Low)
            .doc(
                "The wait before the first automatic restart, in milliseconds; it doubles with every \
                 further one, up to five minutes.",
            )
            .form(group, 10, Width::Short, "Wait Before an Automatic Restart"),
    ]
}
