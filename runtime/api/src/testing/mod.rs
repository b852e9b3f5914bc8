//! What tests of several crates share; only with the feature `testing`.

pub mod data;
