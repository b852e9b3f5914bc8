//! `tether dlq`: what to do with dead letters.

mod filter;
mod letter;
mod report;
mod writer;

use std::io::{BufWriter, Write};
use std::sync::Arc;

use anyhow::{Context, Result};
use tether_kafka::{Clients, RdKafkaClients};
use tether_worker::client_properties::{ClientProperties, OverridePolicy};
use tether_worker::dead_letters::{Begin, TopicReader};

use crate::cli::{DlqCommand, ReplayArguments};
use crate::exit::Failure;
use crate::worker_setting::WorkerSetting;

use filter::Filter;
use letter::Letter;
use report::Sums;
use writer::{Deliveries, LetterWriter};

/// The `client.id` of all clients.
const CLIENT_ID: &str = "tether-dlq";

/// Runs a command about dead letters.
///
/// # Errors
/// Startup, if the worker's configuration is wrong; services, if Kafka does not
/// do what is asked.
pub(crate) async fn run(command: DlqCommand) -> Result<(), Failure> {
    let DlqCommand::Replay(arguments) = command;
    let mut overrides = Vec::new();
    if let Some(servers) = &arguments.bootstrap_server {
        overrides.push(("bootstrap.servers", servers.as_str()));
    }
    let setting =
        WorkerSetting::read(arguments.worker.as_deref(), &overrides).map_err(Failure::Startup)?;
    replay(&setting, arguments).await.map_err(Failure::Services)
}

/// Shows the letters of a topic that the filter names and, if asked to, writes
/// them back.
///
/// **At least once.** Letters stay in their topic; a replay that breaks off, or
/// that is run twice, writes some of them twice. It reads to the end that the
/// topic has at the start, so letters that fail again at once do not go round.
async fn replay(setting: &WorkerSetting, arguments: ReplayArguments) -> Result<()> {
    let policy = OverridePolicy::from_worker(&setting.worker.properties)?;
    let properties = ClientProperties {
        worker: &setting.worker,
        kafka_cluster_id: "",
        policy: &policy,
    };
    let clients = RdKafkaClients::new();
    let admin = clients.admin(&properties.command_admin(CLIENT_ID))?;
    let consumer = clients.consumer(&properties.command_consumer(CLIENT_ID))?;
    let deliveries = Arc::new(Deliveries::default());
    let mut writer = if arguments.write {
        let properties = properties.command_producer(CLIENT_ID);
        let producer = clients.producer(&properties, deliveries.clone())?;
        Some(LetterWriter::new(
            admin.clone(),
            producer,
            deliveries.clone(),
        ))
    } else {
        None
    };
    let filter = Filter {
        connector: arguments.connector,
        stages: arguments.stage,
        error: arguments.error,
        topic: arguments.from,
    };
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let reader =
        TopicReader::open(admin.as_ref(), consumer, &arguments.topic, Begin::First).await?;
    let mut output = BufWriter::new(std::io::stdout());
    let mut sums = Sums::default();
    'reading: while let Some(records) = reader.next().await? {
        for record in records {
            sums.read += 1;
            let letter = Letter::new(record);
            if !filter.matches(&letter) {
                continue;
            }
            let target = arguments.to.as_deref().or(letter.target());
            sums.add(&letter, target);
            output
                .write_all(report::line(&letter, target).as_bytes())
                .context(OUTPUT)?;
            if let (Some(writer), Some(target)) = (&mut writer, target) {
                writer.write(&letter, target).await?;
            }
            if sums.matching >= limit {
                break 'reading;
            }
        }
    }
    let written = match &writer {
        Some(writer) => {
            writer.flush().await?;
            Some(deliveries.written())
        }
        None => None,
    };
    output
        .write_all(sums.text(written).as_bytes())
        .and_then(|()| output.flush())
        .context(OUTPUT)
}

const OUTPUT: &str = "Could not write to standard output";
