//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use reqwest::Url;

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
    /// Ask a worker whether it is well; ends with 0 if it is.
    Health {
        /// The URL of its REST API. By default that of the first listener that the
        /// environment names (CONNECT_LISTENERS), or http://localhost:8083.
        #[arg(long)]
        url: Option<Url>,
    },
    /// List the plugins that are compiled in.
    Plugins,
    /// Look at dead letters and put them back.
    Dlq {
        /// What to do.
        #[command(subcommand)]
        command: DlqCommand,
    },
    /// Check a connector's configuration without a worker.
    Validate(ValidateArguments),
}

/// What to check, and how to say what was found.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// The connector's configuration: flat JSON, a create request or a
    /// properties file.
    pub file: PathBuf,
    /// The properties file of the worker that is to run it. It gives the
    /// default converters, the override policy, the group and the config
    /// providers. Without one these come from the environment (CONNECT_...),
    /// or are the reference's defaults and JSON converters.
    #[arg(long, value_name = "FILE")]
    pub worker: Option<PathBuf>,
    /// Print the answer of PUT /connector-plugins/{class}/config/validate
    /// instead of a report.
    #[arg(long)]
    pub json: bool,
}

/// What `tether dlq` can do.
#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// Show the records of a dead letter topic and, with --write, write them
    /// back to the topics that they came from.
    Replay(ReplayArguments),
}

/// Which dead letters to replay, and how.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The dead letter topic. It is read from its beginning to its present end.
    pub topic: String,
    /// The properties file of a worker, for the connection to Kafka: the
    /// producer.*, consumer.* and admin.* settings count. Without one they come
    /// from the environment (CONNECT_...).
    #[arg(long, value_name = "FILE")]
    pub worker: Option<PathBuf>,
    /// The brokers, in place of the worker's.
    #[arg(long, value_name = "HOST:PORT")]
    pub bootstrap_server: Option<String>,
    /// Only letters of this connector.
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// Only letters that failed in this stage, such as VALUE_CONVERTER or
    /// TASK_PUT; may be given several times.
    #[arg(long)]
    pub stage: Vec<String>,
    /// Only letters whose exception has this text in its class or message.
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
    /// Only letters that came from this topic.
    #[arg(long, value_name = "TOPIC")]
    pub from: Option<String>,
    /// The topic to write to, in place of the one that each letter came from.
    #[arg(long, value_name = "TOPIC")]
    pub to: Option<String>,
    /// At most so many letters.
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<u64>,
    /// Write the letters, which otherwise are only shown.
    #[arg(long)]
    pub write: bool,
}
