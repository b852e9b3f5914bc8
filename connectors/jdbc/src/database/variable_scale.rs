//! `io.debezium.data.VariableScaleDecimal`: decimals each with a scale of its
//! own.

use tether_api::data::{Decimal, Schema, Value};

/// Where in a struct scale and number are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct VariableScale {
    scale: usize,
    value: usize,
}

impl VariableScale {
    /// `None` if the schema has other fields.
    pub(super) fn of(schema: &Schema) -> Option<Self> {
        let index = |name| Some(schema.field(name)?.index);
        Some(Self {
            scale: index("scale")?,
            value: index("value")?,
        })
    }

    /// The number; `None` if the value is none.
    pub(super) fn decimal(self, value: &Value) -> Option<Decimal> {
        let parts = value.as_struct()?.values();
        match (parts.get(self.scale)?, parts.get(self.value)?) {
            (Value::Int32(scale), Value::Bytes(bytes)) => {
                Some(Decimal::from_be_bytes(bytes, *scale))
            }
            _ => None,
        }
    }
}
