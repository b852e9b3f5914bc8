//! Words to choose from.

use tether_api::data::java_hash_order;
pub use tether_debezium_naming::NameAdjustment;

/// An enumeration whose words may be written in any case.
pub trait Choice: Copy + PartialEq + Sized + 'static {
    /// All values with their words, in the order of the reference's enum.
    const WORDS: &'static [(Self, &'static str)];

    /// The value of a word; blanks around it do not count.
    fn of(word: &str) -> Option<Self> {
        let word = word.trim();
        Self::WORDS
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(word))
            .map(|(value, _)| *value)
    }

    /// The word.
    fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(value, _)| *value == self)
            .map_or("", |(_, word)| word)
    }

    /// All words in lower case, in the order in which the reference names them:
    /// that of a hash set.
    fn words() -> Vec<String> {
        let words = Self::WORDS.iter().map(|(_, word)| word.to_lowercase());
        java_hash_order(words.collect(), |word| word)
    }
}

impl Choice for NameAdjustment {
    const WORDS: &'static [(Self, &'static str)] = Self::WORDS;
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl Choice for $name {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),*];
        })*
    };
}

choices! {
    /// `tether.values`: what becomes of values that the reference loses or gets
    /// wrong. Not a key of the reference.
    ValueFidelity {
        /// What the reference makes of them.
        Reference = "reference",
        /// What they are.
        Correct = "correct",
    }

    /// `plugin.name`: what turns the log into messages on the server.
    Plugin {
        /// The one that servers have.
        Pgoutput = "pgoutput",
        /// An extension, which few servers have.
        Decoderbufs = "decoderbufs",
    }

    /// `publication.autocreate.mode`: what happens to the publication at start.
    PublicationMode {
        /// It has to be there.
        Disabled = "disabled",
        /// It is created for all tables.
        AllTables = "all_tables",
        /// It is created or altered for the captured tables.
        Filtered = "filtered",
        /// It is created without tables.
        NoTables = "no_tables",
    }

    /// `database.sslmode`: whether and how to use TLS.
    SslMode {
        /// Never.
        Disable = "disable",
        /// If the server insists.
        Allow = "allow",
        /// If the server can.
        Prefer = "prefer",
        /// Always, whoever the server is.
        Require = "require",
        /// Always; an authority vouches for the server's certificate.
        VerifyCa = "verify-ca",
        /// The same, and the certificate names the host.
        VerifyFull = "verify-full",
    }

    /// `lsn.flush.mode`: who tells the server which positions it may forget.
    LsnFlushMode {
        /// The connector, up to what was committed.
        Connector = "connector",
        /// Nobody here.
        Manual = "manual",
        /// The connector, and while nothing happens also up to the position of
        /// a keepalive.
        ConnectorAndDriver = "connector_and_driver",
    }

    /// `lsn.flush.timeout.action`: what happens if confirming takes too long.
    LsnFlushTimeoutAction {
        /// The task fails.
        Fail = "fail",
        /// It is logged.
        Warn = "warn",
        /// Nothing.
        Ignore = "ignore",
    }

    /// `slot.guardian.limit.action`: what happens if the server keeps more of its
    /// log for the slot than it shall.
    SlotLimitAction {
        /// The task fails; the slot stays, and nothing is lost.
        Fail = "fail",
        /// The slot is dropped, and the task fails. The changes that follow are
        /// lost.
        Drop = "drop",
    }

    /// `offset.mismatch.strategy`: what happens if the stored position and that
    /// of the slot differ at start.
    OffsetMismatch {
        /// Nothing; the stored position counts.
        NoValidation = "no_validation",
        /// The slot is advanced to the stored position.
        TrustOffset = "trust_offset",
        /// The stored position is advanced to the slot's.
        TrustSlot = "trust_slot",
        /// The one that lags behind is advanced.
        TrustGreaterLsn = "trust_greater_lsn",
    }

    /// `snapshot.mode`: when rows that are there already are read.
    SnapshotMode {
        /// At every start.
        Always = "always",
        /// At the first start.
        Initial = "initial",
        /// Never.
        NoData = "no_data",
        /// At the first start, and nothing after.
        InitialOnly = "initial_only",
        /// At the first start, and whenever the log misses what comes next.
        WhenNeeded = "when_needed",
        /// As five further keys say.
        ConfigurationBased = "configuration_based",
        /// As a class says, which cannot be had here.
        Custom = "custom",
    }

    /// `snapshot.isolation.mode`: the isolation of the snapshot's transaction
    /// unless it shares the slot's view.
    SnapshotIsolation {
        /// `SERIALIZABLE`, deferrable.
        Serializable = "serializable",
        /// `REPEATABLE READ`.
        RepeatableRead = "repeatable_read",
        /// `READ COMMITTED`.
        ReadCommitted = "read_committed",
        /// `READ UNCOMMITTED`.
        ReadUncommitted = "read_uncommitted",
    }

    /// `snapshot.locking.mode`: what the snapshot locks.
    SnapshotLocking {
        /// Tables against changes of their structure.
        Shared = "shared",
        /// Nothing.
        None = "none",
        /// What a class says, which cannot be had here.
        Custom = "custom",
    }

    /// `snapshot.query.mode`: what the snapshot selects.
    SnapshotQuery {
        /// All rows.
        SelectAll = "select_all",
        /// What a class says, which cannot be had here.
        Custom = "custom",
    }

    /// `snapshot.tables.order.by.row.count`: which tables the snapshot reads
    /// first.
    RowCountOrder {
        /// Small ones.
        Ascending = "ascending",
        /// Large ones.
        Descending = "descending",
        /// Those that are named first.
        Disabled = "disabled",
    }

    /// `incremental.snapshot.watermarking.strategy`: how the end of a window is
    /// marked.
    Watermarking {
        /// By a second row.
        InsertInsert = "INSERT_INSERT",
        /// By deleting the row that opened it.
        InsertDelete = "INSERT_DELETE",
    }

    /// `decimal.handling.mode`: what numbers with a fixed point become.
    DecimalMode {
        /// Exact numbers.
        Precise = "precise",
        /// Text.
        String = "string",
        /// Floating point numbers.
        Double = "double",
    }

    /// `time.precision.mode`: what dates and times without zone become.
    TimePrecision {
        /// Numbers in the unit that the column's precision asks for.
        Adaptive = "adaptive",
        /// The same, but times of day always in microseconds.
        AdaptiveTimeMicroseconds = "adaptive_time_microseconds",
        /// Connect's own types, in milliseconds.
        Connect = "connect",
        /// Text by ISO 8601.
        IsoString = "isostring",
        /// Numbers of microseconds.
        Microseconds = "microseconds",
        /// Numbers of nanoseconds.
        Nanoseconds = "nanoseconds",
    }

    /// `interval.handling.mode`: what intervals become.
    IntervalMode {
        /// Numbers of microseconds.
        Numeric = "numeric",
        /// Text by ISO 8601.
        String = "string",
    }

    /// `hstore.handling.mode`: what values of `hstore` become.
    HstoreMode {
        /// Text of a JSON object.
        Json = "json",
        /// A map.
        Map = "map",
    }

    /// `binary.handling.mode`: what bytes become.
    BinaryMode {
        /// Bytes.
        Bytes = "bytes",
        /// Text in base 64.
        Base64 = "base64",
        /// Text in base 64 for URLs.
        Base64UrlSafe = "base64-url-safe",
        /// Text in lower-case hexadecimal digits.
        Hex = "hex",
    }

    /// `schema.refresh.mode`: which differences of a message's columns make the
    /// connector read a table's structure again.
    SchemaRefresh {
        /// All.
        ColumnsDiff = "columns_diff",
        /// All but missing columns that may be stored out of line.
        ColumnsDiffExcludeUnchangedToast = "columns_diff_exclude_unchanged_toast",
    }

    /// `event.processing.failure.handling.mode`: what happens to a change that
    /// cannot be processed.
    ProcessingFailure {
        /// It is left out and logged at a low level.
        Skip = "skip",
        /// It is left out and logged.
        Warn = "warn",
        /// The task fails.
        Fail = "fail",
        /// It is left out without a word.
        Ignore = "ignore",
    }

    /// `event.converting.failure.handling.mode`: what happens to a value that
    /// cannot be converted.
    ConvertingFailure {
        /// It becomes null and is logged at a low level.
        Skip = "skip",
        /// It becomes null and is logged.
        Warn = "warn",
        /// The task fails.
        Fail = "fail",
    }

    /// `guardrail.collections.limit.action`: what happens if there are more
    /// tables than allowed.
    GuardrailAction {
        /// It is logged.
        Warn = "warn",
        /// The task fails.
        Fail = "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_written_in_any_case() {
        assert_eq!(Plugin::of(" PgOutput "), Some(Plugin::Pgoutput));
        assert_eq!(
            Watermarking::of("insert_delete"),
            Some(Watermarking::InsertDelete)
        );
        assert_eq!(SnapshotMode::of("never"), None);
        assert_eq!(SslMode::VerifyFull.word(), "verify-full");
    }

    #[test]
    fn the_order_of_words_is_that_of_a_hash_set() {
        // As the reference's messages have them.
        assert_eq!(Plugin::words(), ["decoderbufs", "pgoutput"]);
    }
}
