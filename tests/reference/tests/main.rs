//! Converters and transformations against the reference's own classes, which a
//! Java program runs: same bytes, schemas, values and error messages.
//!
//! Generated cases are the same in every run.

mod cases;
mod converters;
mod transforms;
