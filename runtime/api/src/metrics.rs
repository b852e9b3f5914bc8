//! Metrics of connectors' own.
//!
//! A task finds the worker's registry in its context, registers groups there and
//! keeps them as long as it runs: they vanish with their [`Group`]. Names and tags
//! are those of the MBeans that dashboards know the connector by.

pub use tether_metrics::{Counter, Gauge, Group, GroupBuilder, Metrics, Sensor, Statistic, Text};
