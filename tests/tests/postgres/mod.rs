//! Change data capture from PostgreSQL: Debezium's connector in the Java worker is the judge of ours.

// Most of its variants begin with a snapshot, which there is not yet.
#[cfg(feature = "soak")]
mod differential;
mod faults;
mod replication;
mod scene;
mod signals;
mod snapshot;
mod streaming;
mod takeover;
mod workers;
