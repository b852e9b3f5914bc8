//! Faults while many rows change: no change is lost, those of a row stay in order, and with exactly-once
//! none comes twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use tether_services::{Kafka, KafkaOptions};
use tether_tests::database;
use tether_tests::eventually::within;
use tether_tests::proxy::Proxy;
use tether_tests::turns;
use tether_tests::worker::Worker;

use super::scene::Scene;

/// Each transaction changes all rows.
const ROWS: u64 = 1000;
/// How far the changes may be ahead of what has arrived.
const AHEAD: u64 = 50_000;
/// So many changes have to arrive within [`PATIENCE`].
const STRIDE: u64 = 100_000;
/// How long anything may take that waits for faults to be over.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much of it there is.
struct Extent {
    /// Changes at least.
    changes: u64,
    /// How often each fault comes.
    rounds: u32,
    /// How long the broker is away.
    broker_away: Duration,
}

const SHORT: Extent = Extent {
    changes: 100_000,
    rounds: 1,
    broker_away: Duration::ZERO,
};

/// `make soak` says how many changes.
#[cfg(feature = "soak")]
fn long() -> Extent {
    let changes = std::env::var("TETHER_TEST_CHANGES").ok();
    let changes = changes.and_then(|changes| changes.parse().ok());
    Extent {
        changes: changes.unwrap_or(5_000_000),
        rounds: 5,
        broker_away: Duration::from_secs(60),
    }
}

#[test]
fn no_change_is_lost() -> Result<()> {
    run(&SHORT, false)
}

#[test]
fn no_change_comes_twice() -> Result<()> {
    run(&SHORT, true)
}

#[cfg(feature = "soak")]
#[test]
fn no_change_of_millions_is_lost() -> Result<()> {
    run(&long(), false)
}

#[cfg(feature = "soak")]
#[test]
fn no_change_of_millions_comes_twice() -> Result<()> {
    run(&long(), true)
}

fn run(extent: &Extent, once: bool) -> Result<()> {
    let _turn = turns::take();
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let mut scene = Scene::start_with(&kafka.bootstrap(), |options| {
        let support = if once { "enabled" } else { "disabled" };
        options.property("exactly.once.source.support", support)
    })?;
    let proxy = Proxy::start(scene.postgres.port())?;
    scene.sql(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL); \
         INSERT INTO t SELECT id, 0 FROM generate_series(0, {ROWS} - 1) AS id"
    ))?;
    scene.capture(&json!({
        "database.port": proxy.port().to_string(),
        // It makes up for a slot that was dropped.
        "snapshot.mode": "when_needed",
    }))?;
    let mut arrived = Arrived::new(&kafka.bootstrap(), &scene.name)?;
    let tend = |scene: &Scene| {
        if once {
            restart_failed(scene)
        } else {
            check(scene)
        }
    };
    let writer = Writer::start(scene.postgres.url(), arrived.count.clone());
    for _ in 0..extent.rounds {
        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        scene.worker.kill();
        scene.worker.restart()?;

        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        scene.postgres.restart()?;

        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        scene.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")?;

        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        scene.postgres.kill();
        scene.postgres.restart()?;

        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        kafka.stop()?;
        away(extent.broker_away, &writer, &arrived)?;
        kafka.restart()?;

        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        proxy.sever();
        away(extent.broker_away / 10, &writer, &arrived)?;
        proxy.mend();

        arrived.wait_more(5 * ROWS, || tend(&scene))?;
        drop_slot(&scene)?;
        // That fails the task, perhaps only after what it had read has arrived.
        within(PATIENCE, "the task misses its slot", || {
            let states = scene.worker.rest().states(&scene.name)?;
            ensure!(states.contains("FAILED"), "{states}");
            Ok(())
        })?;
        scene.worker.rest().restart(&scene.name)?;
        arrived.wait_more(5 * ROWS, || tend(&scene))?;
    }
    arrived.wait_for(extent.changes, || tend(&scene))?;
    writer.stop()?;
    let last: u64 = scene.value("SELECT min(n) FROM t")?.parse()?;
    arrived.wait_for(last * ROWS, || tend(&scene))?;
    scene.worker.stop()?;
    arrived.wait_end()?;
    ensure!(arrived.latest.iter().all(|latest| *latest == last));
    if once {
        ensure!(arrived.again == 0, "{} changes came twice", arrived.again);
    }
    Ok(())
}

/// So long, and until there are changes that have not arrived, something stays away.
fn away(time: Duration, writer: &Writer, arrived: &Arrived) -> Result<()> {
    let since = Instant::now();
    within(PATIENCE, "rows change meanwhile", || {
        let written = writer.written.load(Ordering::Acquire);
        let arrived = arrived.count.load(Ordering::Acquire);
        ensure!(written > arrived, "{written} changes are not more");
        ensure!(since.elapsed() >= time, "it is too soon");
        Ok(())
    })
}

/// Drops the slot, whoever uses it.
fn drop_slot(scene: &Scene) -> Result<()> {
    within(PATIENCE, "the slot is dropped", || {
        scene.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")?;
        scene.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    })
}

