//! How Debezium's connectors and transformations adjust names
//! (`io.debezium.schema.SchemaNameAdjuster`).

mod adjust;

pub use adjust::{NameAdjustment, adjust_field, adjust_schema, replace};
