//! The values of one column.

use tether_api::data::{Bytes, SchemaRef, Value};
use tether_api::{ConnectError, Result};

use super::conversion::{Conversion, Misfit, Route};
use super::mapping::ColumnMapping;
use super::{Phase, default, shape, unavailable};
use crate::config::ValueSettings;
use crate::table::Column;
use crate::types::ColumnType;

/// Makes Connect values of the texts of a column. Made once for each version of
/// a table.
#[derive(Debug, Clone)]
pub struct ColumnConverter {
    schema: SchemaRef,
    conversion: Conversion,
    correct: bool,
    nullable: bool,
    null: Value,
    unavailable: Option<Value>,
    mapping: Option<ColumnMapping>,
}

/// What a column is part of.
pub(super) enum Role {
    /// The row. The mapping masks the column or says more in its schema.
    Value(Option<ColumnMapping>),
    /// The key.
    Key,
}

impl ColumnConverter {
    /// The converter of a column of this type.
    ///
    /// `None` for a column that the reference leaves out, as it knows nothing
    /// of its type: geometric types other than `point`, composite types,
    /// multiranges and others, unless `include.unknown.datatypes` or
    /// `tether.values=correct` asks for them.
    pub(super) fn new(
        column: &Column,
        column_type: &ColumnType,
        modes: &ValueSettings,
        role: Role,
    ) -> Option<Self> {
        let (builder, conversion) = shape::of(column_type, column.dimensions, modes)?;
        // A number that is none has to be null, whatever the column says.
        let partial = modes.correct && conversion.is_partial();
        let (mapping, optional) = match role {
            Role::Value(mapping) => (mapping, column.nullable || partial),
            Role::Key => (None, column.nullable),
        };
        let plain = builder.build();
        let default = default::of(column, column_type, &conversion, &plain);
        let mut builder = plain.to_builder();
        if let Some(mapping) = &mapping {
            builder = mapping.describe(builder, column, column_type);
        }
        if optional {
            builder = builder.optional();
        }
        if let Some(default) = default.clone() {
            builder = builder.default_value(default);
        }
        let schema = builder.build();
        let mapping = mapping.and_then(|mapping| match (&mapping, &conversion) {
            // The reference truncates bytes, but not those of bits,
            (ColumnMapping::Truncate(_), Conversion::Bits) => None,
            _ => mapping.for_values(column_type),
        });
        let null = match (column.nullable, default) {
            (true, _) => Value::Null,
            (false, Some(default)) => default,
            (false, None) => conversion.fallback(&schema),
        };
        let unavailable = unavailable::of(column_type, &conversion, modes);
        Some(Self {
            correct: modes.correct,
            nullable: column.nullable,
            null: mapped(mapping.as_ref(), null),
            unavailable: unavailable.map(|value| match value {
                // nor those of placeholders.
                Value::Bytes(_) => value,
                value => mapped(mapping.as_ref(), value),
            }),
            schema,
            conversion,
            mapping,
        })
    }

    /// The schema of the column: optional if it may be null, or has values that
    /// become null; with its default where that is known.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The value of a text. Texts and bytes of the value are slices of it where
    /// they can be.
    ///
    /// # Errors
    /// Data, if the text is no value of the column's type, or is one that the
    /// mode has no value for.
    pub fn convert(&self, text: &Bytes, phase: Phase) -> Result<Value> {
        let route = match self.correct {
            true => Route::Correct,
            false => Route::from(phase),
        };
        let value = match self.conversion.value(text, route, &self.schema) {
            Ok(Value::Null) => return Ok(self.null()),
            Ok(value) => value,
            // The reference logs it and goes on, whatever the failure mode.
            Err(misfit @ Misfit::Range) if self.nullable => {
                tracing::warn!(reason = %misfit, "A value became null");
                Value::Null
            }
            Err(misfit) => return Err(ConnectError::data(misfit.to_string())),
        };
        Ok(mapped(self.mapping.as_ref(), value))
    }

    /// The value of NULL: null where the column may be that; else its default,
    /// and if it has none, zero, an empty text or the like. A column that may
    /// not be null has none in old rows of which only the key is known, and
    /// when the configuration leaves it out.
    pub fn null(&self) -> Value {
        self.null.clone()
    }

    /// What stands for a large value that did not change and is not sent.
    ///
    /// # Errors
    /// Data, if the reference has nothing that fits the column's schema.
    pub fn unavailable(&self) -> Result<Value> {
        self.unavailable.clone().ok_or_else(|| {
            ConnectError::data(
                "the value was not sent, and no placeholder fits the column's schema",
            )
        })
    }
}

fn mapped(mapping: Option<&ColumnMapping>, value: Value) -> Value {
    match mapping {
        Some(mapping) => mapping.value(value),
        None => value,
    }
}
