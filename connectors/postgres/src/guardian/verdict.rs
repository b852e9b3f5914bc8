//! What is to be said, and done, about what the server keeps for the slot.

use crate::config::{GuardianSettings, SlotLimitAction};
use crate::replication::{SlotUsage, WalStatus};

/// The part of `max_slot_wal_keep_size` of which less is left when a warning is
/// due.
const SMALL_PART: u64 = 4;

/// What a look at the slot comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A warning, with what can be done.
    Warn(String),
    /// What there was to warn of has passed.
    Relief(String),
    /// More is kept than the configuration allows.
    Exceeded(SlotLimitAction, String),
}

/// Compares looks. Each warning comes once, and again when what it warns of has
/// doubled or has passed meanwhile.
#[derive(Debug)]
pub(super) struct Judge {
    slot: String,
    settings: GuardianSettings,
    /// From how many kept bytes on the next warning is due.
    next_warning: Option<u64>,
    /// Whether a warning of the server's limit was the last word.
    warned_of_limit: bool,
    /// What the slot was warned to be.
    warned_status: Option<WalStatus>,
    /// How many bytes were kept at the last look.
    last_kept: Option<u64>,
}

impl Judge {
    pub(super) fn new(slot: &str, settings: GuardianSettings) -> Self {
        Self {
            slot: slot.to_owned(),
            next_warning: settings.warn_bytes,
            settings,
            warned_of_limit: false,
            warned_status: None,
            last_kept: None,
        }
    }

    /// What is to be said and done about this look.
    pub(super) fn look(&mut self, usage: &SlotUsage) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        verdicts.extend(self.status(usage));
        verdicts.extend(self.server_limit(usage));
        let last = std::mem::replace(&mut self.last_kept, usage.kept());
        if let Some(kept) = usage.kept() {
            verdicts.extend(self.kept(kept, usage));
            verdicts.extend(self.limit(kept, last));
        }
        verdicts
    }

    fn status(&mut self, usage: &SlotUsage) -> Option<Verdict> {
        let status = usage
            .wal_status
            .filter(|status| matches!(status, WalStatus::Unreserved | WalStatus::Lost));
        if std::mem::replace(&mut self.warned_status, status) == status {
            return None;
        }
        let slot = &self.slot;
        Some(match status {
            Some(WalStatus::Lost) => Verdict::Warn(format!(
                "The server has given up replication slot '{slot}', as it would have had to keep \
                 more log for it than max_slot_wal_keep_size allows: changes are lost. A new \
                 snapshot makes up for them (snapshot.mode=when_needed)"
            )),
            Some(_) => Verdict::Warn(format!(
                "The next checkpoint may take away what replication slot '{slot}' needs \
                 (wal_status is unreserved): raise max_slot_wal_keep_size now, which a reload of \
                 the server's configuration is enough for, and see why the connector is behind"
            )),
            None => Verdict::Relief(format!(
                "What replication slot '{slot}' needs is sure to be there again"
            )),
        })
    }

    fn server_limit(&mut self, usage: &SlotUsage) -> Option<Verdict> {
        let (safe, limit) = (usage.safe_bytes?, usage.limit?);
        let safe = u64::try_from(safe).unwrap_or(0);
        let is_small = safe < limit / SMALL_PART;
        if std::mem::replace(&mut self.warned_of_limit, is_small) == is_small {
            return None;
        }
        let slot = &self.slot;
        Some(match is_small {
            true => Verdict::Warn(format!(
                "After {} more of log the server may give up replication slot '{slot}' \
                 (max_slot_wal_keep_size is {}), and changes would be lost: raise that limit, \
                 which a reload of the server's configuration is enough for, or see why the \
                 connector is behind",
                size(safe),
                size(limit)
            )),
            false => Verdict::Relief(format!(
                "The server keeps for replication slot '{slot}' no longer nearly as much as it may"
            )),
        })
    }

    fn kept(&mut self, kept: u64, usage: &SlotUsage) -> Option<Verdict> {
        let threshold = self.settings.warn_bytes?;
        let slot = &self.slot;
        if kept < threshold {
            let warned = self.next_warning != Some(threshold);
            self.next_warning = Some(threshold);
            return warned.then(|| {
                let kept = size(kept);
                Verdict::Relief(format!(
                    "The server keeps {kept} of its log for replication slot '{slot}'"
                ))
            });
        }
        if self.next_warning.is_some_and(|next| kept < next) {
            return None;
        }
        self.next_warning = Some(kept.saturating_mul(2));
        let unconfirmed = usage.unconfirmed().unwrap_or(0);
        // What is confirmed and kept all the same is kept for transactions that
        // began before.
        let advice = match unconfirmed < kept / 2 {
            true => {
                "a transaction that began long ago is still open (see pg_stat_activity and \
                 pg_prepared_xacts)"
            }
            false if !usage.is_active => "nobody streams from it",
            false => {
                "the connector is behind, or what it reads is not committed (see the state of \
                 the task, and offset.flush.interval.ms)"
            }
        };
        Some(Verdict::Warn(format!(
            "The server keeps {} of its log for replication slot '{slot}', of which {} are not \
             confirmed: {advice}. The disk of the server fills unless that ends; the threshold is \
             slot.guardian.warn.bytes",
            size(kept),
            size(unconfirmed)
        )))
    }

    /// A slot that catches up is left alone: it shall not be the end of a
    /// connector that it has been away for long.
    fn limit(&self, kept: u64, last: Option<u64>) -> Option<Verdict> {
        let (limit, action) = self.settings.limit?;
        let grows = last.is_some_and(|last| kept >= last);
        (kept > limit && grows).then(|| {
            Verdict::Exceeded(
                action,
                format!(
                    "The server keeps {} of its log for replication slot '{}', which is more than \
                     slot.guardian.limit.bytes allows ({}), and the slot does not catch up.",
                    size(kept),
                    self.slot,
                    size(limit)
                ),
            )
        })
    }
}

