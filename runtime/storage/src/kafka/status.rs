//! Statuses in the status topic (`KafkaStatusBackingStore`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tether_api::Result;
use tether_kafka::{Admin, Clients, ConsumedRecord, KafkaError, KafkaErrorKind};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::InternalTopic;
use super::acknowledgements::Outcome;
use super::log::{KafkaBasedLog, LogParts};
use super::topic::Purpose;
use crate::status_bytes::{self, Status};
use crate::status_state::{StatusState, StatusWrite};
use crate::{ConnectorStatus, StatusStore, TaskId, TaskStatus, TopicStatus};

const PURPOSE: Purpose = Purpose {
    property: "status.storage.topic",
    content: "connector and task statuses",
};

/// The pause before a failed write is repeated.
const RETRY_BACKOFF: Duration = Duration::from_millis(250);
/// How long a stop waits for writes.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The status store of a distributed worker.
///
/// A write is sent at once, so that the topic has every status, in order. The
/// client does not repeat failed ones (`retries` is 0): an old status must not
/// arrive after a newer one. This store repeats what is still the newest.
pub struct KafkaStatusStore {
    shared: Arc<Shared>,
    /// Writes that failed, until the task that repeats them is started.
    failed: Mutex<Option<mpsc::UnboundedReceiver<StatusWrite>>>,
    repeating: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    log: KafkaBasedLog,
    state: Arc<Mutex<StatusState>>,
    /// Held while a write is numbered and sent, so that both are in one order.
    sending: Mutex<()>,
    /// Changes when a write is durable or given up.
    settled: watch::Sender<()>,
    failed: mpsc::UnboundedSender<StatusWrite>,
}

impl KafkaStatusStore {
    /// A store on this topic.
    pub fn new(clients: Arc<dyn Clients>, admin: Arc<dyn Admin>, topic: InternalTopic) -> Self {
        let state = Arc::new(Mutex::new(StatusState::default()));
        let reader = state.clone();
        let log = KafkaBasedLog::new(LogParts {
            clients,
            admin,
            purpose: PURPOSE,
            single: false,
            producer: Some(topic.producer_properties(("retries", "0"))),
            consumer: topic.consumer_properties(),
            topic,
            consumed: Arc::new(move |record| read(&reader, &record)),
        });
        let (failed, receiver) = mpsc::unbounded_channel();
        Self {
            shared: Arc::new(Shared {
                log,
                state,
                sending: Mutex::default(),
                settled: watch::Sender::new(()),
                failed,
            }),
            failed: Mutex::new(Some(receiver)),
            repeating: Mutex::default(),
        }
    }

