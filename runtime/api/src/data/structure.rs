//! Structs: a schema and one value per field, by index.

use std::fmt;

use super::{SchemaRef, Type, Value, validate};
use crate::{ConnectError, Result};

/// A record of named fields. Fields are reached by index; resolve names through
/// the schema once per schema.
#[derive(Clone)]
pub struct Struct {
    schema: SchemaRef,
    values: Box<[Value]>,
}

impl Struct {
    /// A struct whose fields are all null.
    ///
    /// # Errors
    /// Data, if the schema is not one of a struct.
    pub fn new(schema: SchemaRef) -> Result<Self> {
        if schema.kind() != Type::Struct {
            return Err(ConnectError::data(format!(
                "Not a struct schema: {schema:?}"
            )));
        }
        let values = vec![Value::Null; schema.fields().len()].into_boxed_slice();
        Ok(Self { schema, values })
    }

    /// A struct of these values, in the order of the schema's fields. Whether
    /// each value fits its field is not checked here; see [`Struct::validate`].
    ///
    /// # Errors
    /// Data, if the schema is not one of a struct or the number of values is
    /// not the number of fields.
    pub fn from_values(schema: SchemaRef, values: Vec<Value>) -> Result<Self> {
        if schema.kind() != Type::Struct || schema.fields().len() != values.len() {
            return Err(ConnectError::data(format!(
                "{} values do not fit {schema:?} with {} fields",
                values.len(),
                schema.fields().len()
            )));
        }
        Ok(Self {
            schema,
            values: values.into_boxed_slice(),
        })
    }

    /// The schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// All values in the order of the fields, nulls where defaults would apply.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// All values, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [Value] {
        &mut self.values
    }

    /// The values, leaving the schema.
    pub fn into_values(self) -> Vec<Value> {
        self.values.into_vec()
    }

    /// The value of the field at this index; the field's default in place of
    /// null (Java's `Struct.get`). `None` if there is no such field.
    pub fn get_at(&self, index: usize) -> Option<&Value> {
        let value = self.values.get(index)?;
        if value.is_null()
            && let Some(default) = self.schema.fields()[index].schema.default_value()
        {
            return Some(default);
        }
        Some(value)
    }

    /// The value of the field of this name; the field's default in place of
    /// null. `None` if there is no such field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.get_at(self.schema.field(name)?.index)
    }

    /// The value of the field of this name, null even where there is a default
    /// (Java's `Struct.getWithoutDefault`).
    pub fn get_without_default(&self, name: &str) -> Option<&Value> {
        self.values.get(self.schema.field(name)?.index)
    }

    /// Sets a field after checking that the value fits its schema.
    ///
    /// # Errors
    /// Data, if there is no such field or the value does not fit.
    pub fn put(&mut self, name: &str, value: Value) -> Result<&mut Self> {
        let Some(field) = self.schema.field(name) else {
            return Err(ConnectError::data(format!(
                "{name} is not a valid field name"
            )));
        };
        validate(Some(&field.name), &field.schema, &value)?;
        self.values[field.index] = value;
        Ok(self)
    }

    /// Checks every field against its schema.
    ///
    /// # Errors
    /// Data, with the reference's text for the first field that does not fit.
    pub fn validate(&self) -> Result<()> {
        for (field, value) in self.schema.fields().iter().zip(&self.values) {
            if value.is_null()
                && (field.schema.is_optional() || field.schema.default_value().is_some())
            {
                continue;
            }
            validate(Some(&field.name), &field.schema, value)?;
        }
        Ok(())
    }
}

impl PartialEq for Struct {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.values == other.values
    }
}

impl fmt::Display for Struct {
    /// `Struct{a=1,b=x}`, null fields left out, as the reference prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Struct{")?;
        let present = self
            .schema
            .fields()
            .iter()
            .zip(&self.values)
            .filter(|(_, value)| !value.is_null());
        for (position, (field, value)) in present.enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{}={value}", field.name)?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Schema, SchemaBuilder};
    use super::*;

    fn schema() -> SchemaRef {
        SchemaBuilder::structure()
            .field("a", Schema::primitive(Type::Int32, false))
            .field(
                "b",
                Schema::builder(Type::String)
                    .default_value("x".into())
                    .build(),
            )
            .build()
    }

    #[test]
    fn default_stands_in_for_null() -> Result<()> {
        let mut value = Struct::new(schema())?;
        value.put("a", 1i32.into())?;
        assert_eq!(value.get("b"), Some(&Value::from("x")));
        assert_eq!(value.get_without_default("b"), Some(&Value::Null));
        assert_eq!(value.to_string(), "Struct{a=1}");
        value.validate()
    }

    #[test]
    fn misfits_are_refused() -> Result<()> {
        let mut value = Struct::new(schema())?;
        assert!(value.put("c", Value::Null).is_err());
        assert!(value.put("a", "text".into()).is_err());
        let error = value.validate().err().map(|e| e.to_string());
        assert_eq!(
            error.as_deref(),
            Some("Invalid value: null used for required field: \"a\", schema type: INT32")
        );
        Ok(())
    }
}
