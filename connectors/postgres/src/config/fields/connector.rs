//! Keys of the group `Connector`: how the connector works, and how values are represented.

use tether_api::config::ConfigType::*;
use tether_api::config::Importance::*;
use tether_api::config::Width;

use crate::config::check::Check;
use crate::config::choice::*;
use crate::config::field::{Field, fields};

fields! {
    /// In the order of the form.
    CONNECTOR;
    EVENT_PROCESSING_FAILURE_HANDLING_MODE = Field::new("event.processing.failure.handling.mode", String)
        .default("fail")
        .width(Width::Short)
        .label("Event deserialization failure handling")
        .checks(&[Check::one_of::<ProcessingFailure>()])
        .doc("What happens to a change that cannot be processed: ``fail``, or it is left out: ``warn``, ``skip`` or ``ignore``.");
    MAX_BATCH_SIZE = Field::new("max.batch.size", Int)
        .default("2048")
        .width(Width::Short)
        .label("Change event batch size")
        .checks(&[Check::PositiveInteger])
        .doc("How many records are handed over at once at most.");
    MAX_QUEUE_SIZE = Field::new("max.queue.size", Int)
        .default("8192")
        .width(Width::Short)
        .label("Change event buffer size")
        .checks(&[Check::QueueSize])
        .doc("How many records wait to be handed over at most; more than ``max.batch.size``.");
    POLL_INTERVAL_MS = Field::new("poll.interval.ms", Long)
        .default("500")
        .width(Width::Short)
        .label("Poll interval (ms)")
        .checks(&[Check::PositiveInteger])
        .doc("How long to wait for records before none are handed over, in milliseconds.");
    MAX_QUEUE_SIZE_IN_BYTES = Field::new("max.queue.size.in.bytes", Long)
        .default("0")
        .width(Width::Long)
        .label("Change event buffer size in bytes")
        .checks(&[Check::NonNegativeLong])
        .doc("How many bytes of records wait to be handed over at most; 0 for no such limit.");
    PROVIDE_TRANSACTION_METADATA = Field::new("provide.transaction.metadata", Boolean)
        .default("false")
        .importance(Low)
        .width(Width::Short)
        .label("Store transaction metadata information in a dedicated topic.")
        .doc("Whether transactions have records of their own, and changes say which transaction they belong to.");
    SNAPSHOT_DELAY_MS = Field::new("snapshot.delay.ms", Long)
        .default("0")
        .importance(Low)
        .width(Width::Medium)
        .label("Snapshot Delay (milliseconds)")
        .checks(&[Check::NonNegativeLong])
        .doc("How long to wait before the snapshot, in milliseconds.");
    STREAMING_DELAY_MS = Field::new("streaming.delay.ms", Long)
        .default("0")
        .importance(Low)
        .width(Width::Medium)
        .label("Streaming Delay (milliseconds)")
        .checks(&[Check::NonNegativeLong])
        .doc("How long to wait between the snapshot and the stream, in milliseconds.");
    SNAPSHOT_INCLUDE_COLLECTION_LIST = Field::new("snapshot.include.collection.list", List)
        .width(Width::Long)
        .label("Snapshot mode include data collection")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the tables (``schema.table``) that are part of a snapshot, out of those that are captured; all of them if not set.");
    SNAPSHOT_FETCH_SIZE = Field::new("snapshot.fetch.size", Int)
        .width(Width::Medium)
        .label("Snapshot fetch size")
        .checks(&[Check::NonNegativeInteger])
        .doc("How many rows a snapshot reads at once.");
    SNAPSHOT_MAX_THREADS = Field::new("snapshot.max.threads", Int)
        .default("1")
        .width(Width::Short)
        .label("Snapshot maximum threads")
        .checks(&[Check::PositiveInteger])
        .doc("How many connections take part in a snapshot.");
    SNAPSHOT_MAX_THREADS_MULTIPLIER = Field::new("snapshot.max.threads.multiplier", Int)
        .default("1")
        .width(Width::Short)
        .label("Snapshot maximum thread multiplier")
        .checks(&[Check::PositiveInteger])
        .doc("How many parts per connection a table is split into.");
    LEGACY_SNAPSHOT_MAX_THREADS = Field::new("legacy.snapshot.max.threads", Boolean)
        .alias("internal.legacy.snapshot.max.threads")
        .default("false")
        .importance(Low)
        .width(Width::Short)
        .label("Enforces using a single thread per table regardless of table size")
        .doc("Whether a table is always read by one connection.");
    SNAPSHOT_MODE_CUSTOM_NAME = Field::new("snapshot.mode.custom.name", String)
        .width(Width::Medium)
        .label("Snapshot Mode Custom Name")
        .checks(&[Check::CustomName(&SNAPSHOT_MODE)])
        .doc("The name of the class for ``snapshot.mode=custom``.");
    SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_DATA = Field::new("snapshot.mode.configuration.based.snapshot.data", Boolean)
        .default("false")
        .width(Width::Medium)
        .label("Snapshot mode property based snapshot data")
        .doc("With ``snapshot.mode=configuration_based``: whether rows are read.");
    SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_SCHEMA = Field::new("snapshot.mode.configuration.based.snapshot.schema", Boolean)
        .default("false")
        .width(Width::Medium)
        .label("Snapshot mode property based snapshot schema")
        .doc("With ``snapshot.mode=configuration_based``: whether structures are read.");
    SNAPSHOT_MODE_CONFIGURATION_BASED_START_STREAM = Field::new("snapshot.mode.configuration.based.start.stream", Boolean)
        .default("false")
        .width(Width::Medium)
        .label("Snapshot mode property based start stream")
        .doc("With ``snapshot.mode=configuration_based``: whether changes are streamed.");
    SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_SCHEMA_ERROR = Field::new("snapshot.mode.configuration.based.snapshot.on.schema.error", Boolean)
        .default("false")
        .width(Width::Medium)
        .label("Snapshot mode property based snapshot on schema error")
        .doc("With ``snapshot.mode=configuration_based``: whether structures are read when they are not known.");
    SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_DATA_ERROR = Field::new("snapshot.mode.configuration.based.snapshot.on.data.error", Boolean)
        .default("false")
        .width(Width::Medium)
        .label("Snapshot mode property based snapshot on data error")
        .doc("With ``snapshot.mode=configuration_based``: whether rows are read when the log misses what comes next.");
    RETRIABLE_RESTART_CONNECTOR_WAIT_MS = Field::new("retriable.restart.connector.wait.ms", Long)
        .default("10000")
        .importance(Low)
        .width(Width::Medium)
        .label("Retriable restart wait (ms)")
        .checks(&[Check::PositiveLong])
        .doc("How long to wait before starting again after an error that may pass, in milliseconds.");
    QUERY_FETCH_SIZE = Field::new("query.fetch.size", Int)
        .default("0")
        .width(Width::Medium)
        .label("Query fetch size")
        .checks(&[Check::NonNegativeInteger])
        .doc("How many rows other queries read at once; 0 for all.");
    ERRORS_MAX_RETRIES = Field::new("errors.max.retries", Int)
        .default("-1")
        .importance(Low)
        .width(Width::Medium)
        .label("The maximum number of retries")
        .checks(&[Check::Integer])
        .doc("How often to start again after errors that may pass; 0 for never, -1 for any number.");
    INCREMENTAL_SNAPSHOT_WATERMARKING_STRATEGY = Field::new("incremental.snapshot.watermarking.strategy", String)
        .default("INSERT_INSERT")
        .importance(Low)
        .width(Width::Medium)
        .label("Incremental snapshot watermarking strategy")
        .checks(&[Check::one_of::<Watermarking>()])
        .doc("How the end of an incremental snapshot's window is marked in the signal table: ``INSERT_INSERT`` by another row, ``INSERT_DELETE`` by deleting the first.");
    INTERNAL_LOG_POSITION_CHECK_ENABLE = Field::new("internal.log.position.check.enable", Boolean)
        .default("true")
        .width(Width::Medium)
        .label("Enable/Disable log position check")
        .doc("Whether the stored position is checked against the slot at start.");
    INTERNAL_ADVANCED_METRICS_ENABLE = Field::new("internal.advanced.metrics.enable", Boolean)
        .default("false")
        .width(Width::Medium)
        .label("Enable/Disable advance metrics")
        .doc("Whether there are more metrics.");
    CONNECTION_VALIDATION_TIMEOUT_MS = Field::new("connection.validation.timeout.ms", Long)
        .default("60000")
        .importance(Low)
        .width(Width::Short)
        .label("Connection validation timeout (ms)")
        .checks(&[Check::PositiveLong])
        .doc("How long validation of this configuration waits for the database, in milliseconds.");
    EXECUTOR_SHUTDOWN_TIMEOUT_MS = Field::new("executor.shutdown.timeout.ms", Long)
        .default("4000")
        .width(Width::Medium)
        .label("Executor shutdown timeout (ms)")
        .checks(&[Check::PositiveLong])
        .doc("How long a stop waits for what is running, in milliseconds.");
    OPENLINEAGE_INTEGRATION_ENABLED = Field::new("openlineage.integration.enabled", Boolean)
        .default("false")
        .importance(Low)
        .width(Width::Short)
        .label("Enables OpenLineage integration")
        .doc("Whether lineage is reported.");
    OPENLINEAGE_INTEGRATION_CONFIG_FILE_PATH = Field::new("openlineage.integration.config.file.path", String)
        .default("./openlineage.yml")
        .importance(Low)
        .width(Width::Long)
        .label("Path to OpenLineage file configuration")
        .doc("The file of the configuration of lineage.");
    OPENLINEAGE_INTEGRATION_JOB_NAMESPACE = Field::new("openlineage.integration.job.namespace", String)
        .importance(Low)
        .width(Width::Long)
        .label("Namespace used for Debezium job")
        .doc("The namespace of the job in lineage.");
    OPENLINEAGE_INTEGRATION_JOB_DESCRIPTION = Field::new("openlineage.integration.job.description", String)
        .default("Debezium change data capture job")
        .importance(Low)
        .width(Width::Long)
        .label("Description used for Debezium job")
        .doc("The description of the job in lineage.");
    OPENLINEAGE_INTEGRATION_JOB_TAGS = Field::new("openlineage.integration.job.tags", List)
        .importance(Low)
        .width(Width::Long)
        .label("Debezium job tags")
        .checks(&[Check::Pairs])
        .doc("Tags of the job in lineage: ``name=value`` with commas between them.");
    OPENLINEAGE_INTEGRATION_JOB_OWNERS = Field::new("openlineage.integration.job.owners", List)
        .importance(Low)
        .width(Width::Long)
        .label("Debezium job owners")
        .checks(&[Check::Pairs])
        .doc("Owners of the job in lineage: ``name=value`` with commas between them.");
    OPENLINEAGE_INTEGRATION_DATASET_KAFKA_BOOTSTRAP_SERVERS = Field::new("openlineage.integration.dataset.kafka.bootstrap.servers", String)
        .importance(Low)
        .width(Width::Long)
        .label("Kafka bootstrap server used in Kafka Connect deployment")
        .doc("The Kafka servers that lineage names.");
    EXTENDED_HEADERS_ENABLED = Field::new("extended.headers.enabled", Boolean)
        .default("true")
        .importance(Low)
        .width(Width::Short)
        .label("Enable/Disable extended headers")
        .checks(&[Check::Boolean])
        .doc("Whether records of changes have headers that name the connector, the task and its run.");
    GUARDRAIL_COLLECTIONS_MAX = Field::new("guardrail.collections.max", Int)
        .default("0")
        .width(Width::Short)
        .label("Maximum number of collections or tables")
        .checks(&[Check::NonNegativeInteger])
        .doc("How many tables may be captured; 0 for any number.");
    GUARDRAIL_COLLECTIONS_LIMIT_ACTION = Field::new("guardrail.collections.limit.action", String)
        .default("warn")
        .width(Width::Short)
        .label("Guardrail collections limit action")
        .checks(&[Check::one_of::<GuardrailAction>()])
        .doc("What happens if more tables are captured than allowed: ``warn`` or ``fail``.");
    CUSTOM_SANITIZE_PATTERN = Field::new("custom.sanitize.pattern", String)
        .default(r".*secret$|.*password$|.*sasl\.jaas\.config$|.*basic\.auth\.user\.info|.*registry\.auth\.client-secret|.*credentials\.json$|.*connectionstring$|.*connection\.string$")
        .importance(Low)
        .width(Width::Long)
        .label("Custom pattern for masking sensitive configuration")
        .doc("The regular expression of keys whose values are hidden in logs.");
    STATISTICS_METRICS_ENABLED = Field::new("statistics.metrics.enabled", Boolean)
        .default("true")
        .width(Width::Short)
        .label("Enable collecting statistics metrics like latencies")
        .doc("Whether there are metrics of the distribution of latencies.");
    DECIMAL_HANDLING_MODE = Field::new("decimal.handling.mode", String)
        .default("precise")
        .width(Width::Short)
        .label("Decimal Handling")
        .checks(&[Check::one_of::<DecimalMode>()])
        .doc("What numbers with a fixed point become: ``precise`` (exact numbers), ``double`` or ``string``.");
    TIME_PRECISION_MODE = Field::new("time.precision.mode", String)
        .default("adaptive")
        .width(Width::Short)
        .label("Time Precision")
        .checks(&[Check::one_of::<TimePrecision>()])
        .doc("What dates and times without zone become: ``adaptive`` (numbers in a unit by the column's precision), ``adaptive_time_microseconds``, ``connect`` (milliseconds), ``isostring``, ``microseconds`` or ``nanoseconds``.");
    SNAPSHOT_LOCK_TIMEOUT_MS = Field::new("snapshot.lock.timeout.ms", Long)
        .default("10000")
        .width(Width::Long)
        .label("Snapshot lock timeout (ms)")
        .doc("How long a snapshot waits for locks, in milliseconds.");
    MEMORY_MANAGEMENT_SCHEMAS_CLASS = Field::new("memory.management.schemas.class", Class)
        .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
        .importance(Low)
        .width(Width::Long)
        .label("Schema storage class")
        .doc("Where schemas are kept; without effect.");
    MEMORY_MANAGEMENT_TABLES_CLASS = Field::new("memory.management.tables.class", Class)
        .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
        .importance(Low)
        .width(Width::Long)
        .label("Table storage class")
        .doc("Where the structures of tables are kept; without effect.");
    SNAPSHOT_MODE = Field::new("snapshot.mode", String)
        .default("initial")
        .width(Width::Short)
        .label("Snapshot mode")
        .checks(&[Check::one_of::<SnapshotMode>()])
        .doc("When rows that are there already are read: ``initial`` at the first start, ``always``, ``initial_only`` (and no changes after), ``no_data`` never, ``when_needed`` also when the log misses what comes next, ``configuration_based`` as five further keys say.");
    SNAPSHOT_ISOLATION_MODE = Field::new("snapshot.isolation.mode", String)
        .default("serializable")
        .importance(Low)
        .width(Width::Short)
        .label("Snapshot isolation mode")
        .checks(&[Check::one_of::<SnapshotIsolation>()])
        .doc("The isolation of a snapshot's transaction, unless it shares the view of a new slot: ``serializable``, ``repeatable_read``, ``read_committed`` or ``read_uncommitted``.");
    SNAPSHOT_QUERY_MODE = Field::new("snapshot.query.mode", String)
        .default("select_all")
        .importance(Low)
        .width(Width::Short)
        .label("Snapshot query mode")
        .checks(&[Check::one_of::<SnapshotQuery>()])
        .doc("What a snapshot selects: ``select_all``.");
    SNAPSHOT_QUERY_MODE_CUSTOM_NAME = Field::new("snapshot.query.mode.custom.name", String)
        .width(Width::Medium)
        .label("Snapshot Query Mode Custom Name")
        .checks(&[Check::CustomName(&SNAPSHOT_QUERY_MODE)])
        .doc("The name of the class for ``snapshot.query.mode=custom``.");
    SNAPSHOT_LOCKING_MODE_CUSTOM_NAME = Field::new("snapshot.locking.mode.custom.name", String)
        .width(Width::Medium)
        .label("Snapshot Locking Mode Custom Name")
        .checks(&[Check::CustomName(&SNAPSHOT_LOCKING_MODE)])
        .doc("The name of the class for ``snapshot.locking.mode=custom``.");
    SNAPSHOT_LOCKING_MODE = Field::new("snapshot.locking.mode", String)
        .default("none")
        .importance(Low)
        .width(Width::Short)
        .label("Snapshot locking mode")
        .checks(&[Check::one_of::<SnapshotLocking>()])
        .doc("What a snapshot locks: ``none``, or ``shared`` for tables against changes of their structure.");
    HSTORE_HANDLING_MODE = Field::new("hstore.handling.mode", String)
        .default("json")
        .importance(Low)
        .width(Width::Medium)
        .label("HStore Handling")
        .checks(&[Check::one_of::<HstoreMode>()])
        .doc("What values of ``hstore`` become: ``json`` (text) or ``map``.");
    BINARY_HANDLING_MODE = Field::new("binary.handling.mode", String)
        .default("bytes")
        .importance(Low)
        .width(Width::Medium)
        .label("Binary Handling")
        .checks(&[Check::one_of::<BinaryMode>()])
        .doc("What bytes become: ``bytes``, or text in ``base64``, ``base64-url-safe`` or ``hex``.");
    SCHEMA_NAME_ADJUSTMENT_MODE = Field::new("schema.name.adjustment.mode", String)
        .default("none")
        .importance(Low)
        .width(Width::Medium)
        .label("Schema Name Adjustment")
        .checks(&[Check::one_of::<NameAdjustment>()])
        .doc("Which names of schemas are altered: ``none``, or those that Avro refuses, by ``_`` (``avro``) or by codes (``avro_unicode``).");
    INTERVAL_HANDLING_MODE = Field::new("interval.handling.mode", String)
        .default("numeric")
        .importance(Low)
        .width(Width::Medium)
        .label("Interval Handling")
        .checks(&[Check::one_of::<IntervalMode>()])
        .doc("What intervals become: ``numeric`` (microseconds) or ``string`` (ISO 8601).");
    SCHEMA_REFRESH_MODE = Field::new("schema.refresh.mode", String)
        .default("columns_diff")
        .width(Width::Short)
        .label("Schema refresh mode")
        .checks(&[Check::one_of::<SchemaRefresh>()])
        .doc("Which differences make the connector read a table's structure again: ``columns_diff`` for all, ``columns_diff_exclude_unchanged_toast`` for all but missing columns that may be stored out of line.");
    INCREMENTAL_SNAPSHOT_CHUNK_SIZE = Field::new("incremental.snapshot.chunk.size", Int)
        .default("1024")
        .width(Width::Medium)
        .label("Incremental snapshot chunk size")
        .checks(&[Check::NonNegativeInteger])
        .doc("How many rows an incremental snapshot reads at once.");
    UNAVAILABLE_VALUE_PLACEHOLDER = Field::new("unavailable.value.placeholder", String)
        .default("__debezium_unavailable_value")
        .width(Width::Medium)
        .label("Unavailable value placeholder")
        .doc("What stands for a value that was not changed and is stored out of line; ``hex:`` and digits for bytes.");
    MESSAGE_PREFIX_INCLUDE_LIST = Field::new("message.prefix.include.list", List)
        .width(Width::Long)
        .label("Include Logical Decoding Message Prefixes")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the prefixes of logical messages that are captured; all if not set.");
    MESSAGE_PREFIX_EXCLUDE_LIST = Field::new("message.prefix.exclude.list", List)
        .width(Width::Long)
        .label("Exclude Logical Decoding Message Prefixes")
        .checks(&[Check::NotBoth(&MESSAGE_PREFIX_INCLUDE_LIST, "logical_decoding_message.prefix.include.list"), Check::RegexList])
        .doc("Regular expressions of the prefixes of logical messages that are not captured.");
    PUBLISH_VIA_PARTITION_ROOT = Field::new("publish.via.partition.root", Boolean)
        .default("false")
        .width(Width::Short)
        .label("Publish via partition root")
        .checks(&[Check::Boolean])
        .doc("Whether a publication that is created publishes changes of partitions as changes of the partitioned table.");
}
