//! The JDBC sink on a real PostgreSQL and, in `mysql`, on a real MariaDB, through the seam that the
//! worker uses, and in `worker` with one. On SQLite it is tested within its own crate as well.

mod columns;
mod copies;
mod differential;
mod end_to_end;
mod errant;
mod evolution;
mod exactly_once;
mod extended;
mod faults;
mod flavours;
mod matrix;
mod modes;
mod mysql;
mod names;
mod nested;
mod row_arrays;
mod schemaless;
mod sequences;
mod server;
mod sink;
mod tls;
mod topic;
mod types;
mod under_load;
mod worker;
