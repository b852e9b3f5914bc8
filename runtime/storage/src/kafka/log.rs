//! A compacted topic as a log that every worker reads as a whole
//! (`KafkaBasedLog`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tether_api::{ConnectError, Result};
use tether_kafka::{
    Admin, Clients, ConsumedRecord, KafkaError, KafkaErrorKind, OutgoingRecord, Producer,
    RecordMetadata,
};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::InternalTopic;
use super::acknowledgements::{Acknowledge, Acknowledgements, Outcome};
use super::tail::{Progress, Tail};
use super::topic::{self, Purpose};

/// How many records may be on their way at once.
const MAX_IN_FLIGHT: usize = 1000;
/// How long a full queue of the client is left alone.
const QUEUE_BACKOFF: Duration = Duration::from_millis(100);
/// How long one look-up of end offsets may take, and the pause after one that
/// failed.
const END_OFFSETS_TIMEOUT: Duration = Duration::from_secs(10);
const END_OFFSETS_BACKOFF: Duration = Duration::from_millis(200);

/// Takes each record in that is read, in order per partition. Called by one
/// task; must not block.
pub(crate) type Consumed = Arc<dyn Fn(ConsumedRecord) + Send + Sync>;

/// What a log is made of.
pub(crate) struct LogParts {
    pub(crate) clients: Arc<dyn Clients>,
    pub(crate) admin: Arc<dyn Admin>,
    pub(crate) topic: InternalTopic,
    pub(crate) purpose: Purpose,
    /// The topic has, and must have, one partition.
    pub(crate) single: bool,
    /// The properties of the producer; without them the log is only read.
    pub(crate) producer: Option<ConfigMap>,
    /// The properties of the consumer.
    pub(crate) consumer: ConfigMap,
    pub(crate) consumed: Consumed,
}

/// Reads a topic from its beginning and goes on for ever; writes to it.
///
/// # Faults
/// Broker restarts are the clients' business, which reconnect and repeat; a
/// record may then be written twice, which the states tolerate. A consumer that
/// gives up is replaced by one that starts where it ended. Partitions that are
/// added to the topic are read from their beginning.
pub(crate) struct KafkaBasedLog {
    parts: LogParts,
    acknowledgements: Arc<Acknowledgements>,
    in_flight: Arc<Semaphore>,
    running: Mutex<Option<Running>>,
}

struct Running {
    /// `None` where the log is only read.
    producer: Option<Arc<dyn Producer>>,
    progress: Arc<Progress>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    tail: JoinHandle<()>,
}

/// The promise of an acknowledgement.
pub(crate) struct Receipt(oneshot::Receiver<Outcome>);

impl Receipt {
    /// Waits until the record is durable.
    ///
    /// # Errors
    /// Those of the client. Retriable, if the log was stopped.
    pub(crate) async fn acknowledged(self) -> Result<RecordMetadata> {
        match self.0.await {
            Ok(outcome) => outcome.map_err(Into::into),
            Err(_) => Err(stopped()),
        }
    }
}

impl KafkaBasedLog {
    /// A log that has not been started.
    pub(crate) fn new(parts: LogParts) -> Self {
        Self {
            parts,
            acknowledgements: Arc::default(),
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            running: Mutex::default(),
        }
    }

    /// Makes or checks the topic, reads everything that it has now and goes on
    /// reading in the background.
    ///
    /// # Errors
    /// If the topic must not be used as it is, or cannot be read.
    pub(crate) async fn start(&self) -> Result<()> {
        let LogParts {
            clients,
            admin,
            topic,
            purpose,
            single,
            producer,
            ..
        } = &self.parts;
        let to_create = if *single { 1 } else { topic.partitions };
        topic::ensure(admin.as_ref(), topic, to_create, *purpose).await?;
        let partitions = topic::partitions(admin.as_ref(), &topic.name).await?;
        if *single && partitions > 1 {
            let property = purpose.property;
            return Err(ConnectError::config(format!(
                "Topic '{}' supplied via the '{property}' property is required to have a single \
                 partition in order to guarantee consistency of {}, but found {partitions} \
                 partitions.",
                topic.name, purpose.content
            )));
        }
        let producer = producer
            .as_ref()
            .map(|properties| clients.producer(properties, self.acknowledgements.clone()))
            .transpose()?;
        let mut tail = Tail::new(&self.parts, self.acknowledgements.clone(), partitions)?;
        tail.catch_up().await?;
        let stop = CancellationToken::new();
        let progress = tail.progress();
        *self.running() = Some(Running {
            producer,
            progress,
            _stop_on_drop: stop.clone().drop_guard(),
            tail: tokio::spawn(tail.run(stop.clone())),
            stop,
        });
        tracing::info!(topic = topic.name, partitions, "read the topic to its end");
        Ok(())
    }

