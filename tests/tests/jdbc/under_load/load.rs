//! Numbers that are appended to a topic all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::json;

/// How many partitions the topic has.
pub(super) const PARTITIONS: i32 = 2;
/// What is appended at once, and how long nothing is appended then: a few thousand records a second,
/// which a debug build keeps up with.
const AT_ONCE: u64 = 20;
const PAUSE: Duration = Duration::from_millis(10);
const FLUSH: Duration = Duration::from_secs(60);

/// Appends 0, 1, 2 and so on, as JSON with a schema: structs with a field `n`. Ends when dropped.
pub(super) struct Load {
    appended: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
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
        let (appended, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let topic = topic.to_owned();
        let (count, over) = (Arc::clone(&appended), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while !over.load(Ordering::Acquire) {
                for _ in 0..AT_ONCE {
                    append(&producer, &topic, count.fetch_add(1, Ordering::AcqRel))?;
                }
                thread::sleep(PAUSE);
            }
            Ok(producer.flush(FLUSH)?)
        });
        Ok(Self {
            appended,
            is_over,
            thread: Some(thread),
        })
    }

    /// How many numbers there are so far.
    pub(super) fn appended(&self) -> u64 {
        self.appended.load(Ordering::Acquire)
    }

    /// Ends, and says how many numbers there are.
    pub(super) fn stop(&mut self) -> Result<u64> {
        self.is_over.store(true, Ordering::Release);
        let thread = self.thread.take().context("it is stopped")?;
        thread.join().map_err(|_| anyhow!("it panicked"))??;
        Ok(self.appended())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
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
