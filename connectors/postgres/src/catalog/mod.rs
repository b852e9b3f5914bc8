//! What the catalog of the database tells.

pub mod tables;
pub mod types;
