//! What only producers have.

use std::time::Duration;

use tether_api::config::ConfigData;

use super::{Result, Translator, invalid};
use crate::broker::Growing;
use crate::produce::ProduceSettings;
use crate::records::Codec;

/// The longest time that a batch is left open.
const LONGEST: Duration = Duration::from_secs(900);

/// How many bytes a batch has where `batch.size` does not say it: more than in
/// Java, where a batch takes all of its memory at once.
const BATCH_SIZE: usize = 1_000_000;

impl Translator<'_> {
    pub(super) fn producer(&mut self) -> Result<()> {
        self.idempotence()?;
        self.delivery_timeout()?;
        if let Some(ConfigData::Class(class)) = self.parsed.get("partitioner.class") {
            let class = class.clone();
            self.warn(format!(
                "The partitioner {class} of the producer property partitioner.class is not known \
                 here; records are placed as Java's default partitioner places them"
            ));
        }
        if self.text("compression.type").as_deref() == Some("lz4")
            && self.is_set("compression.lz4.level")
        {
            self.no_counterpart("compression.lz4.level");
        }
        Ok(())
    }

    /// What a producer has to know.
    pub(super) fn writes(&self) -> Result<ProduceSettings> {
        let size = |name| usize::try_from(self.number(name)).unwrap_or(0);
        // None is so short that it would keep a processor busy.
        let time = |milliseconds: i64| Duration::from_millis(milliseconds.max(1).unsigned_abs());
        let max_request_size = size("max.request.size");
        let batch_size = match self.is_set("batch.size") {
            true => size("batch.size"),
            false => BATCH_SIZE,
        };
        let delivery_timeout = self.delivery_timeout()?;
        let level = |name| i32::try_from(self.number(name)).unwrap_or(0);
        Ok(ProduceSettings {
            acks: match self.text("acks").as_deref() {
                Some("0") => 0,
                Some("1") => 1,
                _ => -1,
            },
            batch_size: batch_size.min(max_request_size),
            linger: Duration::from_millis(self.number("linger.ms").unsigned_abs()).min(LONGEST),
            max_request_size,
            buffer_memory: size("buffer.memory"),
            codec: match self.text("compression.type").as_deref() {
                Some("gzip") => Codec::Gzip(level("compression.gzip.level")),
                Some("snappy") => Codec::Snappy,
                Some("lz4") => Codec::Lz4,
                Some("zstd") => Codec::Zstd(level("compression.zstd.level")),
                _ => Codec::None,
            },
            request_timeout: time(self.number("request.timeout.ms")),
            delivery_timeout: time(delivery_timeout),
            topic_timeout: time(self.number("max.block.ms").min(delivery_timeout)),
            retries: u32::try_from(self.number("retries")).unwrap_or(0),
            backoff: Growing {
                first: time(self.number("retry.backoff.ms")),
                longest: time(self.number("retry.backoff.max.ms")),
            },
            max_in_flight: size("max.in.flight.requests.per.connection").max(1),
            idempotent: self.idempotence()?,
            ignore_keys: self.flag("partitioner.ignore.keys"),
            metadata_max_age: time(self.number("metadata.max.age.ms")),
            max_idle: match self.number("connections.max.idle.ms") {
                ..0 => Duration::MAX,
                idle => time(idle),
            },
            transactional_id: self.text("transactional.id").map(Into::into),
            transaction_timeout: time(self.number("transaction.timeout.ms")),
        })
    }

    /// `ProducerConfig.postProcessAndValidateIdempotenceConfigs`: without a
    /// word of the user, idempotence yields to acks and retries.
    fn idempotence(&self) -> Result<bool> {
        let wanted = self.flag("enable.idempotence");
        let asked_for = wanted && self.is_set("enable.idempotence");
        let mut idempotent = wanted;
        if wanted && self.number("retries") == 0 {
            if asked_for {
                return Err(invalid(
                    "Must set retries to non-zero when using the idempotent producer.",
                ));
            }
            idempotent = false;
        }
        let acks = self.text("acks").unwrap_or_default();
        if wanted && acks != "all" && acks != "-1" {
            if asked_for {
                return Err(invalid(
                    "Must set acks to all in order to use the idempotent producer. Otherwise we \
                     cannot guarantee idempotence.",
                ));
            }
            idempotent = false;
        }
        let in_flight = self.number("max.in.flight.requests.per.connection");
        if idempotent && in_flight > 5 {
            return Err(invalid(format!(
                "To use the idempotent producer, max.in.flight.requests.per.connection must be \
                 set to at most 5. Current value is {in_flight}."
            )));
        }
        if !idempotent && self.is_set("transactional.id") {
            return Err(invalid(
                "Cannot set a transactional.id without also enabling idempotence.",
            ));
        }
        Ok(idempotent)
    }

    /// `KafkaProducer.configureDeliveryTimeout`, in milliseconds.
    fn delivery_timeout(&self) -> Result<i64> {
        let least = self
            .number("linger.ms")
            .saturating_add(self.number("request.timeout.ms"));
        let timeout = self.number("delivery.timeout.ms");
        if timeout >= least {
            return Ok(timeout);
        }
        if self.is_set("delivery.timeout.ms") {
            return Err(invalid(
                "delivery.timeout.ms should be equal to or larger than linger.ms + \
                 request.timeout.ms",
            ));
        }
        Ok(least)
    }
}