    fn put(&self, status: Status, safe: bool) {
        self.shared.write(|state| state.put(status, safe));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, StatusState> {
        lock(&self.state)
    }

    /// Sends the writes that the state asks for.
    fn write<W: IntoIterator<Item = StatusWrite>>(
        self: &Arc<Self>,
        put: impl FnOnce(&mut StatusState) -> W,
    ) {
        let _sending = lock(&self.sending);
        let writes = put(&mut self.state());
        for write in writes {
            self.send(write);
        }
    }

    fn send(self: &Arc<Self>, write: StatusWrite) {
        let shared = Arc::downgrade(self);
        let sent = write.clone();
        let key = write.key.encode();
        let result = self.log.send_now(
            key.as_bytes(),
            write.value.as_deref(),
            Box::new(move |outcome| {
                if let Some(shared) = Weak::upgrade(&shared) {
                    shared.settle(sent, outcome);
                }
            }),
        );
        if let Err(error) = result {
            self.fail(write, &error);
        }
    }

    fn settle(&self, write: StatusWrite, outcome: Outcome) {
        match outcome {
            Ok(metadata) => {
                self.state().written(&write, metadata.offset);
                self.settled.send_replace(());
            }
            Err(error) => self.fail(write, &error),
        }
    }

    fn fail(&self, write: StatusWrite, error: &KafkaError) {
        let may_pass = matches!(
            error.kind,
            KafkaErrorKind::Retriable | KafkaErrorKind::QueueFull
        );
        if may_pass && self.state().retries(&write) {
            tracing::debug!(key = write.key.encode(), %error, "writing a status failed, retrying");
            // It fails only when nobody repeats any more.
            let _ = self.failed.send(write);
            return;
        }
        if !may_pass {
            tracing::error!(key = write.key.encode(), %error, "failed to write a status");
            self.state().abandon(&write);
        }
        self.settled.send_replace(());
    }

    /// Repeats a failed write if it is still to be written.
    fn repeat(self: &Arc<Self>, write: StatusWrite) {
        self.write(|state| state.retries(&write).then_some(write));
        self.settled.send_replace(());
    }

    async fn flush(&self) {
        let latest = self.state().latest_write();
        let mut settled = self.settled.subscribe();
        while self.state().is_writing(latest) {
            if settled.changed().await.is_err() {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that can panic runs while the lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a record of the topic in.
fn read(state: &Mutex<StatusState>, record: &ConsumedRecord) {
    match status_bytes::decode(record.key.as_deref(), record.value.as_deref()) {
        Ok((key, status)) => lock(state).read(record.partition, record.offset, key, status),
        Err(reason) => {
            let key = record.key.as_deref().map(String::from_utf8_lossy);
            tracing::warn!(
                topic = %record.topic,
                partition = record.partition,
                offset = record.offset,
                key = key.as_deref(),
                "ignoring a record of the status topic: {reason}"
            );
        }
    }
}

#[async_trait]
impl StatusStore for KafkaStatusStore {
    async fn start(&self) -> Result<()> {
        self.shared.log.start().await?;
        if let Some(mut failed) = lock(&self.failed).take() {
            let shared = Arc::downgrade(&self.shared);
            let repeating = tokio::spawn(async move {
                while let Some(write) = failed.recv().await {
                    // What failed meanwhile goes along.
                    sleep(RETRY_BACKOFF).await;
                    let Some(shared) = shared.upgrade() else {
                        return;
                    };
                    shared.repeat(write);
                    for _ in 0..failed.len() {
                        if let Ok(write) = failed.try_recv() {
                            shared.repeat(write);
                        }
                    }
                }
            });
            *lock(&self.repeating) = Some(repeating);
        }
        Ok(())
    }

    async fn stop(&self) {
        if timeout(STOP_TIMEOUT, self.flush()).await.is_err() {
            tracing::warn!(
                "statuses could not be written within {} seconds",
                STOP_TIMEOUT.as_secs()
            );
        }
        if let Some(repeating) = lock(&self.repeating).take() {
            repeating.abort();
        }
        self.shared.log.stop().await;
    }

    async fn flush(&self) {
        self.shared.flush().await;
    }

    fn put_connector(&self, status: ConnectorStatus) {
        self.put(Status::Connector(status), false);
    }

    fn put_connector_safe(&self, status: ConnectorStatus) {
        self.put(Status::Connector(status), true);
    }

    fn put_task(&self, status: TaskStatus) {
        self.put(Status::Task(status), false);
    }

    fn put_task_safe(&self, status: TaskStatus) {
        self.put(Status::Task(status), true);
    }

    fn connector(&self, connector: &str) -> Option<ConnectorStatus> {
        self.shared.state().connector(connector)
    }

    fn connectors(&self) -> Vec<String> {
        self.shared.state().connectors()
    }

    fn task(&self, id: &TaskId) -> Option<TaskStatus> {
        self.shared.state().task(id)
    }

    fn tasks(&self, connector: &str) -> Vec<TaskStatus> {
        self.shared.state().tasks(connector)
    }

    fn put_topic(&self, status: TopicStatus) {
        self.put(Status::Topic(status), false);
    }

    fn has_topic(&self, connector: &str, topic: &str) -> bool {
        self.shared.state().has_topic(connector, topic)
    }

    fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        self.shared.state().topics(connector)
    }

    fn reset_topics(&self, connector: &str) {
        self.shared.write(|state| state.reset_topics(connector));
    }
}
