//! Turns numbered lines of one topic into keyed records of another, for a sink that keeps the last
//! number of each key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::json;

use crate::numbered_lines;

/// How many keys there are: a line's key is its number modulo this.
pub const KEYS: u64 = 20;

const POLL: Duration = Duration::from_millis(100);
const FLUSH: Duration = Duration::from_secs(60);

/// A running program; survives restarts of the broker. Ends when dropped.
#[derive(Debug)]
pub struct NumberRecords {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl NumberRecords {
    /// Starts reading partition 0 of `source` at its beginning. Lines come as strings; what goes to
    /// `target` is JSON with schemas: key `int64`, value a struct `{id: int64, number: int64}`.
    pub fn start(bootstrap: &str, source: &str, target: &str) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap);
        config.set("reconnect.backoff.max.ms", "500");
        let producer: ThreadedProducer<DefaultProducerContext> = config
            .clone()
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "0")
            .set("linger.ms", "5")
            .create()?;
        let consumer: BaseConsumer = config
            .set("group.id", "tests")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(source, 0, Offset::Beginning)?;
        consumer.assign(&assignment)?;

        let is_over = Arc::new(AtomicBool::new(false));
        let target = target.to_owned();
        let thread = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || {
                while !is_over.load(Ordering::SeqCst) {
                    // An error is a broker that is away; the client goes on by itself.
                    if let Some(Ok(message)) = consumer.poll(POLL) {
                        let line = message.payload().context("a line without a value")?;
                        forward(&producer, &target, std::str::from_utf8(line)?)?;
                    }
                }
                producer.flush(FLUSH)?;
                Ok(())
            }
        });
        Ok(Self {
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for NumberRecords {
    #[allow(clippy::print_stderr, reason = "what a failed test has to show")]
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(Ok(Err(error))) = self.thread.take().map(JoinHandle::join) {
            eprintln!("numbered records stopped coming: {error:#}");
        }
    }
}

fn forward(
    producer: &ThreadedProducer<DefaultProducerContext>,
    target: &str,
    line: &str,
) -> Result<()> {
    let number = numbered_lines::number(line)?;
    let id = number % KEYS;
    let key = json!({"schema": {"type": "int64", "optional": false}, "payload": id}).to_string();
    let fields =
        ["id", "number"].map(|field| json!({"type": "int64", "optional": false, "field": field}));
    let schema = json!({"type": "struct", "optional": false, "fields": fields});
    let value = json!({"schema": schema, "payload": {"id": id, "number": number}}).to_string();
    let mut record = BaseRecord::to(target).key(&key).payload(&value);
    loop {
        record = match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) => {
                std::thread::sleep(POLL);
                record
            }
            Err((error, _)) => return Err(error.into()),
        };
    }
}
