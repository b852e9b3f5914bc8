//! What only consumers have.

use std::time::Duration;

use tether_api::config::ConfigData;

use super::{Result, Translator, invalid};
use crate::broker::Growing;
use crate::fetch::FetchSettings;
use crate::records::ReadOptions;

/// The group of a consumer that has none: librdkafka wants a name even for a
/// consumer that never joins.
const NO_GROUP: &str = "tether-no-group";

impl Translator<'_> {
    pub(super) fn consumer(&mut self) -> Result<()> {
        self.group()?;
        self.offset_reset()?;
        if self.is_set("enable.auto.commit") && self.flag("enable.auto.commit") {
            self.warn(
                "The consumer property enable.auto.commit=true is ignored: the worker commits \
                 offsets itself",
            );
        }
        self.set("enable.auto.commit", false);
        self.set("enable.auto.offset.store", false);
        self.set("socket.timeout.ms", self.request_timeout());
        Ok(())
    }

    /// What librdkafka, which fetches nothing, does not have to know.
    pub(super) fn fetches(&self) -> FetchSettings {
        let number = |name| i32::try_from(self.number(name)).unwrap_or(i32::MAX);
        // None is so short that it would keep a processor busy.
        let time = |name| Duration::from_millis(self.number(name).max(1).unsigned_abs());
        let is = |name, value| {
            self.text(name)
                .is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        FetchSettings {
            max_wait_ms: number("fetch.max.wait.ms"),
            // Without any, a broker would answer at once, for ever.
            min_bytes: number("fetch.min.bytes").max(1),
            max_bytes: number("fetch.max.bytes"),
            max_partition_bytes: number("max.partition.fetch.bytes"),
            read: ReadOptions {
                check_crcs: self.flag("check.crcs"),
                read_committed: is("isolation.level", "read_committed"),
            },
            rack: self.text("client.rack").unwrap_or_default(),
            may_reset: !is("auto.offset.reset", "none"),
            request_timeout: time("request.timeout.ms"),
            backoff: Growing {
                first: time("retry.backoff.ms"),
                longest: time("retry.backoff.max.ms"),
            },
            max_idle: match self.number("connections.max.idle.ms") {
                ..0 => Duration::MAX,
                _ => time("connections.max.idle.ms"),
            },
            metadata_max_age: time("metadata.max.age.ms"),
        }
    }

    fn group(&mut self) -> Result<()> {
        let group = self.text("group.id");
        if group
            .as_deref()
            .is_some_and(|group| group.trim().is_empty())
        {
            return Err(invalid(
                "The configured group.id should not be an empty string or whitespace.",
            ));
        }
        self.set("group.id", group.unwrap_or_else(|| NO_GROUP.to_owned()));
        let poll_interval = self.number("max.poll.interval.ms").clamp(1, 86_400_000);
        let protocol = self
            .text("group.protocol")
            .unwrap_or_default()
            .to_lowercase();
        if protocol == "consumer" {
            self.new_protocol()?;
            self.set("max.poll.interval.ms", poll_interval);
        } else {
            let session = self.classic_protocol()?;
            if poll_interval < session {
                self.warn(format!(
                    "The consumer property max.poll.interval.ms={poll_interval} is less than \
                     session.timeout.ms={session}; {session} is used"
                ));
            }
            self.set("max.poll.interval.ms", poll_interval.max(session));
        }
        self.set("group.protocol", protocol);
        Ok(())
    }

    /// The group protocol of KIP-848, where the broker decides
    /// (`ConsumerConfig.checkUnsupportedConfigsPostProcess`).
    fn new_protocol(&mut self) -> Result<()> {
        for name in [
            "heartbeat.interval.ms",
            "session.timeout.ms",
            "partition.assignment.strategy",
        ] {
            if self.is_set(name) {
                return Err(invalid(format!(
                    "{name} cannot be set when group.protocol=CONSUMER"
                )));
            }
        }
        if let Some(assignor) = self.text("group.remote.assignor") {
            self.set("group.remote.assignor", assignor);
        }
        Ok(())
    }

    /// Returns the session timeout.
    fn classic_protocol(&mut self) -> Result<i64> {
        if self.is_set("group.remote.assignor") {
            return Err(invalid(
                "group.remote.assignor cannot be set when group.protocol=CLASSIC",
            ));
        }
        let session = self.number("session.timeout.ms").clamp(1, 3_600_000);
        let heartbeat = self.number("heartbeat.interval.ms").clamp(1, 3_600_000);
        if heartbeat >= session {
            return Err(invalid(
                "Heartbeat must be set lower than the session timeout",
            ));
        }
        self.set("session.timeout.ms", session);
        self.set("heartbeat.interval.ms", heartbeat);
        self.assignors()?;
        Ok(session)
    }

    /// A group whose members know eager and cooperative assignors runs eagerly,
    /// so the cooperative one counts only where it stands alone.
    fn assignors(&mut self) -> Result<()> {
        let Some(ConfigData::List(classes)) =
            self.parsed.get("partition.assignment.strategy").cloned()
        else {
            return Ok(());
        };
        let (mut eager, mut cooperative, mut unknown) = (Vec::new(), false, Vec::new());
        for class in &classes {
            match class.rsplit('.').next().unwrap_or_default() {
                "RangeAssignor" => eager.push("range"),
                "RoundRobinAssignor" => eager.push("roundrobin"),
                "CooperativeStickyAssignor" => cooperative = true,
                _ => unknown.push(class.as_str()),
            }
        }
        let names = match (eager.is_empty(), cooperative) {
            (false, _) => eager.join(","),
            (true, true) => "cooperative-sticky".to_owned(),
            (true, false) => "range,roundrobin".to_owned(),
        };
        if !unknown.is_empty() {
            self.warn(format!(
                "The assignor {} of the consumer property partition.assignment.strategy is not \
                 known here; {names} is used",
                unknown.join(",")
            ));
        }
        self.set("partition.assignment.strategy", names);
        Ok(())
    }

    /// `AutoOffsetResetStrategy`.
    fn offset_reset(&mut self) -> Result<()> {
        let reset = self.text("auto.offset.reset").unwrap_or_default();
        let native = match reset.to_lowercase().as_str() {
            "earliest" => "earliest",
            "latest" => "latest",
            "none" => "error",
            other if other.starts_with("by_duration:") => {
                self.warn(
                    "The value by_duration of the consumer property auto.offset.reset has no \
                     counterpart here; earliest is used, so that nothing is left out",
                );
                "earliest"
            }
            _ => {
                return Err(invalid(format!(
                    "Invalid value {reset} for configuration auto.offset.reset: Invalid value \
                     `{reset}` for configuration auto.offset.reset. The value must be either \
                     'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
                )));
            }
        };
        self.set("auto.offset.reset", native);
        Ok(())
    }
}
