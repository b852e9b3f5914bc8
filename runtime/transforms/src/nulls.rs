//! What becomes of fields that are null (`replace.null.with.default`).

use tether_api::Result;
use tether_api::config::{ConfigKey, ConfigType, ParsedConfig};
use tether_api::data::{Field, Schema, Value, validate};

const REPLACE_NULL_WITH_DEFAULT: &str = "replace.null.with.default";

/// What becomes of fields that are null and have a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// The default takes their place.
    Default,
    /// They stay null.
    Keep,
}

impl Nulls {
    /// The key that says it.
    pub(crate) fn key() -> ConfigKey {
        ConfigKey::new(REPLACE_NULL_WITH_DEFAULT, ConfigType::Boolean)
            .default_boolean(true)
            .doc("Whether a field that is null and has a default takes that default.")
    }

    /// What a configuration says.
    ///
    /// # Errors
    /// Config, if the key is not defined.
    pub(crate) fn of(config: &ParsedConfig) -> Result<Self> {
        Ok(if config.boolean(REPLACE_NULL_WITH_DEFAULT)? {
            Self::Default
        } else {
            Self::Keep
        })
    }

    /// The value of a field as a transformation sees it.
    pub(crate) fn read(self, field: &Field, value: Value) -> Value {
        match field.schema.default_value() {
            Some(default) if self == Self::Default && value.is_null() => default.clone(),
            _ => value,
        }
    }

    /// The value of a field as it goes into another struct, in which the field
    /// has the same schema.
    ///
    /// # Errors
    /// Data, if it is null and must not be.
    pub(crate) fn carry(self, field: &Field, value: Value) -> Result<Value> {
        let value = self.read(field, value);
        check_null(field, &value)?;
        Ok(value)
    }

    /// The values of all fields of a struct as they go into another one.
    ///
    /// # Errors
    /// Data, if one is null and must not be.
    pub(crate) fn carry_all(self, schema: &Schema, values: &mut [Value]) -> Result<()> {
        for (field, value) in schema.fields().iter().zip(values) {
            if value.is_null() {
                *value = self.carry(field, Value::Null)?;
            }
        }
        Ok(())
    }
}

/// Refuses a null that a field must not be.
///
/// # Errors
/// Data, with the reference's words.
pub(crate) fn check_null(field: &Field, value: &Value) -> Result<()> {
    if value.is_null() {
        validate(Some(&field.name), &field.schema, value)?;
    }
    Ok(())
}
