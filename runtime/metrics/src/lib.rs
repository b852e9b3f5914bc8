//! What a worker and its connectors count and measure.
//!
//! Metrics are attributes of groups, as the MBeans of JMX have them: a group has
//! a domain, a type and tags (`kafka.connect`, `source-task-metrics`, connector
//! and task). Who counts registers a group at a [`Metrics`] registry, keeps what
//! that returns, and updates it:
//!
//! ```
//! # use tether_metrics::Metrics;
//! # let metrics = Metrics::default();
//! let mut group = metrics.group("debezium.postgres", "connector-metrics");
//! group.tag("context", "streaming").tag("server", "shop");
//! let seen = group.counter("TotalNumberOfEventsSeen", "Events since the start.");
//! let connected = group.gauge("Connected", "1 while the stream is connected, else 0.");
//! let group = group.register();
//!
//! connected.set(1);
//! seen.add(500);
//! drop(group); // Its series are gone.
//! ```
//!
//! Counters and gauges are one atomic each. A [`Sensor`], which has rates,
//! averages and extremes, takes a lock that only readers contend for: record once
//! per batch. [`prometheus`] writes everything as text.

mod clock;
mod group;
mod process;
pub mod prometheus;
mod reading;
mod registry;
mod samples;
mod sensor;
mod value;

pub use clock::{Clock, ManualClock};
pub use group::{Group, GroupBuilder};
pub use process::ProcessUsage;
pub use reading::Numbers;
pub use registry::Metrics;
pub use samples::Sampling;
pub use sensor::{Sensor, Statistic};
pub use value::{Counter, Gauge, Text};
