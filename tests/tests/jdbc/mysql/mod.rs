//! The JDBC sink on a real MariaDB.

pub(super) mod database;
mod evolution;
mod faults;
mod modes;
mod names;
mod sequences;
mod tls;
mod types;
