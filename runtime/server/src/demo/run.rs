//! The demo: users from an HTTP API, through Kafka, into a table.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use tether_api::config::ConfigMap;
use tether_kafka::RdKafkaClients;
use tether_storage::{MemoryConfigStore, MemoryOffsetStore, MemoryStatusStore, State};
use tether_worker::config::WorkerConfig;
use tether_worker::herder::{CreateConnector, Herder};
use tokio::time::Instant;

use crate::exit::Failure;
use crate::properties::WorkerProperties;
use crate::shutdown::Shutdown;
use crate::worker_process::{Parts, WorkerProcess};
use crate::{logging, plugins};

use super::{EmbeddedBroker, UsersApi};

const TOPIC: &str = "rest-data";

/// With `--once`: so many users have to be in the table and to have changed.
const ENOUGH_USERS: usize = 10;

/// With `--once`: how long that may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often the table is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Runs the demo until it is asked to stop or, with `once`, until enough users
/// arrived and were updated.
///
/// # Errors
/// If a part could not be started, or with `once` if users did not arrive.
pub async fn run(once: bool, port: u16) -> Result<(), Failure> {
    let (loggers, traces) = logging::init(|name| match name {
        "CONNECT_LOG4J_ROOT_LOGLEVEL" => {
            Some(std::env::var(name).unwrap_or_else(|_| "WARN".to_owned()))
        }
        _ => std::env::var(name).ok(),
    });
    traces.flushed_after(demonstrate(once, port, loggers)).await
}

async fn demonstrate(
    once: bool,
    port: u16,
    loggers: Arc<tether_worker::loggers::Loggers>,
) -> Result<(), Failure> {
    let shutdown = Shutdown::install()?;
    let folder = tempfile::tempdir()
        .context("Could not make a folder for the demo's table")
        .map_err(Failure::Startup)?;
    let table = folder.path().join("demo.db");
    let api = UsersApi::start()
        .await
        .context("Could not start the users API")
        .map_err(Failure::Startup)?;
    let broker = EmbeddedBroker::start()
        .context("Could not start the embedded broker")
        .map_err(Failure::Startup)?;
    broker
        .create_topic(TOPIC, 1)
        .context("Could not create the demo's topic")
        .map_err(Failure::Startup)?;
    let process = start_worker(&broker, port, loggers).await?;
    say(&format!(
        "Users API         {}\n\
         Kafka bootstrap   {} (embedded)\n\
         Kafka Connect     {}\n\
         Table             sqlite:{}, table users\n",
        api.url(),
        broker.bootstrap(),
        process.url(),
        table.display(),
    ));
    let outcome = tokio::select! {
        biased;
        () = shutdown.requested() => Ok(()),
        outcome = pipeline(&process, &api, &table, once) => outcome,
    };
    process.stop().await;
    outcome.map_err(Failure::Services)
}

async fn pipeline(process: &WorkerProcess, api: &UsersApi, table: &Path, once: bool) -> Result<()> {
    for (name, config) in [
        ("users-source", source(&api.url())),
        ("users-sink", sink(table)),
    ] {
        create(process, name, config).await?;
        say(&format!(
            "Created connector {name}: curl {}connectors/{name}/status",
            base(process)
        ));
    }
    let mut watch = Watch::new(table);
    let deadline = Instant::now() + PATIENCE;
    loop {
        tokio::time::sleep(LOOK).await;
        watch.look()?;
        for name in ["users-source", "users-sink"] {
            fail_if_failed(process, name)?;
        }
        if once && watch.updated() >= ENOUGH_USERS {
            say(&format!(
                "{} users are in the table and were updated. Done.",
                watch.updated()
            ));
            return Ok(());
        }
        if once && Instant::now() > deadline {
            anyhow::bail!(
                "After {} s, {} users are in the table and {} of them were updated; expected {ENOUGH_USERS}",
                PATIENCE.as_secs(),
                watch.rows.len(),
                watch.updated()
            );
        }
    }
}

async fn start_worker(
    broker: &EmbeddedBroker,
    port: u16,
    loggers: Arc<tether_worker::loggers::Loggers>,
) -> Result<WorkerProcess, Failure> {
    let raw = map(&[
        ("bootstrap.servers", broker.bootstrap()),
        ("listeners", &format!("http://127.0.0.1:{port}")),
        (
            "key.converter",
            "org.apache.kafka.connect.json.JsonConverter",
        ),
        (
            "value.converter",
            "org.apache.kafka.connect.json.JsonConverter",
        ),
        // Offsets are in memory: the demo leaves nothing behind.
        ("offset.storage.file.filename", ""),
        ("offset.flush.interval.ms", "1000"),
        // The embedded broker answers a waiting fetch only when its time is up.
        ("consumer.fetch.max.wait.ms", "100"),
        ("consumer.session.timeout.ms", "6000"),
    ]);
    let plugins = Arc::new(plugins::all());
    let properties = WorkerProperties::resolve(&raw).map_err(Failure::Startup)?;
    WorkerProcess::start(Parts {
        configs: properties
            .configs(&plugins, WorkerConfig::standalone)
            .map_err(Failure::Startup)?,
        variables: properties.variables,
        plugins,
        loggers,
        clients: Arc::new(RdKafkaClients::new()),
        kafka_cluster_id: "tether-demo".to_owned(),
        config_store: Arc::new(MemoryConfigStore::new()),
        offset_store: Arc::new(MemoryOffsetStore::new()),
        status_store: Arc::new(MemoryStatusStore::new()),
    })
    .await
}

