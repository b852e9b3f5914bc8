//! The guardian of the slot.

use std::time::Duration;

use crate::config::choice::{LsnFlushMode, SlotLimitAction};
use crate::config::fields;
use crate::config::reader::Reader;

/// The least distance by which a position is worth being moved: less than this
/// no record of the log has.
const LEAST_STEP: u64 = 8;

/// The guardian of the slot.
#[derive(Debug, Clone, Copy)]
pub struct GuardianSettings {
    /// How often the slot is looked at; `None` for never.
    pub interval: Option<Duration>,
    /// From how many bytes of kept log on to warn; `None` for never.
    pub warn_bytes: Option<u64>,
    /// What happens if the server keeps more bytes of its log than this; `None`
    /// for nothing.
    pub limit: Option<(u64, SlotLimitAction)>,
    /// After how many bytes of the log the position moves without a record;
    /// `None` for never.
    pub idle_bytes: Option<u64>,
}

impl GuardianSettings {
    pub(super) fn read(reader: Reader<'_>, mode: LsnFlushMode) -> Self {
        let bytes = |field| {
            let bytes = u64::try_from(reader.long(field)).unwrap_or(0);
            (bytes > 0).then_some(bytes)
        };
        let action = reader
            .choice(&fields::SLOT_GUARDIAN_LIMIT_ACTION)
            .unwrap_or(SlotLimitAction::Fail);
        let limit = bytes(&fields::SLOT_GUARDIAN_LIMIT_BYTES);
        Self {
            interval: reader.interval(&fields::SLOT_GUARDIAN_INTERVAL_MS),
            warn_bytes: bytes(&fields::SLOT_GUARDIAN_WARN_BYTES),
            limit: limit.map(|limit| (limit, action)),
            idle_bytes: match mode {
                LsnFlushMode::Manual => None,
                LsnFlushMode::Connector => bytes(&fields::SLOT_GUARDIAN_IDLE_BYTES),
                LsnFlushMode::ConnectorAndDriver => Some(LEAST_STEP),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigMap;

    use super::*;

    #[test]
    fn the_mode_says_when_an_idle_position_moves() {
        let none = ConfigMap::new();
        let idle = |mode| GuardianSettings::read(Reader(&none), mode).idle_bytes;
        assert_eq!(idle(LsnFlushMode::Connector), Some(16 * 1024 * 1024));
        assert_eq!(idle(LsnFlushMode::ConnectorAndDriver), Some(LEAST_STEP));
        assert_eq!(idle(LsnFlushMode::Manual), None);
    }

    #[test]
    fn zero_is_off() {
        let config: ConfigMap = [
            "slot.guardian.interval.ms",
            "slot.guardian.warn.bytes",
            "slot.guardian.idle.bytes",
        ]
        .map(|key| (key.to_owned(), "0".to_owned()))
        .into();
        let settings = GuardianSettings::read(Reader(&config), LsnFlushMode::Connector);
        assert!(settings.interval.is_none() && settings.warn_bytes.is_none());
        assert!(settings.limit.is_none() && settings.idle_bytes.is_none());
    }
}
