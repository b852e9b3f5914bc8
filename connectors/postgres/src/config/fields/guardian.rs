//! Keys of the slot guardian, which the reference does not have. The definition
//! does not list them, so that it stays the reference's.

use tether_api::config::ConfigType::*;

use crate::config::check::Check;
use crate::config::choice::SlotLimitAction;
use crate::config::field::{Field, fields};

fields! {
    /// In no order.
    GUARDIAN;
    SLOT_GUARDIAN_IDLE_BYTES = Field::new("slot.guardian.idle.bytes", Long)
        .default("16777216")
        .checks(&[Check::NonNegativeLong]);
    SLOT_GUARDIAN_INTERVAL_MS = Field::new("slot.guardian.interval.ms", Long)
        .default("10000")
        .checks(&[Check::NonNegativeLong]);
    SLOT_GUARDIAN_LIMIT_ACTION = Field::new("slot.guardian.limit.action", String)
        .default("fail")
        .checks(&[Check::one_of::<SlotLimitAction>()]);
    SLOT_GUARDIAN_LIMIT_BYTES = Field::new("slot.guardian.limit.bytes", Long)
        .default("0")
        .checks(&[Check::NonNegativeLong]);
    SLOT_GUARDIAN_WARN_BYTES = Field::new("slot.guardian.warn.bytes", Long)
        .default("1073741824")
        .checks(&[Check::NonNegativeLong]);
}
