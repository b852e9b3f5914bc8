//! Tables: their names and what the database says of their columns.

mod definition;
mod id;

pub(crate) use definition::{Column, TableDefinition};
pub(crate) use id::TableId;
