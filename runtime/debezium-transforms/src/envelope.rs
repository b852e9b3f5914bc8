//! The envelope of change events (`io.debezium.data.Envelope`).

use tether_api::data::Schema;
use tether_api::record::ConnectRecord;

/// The row before the change.
pub(crate) const BEFORE: &str = "before";
/// The row after the change.
pub(crate) const AFTER: &str = "after";
/// The letter of the kind of change.
pub(crate) const OPERATION: &str = "op";
/// Where the change comes from.
pub(crate) const SOURCE: &str = "source";
/// The place of the change within its transaction.
pub(crate) const TRANSACTION: &str = "transaction";

/// The letter of a deletion.
pub(crate) const DELETE: &str = "d";

/// The letter of an update.
pub(crate) const UPDATE: &str = "u";
/// The letter of a table that was emptied.
pub(crate) const TRUNCATE: &str = "t";
/// The letter of a logical message.
pub(crate) const MESSAGE: &str = "m";

/// Whether the value of a record is a change event, which its schema's name
/// says (`SmtManager.isValidEnvelope`).
pub(crate) fn is_envelope(record: &ConnectRecord) -> bool {
    record
        .value_schema
        .as_deref()
        .is_some_and(is_envelope_schema)
}

/// Whether a schema is one of change events.
pub(crate) fn is_envelope_schema(schema: &Schema) -> bool {
    schema
        .name()
        .is_some_and(|name| name.ends_with(".Envelope"))
}