fn source(endpoint: &str) -> ConfigMap {
    map(&[
        (
            "connector.class",
            "com.example.kafka.connect.RestSourceConnector",
        ),
        ("rest.endpoint", endpoint),
        ("poll.interval.ms", "1000"),
        ("topic", TOPIC),
    ])
}

fn sink(table: &Path) -> ConfigMap {
    map(&[
        (
            "connector.class",
            "io.confluent.connect.jdbc.JdbcSinkConnector",
        ),
        ("topics", TOPIC),
        (
            "connection.url",
            &format!("jdbc:sqlite:{}", table.display()),
        ),
        ("table.name.format", "users"),
        ("auto.create", "true"),
        ("auto.evolve", "true"),
        ("insert.mode", "upsert"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
        ("transforms", "flatten"),
        (
            "transforms.flatten.type",
            "org.apache.kafka.connect.transforms.Flatten$Value",
        ),
        ("transforms.flatten.delimiter", "_"),
    ])
}

fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

async fn create(process: &WorkerProcess, name: &str, mut config: ConfigMap) -> Result<()> {
    config.insert("name".to_owned(), name.to_owned());
    let config = config
        .into_iter()
        .map(|(key, value)| (key, Some(value)))
        .collect();
    process
        .herder()
        .create_connector(CreateConnector {
            name: name.to_owned(),
            config,
            initial_state: None,
        })
        .await
        .with_context(|| format!("Could not create the connector {name}"))?;
    Ok(())
}

/// Ends the demo with the error of a task instead of waiting in vain.
fn fail_if_failed(process: &WorkerProcess, name: &str) -> Result<()> {
    // No status yet is no failure.
    let Ok(state) = process.herder().connector_state(name) else {
        return Ok(());
    };
    let instances =
        std::iter::once(&state.connector).chain(state.tasks.iter().map(|(_, task)| task));
    let failed = instances
        .into_iter()
        .find(|instance| instance.state == State::Failed);
    if let Some(instance) = failed {
        anyhow::bail!(
            "{name} failed: {}",
            instance.trace.as_deref().unwrap_or_default()
        );
    }
    Ok(())
}

fn base(process: &WorkerProcess) -> String {
    let url = process.url().to_string();
    if url.ends_with('/') {
        url
    } else {
        format!("{url}/")
    }
}

/// Looks at the table and tells what is new.
struct Watch<'a> {
    table: &'a Path,
    rows: BTreeMap<i64, Row>,
}

struct Row {
    content: String,
    updates: usize,
}

impl<'a> Watch<'a> {
    fn new(table: &'a Path) -> Self {
        Self {
            table,
            rows: BTreeMap::new(),
        }
    }

    /// How many users changed in the table after they had arrived.
    fn updated(&self) -> usize {
        self.rows.values().filter(|row| row.updates > 0).count()
    }

    fn look(&mut self) -> Result<()> {
        if !self.table.exists() {
            return Ok(());
        }
        for (id, name, content) in self.read().context("Could not read the demo's table")? {
            match self.rows.get_mut(&id) {
                None => {
                    say(&format!("new      {id:>3}  {name:<24} {content}"));
                    self.rows.insert(
                        id,
                        Row {
                            content,
                            updates: 0,
                        },
                    );
                }
                Some(row) if row.content != content => {
                    say(&format!("updated  {id:>3}  {name:<24} {content}"));
                    row.content = content;
                    row.updates += 1;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Key, name and the columns that change.
    fn read(&self) -> rusqlite::Result<Vec<(i64, String, String)>> {
        let connection = Connection::open_with_flags(self.table, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let known: i64 = connection.query_row(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'users'",
            [],
            |row| row.get(0),
        )?;
        if known == 0 {
            return Ok(Vec::new());
        }
        let mut query = connection.prepare(
            "SELECT id, name, email || ', ' || phone || ', ' || address_city || ', ' || company_name FROM users \
             ORDER BY id",
        )?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    }
}

/// Tells the user; nobody listening is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
