//! Keys of the group `Events`: what is captured, and what else becomes records.

use tether_api::config::ConfigType::*;
use tether_api::config::Importance::*;
use tether_api::config::Width;

use crate::config::check::Check;
use crate::config::choice::*;
use crate::config::field::{Field, fields};

fields! {
    /// In the order of the form.
    EVENTS;
    CONVERTERS = Field::new("converters", String)
        .importance(Low)
        .width(Width::Medium)
        .label("List of prefixes defining custom values converters.")
        .doc("Names of converters of single columns, with commas between them.");
    POST_PROCESSORS = Field::new("post.processors", String)
        .importance(Low)
        .width(Width::Medium)
        .label("List of change event post processors.")
        .doc("Names of processors of records, with commas between them.");
    TOMBSTONES_ON_DELETE = Field::new("tombstones.on.delete", Boolean)
        .default("true")
        .width(Width::Short)
        .label("Change the behaviour of Debezium with regards to delete operations")
        .checks(&[Check::Boolean])
        .doc("Whether a deletion is followed by a record with the same key and no value, so that Kafka can forget the key.");
    HEARTBEAT_INTERVAL_MS = Field::new("heartbeat.interval.ms", Int)
        .default("0")
        .width(Width::Medium)
        .label("Connector heartbeat interval (milli-seconds)")
        .checks(&[Check::NonNegativeInteger])
        .doc("How often a heartbeat record is sent, in milliseconds; 0 for never.");
    HEARTBEAT_TOPICS_PREFIX = Field::new("heartbeat.topics.prefix", String)
        .default("__debezium-heartbeat")
        .importance(Low)
        .width(Width::Medium)
        .label("A prefix used for naming of heartbeat topics")
        .doc("Without effect, see ``topic.heartbeat.prefix``.");
    SIGNAL_DATA_COLLECTION = Field::new("signal.data.collection", List)
        .width(Width::Medium)
        .label("Signaling data collection")
        .checks(&[Check::OneSignalTable])
        .doc("The table (``schema.table``) whose rows are signals to the connector.");
    SIGNAL_POLL_INTERVAL_MS = Field::new("signal.poll.interval.ms", Long)
        .default("5000")
        .width(Width::Short)
        .label("Signal processor poll interval")
        .checks(&[Check::PositiveInteger])
        .doc("How often channels are asked for signals, in milliseconds.");
    SIGNAL_ENABLED_CHANNELS = Field::new("signal.enabled.channels", List)
        .default("source")
        .width(Width::Long)
        .label("Enabled channels names")
        .doc("The channels of signals: ``source``, ``kafka``, ``file``, ``jmx``.");
    TOPIC_NAMING_STRATEGY = Field::new("topic.naming.strategy", Class)
        .default("io.debezium.schema.SchemaTopicNamingStrategy")
        .width(Width::Medium)
        .label("Topic naming strategy class")
        .doc("The class that names topics, one of ``io.debezium.schema``: ``SchemaTopicNamingStrategy``, ``DefaultTopicNamingStrategy``, ``SchemaUnicodeTopicNamingStrategy``, ``DefaultUnicodeTopicNamingStrategy``, ``SchemaRegexTopicNamingStrategy``, ``DefaultRegexTopicNamingStrategy``.");
    NOTIFICATION_ENABLED_CHANNELS = Field::new("notification.enabled.channels", List)
        .width(Width::Long)
        .label("Enabled notification channels names")
        .doc("The channels of notifications: ``sink``, ``log``, ``jmx``.");
    NOTIFICATION_SINK_TOPIC_NAME = Field::new("notification.sink.topic.name", String)
        .importance(High)
        .width(Width::Long)
        .label("Notification topic name")
        .checks(&[Check::NotificationTopic])
        .doc("The topic of notifications of the channel ``sink``.");
    TRANSACTION_METADATA_FACTORY = Field::new("transaction.metadata.factory", Class)
        .default("io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory")
        .importance(Low)
        .width(Width::Medium)
        .label("Factory class to create transaction context & transaction struct maker classes")
        .doc("The class that makes records of transactions; only the default can be had.");
    CUSTOM_METRIC_TAGS = Field::new("custom.metric.tags", List)
        .importance(Low)
        .width(Width::Medium)
        .label("Customize metric tags")
        .checks(&[Check::Pairs])
        .doc("Tags of metrics: ``name=value`` with commas between them.");
    COLUMN_INCLUDE_LIST = Field::new("column.include.list", List)
        .width(Width::Long)
        .label("Include Columns")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the columns (``schema.table.column``) that are captured.");
    COLUMN_EXCLUDE_LIST = Field::new("column.exclude.list", List)
        .width(Width::Long)
        .label("Exclude Columns")
        .checks(&[Check::NotBoth(&COLUMN_INCLUDE_LIST, "column.include.list"), Check::RegexList])
        .doc("Regular expressions of the columns (``schema.table.column``) that are not captured.");
    TABLE_INCLUDE_LIST = Field::new("table.include.list", List)
        .importance(High)
        .width(Width::Long)
        .label("Include Tables")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the tables (``schema.table``) that are captured.");
    TABLE_EXCLUDE_LIST = Field::new("table.exclude.list", List)
        .width(Width::Long)
        .label("Exclude Tables")
        .checks(&[Check::NotBoth(&TABLE_INCLUDE_LIST, "table.include.list"), Check::RegexList])
        .doc("Regular expressions of the tables (``schema.table``) that are not captured.");
    TABLE_IGNORE_BUILTIN = Field::new("table.ignore.builtin", Boolean)
        .default("true")
        .importance(Low)
        .width(Width::Short)
        .label("Ignore system databases")
        .checks(&[Check::Boolean])
        .doc("Whether the server's own tables are never captured.");
    SCHEMA_INCLUDE_LIST = Field::new("schema.include.list", List)
        .importance(High)
        .width(Width::Long)
        .label("Include Schemas")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the schemas whose tables are captured.");
    SCHEMA_EXCLUDE_LIST = Field::new("schema.exclude.list", List)
        .width(Width::Long)
        .label("Exclude Schemas")
        .checks(&[Check::NotBoth(&SCHEMA_INCLUDE_LIST, "schema.include.list"), Check::RegexList])
        .doc("Regular expressions of the schemas whose tables are not captured.");
    MESSAGE_KEY_COLUMNS = Field::new("message.key.columns", String)
        .width(Width::Long)
        .label("Columns PK mapping")
        .checks(&[Check::KeyColumns])
        .doc("Columns that make up the key of a table's records: ``<regular expression of schema.table>:<column>,<column>`` with semicolons between them.");
    SNAPSHOT_SELECT_STATEMENT_OVERRIDES = Field::new("snapshot.select.statement.overrides", String)
        .width(Width::Long)
        .label("List of tables where the default select statement used during snapshotting should be overridden.")
        .doc("Tables (``schema.table``) that a snapshot reads by a statement of their own, with commas between them; the statement is the value of ``snapshot.select.statement.overrides.<schema>.<table>``.");
    COLUMN_MASK_HASH = Field::new("column.mask.hash.([^.]+).with.salt.(.+)", String)
        .width(Width::Long)
        .label("Mask Columns Using Hash and Salt")
        .doc("Regular expressions of the text columns whose values are replaced by a hash; the key names the algorithm and the salt.");
    COLUMN_MASK = Field::new("column.mask.with.(d+).chars", String)
        .label("Mask Columns With n Asterisks")
        .checks(&[Check::Integer])
        .doc("Regular expressions of the text columns whose values are replaced by this many asterisks.");
    COLUMN_TRUNCATE = Field::new("column.truncate.to.(d+).chars", Int)
        .label("Truncate Columns To n Characters")
        .checks(&[Check::Integer])
        .doc("Regular expressions of the text columns whose values are cut to this many characters.");
    INCLUDE_SCHEMA_COMMENTS = Field::new("include.schema.comments", Boolean)
        .default("false")
        .width(Width::Short)
        .label("Include Table and Column Comments")
        .checks(&[Check::Boolean])
        .doc("Whether comments of tables and columns are read; without effect on records.");
    COLUMN_PROPAGATE_SOURCE_TYPE = Field::new("column.propagate.source.type", List)
        .label("Propagate Source Types by Columns")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the columns (``schema.table.column``) whose schemas say the type in the database.");
    DATATYPE_PROPAGATE_SOURCE_TYPE = Field::new("datatype.propagate.source.type", List)
        .label("Propagate Source Types by Data Type")
        .checks(&[Check::RegexList])
        .doc("Regular expressions of the types (``schema.table.TYPE``) whose columns' schemas say the type in the database.");
    INTERNAL_SNAPSHOT_SCAN_ALL_COLUMNS_FORCE = Field::new("internal.snapshot.scan.all.columns.force", Boolean)
        .default("false")
        .importance(Low)
        .width(Width::Short)
        .label("Snapshot force scan all columns of all tables")
        .doc("Whether a snapshot reads the columns of all tables; without effect.");
    SNAPSHOT_TABLES_ORDER_BY_ROW_COUNT = Field::new("snapshot.tables.order.by.row.count", String)
        .default("disabled")
        .label("Initial snapshot tables order by row count")
        .checks(&[Check::one_of::<RowCountOrder>()])
        .doc("Which tables a snapshot reads first: small ones (``ascending``), large ones (``descending``) or those that are named first (``disabled``).");
    HEARTBEAT_ACTION_QUERY = Field::new("heartbeat.action.query", String)
        .importance(Low)
        .width(Width::Medium)
        .label("An optional query to execute with every heartbeat")
        .doc("A statement to execute with every heartbeat.");
    INCLUDE_UNKNOWN_DATATYPES = Field::new("include.unknown.datatypes", Boolean)
        .default("false")
        .width(Width::Short)
        .label("Include unknown datatypes")
        .doc("Whether columns of types without a representation are captured, as bytes.");
    SOURCEINFO_STRUCT_MAKER = Field::new("sourceinfo.struct.maker", Class)
        .default("io.debezium.connector.postgresql.PostgresSourceInfoStructMaker")
        .importance(Low)
        .width(Width::Medium)
        .label("Source info struct maker class")
        .doc("The class that makes the block ``source``; only the default can be had.");
}
