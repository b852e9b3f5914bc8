//! What a request to a herder carries.

use indexmap::IndexMap;
use tether_api::offset::OffsetMap;
use tether_storage::TargetState;

/// A configuration as a client sent it: scalars have become text, nulls are
/// still there.
pub type RawConfig = IndexMap<String, Option<String>>;

/// A request to create a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateConnector {
    /// The name, trimmed; empty if none was given.
    pub name: String,
    /// The configuration; `name` is in it.
    pub config: RawConfig,
    /// The state to begin in (KIP-980).
    pub initial_state: Option<TargetState>,
}

/// A partition of a connector and its offset, in the form of the REST API:
/// `kafka_topic`, `kafka_partition` and `kafka_offset` for sinks, the
/// connector's own maps for sources.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectorOffset {
    /// The partition; `None` where a client sent null.
    pub partition: Option<OffsetMap>,
    /// The offset; `None` deletes it.
    pub offset: Option<OffsetMap>,
}

/// What to do with the offsets of a connector (KIP-875).
#[derive(Debug, Clone, PartialEq)]
pub enum OffsetChange {
    /// Set these, leave the others.
    Alter(Vec<ConnectorOffset>),
    /// Delete all.
    Reset,
}
