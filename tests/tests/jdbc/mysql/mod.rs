//! The JDBC sink on a real MariaDB.

mod database;
mod evolution;
mod faults;
mod modes;
mod names;
mod sequences;
mod tls;
mod types;
