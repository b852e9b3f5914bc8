//! The text of a value as a Connect value.
//!
//! Values come as the text that the server writes, from `COPY` in a snapshot
//! and from `pgoutput` in the stream. [`ColumnConverter`] makes the Connect
//! value of it; it is made once per column. [`TableSchema`] holds those of a
//! table, builds the schemas of its records, and turns rows into structs.
//!
//! The texts are those of a session with [`SESSION_SETTINGS`].

mod array;
mod binary;
mod bits;
mod column;
mod conversion;
pub mod copy;
mod decimal;
mod default;
mod geometry;
mod hstore;
mod interval;
mod mapping;
mod money;
mod number;
mod phase;
mod session;
mod shape;
mod table_schema;
mod temporal;
mod unavailable;
mod vector;

pub(crate) use binary::{hex, unhex};
pub use column::ColumnConverter;
pub use phase::Phase;
pub use session::SESSION_SETTINGS;
pub use table_schema::TableSchema;
pub(crate) use temporal::{instant_text, sql_date_millis, sql_date_text};
