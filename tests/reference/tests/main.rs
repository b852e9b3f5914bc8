//! Converters, transformations, config providers and the leader's assignor against the reference's own classes, which a
//! Java program runs: same bytes, schemas, values and error messages.
//!
//! Generated cases are the same in every run.

#[cfg(test)]
mod assignor;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod config;
#[cfg(test)]
mod converters;
#[cfg(test)]
mod debezium;
#[cfg(test)]
mod transforms;
#[cfg(test)]
mod variables;