/// A transaction that the broker lost fails its task, as in the reference; whoever restarts it, loses
/// nothing.
fn restart_failed(scene: &Scene) -> Result<()> {
    let rest = scene.worker.rest();
    if rest.states(&scene.name)?.contains("FAILED") {
        rest.restart(&scene.name)?;
    }
    Ok(())
}

/// Nothing has failed for good.
fn check(scene: &Scene) -> Result<()> {
    let states = scene.worker.rest().states(&scene.name)?;
    ensure!(!states.contains("FAILED"), "{states}");
    Ok(())
}

/// Changes all rows again and again, whatever happens to the server.
struct Writer {
    written: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Writer {
    fn start(url: String, arrived: Arc<AtomicU64>) -> Self {
        let (written, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (count, stopped) = (Arc::clone(&written), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                within(PATIENCE, "the changes arrive", || {
                    let arrived = arrived.load(Ordering::Acquire);
                    let written = count.load(Ordering::Acquire);
                    let near = written <= arrived + AHEAD || stopped.load(Ordering::Acquire);
                    ensure!(near, "{arrived} of {written}");
                    Ok(())
                })?;
                within(PATIENCE, "the rows are changed", || {
                    database::query(&url, "UPDATE t SET n = n + 1")
                })?;
                count.fetch_add(ROWS, Ordering::AcqRel);
            }
            Ok(())
        });
        Self {
            written,
            stop,
            thread,
        }
    }

    fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Release);
        self.thread
            .join()
            .map_err(|_| anyhow!("the writer panicked"))?
    }
}

/// What a consumer of committed records sees.
struct Arrived {
    consumer: BaseConsumer,
    /// The latest change of each row.
    latest: Vec<u64>,
    /// Changes, each counted once; also those that a row of a snapshot stands for.
    count: Arc<AtomicU64>,
    /// Changes that came once more.
    again: u64,
    /// Where the topic goes on, and the topic.
    next: i64,
    topic: String,
}

impl Arrived {
    fn new(bootstrap: &str, prefix: &str) -> Result<Self> {
        let topic = format!("{prefix}.public.t");
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", prefix)
            .set("isolation.level", "read_committed")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(&topic, 0, Offset::Beginning)?;
        consumer.assign(&assignment)?;
        Ok(Self {
            consumer,
            latest: vec![0; usize::try_from(ROWS)?],
            count: Arc::default(),
            again: 0,
            next: 0,
            topic,
        })
    }

    fn wait_more(&mut self, changes: u64, tend: impl FnMut() -> Result<()>) -> Result<()> {
        self.wait_for(self.count.load(Ordering::Acquire) + changes, tend)
    }

    /// Waits until so many changes have arrived, and looks after the worker meanwhile.
    fn wait_for(&mut self, changes: u64, mut tend: impl FnMut() -> Result<()>) -> Result<()> {
        loop {
            let count = self.count.load(Ordering::Acquire);
            if count >= changes {
                return Ok(());
            }
            self.wait_for_some(changes.min(count + STRIDE), &mut tend)?;
        }
    }

    fn wait_for_some(&mut self, changes: u64, tend: &mut impl FnMut() -> Result<()>) -> Result<()> {
        within(PATIENCE, &format!("{changes} changes arrive"), || {
            self.read()?;
            let count = self.count.load(Ordering::Acquire);
            if count < changes {
                tend()?;
            }
            ensure!(count >= changes, "{count} have");
            Ok(())
        })
    }

    /// Reads all that is there.
    fn wait_end(&mut self) -> Result<()> {
        within(PATIENCE, "the end of the topic", || {
            let (_, end) =
                self.consumer
                    .fetch_watermarks(&self.topic, 0, Duration::from_secs(10))?;
            self.read()?;
            // The last ones may be markers of transactions.
            let position = self.consumer.position()?;
            let position = position.elements_for_topic(&self.topic);
            let next = position.first().and_then(|at| at.offset().to_raw());
            ensure!(next.is_some_and(|next| next >= end), "{next:?} of {end}");
            Ok(())
        })
    }

    fn read(&mut self) -> Result<()> {
        while let Some(message) = self.consumer.poll(Duration::from_millis(100)) {
            // The broker may be away.
            let Ok(message) = message else { continue };
            ensure!(message.offset() >= self.next, "the consumer went back");
            self.next = message.offset() + 1;
            let value: Value = serde_json::from_slice(message.payload().context("no value")?)?;
            let number = |field: &str| value["after"][field].as_u64().context("no number");
            let (id, change) = (usize::try_from(number("id")?)?, number("n")?);
            let latest = self.latest.get_mut(id).context("no such row")?;
            if value["op"] == "r" {
                // It makes up for changes that nobody will send.
                let more = change.checked_sub(*latest);
                let more = more.with_context(|| format!("row {id}: {change} is old"))?;
                self.count.fetch_add(more, Ordering::AcqRel);
                *latest = change;
                continue;
            }
            if change <= *latest {
                self.again += 1;
                continue;
            }
            ensure!(
                change == *latest + 1,
                "row {id}: {change} comes behind {latest}"
            );
            *latest = change;
            self.count.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }
}
