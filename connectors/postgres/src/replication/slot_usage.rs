//! How much of its log the server keeps for a slot.

use super::failure::Failure;
use super::session::{Session, TextRow, literal};
use crate::lsn::Lsn;

/// The first version with the limit of what slots may keep.
const WITH_LIMIT: u32 = 130_000;

/// How much of its log the server keeps for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotUsage {
    /// Where the log ends now; on a standby, up to where it is replayed.
    pub end: Lsn,
    /// From where on it is kept; none for a slot that the server has given up, or
    /// that is being made.
    pub restart: Option<Lsn>,
    /// Up to where all has been confirmed.
    pub confirmed: Option<Lsn>,
    /// Whether a connection streams from it.
    pub is_active: bool,
    /// Whether what it needs is sure to be there; `None` before version 13.
    pub wal_status: Option<WalStatus>,
    /// How many bytes of log may still be written until the slot may be given up;
    /// none without a limit, or before version 13.
    pub safe_bytes: Option<i64>,
    /// The limit (`max_slot_wal_keep_size`), in bytes, if there is one.
    pub limit: Option<u64>,
}

/// Whether what a slot needs is sure to be there (`wal_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalStatus {
    /// It is.
    Reserved,
    /// It is; the server keeps more than it would without slots
    /// (`max_wal_size`).
    Extended,
    /// It may go with the next checkpoint.
    Unreserved,
    /// It is gone.
    Lost,
}

impl WalStatus {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "reserved" => Self::Reserved,
            "extended" => Self::Extended,
            "unreserved" => Self::Unreserved,
            "lost" => Self::Lost,
            _ => return None,
        })
    }
}

impl SlotUsage {
    /// How many bytes of log the server keeps for the slot.
    pub fn kept(&self) -> Option<u64> {
        Some(self.end.0.saturating_sub(self.restart?.0))
    }

    /// How many bytes of log have not been confirmed.
    pub fn unconfirmed(&self) -> Option<u64> {
        Some(self.end.0.saturating_sub(self.confirmed?.0))
    }

    fn of_row(row: &TextRow) -> Result<Self, Failure> {
        let text = |index: usize| row.get(index)?.as_deref();
        let position = |index: usize| {
            let text = text(index).map(str::parse);
            text.transpose()
                .map_err(|error| Failure::permanent(format!("the slot cannot be read: {error}")))
        };
        let megabytes = text(6).and_then(|text| text.parse::<u64>().ok());
        Ok(Self {
            end: position(0)?.unwrap_or_default(),
            restart: position(1)?,
            confirmed: position(2)?,
            is_active: text(3) == Some("t"),
            wal_status: text(4).and_then(WalStatus::parse),
            safe_bytes: text(5).and_then(|text| text.parse().ok()),
            limit: megabytes.map(|megabytes| megabytes.saturating_mul(1024 * 1024)),
        })
    }
}

/// Asks how much of its log the server keeps for a slot; `None` if there is none
/// of this name.
///
/// # Errors
/// If the server cannot be asked.
pub async fn slot_usage(session: &Session, slot: &str) -> Result<Option<SlotUsage>, Failure> {
    let limited = match session.version() {
        WITH_LIMIT.. => {
            "wal_status, safe_wal_size, \
             (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size')"
        }
        _ => "NULL, NULL, NULL",
    };
    let rows = session
        .query(&format!(
            "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() \
             THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, \
             restart_lsn, confirmed_flush_lsn, active, {limited} \
             FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            literal(slot)
        ))
        .await?;
    rows.first().map(SlotUsage::of_row).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(columns: [Option<&str>; 7]) -> Result<SlotUsage, Failure> {
        SlotUsage::of_row(&columns.map(|text| text.map(str::to_owned)).into())
    }

    #[test]
    fn what_is_kept_is_what_is_between_the_slot_and_the_end() {
        let found = usage([
            Some("0/5000000"),
            Some("0/1000000"),
            Some("0/2000000"),
            Some("t"),
            Some("unreserved"),
            Some("-5"),
            Some("64"),
        ])
        .unwrap();
        assert_eq!(found.kept(), Some(0x400_0000));
        assert_eq!(found.unconfirmed(), Some(0x300_0000));
        assert!(found.is_active);
        assert_eq!(found.wal_status, Some(WalStatus::Unreserved));
        assert_eq!(found.safe_bytes, Some(-5));
        assert_eq!(found.limit, Some(64 << 20));
        let lost = usage([Some("0/5"), None, None, Some("f"), None, None, Some("-1")]).unwrap();
        assert_eq!((lost.kept(), lost.unconfirmed()), (None, None));
        assert_eq!((lost.safe_bytes, lost.limit), (None, None));
        assert!(usage([Some("x"), None, None, None, None, None, None]).is_err());
    }
}
