//! A source task that does what a test says.

mod errors;
mod exactly_once;
mod lifecycle;
mod metrics;
mod offsets;
mod sending;
mod topics;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_api::data::{SchemaAndValue, Value};
use tether_api::header::Headers;
use tether_api::offset::OffsetMap;
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::source::{SourcePosition, SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::fake::{Fault, Operation};
use tether_kafka::{KafkaError, KafkaErrorKind, RecordHeader};
use tether_storage::{StatusStore, TargetState};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use super::{
    counted, header_texts, id, labelled, launch, measured, stop, try_launch, until_measured,
};
use crate::task::TaskHandle;
use crate::testing::{Log, OffsetFault, Surroundings, map, surroundings};

/// What one `poll` does.
enum Poll {
    Records(Vec<SourceRecord>),
    /// Records, and a position behind them.
    Positioned(Vec<SourceRecord>, SourcePosition),
    Fail(ConnectError),
    Panic(&'static str),
    Hang,
}

/// A source task that does what the test says, one step per poll.
struct Scripted {
    script: Script,
    fail_start: bool,
    positions: Vec<SourcePosition>,
}

#[derive(Clone)]
struct Script {
    polls: Arc<AsyncMutex<mpsc::UnboundedReceiver<Poll>>>,
    next: mpsc::UnboundedSender<Poll>,
    context: Arc<Mutex<Option<SourceTaskContext>>>,
    log: Log,
}

impl Script {
    fn new() -> Self {
        let (next, polls) = mpsc::unbounded_channel();
        Self {
            polls: Arc::new(AsyncMutex::new(polls)),
            next,
            context: Arc::default(),
            log: Log::default(),
        }
    }

    fn task(&self) -> Task {
        Task::Source(Box::new(Scripted {
            script: self.clone(),
            fail_start: false,
            positions: Vec::new(),
        }))
    }

    fn poll(&self, poll: Poll) {
        self.next.send(poll).unwrap();
    }

    /// One batch of text records at these positions of partition `p`.
    fn records(&self, positions: impl IntoIterator<Item = i64>) {
        let partition = Arc::new(OffsetMap::new().with("p", 1i64));
        self.poll(Poll::Records(
            positions
                .into_iter()
                .map(|position| record(&partition, position))
                .collect(),
        ));
    }

    /// The same, and then a position of `p` without a record.
    fn records_up_to(&self, positions: impl IntoIterator<Item = i64>, end: i64) {
        let partition = Arc::new(OffsetMap::new().with("p", 1i64));
        let records = positions.into_iter();
        self.poll(Poll::Positioned(
            records
                .map(|position| record(&partition, position))
                .collect(),
            (
                partition.clone(),
                Some(Arc::new(OffsetMap::new().with("at", end))),
            ),
        ));
    }

    fn context(&self) -> SourceTaskContext {
        self.context.lock().unwrap().clone().unwrap()
    }
}

fn record(partition: &Arc<OffsetMap>, position: i64) -> SourceRecord {
    let text = format!("v{position}");
    SourceRecord {
        record: ConnectRecord::new("t").value(None, text.as_str()),
        source_partition: partition.clone(),
        source_offset: Some(Arc::new(OffsetMap::new().with("at", position))),
    }
}

#[async_trait]
impl SourceTask for Scripted {
    async fn start(&mut self, context: SourceTaskContext, _config: ConfigMap) -> Result<()> {
        self.script.log.add("start");
        *self.script.context.lock().unwrap() = Some(context);
        if self.fail_start {
            return Err(ConnectError::config("no good"));
        }
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        self.script.log.add("poll");
        let stopping = self.script.context().stopping;
        let mut polls = self.script.polls.lock().await;
        let poll = tokio::select! {
            biased;
            Some(poll) = polls.recv() => poll,
            () = stopping.cancelled() => Poll::Records(Vec::new()),
        };
        self.script.log.add("polled");
        match poll {
            Poll::Records(records) => Ok(records),
            Poll::Positioned(records, position) => {
                self.positions.push(position);
                Ok(records)
            }
            Poll::Fail(error) => Err(error),
            Poll::Panic(message) => panic!("{message}"),
            Poll::Hang => std::future::pending().await,
        }
    }

    fn take_offsets(&mut self) -> Vec<SourcePosition> {
        std::mem::take(&mut self.positions)
    }

    async fn stop(&mut self) -> Result<()> {
        self.script.log.add("stop");
        Ok(())
    }
}

struct Bench {
    around: Surroundings,
    script: Script,
    task: TaskHandle,
}

fn bench_with(
    connector: &[(&str, &str)],
    state: TargetState,
    prepare: impl Fn(&Surroundings),
) -> Bench {
    let around = surroundings(Vec::new(), &[]);
    prepare(&around);
    let script = Script::new();
    let task = launch(&around, script.task(), &map(connector), state);
    Bench {
        around,
        script,
        task,
    }
}

fn bench() -> Bench {
    bench_with(&[], TargetState::Started, |_| {})
}

impl Bench {
    fn values(&self) -> Vec<String> {
        self.around
            .kafka
            .records("t")
            .into_iter()
            .map(|record| String::from_utf8(record.value.unwrap().to_vec()).unwrap())
            .collect()
    }

    async fn until_values(&self, count: usize) {
        self.around
            .kafka
            .until(|kafka| kafka.records("t").len() >= count)
            .await
            .unwrap();
    }

    async fn until_status(&self, state: &str) {
        let line = format!("c-0 {state}");
        self.around.statuses.log.until_line(&line).await;
    }

    async fn until_committed(&self, position: i64) {
        self.around
            .offsets
            .log
            .until_line(&format!("[\"c\",{{\"p\":1}}]={{\"at\":{position}}}"))
            .await;
    }

    async fn committed(&self) -> Option<String> {
        self.around.offsets.stored("[\"c\",{\"p\":1}]").await
    }

    fn statuses(&self) -> Vec<String> {
        self.around.statuses.log.lines()
    }
}

fn error(kind: KafkaErrorKind, message: &str) -> KafkaError {
    KafkaError::new(kind, message)
}
