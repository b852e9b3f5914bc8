//! Single message transformations and the predicates that guard them.

use crate::Result;
use crate::config::ConfigMap;
use crate::record::ConnectRecord;

/// Changes or drops records, one at a time, without I/O. Each task has its own
/// instance, which may keep what it worked out for a schema.
pub trait Transformation: Send {
    /// The record after the change; `None` drops it.
    ///
    /// # Errors
    /// Data, if the record does not fit.
    fn apply(&mut self, record: ConnectRecord) -> Result<Option<ConnectRecord>>;
}

/// Says whether a transformation applies to a record (KIP-585).
pub trait Predicate: Send {
    /// Whether the record fulfils the predicate.
    fn test(&mut self, record: &ConnectRecord) -> bool;
}

/// Makes a transformation from its configuration, prefix removed.
pub type NewTransformation = fn(&ConfigMap) -> Result<Box<dyn Transformation>>;

/// Makes a predicate from its configuration, prefix removed.
pub type NewPredicate = fn(&ConfigMap) -> Result<Box<dyn Predicate>>;
