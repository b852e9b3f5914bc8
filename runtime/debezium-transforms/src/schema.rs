//! Schemas made of others (`org.apache.kafka.connect.transforms.util.SchemaUtil`).

use tether_api::data::{Schema, SchemaBuilder};

/// How many schemas a transformation remembers.
pub(crate) const CACHE_SIZE: usize = 64;

/// A builder with the name, version, documentation and parameters of a schema.
pub(crate) fn copy_basics(schema: &Schema, builder: SchemaBuilder) -> SchemaBuilder {
    let builder = builder
        .with_name(schema.name().map(Into::into))
        .with_version(schema.version())
        .parameters(schema.parameters().clone());
    match schema.doc() {
        Some(doc) => builder.doc(doc),
        None => builder,
    }
}

/// A builder of a required struct with the basics and the fields of another.
pub(crate) fn copy_struct(schema: &Schema) -> SchemaBuilder {
    let builder = copy_basics(schema, SchemaBuilder::structure());
    schema.fields().iter().fold(builder, |builder, field| {
        builder.field(field.name.clone(), field.schema.clone())
    })
}