/// A number of bytes for a person.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut number, mut unit) = (bytes, 0);
    // From ten on, no digits behind the point are missed.
    while number >= 10 * 1024 && unit + 1 < UNITS.len() {
        number /= 1024;
        unit += 1;
    }
    format!("{number} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsn::Lsn;

    const MB: u64 = 1024 * 1024;

    fn settings() -> GuardianSettings {
        GuardianSettings {
            interval: None,
            warn_bytes: Some(100 * MB),
            limit: Some((500 * MB, SlotLimitAction::Fail)),
            idle_bytes: None,
        }
    }

    fn keeps(megabytes: u64) -> SlotUsage {
        SlotUsage {
            end: Lsn(MB * (1000 + megabytes)),
            restart: Some(Lsn(MB * 1000)),
            confirmed: Some(Lsn(MB * 1000)),
            is_active: true,
            wal_status: Some(WalStatus::Reserved),
            safe_bytes: None,
            limit: None,
        }
    }

    fn kinds(verdicts: &[Verdict]) -> Vec<&'static str> {
        let kind = |verdict: &Verdict| match verdict {
            Verdict::Warn(_) => "warn",
            Verdict::Relief(_) => "relief",
            Verdict::Exceeded(..) => "exceeded",
        };
        verdicts.iter().map(kind).collect()
    }

    #[test]
    fn a_warning_comes_again_when_twice_as_much_is_kept() {
        let mut judge = Judge::new("s", settings());
        let mut look = |megabytes| kinds(&judge.look(&keeps(megabytes)));
        assert_eq!(look(99), [""; 0]);
        assert_eq!(look(100), ["warn"]);
        assert_eq!(look(199), [""; 0]);
        assert_eq!(look(200), ["warn"]);
        assert_eq!(look(20), ["relief"]);
        assert_eq!(look(20), [""; 0]);
        assert_eq!(look(120), ["warn"]);
    }

    #[test]
    fn a_slot_that_catches_up_is_left_alone() {
        let mut judge = Judge::new("s", settings());
        judge.look(&keeps(900));
        assert_eq!(kinds(&judge.look(&keeps(800))), [""; 0]);
        let verdicts = judge.look(&keeps(800));
        let [Verdict::Exceeded(SlotLimitAction::Fail, message)] = &verdicts[..] else {
            panic!("{verdicts:?}");
        };
        assert!(message.contains("keeps 800 MB"), "{message}");
        assert!(message.contains("(500 MB)"), "{message}");
        assert_eq!(kinds(&judge.look(&keeps(499))), [""; 0]);
    }

    #[test]
    fn the_servers_own_limit_is_warned_of_before_it_hurts() {
        let mut judge = Judge::new("s", settings());
        let mut look = |status, safe| {
            let usage = SlotUsage {
                wal_status: Some(status),
                safe_bytes: Some(safe),
                limit: Some(1000),
                ..keeps(1)
            };
            judge.look(&usage)
        };
        use WalStatus::{Extended, Lost, Unreserved};
        assert_eq!(kinds(&look(Extended, 250)), [""; 0]);
        assert_eq!(kinds(&look(Extended, 249)), ["warn"]);
        assert_eq!(kinds(&look(Extended, 10)), [""; 0]);
        let unreserved = look(Unreserved, -10);
        assert_eq!(kinds(&unreserved), ["warn"]);
        let Verdict::Warn(message) = &unreserved[0] else {
            panic!("no warning");
        };
        assert!(
            message.contains("raise max_slot_wal_keep_size"),
            "{message}"
        );
        assert_eq!(kinds(&look(Extended, 900)), ["relief", "relief"]);
        assert_eq!(kinds(&look(Lost, 900)), ["warn"]);
    }

    #[test]
    fn sizes_are_for_people() {
        let sizes = [0, 10_239, 10_240, 3 << 30, 1 << 40].map(size);
        assert_eq!(sizes, ["0 B", "10239 B", "10 kB", "3072 MB", "1024 GB"]);
    }
}
