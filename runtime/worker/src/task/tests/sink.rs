use std::collections::VecDeque;
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

use super::{id, launch, stop};
use crate::task::TaskHandle;
use crate::testing::{Log, Surroundings, map, surroundings};

/// What one `put` does.
enum Put {
    Retry(Option<Duration>),
    Fail,
    Panic,
    Hang,
    Ask(Box<dyn FnOnce(&SinkTaskContext) + Send>),
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
        let records: Vec<String> = records
            .iter()
            .map(|record| format!("{}@{}", record.original, record.offset))
            .collect();
        self.log.add(format!("put {}", records.join(" ")).trim());
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

    /// The calls of the task that brought or took something.
    fn calls(&self) -> Vec<String> {
        let mut lines = self.script.log.lines();
        lines.retain(|line| line != "put");
        lines
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_put_and_their_offsets_committed() {
    let bench = bench();
    bench.append(0, &["a", "b"]);
    bench.until_committed(0, 2).await;
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t", "c-0 UNASSIGNED"]
    );
    let lines = bench.script.log.lines();
    assert_eq!(&lines[..2], ["start", "open t-0 t-1"]);
    assert!(lines.contains(&"put t-0@0 t-0@1".to_owned()), "{lines:?}");
    assert_eq!(
        &lines[lines.len() - 3..],
        ["pre_commit t-0:2 t-1:0", "close t-0 t-1", "stop"]
    );
    assert_eq!(bench.kafka.members("connect-c"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_task_is_called_with_nothing() {
    let bench = bench();
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "put").count() >= 3)
        .await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 0);
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_record_arrives() {
    struct Keep(Arc<Mutex<Vec<SinkRecord>>>);

    #[async_trait]
    impl SinkTask for Keep {
        async fn start(&mut self, _context: SinkTaskContext, _config: ConfigMap) -> Result<()> {
            Ok(())
        }

        async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
            self.0.lock().unwrap().extend_from_slice(records);
            Ok(())
        }
    }

    let around = surroundings(Vec::new(), &[]);
    around.kafka.append(
        "t",
        0,
        ConsumedRecord {
            topic: "".into(),
            partition: 0,
            offset: 0,
            timestamp: Some(12),
            timestamp_type: TimestampType::LogAppendTime,
            key: None,
            value: Some(Bytes::from_static(b"v")),
            headers: vec![
                ("h".into(), Some(Bytes::from_static(b"x"))),
                ("h".into(), None),
            ],
        },
    );
    let kept = Arc::<Mutex<Vec<SinkRecord>>>::default();
    let task = Task::Sink(Box::new(Keep(kept.clone())));
    let config = map(&[("topics.regex", "t.*")]);
    let _task = launch(&around, task, &config, TargetState::Started);
    around
        .kafka
        .until(|kafka| kafka.committed("connect-c").get(&t(0)) == Some(&1))
        .await
        .unwrap();
    let kept = kept.lock().unwrap();
    let SinkRecord {
        record,
        timestamp_type,
        original,
        offset,
    } = &kept[0];
    assert_eq!(
        (&*record.topic, record.partition, record.timestamp),
        ("t", Some(0), Some(12))
    );
    assert!(record.key.is_null());
    assert_eq!(record.value.as_str(), Some("v"));
    assert_eq!(
        (*timestamp_type, original, *offset),
        (TimestampType::LogAppendTime, &t(0), 0)
    );
    let headers: Vec<_> = record.headers.iter().collect();
    assert_eq!(
        (&*headers[0].key, headers[0].value.value.as_str()),
        ("h", Some("x"))
    );
    assert!(headers[1].value.value.is_null());
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_put_again_until_it_is_taken() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        script.put(Put::Retry(Some(Duration::from_millis(10))));
        script.put(Put::Retry(Some(Duration::from_millis(10))));
    });
    let polls = |kafka: &FakeKafka| kafka.calls(Operation::Poll);
    bench.until("put t-0@0").await;
    let before = polls(&bench.kafka);
    // What comes now waits, on both partitions.
    bench.append(0, &["b"]);
    bench.append(1, &["c"]);
    bench.until_committed(1, 1).await;
    bench.until_committed(0, 2).await;
    let mut puts = bench.calls();
    puts.retain(|line| line.starts_with("put"));
    assert_eq!(puts[..3], ["put t-0@0", "put t-0@0", "put t-0@0"]);
    assert!(
        puts[3..].iter().all(|put| !put.contains("t-0@0")),
        "{puts:?}"
    );
    // The consumer was polled meanwhile, so the member stayed in the group.
    assert!(polls(&bench.kafka) > before);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_not_committed() {
    let bench = bench_with(&[], |_, script| {
        for _ in 0..8 {
            script.put(Put::Retry(None));
        }
    });
    bench.append(0, &["a"]);
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "put t-0@0").count() >= 3)
        .await;
    assert!(stop(bench.task, &bench.around).await);
    let committed = bench.kafka.committed("connect-c").get(&t(0)).copied();
    assert!(matches!(committed, None | Some(0)), "{committed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_put_fails_the_task_and_commits_what_came_before() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.script.put(Put::Fail);
    bench.script.put(Put::Fail);
    bench.append(0, &["b"]);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable \
         exception.\nCaused by: org.apache.kafka.connect.errors.DataException: never\n"
    );
    assert_eq!(bench.committed(0), Some(1));
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
    assert_eq!(bench.kafka.members("connect-c"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_task_and_commits_nothing() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.script.put(Put::Panic);
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("A plugin panicked, which is a defect in it: boom"),
        "{trace}"
    );
    assert_eq!(bench.committed(0), None);
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
    assert_eq!(bench.kafka.members("connect-c"), 0);
}

