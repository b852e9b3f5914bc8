//! Transformations that work on the key or on the value, as their class says.

use tether_api::data::{SchemaRef, Value};
use tether_api::record::ConnectRecord;

/// Which part of a record a transformation works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The key; the class ends in `$Key`.
    Key,
    /// The value; the class ends in `$Value`.
    Value,
}

impl Part {
    /// The schema of the part.
    pub(crate) fn schema(self, record: &ConnectRecord) -> Option<&SchemaRef> {
        match self {
            Self::Key => record.key_schema.as_ref(),
            Self::Value => record.value_schema.as_ref(),
        }
    }

    /// The part.
    pub(crate) fn value(self, record: &ConnectRecord) -> &Value {
        match self {
            Self::Key => &record.key,
            Self::Value => &record.value,
        }
    }

    /// Takes the part out of the record, which is to get another one.
    pub(crate) fn take(self, record: &mut ConnectRecord) -> (Option<SchemaRef>, Value) {
        match self {
            Self::Key => (record.key_schema.take(), std::mem::take(&mut record.key)),
            Self::Value => (
                record.value_schema.take(),
                std::mem::take(&mut record.value),
            ),
        }
    }

    /// The record with another part.
    pub(crate) fn replace(
        self,
        mut record: ConnectRecord,
        schema: Option<SchemaRef>,
        value: impl Into<Value>,
    ) -> ConnectRecord {
        let (old_schema, old_value) = match self {
            Self::Key => (&mut record.key_schema, &mut record.key),
            Self::Value => (&mut record.value_schema, &mut record.value),
        };
        *old_schema = schema;
        *old_value = value.into();
        record
    }
}
