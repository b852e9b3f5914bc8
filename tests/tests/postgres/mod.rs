//! Change data capture from PostgreSQL: Debezium's connector in the Java worker is the judge of ours.

mod always;
mod correct_values;
mod differential;
mod faults;
mod guardian;
mod incremental;
mod metrics;
mod replication;
mod reselect;
mod resume;
mod scene;
mod settings;
mod signals;
mod slots;
mod snapshot;
mod streaming;
mod takeover;
mod under_load;
mod workers;
