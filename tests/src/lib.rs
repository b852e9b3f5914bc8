//! What tests of the whole worker share: the worker's process, clients for what it talks to, and
//! programs that stand around it.
//!
//! Everything is plain blocking code, like [`tether_services`].

pub mod all_at_once;
pub mod bench_results;
pub mod bench_runs;
pub mod bench_throughput;
pub mod bench_worker;
pub mod browser;
pub mod connector_configs;
pub mod database;
pub mod eventually;
pub mod idle_connectors;
pub mod machine;
pub mod names;
pub mod number_records;
pub mod numbered_lines;
pub mod process_usage;
pub mod program;
pub mod proxy;
pub mod registry_client;
pub mod rest_client;
pub mod statuses;
pub mod stream_processor;
pub mod topics;
pub mod turns;
pub mod users_api;
pub mod worker;
pub mod worker_process;
