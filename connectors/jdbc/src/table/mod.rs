//! Tables: their names, which topics they are for, and what the database says of
//! their columns.

mod definition;
mod id;
mod naming;

pub(crate) use definition::{Column, TableDefinition};
pub(crate) use id::TableId;
pub(crate) use naming::{Dots, TableNaming};
