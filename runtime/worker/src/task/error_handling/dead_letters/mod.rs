//! The topic for records that cannot be processed (`DeadLetterQueueReporter`).

mod context_headers;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tether_api::{ConnectError, Result};
use tether_kafka::{
    Admin, Clients, DeliveryHandler, KafkaError, KafkaErrorKind, NewTopic, OutgoingRecord, Producer,
};
use tether_storage::TaskId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{DeadLetterSettings, ErrorHandling, Failure};
use crate::metrics::TaskErrorMetrics;

pub(in crate::task) use context_headers::Origin;

/// How long the brokers have to say whether the topic exists and to create it
/// (the default of `default.api.timeout.ms`).
const TOPIC_TIMEOUT: Duration = Duration::from_secs(60);

/// The number of partitions of a topic that is created.
const PARTITIONS: i32 = 1;

/// The wait before a letter that the producer refused for now is offered again.
const BACKOFF: Duration = Duration::from_millis(100);

/// Writes dead letters, with a producer of their own.
pub(in crate::task) struct DeadLetters {
    id: TaskId,
    topic: String,
    replication_factor: i16,
    context_headers: bool,
    producer: Arc<dyn Producer>,
    /// Needed once, to create the topic.
    admin: Mutex<Option<Arc<dyn Admin>>>,
    metrics: Arc<TaskErrorMetrics>,
    stopping: CancellationToken,
}

/// What to say when a dead letter cannot be written.
#[derive(Debug, Clone)]
pub(in crate::task) struct DeadLetterFailures {
    id: TaskId,
    topic: String,
    metrics: Arc<TaskErrorMetrics>,
}

impl DeadLetterFailures {
    /// For the letters of a task.
    pub(in crate::task) fn new(
        id: &TaskId,
        settings: &DeadLetterSettings,
        metrics: Arc<TaskErrorMetrics>,
    ) -> Self {
        Self {
            id: id.clone(),
            topic: settings.topic.clone(),
            metrics,
        }
    }

    /// Counts and logs a letter that could not be written. Returns the message
    /// of the error that ends its task: if that went on, the record would be
    /// lost in silence.
    pub(in crate::task) fn report(&self, error: &KafkaError) -> String {
        self.metrics.dead_letter_failed();
        tracing::error!(
            task = %self.id,
            %error,
            "Could not produce message to dead letter queue. topic={}",
            self.topic
        );
        format!(
            "A record could not be processed, and its dead letter could not be written to topic '{}'; its \
             offset is not committed. Repair the topic or the access to it and restart the task",
            self.topic
        )
    }
}

/// What is written of a record.
pub(in crate::task) struct Letter<'a> {
    pub(in crate::task) key: Option<&'a [u8]>,
    pub(in crate::task) value: Option<&'a [u8]>,
    pub(in crate::task) timestamp: Option<i64>,
    /// The record's own headers; those that tell what failed come after them.
    pub(in crate::task) headers: Vec<(&'a str, Option<&'a [u8]>)>,
    pub(in crate::task) origin: Origin<'a>,
    pub(in crate::task) failure: &'a Failure,
}

/// What the producer said about a letter.
pub(in crate::task) enum Sent {
    /// It took it; the handler hears what becomes of it.
    Taken,
    /// There will be no letter.
    Refused(KafkaError),
    /// The task is to stop before the producer had room.
    Stopped,
}

impl DeadLetters {
    /// Makes the clients. `deliveries` hears what becomes of the letters.
    ///
    /// # Errors
    /// Config, if a property of a client is wrong.
    pub(in crate::task) fn new(
        id: &TaskId,
        settings: DeadLetterSettings,
        clients: &dyn Clients,
        deliveries: Arc<dyn DeliveryHandler>,
        errors: &ErrorHandling,
    ) -> Result<Self> {
        Ok(Self {
            id: id.clone(),
            producer: clients.producer(&settings.producer, deliveries)?,
            admin: Mutex::new(Some(clients.admin(&settings.admin)?)),
            topic: settings.topic,
            replication_factor: settings.replication_factor,
            context_headers: settings.context_headers,
            metrics: errors.metrics.clone(),
            stopping: errors.stopping.clone(),
        })
    }

    /// Creates the topic if it does not exist.
    ///
    /// # Errors
    /// Other, if it does not and cannot be created.
    pub(in crate::task) async fn create_topic(&self) -> Result<()> {
        let admin = self
            .admin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(admin) = admin else {
            return Ok(());
        };
        let created = tokio::select! {
            biased;
            () = self.stopping.cancelled() => {
                return Err(ConnectError::other("The task was stopped before it started"));
            }
            created = self.ensure_topic(&*admin) => created,
        };
        created.map_err(|error| {
            ConnectError::other(format!(
                "Could not initialize dead letter queue with topic={}",
                self.topic
            ))
            .caused_by(ConnectError::from(error))
        })
    }

    async fn ensure_topic(&self, admin: &dyn Admin) -> Result<(), KafkaError> {
        let names = [self.topic.clone()];
        if !admin.topics(Some(&names), TOPIC_TIMEOUT).await?.is_empty() {
            return Ok(());
        }
        tracing::info!(
            task = %self.id,
            topic = self.topic,
            "The topic of the dead letter queue does not exist and is created"
        );
        let topic = NewTopic {
            name: self.topic.clone(),
            partitions: PARTITIONS,
            replication_factor: self.replication_factor,
            config: Default::default(),
        };
        match admin.create_topic(&topic, TOPIC_TIMEOUT).await {
            Err(error) if error.kind == KafkaErrorKind::AlreadyExists => Ok(()),
            created => created,
        }
    }

    /// Hands a letter to the producer and waits while that has no room. `begin`
    /// makes the token that the handler gets back, anew for every attempt;
    /// `withdraw` takes back one that the handler will not see.
    pub(in crate::task) async fn send(
        &self,
        letter: &Letter<'_>,
        begin: impl Fn() -> usize,
        withdraw: impl Fn(usize),
    ) -> Sent {
        self.metrics.dead_letter_requested();
        loop {
            // Before it is sent, because its acknowledgement may be here before
            // `send` returns.
            let token = begin();
            let Err(error) = self.offer(letter, token) else {
                return Sent::Taken;
            };
            withdraw(token);
            match error.kind {
                KafkaErrorKind::QueueFull | KafkaErrorKind::Retriable => {}
                _ => return Sent::Refused(error),
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Sent::Stopped,
                () = sleep(BACKOFF) => {}
            }
        }
    }

    fn offer(&self, letter: &Letter<'_>, token: usize) -> Result<(), KafkaError> {
        let context = match self.context_headers {
            true => context_headers::of(&self.id, letter),
            false => Vec::new(),
        };
        let context = context
            .iter()
            .map(|(name, value)| (*name, Some(value.as_bytes())));
        let headers: Vec<_> = letter.headers.iter().copied().chain(context).collect();
        self.producer.send(
            &OutgoingRecord {
                topic: &self.topic,
                partition: None,
                key: letter.key,
                value: letter.value,
                timestamp: letter.timestamp,
                headers: &headers,
            },
            token,
        )
    }

    /// Waits until nothing is on its way, at most this long.
    pub(in crate::task) async fn flush(&self, timeout: Duration) {
        if let Err(error) = self.producer.flush(timeout).await {
            tracing::warn!(
                task = %self.id,
                topic = self.topic,
                %error,
                "Dead letters are still on their way; their records come again"
            );
        }
    }

    /// The producer, for one who gives it up without this.
    pub(in crate::task) fn producer(&self) -> Arc<dyn Producer> {
        self.producer.clone()
    }
}
