//! A sink task that does what a test says.

mod dead_letters;
mod delivery;
mod errant_records;
mod errors;
mod lifecycle;
mod metrics;
mod offsets;
mod rebalance;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_api::offset::TopicPartition;
use tether_api::record::{SinkRecord, TimestampType};
use tether_api::sink::{Offsets, SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::fake::{FakeKafka, Fault, Operation};
use tether_kafka::{ConsumedRecord, KafkaError, KafkaErrorKind};
use tether_storage::TargetState;
use tokio::time::Instant;

use super::{counted, header_texts, id, launch, measured, stop, until_measured};
use crate::task::TaskHandle;
use crate::testing::{Log, Surroundings, map, surroundings};

/// What one `put` does.
enum Put {
    Retry(Option<Duration>),
    Fail,
    Panic,
    Hang,
    Ask(Box<dyn FnOnce(&SinkTaskContext) + Send>),
    /// Report every record.
    Report,
    /// The same, but go on whatever the answer is.
    ReportAndGoOn,
}

/// What one `pre_commit` returns.
enum PreCommit {
    Fail,
    Offsets(Offsets),
}

/// A sink task that does what the test says.
#[derive(Clone, Default)]
struct Script {
    log: Log,
    puts: Arc<Mutex<VecDeque<Put>>>,
    pre_commits: Arc<Mutex<VecDeque<PreCommit>>>,
    context: Arc<Mutex<Option<SinkTaskContext>>>,
    stores_offsets: Arc<AtomicBool>,
}

impl Script {
    fn put(&self, put: Put) {
        self.puts.lock().unwrap().push_back(put);
    }

    fn ask(&self, ask: impl FnOnce(&SinkTaskContext) + Send + 'static) {
        self.put(Put::Ask(Box::new(ask)));
    }

    fn pre_commit(&self, pre_commit: PreCommit) {
        self.pre_commits.lock().unwrap().push_back(pre_commit);
    }
}

fn names(partitions: &[TopicPartition]) -> String {
    let mut names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    names.sort();
    names.join(" ")
}

#[async_trait]
impl SinkTask for Script {
    async fn start(&mut self, context: SinkTaskContext, _config: ConfigMap) -> Result<()> {
        self.log.add("start");
        *self.context.lock().unwrap() = Some(context);
        Ok(())
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.log.add(format!("open {}", names(partitions)));
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let shown: Vec<String> = records
            .iter()
            .map(|record| format!("{}@{}", record.original, record.offset()))
            .collect();
        self.log.add(format!("put {}", shown.join(" ")).trim());
        let step = self.puts.lock().unwrap().pop_front();
        let context = self.context.lock().unwrap().clone().unwrap();
        match step {
            None => Ok(()),
            Some(Put::Ask(ask)) => {
                ask(&context);
                Ok(())
            }
            Some(Put::Retry(after)) => {
                if let Some(after) = after {
                    context.retry_after(after);
                }
                Err(ConnectError::retriable("not now"))
            }
            Some(Put::Fail) => Err(ConnectError::data("never")),
            Some(step @ (Put::Report | Put::ReportAndGoOn)) => {
                let reporter = context.errant_records.unwrap();
                for record in records {
                    let reported = reporter.report(record, &ConnectError::data("no room"));
                    if matches!(step, Put::Report) {
                        reported?;
                    }
                }
                Ok(())
            }
            Some(Put::Panic) => panic!("boom"),
            Some(Put::Hang) => std::future::pending().await,
        }
    }

    async fn pre_commit(&mut self, offsets: &Offsets) -> Result<Offsets> {
        let shown: Vec<String> = offsets
            .iter()
            .map(|(partition, offset)| format!("{partition}:{offset}"))
            .collect();
        self.log.add(format!("pre_commit {}", shown.join(" ")));
        match self.pre_commits.lock().unwrap().pop_front() {
            None => Ok(offsets.clone()),
            Some(PreCommit::Fail) => Err(ConnectError::other("not durable")),
            Some(PreCommit::Offsets(offsets)) => Ok(offsets),
        }
    }

    fn stores_offsets(&self) -> bool {
        self.stores_offsets.load(Ordering::Relaxed)
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.log.add(format!("close {}", names(partitions)));
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        self.log.add("stop");
        Ok(())
    }
}

struct Bench {
    around: Surroundings,
    kafka: FakeKafka,
    script: Script,
    task: TaskHandle,
}

/// A task on the topic `t` of two partitions.
fn bench_with(connector: &[(&str, &str)], prepare: impl Fn(&FakeKafka, &Script)) -> Bench {
    let around = surroundings(Vec::new(), &[]);
    let kafka = around.kafka.clone();
    kafka.add_topic("t", 2);
    let script = Script::default();
    prepare(&kafka, &script);
    let mut config = map(&[("topics", "t")]);
    config.extend(map(connector));
    let task = Task::Sink(Box::new(script.clone()));
    let task = launch(&around, task, &config, TargetState::Started);
    Bench {
        around,
        kafka,
        script,
        task,
    }
}

fn bench() -> Bench {
    bench_with(&[], |_, _| {})
}

fn t(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

fn error(kind: KafkaErrorKind) -> KafkaError {
    KafkaError::new(kind, "trouble")
}

impl Bench {
    fn append(&self, partition: i32, values: &[&str]) {
        for value in values {
            self.kafka.append_text("t", partition, "k", value);
        }
    }

    async fn until(&self, line: &str) {
        self.script.log.until_line(line).await;
    }

    fn committed(&self, partition: i32) -> Option<i64> {
        self.kafka
            .committed("connect-c")
            .get(&t(partition))
            .copied()
    }

    async fn until_committed(&self, partition: i32, offset: i64) {
        self.kafka
            .until(|kafka| kafka.committed("connect-c").get(&t(partition)) == Some(&offset))
            .await
            .unwrap();
    }

    async fn until_status(&self, state: &str) {
        let line = format!("c-0 {state}");
        self.around.statuses.log.until_line(&line).await;
    }

    /// Appends a record that the converter refuses.
    fn append_poison(&self, partition: i32) {
        let poison = ConsumedRecord {
            topic: "".into(),
            partition,
            offset: 0,
            timestamp: Some(7),
            timestamp_type: TimestampType::CreateTime,
            key: Some(Bytes::from_static(b"k")),
            value: Some(Bytes::from_static(b"\xff")),
            headers: vec![
                ("h".into(), Some(Bytes::from_static(b"1"))),
                ("h".into(), None),
            ],
        };
        self.kafka.append("t", partition, poison);
    }

    async fn until_letters(&self, count: usize) {
        self.kafka
            .until(|kafka| kafka.records("dlq").len() == count)
            .await
            .unwrap();
    }

    /// The calls of the task that brought or took something.
    fn calls(&self) -> Vec<String> {
        let mut lines = self.script.log.lines();
        lines.retain(|line| line != "put");
        lines
    }
}
