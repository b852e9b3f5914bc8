//! What a part must be, with the reference's words where it is not
//! (`org.apache.kafka.connect.transforms.util.Requirements`).

use tether_api::data::{MapValue, Struct, Value};
use tether_api::{ConnectError, Result};

/// The map of a schemaless part.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_map<'a>(value: &'a Value, purpose: &str) -> Result<&'a MapValue> {
    value.as_map().ok_or_else(|| {
        ConnectError::data(format!(
            "Only Map objects supported in absence of schema for [{purpose}], found: {}",
            value.java_class()
        ))
    })
}

/// The struct of a part with a schema.
///
/// # Errors
/// Data, if it is something else.
pub(crate) fn require_struct<'a>(value: &'a Value, purpose: &str) -> Result<&'a Struct> {
    value.as_struct().ok_or_else(|| {
        ConnectError::data(format!(
            "Only Struct objects supported for [{purpose}], found: {}",
            value.java_class()
        ))
    })
}