#[tokio::test(start_paused = true)]
async fn revoked_partitions_are_committed_and_closed_and_their_records_dropped() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.append(1, &["b"]);
    bench.until("open t-0 t-1").await;
    bench
        .script
        .log
        .until(|lines| lines.concat().contains("t-1@0"))
        .await;
    // In mid-batch: records of both partitions have been refused.
    for _ in 0..100 {
        bench
            .script
            .put(Put::Retry(Some(Duration::from_millis(10))));
    }
    bench
        .script
        .log
        .until(|_| bench.script.puts.lock().unwrap().len() < 99)
        .await;
    bench.append(0, &["c"]);
    bench.append(1, &["d"]);
    bench.kafka.revoke("connect-c", &[t(0)]);
    bench.until("close t-0").await;
    assert_eq!(bench.committed(0), Some(1));
    bench.script.puts.lock().unwrap().clear();
    bench.until_committed(1, 2).await;
    let lines = bench.script.log.lines();
    let closed = lines.iter().position(|line| line == "close t-0").unwrap();
    assert!(
        lines[closed - 1].starts_with("pre_commit t-0:1"),
        "{lines:?}"
    );
    assert!(
        lines[closed..].iter().all(|line| !line.contains("t-0@")),
        "{lines:?}"
    );
    // Whoever gets the partition reads on where the commit says.
    bench.kafka.assign("connect-c", &[t(0)]);
    bench.until("open t-0").await;
    bench.until("put t-0@1").await;
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_in_mid_batch_loses_nothing() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        kafka.append_text("t", 1, "k", "b");
        for _ in 0..3 {
            script.put(Put::Retry(Some(Duration::from_millis(10))));
        }
    });
    bench.until("put t-0@0 t-1@0").await;
    bench.kafka.rebalance("connect-c");
    bench.until("close t-0 t-1").await;
    bench.until_committed(0, 1).await;
    bench.until_committed(1, 1).await;
    assert_eq!(bench.script.log.count("open t-0 t-1"), 2);
}

