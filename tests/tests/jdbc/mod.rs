//! The JDBC sink on a real PostgreSQL and, in `mysql`, on a real MariaDB, through the seam that the
//! worker uses. On SQLite it is tested within its own crate.

mod columns;
mod errant;
mod evolution;
mod extended;
mod faults;
mod flavours;
mod matrix;
mod modes;
mod mysql;
mod names;
mod nested;
mod schemaless;
mod sequences;
mod server;
mod sink;
mod tls;
mod topic;
mod types;
