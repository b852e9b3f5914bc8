//! One run of one case.

use std::fmt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;
use serde_json::{Value, json};
use tether_services::jars::Jars;
use tether_services::{Kafka, Postgres};
use tether_tests::bench_throughput::{Throughput, Watch};
use tether_tests::bench_worker::{BenchWorker, JavaSide, Kind};
use tether_tests::names;
use tether_tests::topics::Topics;

use crate::case::{Case, TRANSACTION};

/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(1800);
/// Events a second while latency is measured.
const RATE: u64 = 5000;
/// How long latency is measured, after as long again.
const LATENCY_SECONDS: u64 = 10;
/// A transaction begins this often while latency is measured.
const PACE: Duration = Duration::from_micros(1_000_000 * TRANSACTION / RATE);

/// What a run came to.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measured {
    /// Events and what they took, without those that latency was measured with.
    #[serde(flatten)]
    pub(crate) throughput: Throughput,
    /// Milliseconds from commit to consumer that 99 of 100 events took at most.
    pub(crate) p99_latency: Option<f64>,
    /// The same of half of the events.
    pub(crate) p50_latency: Option<f64>,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.throughput)?;
        if let (Some(p50), Some(p99)) = (self.p50_latency, self.p99_latency) {
            write!(f, ", latency {p50:.1} ms, p99 {p99:.1} ms")?;
        }
        Ok(())
    }
}

/// The services that all runs share.
pub(crate) struct Bench {
    pub(crate) kafka: Kafka,
    topics: Topics,
    java_side: JavaSide,
}

/// A case's database with its changes, and a slot for each run that is to read them.
pub(crate) struct Loaded {
    case: Case,
    postgres: Postgres,
    /// Names of slots and publications that no run has taken yet.
    slots: Vec<String>,
    /// Where the log ended after the changes.
    end: String,
    /// Number of the next event.
    next: u64,
}

impl Bench {
    /// Services that only this benchmark uses.
    pub(crate) fn new(kafka: Kafka) -> Result<Self> {
        let jars = Jars::fetch()?;
        let plugins = [jars.plugin_path(), jars.debezium_path()];
        Ok(Self {
            topics: Topics::new(kafka.bootstrap()),
            kafka,
            java_side: JavaSide {
                class_path: jars.kafka_class_path(),
                plugin_path: plugins.map(|path| path.display().to_string()).join(","),
            },
        })
    }

    /// A server of its own with the changes of a case, for as many runs as are to come.
    pub(crate) fn load(case: Case, runs: u32) -> Result<Loaded> {
        let postgres = Postgres::start()?;
        for statement in case.create().split("; ") {
            postgres.sql(statement)?;
        }
        let slots: Vec<String> = (0..runs).map(|run| format!("run{run}")).collect();
        for slot in &slots {
            postgres.sql(&format!("CREATE PUBLICATION {slot} FOR ALL TABLES"))?;
        }
        if case != Case::Snapshot {
            for slot in &slots {
                postgres.sql(&format!(
                    "SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
                ))?;
            }
        }
        postgres.sql(&case.load())?;
        if case.has_procedure() {
            postgres.sql("CALL load()")?;
        }
        let end = postgres.sql("SELECT pg_current_wal_lsn()")?;
        Ok(Loaded {
            case,
            postgres,
            slots,
            end: end.trim().to_owned(),
            next: case.events() + 1,
        })
    }

