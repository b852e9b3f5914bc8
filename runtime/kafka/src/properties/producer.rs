//! What only producers have.

use tether_api::config::ConfigData;

use super::{Result, Translator, invalid};

/// Records that a producer's queue holds at most. librdkafka takes about 200
/// bytes for each, on top of `buffer.memory`.
const QUEUED_RECORDS: u32 = 100_000;

impl Translator<'_> {
    pub(super) fn producer(&mut self) -> Result<()> {
        let idempotent = self.idempotence()?;
        self.set("enable.idempotence", idempotent);
        self.delivery_timeout()?;
        self.partitioner();
        self.compression_level();
        let kilobytes = self.number("buffer.memory") / 1024;
        self.set(
            "queue.buffering.max.kbytes",
            kilobytes.clamp(1, i64::from(i32::MAX)),
        );
        self.set("queue.buffering.max.messages", QUEUED_RECORDS);
        self.set(
            "request.timeout.ms",
            self.number("request.timeout.ms").clamp(1, 900_000),
        );
        self.set("socket.timeout.ms", self.request_timeout());
        if self.is_set("transactional.id") {
            // librdkafka wants neither record nor request to outlive the
            // transaction, which the broker aborts after this time.
            for name in ["delivery.timeout.ms", "socket.timeout.ms"] {
                self.at_most(name, "transaction.timeout.ms");
            }
        }
        Ok(())
    }

    /// `ProducerConfig.postProcessAndValidateIdempotenceConfigs`: without a
    /// word of the user, idempotence yields to acks and retries.
    fn idempotence(&mut self) -> Result<bool> {
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

    /// `KafkaProducer.configureDeliveryTimeout`.
    fn delivery_timeout(&mut self) -> Result<()> {
        let least = self
            .number("linger.ms")
            .saturating_add(self.number("request.timeout.ms"));
        let mut timeout = self.number("delivery.timeout.ms");
        if timeout < least {
            if self.is_set("delivery.timeout.ms") {
                return Err(invalid(
                    "delivery.timeout.ms should be equal to or larger than linger.ms + \
                     request.timeout.ms",
                ));
            }
            timeout = least;
        }
        self.set("delivery.timeout.ms", timeout.clamp(1, i64::from(i32::MAX)));
        Ok(())
    }

    /// Records with a key go where Java's client sends them; others stick to a
    /// partition for a while, as they do there, which the producer sees to.
    fn partitioner(&mut self) {
        self.set("sticky.partitioning.linger.ms", 0);
        let ignore_keys = self.flag("partitioner.ignore.keys");
        if ignore_keys {
            self.set("partitioner", "random");
        } else {
            self.set("partitioner", "murmur2_random");
        }
        if let Some(ConfigData::Class(class)) = self.parsed.get("partitioner.class") {
            let class = class.clone();
            self.warn(format!(
                "The partitioner {class} of the producer property partitioner.class is not known \
                 here; records are placed as Java's default partitioner places them"
            ));
        }
    }

    /// Java has a level for each codec, librdkafka one for all.
    fn compression_level(&mut self) {
        let Some(codec) = self.text("compression.type") else {
            return;
        };
        let (name, lowest, highest) = match codec.as_str() {
            "gzip" => ("compression.gzip.level", -1, 9),
            "lz4" => ("compression.lz4.level", 1, 12),
            "zstd" => ("compression.zstd.level", -1, 12),
            _ => return,
        };
        if self.is_set(name) {
            self.set(
                "compression.level",
                self.number(name).clamp(lowest, highest),
            );
        }
    }
}
