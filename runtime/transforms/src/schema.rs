//! Schemas made of others (`org.apache.kafka.connect.transforms.util.SchemaUtil`).

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Value, validate};
use tether_api::{ConnectError, Result};

/// How many schemas a transformation remembers.
pub(crate) const CACHE_SIZE: usize = 16;

/// A builder with the name, version, documentation and parameters of a schema.
pub(crate) fn copy_basics(schema: &Schema, mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder
        .with_name(schema.name().map(Into::into))
        .with_version(schema.version())
        .parameters(schema.parameters().clone());
    match schema.doc() {
        Some(doc) => builder.doc(doc),
        None => builder,
    }
}

/// The finished schema with a default, if there is one.
///
/// # Errors
/// Data, if the default does not fit.
pub(crate) fn build_with_default(
    builder: SchemaBuilder,
    default: Option<Value>,
) -> Result<SchemaRef> {
    let schema = builder.build();
    let Some(default) = default else {
        return Ok(schema);
    };
    validate(None, &schema, &default).map_err(|error| {
        ConnectError::data("Invalid default value")
            .with_class("org.apache.kafka.connect.errors.SchemaBuilderException")
            .caused_by(error)
    })?;
    Ok(schema.to_builder().default_value(default).build())
}
