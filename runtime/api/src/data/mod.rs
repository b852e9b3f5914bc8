//! Connect's data model: [`Schema`], [`Value`], [`Struct`] and the logical
//! types.
//!
//! It is laid out for speed: schemas are shared and compared by pointer first,
//! struct fields are reached by index, strings and bytes are reference counted
//! so that a decoder can hand out slices of its input.

mod cache;
mod decimal;
mod java_order;
mod java_text;
pub mod logical;
mod schema;
mod structure;
pub mod text;
mod validate;
mod value;

pub use bytes::Bytes;
/// An immutable UTF-8 string that clones without copying and can be a slice of
/// a larger buffer.
pub use bytestring::ByteString as Text;
pub use cache::SchemaCache;
pub use decimal::Decimal;
pub use java_order::{
    java_copied_map, java_copied_set, java_hash, java_hash_order, java_hash_order_in,
};
pub use java_text::{FloatText, java_f32, java_f64};
pub use num_bigint::BigInt;
pub use schema::{Field, Parameters, Schema, SchemaBuilder, SchemaRef, Type};
pub use structure::Struct;
pub use validate::validate;
pub use value::{MapValue, SchemaAndValue, Value};
