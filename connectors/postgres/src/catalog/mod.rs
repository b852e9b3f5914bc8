//! What the catalog of the database tells.

pub mod types;
