//! The real services that tests, benchmarks and people run Tether against: Apache Kafka, the Java
//! Kafka Connect worker, PostgreSQL, MariaDB, a schema registry, and the Java classes that define what
//! is right ([`Oracle`]).
//!
//! Each service is a child process on a free port of 127.0.0.1 with its files below the git-ignored
//! `.services/` folder of the checkout. It ends with the value that stands for it, and with the
//! process that started it, however that process ends: see [`process`].
//!
//! A test which must stop, kill or restart a service starts its own ([`Kafka::start`] and so on). All
//! others share one of each, which `tether-services run -- cargo test` starts beforehand and which
//! [`shared`] finds.
//!
//! Everything is plain blocking `std`; from async code call it in `spawn_blocking`.

pub mod folders;
pub mod http;
pub mod jars;
pub mod java;
pub mod port;
pub mod process;
pub mod python;
pub mod shared;
pub mod state;

mod connect;
mod kafka;
mod mariadb;
mod oracle;
mod postgres;
mod registry;
mod services;
mod system_user;

pub use connect::{ConnectOptions, ConnectWorker};
pub use kafka::{Behind, Kafka, KafkaOptions, Listener};
pub use mariadb::{MariaDb, sql as mariadb_sql};
pub use oracle::Oracle;
pub use postgres::Postgres;
pub use registry::Registry;
pub use services::{Services, ServicesOptions};