#[tokio::test(start_paused = true)]
async fn lost_partitions_are_closed_without_a_commit() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.kafka.lose("connect-c", &[t(0)]);
    bench.until("close t-0").await;
    assert_eq!(bench.committed(0), None);
    bench.append(1, &["b"]);
    bench.until_committed(1, 1).await;
    assert_eq!(bench.committed(0), None);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cannot_say_what_is_durable_gets_its_records_again() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    bench.script.pre_commit(PreCommit::Fail);
    bench.append(0, &["b", "c"]);
    bench.until_committed(0, 3).await;
    let puts = bench.calls();
    let again: Vec<_> = puts.iter().filter(|line| line.contains("t-0@1")).collect();
    assert!(again.len() >= 2, "{puts:?}");
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_closing_commits_nothing_and_closes() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    bench.append(0, &["b"]);
    bench.until("put t-0@1").await;
    bench.script.pre_commit(PreCommit::Fail);
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.kafka.committed("connect-c")[&t(0)], 1);
    let lines = bench.script.log.lines();
    assert_eq!(&lines[lines.len() - 2..], ["close t-0 t-1", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn only_offsets_that_were_put_are_committed() {
    let bench = bench();
    bench.script.pre_commit(PreCommit::Offsets(Offsets::from([
        (t(0), 7),
        (t(1), 1),
        (TopicPartition::new("other", 0), 1),
    ])));
    bench.append(0, &["a"]);
    bench.append(1, &["b", "c"]);
    bench.until_committed(1, 1).await;
    assert_eq!(bench.committed(0), Some(0));
    assert_eq!(bench.kafka.committed("connect-c").len(), 2);
    // The next time it says all of it.
    bench.until_committed(0, 1).await;
    bench.until_committed(1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_may_keep_its_offsets_to_itself() {
    let bench = bench();
    bench.append(0, &["a"]);
    for _ in 0..3 {
        bench.script.pre_commit(PreCommit::Offsets(Offsets::new()));
    }
    bench
        .script
        .log
        .until(|lines| {
            lines
                .iter()
                .filter(|line| line.starts_with("pre_commit t-0:1"))
                .count()
                == 3
        })
        .await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 0);
    bench.until_committed(0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_delivery_but_not_membership() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    // A pause asks for a commit.
    bench.until_committed(0, 1).await;
    bench.append(0, &["b"]);
    let calls = bench.script.log.lines().len();
    bench
        .script
        .log
        .until(|lines| lines.len() > calls + 3)
        .await;
    assert!(!bench.calls().contains(&"put t-0@1".to_owned()));
    assert_eq!(bench.kafka.members("connect-c"), 1);
    bench.task.set_target_state(TargetState::Started);
    bench.until("put t-0@1").await;
    let mut statuses = bench.around.statuses.log.lines();
    statuses.retain(|line| line != "c uses t");
    assert_eq!(statuses, ["c-0 RUNNING", "c-0 PAUSED", "c-0 RUNNING"]);
    assert_eq!(bench.script.log.count("stop"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_during_redelivery_holds_after_it() {
    let bench = bench_with(&[], |kafka, script| {
        kafka.append_text("t", 0, "k", "a");
        script.put(Put::Retry(Some(Duration::from_millis(10))));
        script.put(Put::Retry(Some(Duration::from_millis(300))));
    });
    bench
        .script
        .log
        .until(|lines| lines.iter().filter(|line| *line == "put t-0@0").count() == 2)
        .await;
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    bench.append(0, &["b"]);
    // The batch in hand is delivered, nothing after it.
    bench.until_committed(0, 1).await;
    let calls = bench.script.log.lines().len();
    bench
        .script
        .log
        .until(|lines| lines.len() > calls + 3)
        .await;
    assert!(!bench.calls().contains(&"put t-0@1".to_owned()));
    bench.task.set_target_state(TargetState::Started);
    bench.until("put t-0@1").await;
}

#[tokio::test(start_paused = true)]
async fn a_task_may_pause_partitions_of_its_own() {
    let bench = bench();
    bench.until("open t-0 t-1").await;
    bench
        .script
        .ask(|context| context.pause(&[t(0), TopicPartition::new("other", 0)]));
    bench.append(1, &["x"]);
    bench.until("put t-1@0").await;
    bench.append(0, &["a"]);
    bench.append(1, &["y"]);
    bench.until("put t-1@1").await;
    // A pause and resumption by the user does not undo it.
    bench.task.set_target_state(TargetState::Paused);
    bench.until_status("PAUSED").await;
    bench.task.set_target_state(TargetState::Started);
    bench.append(1, &["z"]);
    bench.until("put t-1@2").await;
    assert!(!bench.calls().contains(&"put t-0@0".to_owned()));
    bench.script.ask(|context| context.resume(&[t(0)]));
    bench.until("put t-0@0").await;
}

#[tokio::test(start_paused = true)]
async fn a_task_may_rewind_and_ask_for_commits() {
    let around = surroundings(Vec::new(), &[("offset.flush.interval.ms", "20000")]);
    let kafka = around.kafka.clone();
    kafka.add_topic("t", 2);
    let script = Script::default();
    let task = Task::Sink(Box::new(script.clone()));
    let _task = launch(
        &around,
        task,
        &map(&[("topics", "t")]),
        TargetState::Started,
    );
    let begin = Instant::now();
    kafka.append_text("t", 0, "k", "a");
    kafka.append_text("t", 0, "k", "b");
    script
        .log
        .until(|lines| lines.concat().contains("t-0@1"))
        .await;
    script.ask(|context| context.rewind(t(0), 1));
    kafka.append_text("t", 1, "k", "x");
    script.log.until_line("put t-0@1").await;
    script.ask(SinkTaskContext::request_commit);
    kafka.append_text("t", 1, "k", "y");
    kafka
        .until(|kafka| kafka.committed("connect-c").get(&t(1)) == Some(&2))
        .await
        .unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(kafka.committed("connect-c")[&t(0)], 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_is_made_good_by_the_next() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::Commit,
            [
                Fault::Reject(error(KafkaErrorKind::Retriable)),
                Fault::Reject(error(KafkaErrorKind::Fatal)),
            ],
        );
    });
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 3);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t"]
    );
}

#[tokio::test(start_paused = true)]
async fn records_flow_while_a_commit_waits_and_a_late_one_is_given_up() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(Operation::Commit, [Fault::Slow(Duration::from_secs(3600))]);
    });
    bench.append(0, &["a"]);
    bench
        .kafka
        .until(|kafka| kafka.calls(Operation::Commit) == 1)
        .await
        .unwrap();
    bench.append(0, &["b"]);
    bench.until("put t-0@1").await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 1);
    bench.until_committed(0, 2).await;
    assert_eq!(bench.kafka.calls(Operation::Commit), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_commit_is_repeated_while_there_is_time() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.kafka.script(
        Operation::Commit,
        [
            Fault::Reject(error(KafkaErrorKind::Retriable)),
            Fault::Reject(error(KafkaErrorKind::Retriable)),
        ],
    );
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.kafka.committed("connect-c")[&t(0)], 1);
}

