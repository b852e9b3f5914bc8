//! The flattened schema of a struct, worked out once.

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::{ConnectError, Result};

use super::field_name;
use crate::schema::{build_with_default, copy_basics};

/// A flattened schema and where its values come from.
pub(super) struct Flattened {
    pub(super) schema: SchemaRef,
    /// One for each field of the original schema, by index.
    pub(super) sources: Box<[Source]>,
}

/// What a field of the original schema becomes.
pub(super) enum Source {
    /// One field.
    Value,
    /// The fields of the struct that it is.
    Struct(Box<[Source]>),
}

impl Flattened {
    /// Works out the flattened schema.
    ///
    /// # Errors
    /// Data, if the schema has maps, or two paths make the same name.
    pub(super) fn of(schema: &SchemaRef, delimiter: &str) -> Result<Self> {
        let mut flattening = Flattening {
            delimiter,
            builder: copy_basics(schema, SchemaBuilder::structure()),
        };
        let default = schema.default_value().and_then(Value::as_struct);
        let sources = flattening.add_fields("", schema, schema.is_optional(), default)?;
        Ok(Self {
            schema: flattening.builder.build(),
            sources,
        })
    }
}

struct Flattening<'a> {
    delimiter: &'a str,
    builder: SchemaBuilder,
}

impl Flattening<'_> {
    /// Adds the fields of a struct. What lies within something optional is
    /// optional, and the default of a struct is one for its fields.
    fn add_fields(
        &mut self,
        prefix: &str,
        schema: &Schema,
        optional: bool,
        default: Option<&Struct>,
    ) -> Result<Box<[Source]>> {
        let mut sources = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name = field_name(prefix, self.delimiter, &field.name);
            let optional = optional || field.schema.is_optional();
            let default = field
                .schema
                .default_value()
                .or_else(|| default?.get_at(field.index))
                .filter(|default| !default.is_null());
            sources.push(match field.schema.kind() {
                Type::Struct if field.schema.is_reference() => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation does not support structs that contain themselves \
                         (for field {name})."
                    )));
                }
                Type::Struct => {
                    let default = default.and_then(Value::as_struct);
                    Source::Struct(self.add_fields(&name, &field.schema, optional, default)?)
                }
                Type::Map => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation does not support MAP for record with schemas (for \
                         field {name})."
                    )));
                }
                _ => {
                    let schema = field_schema(&field.schema, optional, default)?;
                    let builder = std::mem::replace(&mut self.builder, SchemaBuilder::structure());
                    self.builder = builder.try_field(name, schema)?;
                    Source::Value
                }
            });
        }
        Ok(sources.into_boxed_slice())
    }
}

fn field_schema(original: &Schema, optional: bool, default: Option<&Value>) -> Result<SchemaRef> {
    let mut builder = Schema::builder(original.kind());
    if let Some(elements) = original.value_schema() {
        builder = builder.values(elements.clone());
    }
    build_with_default(
        copy_basics(original, builder).with_optional(optional),
        default.cloned(),
    )
}