    /// Ends reading and writing. Records that are not acknowledged by now may
    /// or may not be written.
    pub(crate) async fn stop(&self) {
        let Some(running) = self.running().take() else {
            return;
        };
        running.stop.cancel();
        if let Err(error) = running.tail.await {
            tracing::error!(topic = self.parts.topic.name, %error, "reading the topic had failed");
        }
    }

    /// Waits until everything is read that was in the topic when this was
    /// called, and everything that was sent before. Repeats what may pass for
    /// ever: the caller sets the limit.
    ///
    /// # Errors
    /// Those of the client that will not pass. Retriable, if the log is stopped.
    pub(crate) async fn read_to_end(&self) -> Result<()> {
        let (progress, stop) = match &*self.running() {
            Some(running) => (running.progress.clone(), running.stop.clone()),
            None => return Err(stopped()),
        };
        let read = async {
            self.acknowledgements.settled().await;
            let ends = self.end_offsets(&progress).await?;
            progress.reach(&ends).await;
            Ok(())
        };
        tokio::select! {
            result = read => result,
            () = stop.cancelled() => Err(stopped()),
        }
    }

    async fn end_offsets(&self, progress: &Progress) -> Result<Vec<i64>> {
        let topic: Arc<str> = Arc::from(self.parts.topic.name.as_str());
        // A partition that is new can be written to before it is read.
        let count = progress
            .partitions()
            .max(self.acknowledgements.highest_partition() + 1);
        let partitions: Vec<TopicPartition> = (0..count)
            .map(|partition| TopicPartition::new(topic.clone(), partition))
            .collect();
        loop {
            match self
                .parts
                .admin
                .end_offsets(&partitions, END_OFFSETS_TIMEOUT)
                .await
            {
                Ok(found) => return Ok(by_partition(count, &found)),
                Err(error) if error.kind == KafkaErrorKind::Retriable => {
                    tracing::warn!(%topic, %error, "cannot look up the topic's end, retrying");
                    sleep(END_OFFSETS_BACKOFF).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Queues a record, waiting while too many are on their way.
    ///
    /// # Errors
    /// Those of the client. Retriable, if the log is stopped.
    pub(crate) async fn send(&self, key: &[u8], value: Option<&[u8]>) -> Result<Receipt> {
        loop {
            let permit = self.in_flight.clone().acquire_owned().await;
            let (acknowledge, receipt) = oneshot::channel();
            let sent = self.send_now(
                key,
                value,
                Box::new(move |outcome| {
                    drop(permit);
                    // Nobody may wait any more.
                    let _ = acknowledge.send(outcome);
                }),
            );
            match sent {
                Ok(()) => return Ok(Receipt(receipt)),
                Err(error) if error.kind == KafkaErrorKind::QueueFull => {
                    // Either there is room again, or it is time to look.
                    let _ = timeout(QUEUE_BACKOFF, self.acknowledgements.next()).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Queues a record at once. After an error `acknowledge` is not called.
    ///
    /// # Errors
    /// Those of the client. Retriable, if the log is stopped.
    pub(crate) fn send_now(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        acknowledge: Acknowledge,
    ) -> tether_kafka::Result<()> {
        let producer = match self.running().as_ref() {
            Some(running) => running.producer.clone(),
            None => return Err(KafkaError::new(KafkaErrorKind::Retriable, STOPPED)),
        };
        let Some(producer) = producer else {
            let topic = &self.parts.topic.name;
            return Err(KafkaError::new(
                KafkaErrorKind::Fatal,
                format!("The store on topic '{topic}' was opened for reading only"),
            ));
        };
        let token = self.acknowledgements.expect(acknowledge);
        let record = OutgoingRecord {
            topic: &self.parts.topic.name,
            partition: None,
            key: Some(key),
            value,
            timestamp: None,
            headers: &[],
        };
        producer.send(&record, token).inspect_err(|_| {
            self.acknowledgements.forget(token);
        })
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        // No code that can panic runs while the lock is held.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const STOPPED: &str = "The store is not started, or was stopped";

fn stopped() -> ConnectError {
    ConnectError::retriable(STOPPED)
}

/// Offsets of the partitions from 0 on; 0 for one that is missing.
pub(super) fn by_partition(count: i32, found: &[tether_kafka::TopicPartitionOffset]) -> Vec<i64> {
    let mut offsets = vec![0; usize::try_from(count).unwrap_or(0)];
    for entry in found {
        let slot = usize::try_from(entry.partition.partition)
            .ok()
            .and_then(|index| offsets.get_mut(index));
        if let Some(slot) = slot {
            *slot = entry.offset;
        }
    }
    offsets
}