#[tokio::test(start_paused = true)]
async fn dropped_records_move_the_offset() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.drop", "b"),
        ],
        |_, _| {},
    );
    bench.append(0, &["b"]);
    bench.until_committed(0, 1).await;
    assert!(!bench.calls().iter().any(|line| line.contains("t-0@0")));
}

#[tokio::test(start_paused = true)]
async fn records_that_do_not_fit_fail_the_task_with_their_position() {
    let bench = bench();
    bench.append(1, &["a"]);
    bench.until("put t-1@0").await;
    let wrong = ConsumedRecord {
        topic: "".into(),
        partition: 1,
        offset: 0,
        timestamp: None,
        timestamp_type: TimestampType::NoTimestampType,
        key: None,
        value: Some(Bytes::from_static(b"\xff")),
        headers: Vec::new(),
    };
    bench.kafka.append("t", 1, wrong);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
         Caused by: org.apache.kafka.connect.errors.DataException: VALUE_CONVERTER of the record \
         topic='t', partition=1, offset=1: not UTF-8\n"
    );
    assert_eq!(bench.committed(1), Some(1));
}

#[tokio::test(start_paused = true)]
async fn converters_prepare_themselves() {
    let bench = bench_with(
        &[
            ("value.converter", "t.Text"),
            ("value.converter.unprepared", "1"),
        ],
        |_, _| {},
    );
    bench.append(0, &["a", "b"]);
    bench.until_committed(0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_task_is_silent_and_leaves_the_group() {
    let bench = bench();
    bench.append(0, &["a"]);
    bench.script.put(Put::Hang);
    bench.script.put(Put::Hang);
    bench
        .script
        .log
        .until(|lines| lines.iter().any(|line| line.starts_with("put")))
        .await;
    assert!(!stop(bench.task, &bench.around).await);
    bench
        .kafka
        .until(|kafka| kafka.members("connect-c") == 0)
        .await
        .unwrap();
    assert!(
        !bench
            .around
            .statuses
            .log
            .lines()
            .contains(&"c-0 UNASSIGNED".to_owned())
    );
    assert_eq!(bench.kafka.calls(Operation::Commit), 0);
}

#[tokio::test(start_paused = true)]
async fn batches_have_the_size_that_the_consumer_is_configured_with() {
    let bench = bench_with(
        &[("consumer.override.max.poll.records", "2")],
        |kafka, _| {
            for value in ["a", "b", "c"] {
                kafka.append_text("t", 0, "k", value);
            }
        },
    );
    bench.until("put t-0@0 t-0@1").await;
    bench.until("put t-0@2").await;
    let consumer = &bench.kafka.clients()[0];
    assert_eq!(consumer["group.id"], "connect-c");
    assert_eq!(consumer["client.id"], "connector-consumer-c-0");
    assert_eq!(consumer["auto.offset.reset"], "earliest");
}

#[tokio::test(start_paused = true)]
async fn passing_problems_of_the_consumer_are_waited_out() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::Poll,
            [Fault::Reject(error(KafkaErrorKind::Retriable))],
        );
    });
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    bench.kafka.script(
        Operation::Poll,
        [Fault::Reject(error(KafkaErrorKind::NotAuthorized))],
    );
    bench.append(0, &["b"]);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("ConnectException: trouble"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_put_and_commit_repeats_records() {
    let bench = bench_with(&[], |kafka, _| kafka.always(Operation::Commit, Fault::Hold));
    bench.append(0, &["a"]);
    bench.until("put t-0@0").await;
    bench.task.abandon();
    bench.kafka.clear(Operation::Commit);
    let script = Script::default();
    let task = Task::Sink(Box::new(script.clone()));
    let task = launch(
        &bench.around,
        task,
        &map(&[("topics", "t")]),
        TargetState::Started,
    );
    script.log.until_line("put t-0@0").await;
    assert!(stop(task, &bench.around).await);
    assert_eq!(bench.kafka.committed("connect-c")[&t(0)], 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_to_stop_does_not_wait_for_positions() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.always(Operation::Positions, Fault::Hold);
    });
    bench
        .kafka
        .until(|kafka| kafka.held(Operation::Positions) == 1)
        .await
        .unwrap();
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.script.log.lines(), ["start", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_that_the_group_took_back_is_passed_over() {
    let bench = bench_with(&[], |kafka, _| {
        kafka.script(
            Operation::AcceptAssignment,
            [Fault::Reject(error(KafkaErrorKind::Fenced))],
        );
    });
    bench
        .kafka
        .until(|kafka| kafka.calls(Operation::AcceptAssignment) == 1)
        .await
        .unwrap();
    bench.kafka.rebalance("connect-c");
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    assert_eq!(bench.script.log.count("open t-0 t-1"), 1);
}