    /// A worker's run.
    pub(crate) fn run(&self, kind: Kind, loaded: &mut Loaded) -> Result<Measured> {
        let case = loaded.case;
        let slot = loaded.slots.pop().context("no slot is left")?;
        let prefix = names::unique(case.name());
        let topic = format!("{prefix}.public.{}", case.table());
        self.topics.create(&topic, 1)?;
        let progress = self.topics.progress(&topic)?;
        let json = "org.apache.kafka.connect.json.JsonConverter";
        let properties = ["key", "value"].map(|side| {
            [
                (format!("{side}.converter"), json.to_owned()),
                (
                    format!("{side}.converter.schemas.enable"),
                    "false".to_owned(),
                ),
            ]
        });
        let properties: Vec<(String, String)> = properties.into_iter().flatten().collect();
        let properties: Vec<(&str, String)> = properties
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone()))
            .collect();
        let mut worker =
            BenchWorker::start(kind, &self.kafka.bootstrap(), &properties, &self.java_side)?;
        let mode = if case == Case::Snapshot {
            "initial_only"
        } else {
            "no_data"
        };
        let config = json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1",
            "database.port": loaded.postgres.port().to_string(),
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": "postgres",
            "plugin.name": "pgoutput",
            "topic.prefix": prefix,
            "slot.name": slot,
            "publication.name": slot,
            "publication.autocreate.mode": "disabled",
            "snapshot.mode": mode,
        });
        worker.rest().create(&prefix, &config)?;
        let mut watch = Watch::new(&mut worker, &prefix, LIMIT, |_| progress.records());
        let warm = watch.reach(case.warm_up())?;
        let end = watch.reach(case.events())?;
        let mut measured = Measured {
            throughput: warm.until(&end),
            p99_latency: None,
            p50_latency: None,
        };
        if case.has_latency() {
            // The events of earlier runs' latency come first: every slot is older than all of them.
            watch.reach(loaded.next - 1)?;
            let mut latencies = self.latencies(loaded, &topic)?;
            latencies.sort_by(f64::total_cmp);
            measured.p50_latency = latencies.get(latencies.len() / 2).copied();
            measured.p99_latency = latencies.get(latencies.len() * 99 / 100).copied();
        }
        worker.stop()?;
        self.topics.delete(&topic)?;
        Ok(measured)
    }

    /// Milliseconds from commit to consumer of events that come at a steady rate.
    fn latencies(&self, loaded: &mut Loaded, topic: &str) -> Result<Vec<f64>> {
        let events = RATE * LATENCY_SECONDS * 2;
        let first = loaded.next;
        loaded.next += events;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.kafka.bootstrap())
            .set("group.id", "bench")
            .set("fetch.wait.max.ms", "1")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        // Events are numbered from 1 on, offsets from 0.
        let from = Offset::Offset(i64::try_from(first - 1)?);
        assignment.add_partition_offset(topic, 0, from)?;
        consumer.assign(&assignment)?;
        let (case, postgres) = (loaded.case, &loaded.postgres);
        let received = thread::scope(|scope| -> Result<Vec<(u64, Vec<u8>)>> {
            let writer = scope.spawn(move || write_steadily(case, postgres, first, events));
            let deadline = Instant::now() + LIMIT;
            let expected = usize::try_from(events)?;
            let mut received = Vec::with_capacity(expected);
            while received.len() < expected {
                ensure!(Instant::now() < deadline, "{} events came", received.len());
                if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                    // Read only afterwards, so as not to be late for the next.
                    let value = message?.payload().context("no value")?.to_vec();
                    received.push((now_micros()?, value));
                }
            }
            match writer.join() {
                Ok(written) => written?,
                Err(_) => bail!("the writer panicked"),
            }
            Ok(received)
        })?;
        let steady = received.iter().skip(received.len() / 2);
        steady
            .map(|(at, value)| {
                let value: Value = serde_json::from_slice(value)?;
                let committed = value["source"]["ts_us"].as_u64().context("no time")?;
                Ok(millis(at.saturating_sub(committed)))
            })
            .collect()
    }
}

impl Loaded {
    /// What PostgreSQL gives at most: all changes, or all rows, to `/dev/null`. Events a second.
    pub(crate) fn ceiling(&mut self) -> Result<f64> {
        let mut command = if self.case == Case::Snapshot {
            let mut command = self.postgres.client("psql");
            let copy = format!("COPY {} TO STDOUT", self.case.table());
            command.args(["--no-psqlrc", "--command", &copy]);
            command.arg(self.postgres.url());
            command
        } else {
            let slot = self.slots.pop().context("no slot is left")?;
            let mut command = self.postgres.client("pg_recvlogical");
            command.args(["--dbname", &self.postgres.url(), "--slot", &slot]);
            command.args(["--start", "--no-loop", "--file", "/dev/null"]);
            command.args(["--endpos", &self.end, "--option", "proto_version=1"]);
            command.args(["--option", &format!("publication_names={slot}")]);
            command
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status()?;
        ensure!(status.success(), "the ceiling: {status}");
        #[allow(
            clippy::cast_precision_loss,
            reason = "numbers of events are far below 2^52"
        )]
        Ok(self.case.events() as f64 / start.elapsed().as_secs_f64())
    }
}

/// Writes events at [`RATE`]; a transaction that is late is written at once.
fn write_steadily(case: Case, postgres: &Postgres, first: u64, events: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let mut due = tokio::time::interval(PACE);
        for number in (first..first + events).step_by(usize::try_from(TRANSACTION)?) {
            due.tick().await;
            client
                .batch_execute(&case.transaction(number, TRANSACTION))
                .await?;
        }
        drop(client);
        connection.await??;
        Ok(())
    })
}

fn now_micros() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(now.as_micros())?)
}

#[allow(clippy::cast_precision_loss, reason = "hours are far below 2^52 µs")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
