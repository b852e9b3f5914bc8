//! Change data capture from PostgreSQL: Debezium's connector in the Java worker is the judge of ours.

#[cfg(feature = "soak")]
// Most of its variants begin with a snapshot, which there is not yet.
#[cfg(feature = "soak")]
mod differential;
mod faults;
mod replication;
mod scene;
mod streaming;
#[cfg(feature = "soak")]
mod takeover;
#[cfg(feature = "soak")]
mod workers;
