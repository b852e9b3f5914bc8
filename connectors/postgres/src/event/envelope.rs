//! The schema around the rows of an event.

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Type};

use super::transaction;

const VERSION: i32 = 2;

/// The schema of the events of a table: `name` is `<topic>.Envelope`, `row` the
/// optional schema of a row, `source` that of the source block.
pub fn envelope_schema(name: &str, row: &SchemaRef, source: &SchemaRef) -> SchemaRef {
    let time = || Schema::primitive(Type::Int64, true);
    SchemaBuilder::structure()
        .name(name)
        .version(VERSION)
        .field("before", row.clone())
        .field("after", row.clone())
        .field("source", source.clone())
        .field("transaction", transaction::block_schema())
        .field("op", Schema::primitive(Type::String, false))
        .field("ts_ms", time())
        .field("ts_us", time())
        .field("ts_ns", time())
        .build()
}
