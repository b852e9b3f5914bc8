//! Keys that count but that the definition does not list, as in the reference.

use tether_api::config::ConfigType::*;

use crate::config::check::Check;
use crate::config::choice::*;
use crate::config::field::{Field, fields};

fields! {
    /// In no order.
    UNLISTED;
    CREATE_SLOT_COMMAND_TIMEOUT = Field::new("internal.create.slot.command.timeout", Long).default("90");
    EVENT_CONVERTING_FAILURE_HANDLING_MODE = Field::new("event.converting.failure.handling.mode", String)
        .default("warn")
        .checks(&[Check::one_of::<ConvertingFailure>()]);
    FIELD_NAME_ADJUSTMENT_MODE = Field::new("field.name.adjustment.mode", String)
        .default("none")
        .checks(&[Check::one_of::<NameAdjustment>()]);
    INCREMENTAL_SNAPSHOT_ALLOW_SCHEMA_CHANGES = Field::new("incremental.snapshot.allow.schema.changes", Boolean).default("false");
    MONEY_FRACTION_DIGITS = Field::new("money.fraction.digits", Short).default("2");
    OFFSET_MISMATCH_STRATEGY = Field::new("offset.mismatch.strategy", String)
        .default("no_validation")
        .checks(&[Check::one_of::<OffsetMismatch>()]);
    READ_ONLY = Field::new("read.only", Boolean).default("false");
    SIGNAL_FILE = Field::new("signal.file", String).default("file-signals.txt");
    SIGNAL_KAFKA_BOOTSTRAP_SERVERS = Field::new("signal.kafka.bootstrap.servers", String);
    SIGNAL_KAFKA_GROUPID = Field::new("signal.kafka.groupId", String).default("kafka-signal");
    SIGNAL_KAFKA_POLL_TIMEOUT_MS = Field::new("signal.kafka.poll.timeout.ms", Int)
        .default("0")
        .checks(&[Check::NonNegativeInteger]);
    SIGNAL_KAFKA_TOPIC = Field::new("signal.kafka.topic", String);
    SKIP_MESSAGES_WITHOUT_CHANGE = Field::new("skip.messages.without.change", Boolean)
        .default("false")
        .checks(&[Check::Boolean]);
    SLOT_SEEK_TO_KNOWN_OFFSET = Field::new("internal.slot.seek.to.known.offset.on.start", Boolean).default("false");
    TETHER_METRICS_KEYS = Field::new("tether.metrics.keys", Boolean)
        .default("false")
        .checks(&[Check::Boolean]);
    TETHER_SNAPSHOT_RESUME = Field::new("tether.snapshot.resume", Boolean)
        .default("false")
        .checks(&[Check::Boolean]);
    TETHER_VALUES = Field::new("tether.values", String)
        .default("reference")
        .checks(&[Check::one_of::<ValueFidelity>()]);
    TOPIC_DELIMITER = Field::new("topic.delimiter", String)
        .default(".")
        .checks(&[Check::TopicName]);
    TOPIC_HEARTBEAT_NAME = Field::new("topic.heartbeat.name", String).checks(&[Check::OptionalTopicName]);
    TOPIC_HEARTBEAT_PREFIX = Field::new("topic.heartbeat.prefix", String)
        .default("__debezium-heartbeat")
        .checks(&[Check::TopicName]);
    TOPIC_KEY_ENFORCE_UNIQUENESS = Field::new("topic.key.enforce.uniqueness", Boolean).default("true");
    TOPIC_KEY_FIELD_NAME = Field::new("topic.key.field.name", String).default("__dbz__physicalTableIdentifier");
    TOPIC_KEY_FIELD_REGEX = Field::new("topic.key.field.regex", String).checks(&[Check::Regex]);
    TOPIC_KEY_FIELD_REPLACEMENT = Field::new("topic.key.field.replacement", String);
    TOPIC_REGEX = Field::new("topic.regex", String).checks(&[Check::Regex]);
    TOPIC_REPLACEMENT = Field::new("topic.replacement", String);
    TOPIC_TRANSACTION = Field::new("topic.transaction", String)
        .default("transaction")
        .checks(&[Check::TopicName]);
}
