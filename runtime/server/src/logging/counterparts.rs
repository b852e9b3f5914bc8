//! Which targets of ours have the level of which Java loggers.

/// Java loggers that users know, classes and packages, and the targets of ours
/// that do the same work.
pub(super) const COUNTERPARTS: &[(&str, &[&str])] = &[
    ("org.apache.kafka", &["tether", "librdkafka", "rdkafka"]),
    (
        "org.apache.kafka.clients",
        &["tether_kafka", "librdkafka", "rdkafka"],
    ),
    (
        "org.apache.kafka.clients.NetworkClient",
        &["librdkafka", "rdkafka"],
    ),
    (
        "org.apache.kafka.common.config.provider",
        &["tether_worker::config_provider"],
    ),
    ("org.apache.kafka.connect", &["tether"]),
    (
        "org.apache.kafka.connect.converters",
        &["tether_converters"],
    ),
    ("org.apache.kafka.connect.file", &["tether_connector_file"]),
    (
        "org.apache.kafka.connect.json",
        &["tether_converters::json"],
    ),
    (
        "org.apache.kafka.connect.runtime",
        &["tether_worker", "tether_rest"],
    ),
    (
        "org.apache.kafka.connect.runtime.AbstractHerder",
        &["tether_worker::herder", "tether_worker::validation"],
    ),
    (
        "org.apache.kafka.connect.runtime.AbstractWorkerSourceTask",
        &["tether_worker::task::source"],
    ),
    (
        "org.apache.kafka.connect.runtime.ExactlyOnceWorkerSourceTask",
        &["tether_worker::task::source"],
    ),
    (
        "org.apache.kafka.connect.runtime.SourceTaskOffsetCommitter",
        &["tether_worker::task::source::offset_committer"],
    ),
    (
        "org.apache.kafka.connect.runtime.TransformationChain",
        &["tether_worker::task::transformation_chain"],
    ),
    (
        "org.apache.kafka.connect.runtime.Worker",
        &["tether_worker::worker"],
    ),
    (
        "org.apache.kafka.connect.runtime.WorkerConnector",
        &["tether_worker::connector"],
    ),
    (
        "org.apache.kafka.connect.runtime.WorkerSinkTask",
        &["tether_worker::task::sink"],
    ),
    (
        "org.apache.kafka.connect.runtime.WorkerSourceTask",
        &["tether_worker::task::source"],
    ),
    (
        "org.apache.kafka.connect.runtime.WorkerTask",
        &["tether_worker::task"],
    ),
    (
        "org.apache.kafka.connect.runtime.distributed",
        &["tether_worker::herder"],
    ),
    (
        "org.apache.kafka.connect.runtime.errors",
        &["tether_worker::task::error_handling"],
    ),
    (
        "org.apache.kafka.connect.runtime.isolation",
        &["tether_worker::plugins"],
    ),
    ("org.apache.kafka.connect.runtime.rest", &["tether_rest"]),
    (
        "org.apache.kafka.connect.runtime.standalone",
        &["tether_worker::herder"],
    ),
    ("org.apache.kafka.connect.storage", &["tether_storage"]),
    (
        "org.apache.kafka.connect.storage.FileOffsetBackingStore",
        &["tether_storage::file"],
    ),
    (
        "org.apache.kafka.connect.storage.KafkaConfigBackingStore",
        &[
            "tether_storage::kafka::config",
            "tether_storage::config_state",
        ],
    ),
    (
        "org.apache.kafka.connect.storage.KafkaOffsetBackingStore",
        &["tether_storage::kafka::offset"],
    ),
    (
        "org.apache.kafka.connect.storage.KafkaStatusBackingStore",
        &["tether_storage::kafka::status"],
    ),
    (
        "org.apache.kafka.connect.transforms",
        &["tether_transforms"],
    ),
    (
        "org.apache.kafka.connect.util.KafkaBasedLog",
        &["tether_storage::kafka"],
    ),
    (
        "org.apache.kafka.connect.util.TopicAdmin",
        &["tether_storage::kafka::topic"],
    ),
    ("io.debezium.transforms", &["tether_debezium_transforms"]),
    ("io.confluent.connect.avro", &["tether_converters::avro"]),
    ("io.confluent.connect.jdbc", &["tether_connector_jdbc"]),
    (
        "io.confluent.kafka.schemaregistry",
        &["tether_converters::registry"],
    ),
    ("com.example.kafka.connect", &["tether_connector_rest"]),
    (
        "io.debezium.connector.postgresql",
        &["tether_connector_postgres"],
    ),
    (
        "io.debezium.connector.postgresql.connection",
        &["tether_connector_postgres::replication"],
    ),
];
