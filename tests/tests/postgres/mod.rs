//! Change data capture from PostgreSQL: Debezium's connector in the Java worker is the judge of ours.

mod differential;
mod takeover;
mod workers;
