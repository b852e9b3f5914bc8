//! What may be configured and cannot be done yet. It is refused, so that no
//! setting is without effect.

use std::fmt;

use super::{InsertMode, SinkConfig};

/// A setting that cannot be obeyed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unavailable {
    /// The key of it, in each flavour that has one.
    pub(super) keys: &'static [&'static str],
    /// The value that is not available.
    pub(super) value: String,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.keys.first().copied().unwrap_or_default();
        write!(f, "{key}={} is not available yet", self.value)
    }
}

/// What of a configuration is not available.
pub(super) fn unavailable(config: &SinkConfig) -> Vec<Unavailable> {
    let mut found = Vec::new();
    let mut refuse = |applies: bool, keys: &'static [&'static str], value: &str| {
        if applies {
            let value = value.to_owned();
            found.push(Unavailable { keys, value });
        }
    };
    refuse(
        config.reduces_inserts && config.insert_mode == InsertMode::Insert,
        &["use.reduction.buffer"],
        "true with insert.mode=insert",
    );
    refuse(
        config.evolution.checks_at_start,
        &["schema.evolution"],
        "validate-only",
    );
    found
}
