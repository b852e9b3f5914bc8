//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Kafka Connect workers without a JVM.
#[derive(Debug, Parser)]
#[command(name = "tether", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub command: Command,
}

/// What `tether` can run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a worker that keeps configurations, offsets and statuses in Kafka
    /// topics.
    ConnectDistributed {
        /// The worker's properties file. Without one, everything comes from the
        /// environment (CONNECT_BOOTSTRAP_SERVERS, CONNECT_GROUP_ID and so on).
        properties: Option<PathBuf>,
    },
    /// Run a worker of its own, offsets in a file.
    ConnectStandalone {
        /// The worker's properties file.
        properties: PathBuf,
        /// Connector configurations to start with: JSON or properties files.
        connectors: Vec<PathBuf>,
    },
    /// Show the whole way of a record from an HTTP API through Kafka into a
    /// table, with nothing installed.
    Demo {
        /// Stop with success once at least ten users are in the table and were
        /// updated.
        #[arg(long)]
        once: bool,
        /// The port of the REST API; one that is free by default.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// List the plugins that are compiled in.
    Plugins,
}
