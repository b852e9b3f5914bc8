//! Change data capture from PostgreSQL: Debezium's connector in the Java worker is the judge of ours.

#[cfg(feature = "soak")]
mod differential;
mod replication;
#[cfg(feature = "soak")]
mod takeover;
#[cfg(feature = "soak")]
mod workers;
