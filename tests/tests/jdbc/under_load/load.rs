//! Numbers that are appended to a topic all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::json;

/// How many partitions the topic has.
pub(super) const PARTITIONS: i32 = 2;
/// What is appended at once, and how long the end is awaited then: a few thousand records a second,
/// which a debug build keeps up with.
const AT_ONCE: u64 = 20;
const PAUSE: Duration = Duration::from_millis(10);
const FLUSH: Duration = Duration::from_secs(60);

/// Appends 0, 1, 2 and so on, as JSON with a schema: structs with a field `n`. Ends when dropped.
pub(super) struct Load {
    appended: Arc<AtomicU64>,
    /// The thread ends when this is dropped.
    goes_on: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Load {
    /// Starts to append to a topic.
    pub(super) fn start(bootstrap: &str, topic: &str) -> Result<Self> {
        let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .create()?;
        let appended = Arc::<AtomicU64>::default();
        let (goes_on, end) = mpsc::channel::<()>();
        let topic = topic.to_owned();
        let count = Arc::clone(&appended);
        let thread = thread::spawn(move || {
            while end.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                for _ in 0..AT_ONCE {
                    append(&producer, &topic, count.fetch_add(1, Ordering::AcqRel))?;
                }
            }
            Ok(producer.flush(FLUSH)?)
        });
        Ok(Self {
            appended,
            goes_on: Some(goes_on),
            thread: Some(thread),
        })
    }

    /// How many numbers there are so far.
    pub(super) fn appended(&self) -> u64 {
        self.appended.load(Ordering::Acquire)
    }

    /// Ends, and says how many numbers there are.
    pub(super) fn stop(&mut self) -> Result<u64> {
        self.goes_on = None;
        let thread = self.thread.take().context("it is stopped")?;
        thread.join().map_err(|_| anyhow!("it panicked"))??;
        Ok(self.appended())
    }
}

fn append(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    number: u64,
) -> Result<()> {
    let value = json!({
        "schema": {"type": "struct", "optional": false,
            "fields": [{"field": "n", "type": "int64", "optional": false}]},
        "payload": {"n": number},
    });
    let value = value.to_string();
    let partition = i32::try_from(number % u64::from(PARTITIONS.unsigned_abs()))?;
    let record: BaseRecord<'_, (), str> =
        BaseRecord::to(topic).partition(partition).payload(&value);
    producer.send(record).map_err(|(error, _)| error.into())
}
