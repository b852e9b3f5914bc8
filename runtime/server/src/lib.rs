//! The tether binary: command line, plugin list and demo.

pub mod demo;
