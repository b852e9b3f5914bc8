//! Keys of the group `Postgres`: the connection, the slot and the publication.

use tether_api::config::ConfigType::*;
use tether_api::config::Importance::*;
use tether_api::config::Width;

use crate::config::check::Check;
use crate::config::choice::*;
use crate::config::field::{Field, fields};

fields! {
    /// In the order of the form.
    POSTGRES;
    TOPIC_PREFIX = Field::new("topic.prefix", String)
        .importance(High)
        .width(Width::Medium)
        .label("Topic prefix")
        .checks(&[Check::Required, Check::TopicName])
        .doc("The name of this source of changes: the first part of its topics' names, part of its offsets and of the names of its metrics. No other connector may have the same.");
    DATABASE_HOSTNAME = Field::new("database.hostname", String)
        .importance(High)
        .width(Width::Medium)
        .label("Hostname")
        .checks(&[Check::HostName, Check::Required])
        .doc("The host name or address of the database server.");
    DATABASE_PORT = Field::new("database.port", Int)
        .default("5432")
        .importance(High)
        .width(Width::Short)
        .label("Port")
        .checks(&[Check::Integer])
        .doc("The port of the database server.");
    DATABASE_USER = Field::new("database.user", String)
        .importance(High)
        .width(Width::Short)
        .label("User")
        .checks(&[Check::Required])
        .doc("The role that logs in. It needs the attribute REPLICATION and must be able to read the captured tables.");
    DATABASE_PASSWORD = Field::new("database.password", Password)
        .importance(High)
        .width(Width::Short)
        .label("Password")
        .doc("The password of the role.");
    DATABASE_DBNAME = Field::new("database.dbname", String)
        .importance(High)
        .width(Width::Medium)
        .label("Database")
        .checks(&[Check::Required])
        .doc("The database whose changes are captured; a connector captures one.");
    DATABASE_QUERY_TIMEOUT_MS = Field::new("database.query.timeout.ms", Int)
        .default("600000")
        .importance(Low)
        .label("Query timeout")
        .doc("How long a statement may take, in milliseconds; 0 for any time.");
    PLUGIN_NAME = Field::new("plugin.name", String)
        .default("decoderbufs")
        .width(Width::Medium)
        .label("Plugin")
        .checks(&[Check::one_of::<Plugin>()])
        .doc("What turns the log into messages on the server: ``pgoutput``, which every server has, or ``decoderbufs``, an extension.");
    SLOT_NAME = Field::new("slot.name", String)
        .default("debezium")
        .width(Width::Medium)
        .label("Slot")
        .checks(&[Check::SlotName])
        .doc("The name of the replication slot: digits, lower-case letters and underscores.");
    PUBLICATION_NAME = Field::new("publication.name", String)
        .default("dbz_publication")
        .width(Width::Medium)
        .label("Publication")
        .doc("The name of the publication that ``pgoutput`` streams.");
    PUBLICATION_AUTOCREATE_MODE = Field::new("publication.autocreate.mode", String)
        .default("all_tables")
        .width(Width::Medium)
        .label("Publication Auto Create Mode")
        .checks(&[Check::one_of::<PublicationMode>()])
        .doc("What happens to the publication at start: ``all_tables`` creates it for all tables if there is none, ``filtered`` creates or alters it for the captured tables, ``no_tables`` creates it without tables, ``disabled`` leaves it alone.");
    REPLICA_IDENTITY_AUTOSET_VALUES = Field::new("replica.identity.autoset.values", String)
        .width(Width::Long)
        .label("Replica Identity Auto Set Values")
        .checks(&[Check::ReplicaIdentity])
        .doc("Replica identities to give to tables at start: a comma-separated list of ``<regular expression of schema.table>:<DEFAULT, FULL, NOTHING or INDEX name>``.");
    SLOT_DROP_ON_STOP = Field::new("slot.drop.on.stop", Boolean)
        .default("false")
        .label("Drop slot on stop")
        .doc("Whether the replication slot is dropped when the connector stops in order. Changes between a stop and the next start are then lost.");
    SLOT_FAILOVER = Field::new("slot.failover", Boolean)
        .default("false")
        .label("Create failover slot")
        .doc("Whether the replication slot is created so that it is there after a failover (PostgreSQL 17 and newer).");
    SLOT_STREAM_PARAMS = Field::new("slot.stream.params", String)
        .importance(Low)
        .width(Width::Long)
        .label("Optional parameters to pass to the logical decoder when the stream is started.")
        .doc("Further options of the output plug-in, ``name=value`` with semicolons between them.");
    DATABASE_INITIAL_STATEMENTS = Field::new("database.initial.statements", String)
        .importance(Low)
        .width(Width::Long)
        .label("Initial statements")
        .doc("Statements to execute on each ordinary connection, with semicolons between them; two semicolons stand for one within a statement.");
    DATABASE_SSLMODE = Field::new("database.sslmode", String)
        .default("prefer")
        .width(Width::Medium)
        .label("SSL mode")
        .checks(&[Check::one_of::<SslMode>()])
        .doc("Whether and how to use TLS: ``disable``, ``allow``, ``prefer``, ``require``, ``verify-ca`` (an authority vouches for the server) or ``verify-full`` (and the certificate names the host).");
    DATABASE_SSLCERT = Field::new("database.sslcert", String)
        .width(Width::Long)
        .label("SSL Client Certificate")
        .doc("The file of the client's certificate.");
    DATABASE_SSLPASSWORD = Field::new("database.sslpassword", Password)
        .width(Width::Medium)
        .label("SSL Client Key Password")
        .doc("The password of the file of the client's private key.");
    DATABASE_SSLROOTCERT = Field::new("database.sslrootcert", String)
        .width(Width::Long)
        .label("SSL Root Certificate")
        .doc("The file of the authorities that vouch for the server.");
    DATABASE_SSLKEY = Field::new("database.sslkey", String)
        .width(Width::Long)
        .label("SSL Client Key")
        .doc("The file of the client's private key.");
    SLOT_MAX_RETRIES = Field::new("slot.max.retries", Int)
        .default("6")
        .importance(Low)
        .label("Retry count")
        .checks(&[Check::Integer])
        .doc("How often to try again to use or create the replication slot.");
    SLOT_RETRY_DELAY_MS = Field::new("slot.retry.delay.ms", Long)
        .default("10000")
        .importance(Low)
        .label("Retry delay")
        .checks(&[Check::Integer])
        .doc("How long to wait before the replication slot is tried again, in milliseconds.");
    DATABASE_SSLFACTORY = Field::new("database.sslfactory", String)
        .width(Width::Long)
        .label("SSL Root Certificate")
        .doc("``org.postgresql.ssl.NonValidatingFactory`` for TLS without checking who the server is.");
    STATUS_UPDATE_INTERVAL_MS = Field::new("status.update.interval.ms", Int)
        .default("10000")
        .width(Width::Short)
        .label("Status update interval (ms)")
        .checks(&[Check::PositiveInteger])
        .doc("How often the server is told of positions while streaming, in milliseconds.");
    LSN_FLUSH_TIMEOUT_MS = Field::new("lsn.flush.timeout.ms", Long)
        .default("30000")
        .width(Width::Short)
        .label("LSN flush timeout (ms)")
        .checks(&[Check::PositiveInteger])
        .doc("How long confirming a position may take, in milliseconds.");
    LSN_FLUSH_TIMEOUT_ACTION = Field::new("lsn.flush.timeout.action", String)
        .default("fail")
        .width(Width::Medium)
        .label("LSN flush timeout action")
        .checks(&[Check::one_of::<LsnFlushTimeoutAction>()])
        .doc("What happens if confirming a position takes too long: ``fail``, ``warn`` or ``ignore``.");
    DATABASE_TCPKEEPALIVE = Field::new("database.tcpKeepAlive", Boolean)
        .default("true")
        .width(Width::Short)
        .label("TCP keep-alive probe")
        .checks(&[Check::Boolean])
        .doc("Whether idle connections are probed (TCP keep-alive).");
    XMIN_FETCH_INTERVAL_MS = Field::new("xmin.fetch.interval.ms", Long)
        .default("0")
        .width(Width::Short)
        .label("Xmin fetch interval (ms)")
        .checks(&[Check::NonNegativeLong])
        .doc("How often ``xmin`` is read from the replication slot, in milliseconds; 0 for never.");
    SKIPPED_OPERATIONS = Field::new("skipped.operations", List)
        .default("t")
        .importance(Low)
        .width(Width::Short)
        .label("Skipped Operations")
        .checks(&[Check::SkippedOperations])
        .doc("Operations that are left out: ``c``, ``u``, ``d`` and ``t`` with commas between them, or ``none``.");
    LSN_FLUSH_MODE = Field::new("lsn.flush.mode", String)
        .importance(Low)
        .width(Width::Short)
        .label("LSN flush mode")
        .checks(&[Check::optional_one_of::<LsnFlushMode>()])
        .doc("Who tells the server which part of the log it may forget: ``connector``, up to what was committed; ``manual``, nobody here; ``connector_and_driver``, also up to the server's own position while nothing happens.");
    FLUSH_LSN_SOURCE = Field::new("flush.lsn.source", Boolean)
        .default("true")
        .importance(Low)
        .width(Width::Short)
        .label("Boolean to determine if Debezium should flush LSN in the source database")
        .checks(&[Check::Boolean])
        .doc("Deprecated, see ``lsn.flush.mode``: true for ``connector``, false for ``manual``.");
}
