use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use tether_api::config::ConfigMap;
use tether_api::connector::Task;
use tether_api::data::{SchemaAndValue, Value};
use tether_api::offset::OffsetMap;
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tether_kafka::fake::{Fault, Operation};
use tether_kafka::{KafkaError, KafkaErrorKind};
use tether_storage::{StatusStore, TargetState};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use super::{id, launch, stop};
use crate::task::TaskHandle;
use crate::testing::{Log, OffsetFault, Surroundings, map, surroundings};

/// What one `poll` does.
enum Poll {
    Records(Vec<SourceRecord>),
    Fail(ConnectError),
    Panic(&'static str),
    Hang,
}

/// A source task that does what the test says, one step per poll.
struct Scripted {
    script: Script,
    fail_start: bool,
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
        match poll {
            Poll::Records(records) => Ok(records),
            Poll::Fail(error) => Err(error),
            Poll::Panic(message) => panic!("{message}"),
            Poll::Hang => std::future::pending().await,
        }
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

#[tokio::test(start_paused = true)]
async fn records_reach_kafka_and_their_offsets_the_store() {
    let bench = bench();
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v2", "v3"]);
    let mut committed = bench.script.context().committed;
    let told = committed
        .wait_for(|told| told.sequence == 1)
        .await
        .unwrap()
        .clone();
    assert_eq!(told.offsets.len(), 1);
    assert_eq!(
        told.offsets[0].1.as_ref().unwrap().get("at"),
        Some(&Value::from(3i64))
    );
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c uses t", "c-0 UNASSIGNED"]
    );
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
    let version = bench.around.statuses.task(&id()).unwrap().version;
    assert_eq!(version.as_deref(), Some("1.2.3"));
}

#[tokio::test(start_paused = true)]
async fn a_later_run_reads_what_was_committed() {
    let first = bench();
    first.script.records([5]);
    first.until_committed(5).await;
    let reader = first.script.context().offsets;
    let stored = reader
        .offsets(&[OffsetMap::new().with("p", 1i64)])
        .await
        .unwrap();
    assert_eq!(stored, [Some(OffsetMap::new().with("at", 5i64))]);
}

#[tokio::test(start_paused = true)]
async fn offsets_follow_the_acknowledged_prefix() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Hold, Fault::Pass]);
    });
    bench.script.records(1..=3);
    bench.until_committed(1).await;
    // Another commit passes; the held record still stands in the way.
    bench.script.poll(Poll::Records(vec![record(
        &Arc::new(OffsetMap::new().with("q", 1i64)),
        9,
    )]));
    let other = "[\"c\",{\"q\":1}]={\"at\":9}";
    bench.around.offsets.log.until_line(other).await;
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
    bench.around.kafka.release(Operation::Send);
    bench.until_committed(3).await;
    assert_eq!(
        bench
            .around
            .offsets
            .log
            .count("[\"c\",{\"p\":1}]={\"at\":2}"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_lost_on_the_way_fails_the_task_even_in_a_quiet_poll() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        let lost = error(KafkaErrorKind::Invalid, "too large");
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Lose(lost)]);
    });
    bench.script.records(1..=3);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send \
         callback\nCaused by: org.apache.kafka.connect.errors.ConnectException: too large\n"
    );
    // What was acknowledged before it is committed, what came after is not.
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
    assert_eq!(bench.script.log.lines().last().unwrap(), "stop");
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_fails_the_task() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        let refused = error(KafkaErrorKind::NotAuthorized, "not yours");
        around
            .kafka
            .script(Operation::Send, [Fault::Pass, Fault::Reject(refused)]);
    });
    bench.script.records(1..=3);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains("ConnectException: Unrecoverable exception trying to send\nCaused by"));
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_refused_for_now_is_sent_again_in_its_place() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        let later = error(KafkaErrorKind::Retriable, "leader moves");
        around.kafka.script(
            Operation::Send,
            [
                Fault::Pass,
                Fault::Reject(later.clone()),
                Fault::Reject(later),
            ],
        );
    });
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v2", "v3"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_waited_for() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.limit_queue(2)
    });
    bench.script.records(1..=50);
    bench.until_committed(50).await;
    let expected: Vec<String> = (1..=50).map(|position| format!("v{position}")).collect();
    assert_eq!(bench.values(), expected);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_limit_is_not_in_flight() {
    // Each record has two bytes.
    let bench = bench_with(
        &[("producer.override.buffer.memory", "6")],
        TargetState::Started,
        |around| around.kafka.always(Operation::Send, Fault::Hold),
    );
    bench.script.records(1..=9);
    bench.until_values(3).await;
    for released in 1..=9 {
        bench
            .around
            .kafka
            .until(|kafka| kafka.held(Operation::Send) == 3.min(10 - released))
            .await
            .unwrap();
        bench.around.kafka.release_one(Operation::Send);
    }
    bench.until_committed(9).await;
    assert_eq!(bench.values().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_failed_flush_keeps_its_offsets() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Fail]);
    });
    bench.script.records([1]);
    bench.around.offsets.log.until_line("failed").await;
    bench.until_committed(1).await;
    bench.around.offsets.script([OffsetFault::Fail]);
    bench.script.records([2]);
    bench
        .around
        .offsets
        .log
        .until(|lines| lines.iter().filter(|line| *line == "failed").count() == 2)
        .await;
    bench.script.records([3]);
    bench.until_committed(3).await;
    // The newer offset took the place of the one that could not be written.
    assert_eq!(
        bench
            .around
            .offsets
            .log
            .count("[\"c\",{\"p\":1}]={\"at\":2}"),
        0
    );
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c uses t"]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_hangs_is_given_up_and_repeated() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Hang]);
    });
    bench.script.records([1]);
    bench.around.offsets.log.until_line("hangs").await;
    // Data flows on meanwhile.
    bench.script.records([2]);
    bench.until_values(2).await;
    bench.until_committed(2).await;
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c uses t"]);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_records_in_flight_and_commits_them() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.always(Operation::Send, Fault::Hold);
    });
    bench.script.records(1..=3);
    bench.until_values(3).await;
    let kafka = bench.around.kafka.clone();
    bench.task.request_stop();
    bench.script.log.until(|lines| lines.len() >= 3).await;
    kafka.release(Operation::Send);
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench
            .around
            .offsets
            .stored("[\"c\",{\"p\":1}]")
            .await
            .unwrap(),
        "{\"at\":3}"
    );
    assert_eq!(
        bench.around.statuses.log.lines().last().unwrap(),
        "c-0 UNASSIGNED"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_last_poll_returns_is_sent() {
    let bench = bench();
    bench.script.log.until_line("poll").await;
    // The scripted poll prefers records to the stop signal.
    bench.script.records([1]);
    bench.task.request_stop();
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench
            .around
            .offsets
            .stored("[\"c\",{\"p\":1}]")
            .await
            .unwrap(),
        "{\"at\":1}"
    );
}

#[tokio::test(start_paused = true)]
async fn records_that_never_arrive_are_not_committed_by_a_stop() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.script(Operation::Send, [Fault::Pass]);
        around.kafka.always(Operation::Send, Fault::Hold);
    });
    bench.script.records(1..=3);
    bench.until_values(3).await;
    stop(bench.task, &bench.around).await;
    assert_eq!(
        bench
            .around
            .offsets
            .stored("[\"c\",{\"p\":1}]")
            .await
            .unwrap(),
        "{\"at\":1}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_task_is_silent() {
    let bench = bench();
    bench.script.poll(Poll::Hang);
    bench.script.log.until_line("poll").await;
    assert!(!stop(bench.task, &bench.around).await);
    assert_eq!(bench.around.statuses.log.lines(), ["c-0 RUNNING"]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_task_does_not_poll() {
    let bench = bench();
    bench.script.log.until_line("poll").await;
    bench.task.set_target_state(TargetState::Paused);
    // The poll in flight is awaited, and what it returns is sent.
    bench.script.records([1]);
    bench.until_status("PAUSED").await;
    bench.until_committed(1).await;
    bench.script.records([2]);
    assert_eq!(bench.script.log.count("poll"), 1);
    bench.task.set_target_state(TargetState::Started);
    bench.until_committed(2).await;
    let mut statuses = bench.statuses();
    statuses.retain(|line| line != "c uses t");
    assert_eq!(statuses, ["c-0 RUNNING", "c-0 PAUSED", "c-0 RUNNING"]);
    assert_eq!(bench.script.log.count("stop"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_begins_paused_is_not_started() {
    let bench = bench_with(&[], TargetState::Paused, |_| {});
    bench.until_status("PAUSED").await;
    assert!(bench.script.log.lines().is_empty());
    bench.task.set_target_state(TargetState::Started);
    bench.until_status("RUNNING").await;
    assert!(stop(bench.task, &bench.around).await);
    let never = bench_with(&[], TargetState::Paused, |_| {});
    never.until_status("PAUSED").await;
    assert!(stop(never.task, &never.around).await);
    assert!(never.script.log.lines().is_empty());
    assert_eq!(
        never.around.statuses.log.lines().last().unwrap(),
        "c-0 UNASSIGNED"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_stopped() {
    let around = surroundings(Vec::new(), &[]);
    let script = Script::new();
    let task = Task::Source(Box::new(Scripted {
        script: script.clone(),
        fail_start: true,
    }));
    let _task = launch(&around, task, &map(&[]), TargetState::Started);
    let trace = around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.common.config.ConfigException: no good\n"
    );
    assert_eq!(script.log.lines(), ["start", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_task_only() {
    let bench = bench();
    bench.script.records(1..=2);
    bench.until_values(2).await;
    bench.script.poll(Poll::Panic("boom"));
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("A plugin panicked, which is a defect in it: boom"),
        "{trace}"
    );
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":2}");
}

#[tokio::test(start_paused = true)]
async fn polls_that_may_be_repeated_are() {
    let bench = bench();
    bench
        .script
        .poll(Poll::Fail(ConnectError::retriable("away")));
    bench.script.records([1]);
    bench.until_committed(1).await;
    bench.script.poll(Poll::Fail(ConnectError::other("gone")));
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: gone\n"
    );
}

#[tokio::test(start_paused = true)]
async fn dropped_records_move_no_offset() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.drop", "v2"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=2);
    bench.until_committed(1).await;
    bench.script.records([3]);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v3"]);
    assert_eq!(
        bench
            .around
            .offsets
            .log
            .count("[\"c\",{\"p\":1}]={\"at\":2}"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn records_that_do_not_fit_fail_the_task() {
    let bench = bench_with(
        &[
            ("transforms", "f"),
            ("transforms.f.type", "t.Filter"),
            ("transforms.f.refuse", "v2"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=2);
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
         Caused by: org.apache.kafka.connect.errors.DataException: TRANSFORMATION of the record for topic \
         't': transformation f: refused\n"
    );
    assert_eq!(bench.committed().await.unwrap(), "{\"at\":1}");
}

#[tokio::test(start_paused = true)]
async fn values_that_the_converter_refuses_fail_the_task() {
    let bench = bench();
    let mut wrong = record(&Arc::new(OffsetMap::new()), 1);
    wrong.record.value = Value::from(1i32);
    bench.script.poll(Poll::Records(vec![wrong]));
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains("VALUE_CONVERTER of the record for topic 't': not a text"),
        "{trace}"
    );
}

#[tokio::test(start_paused = true)]
async fn converters_prepare_themselves_once() {
    let bench = bench_with(
        &[
            ("key.converter", "t.Text"),
            ("key.converter.unprepared", "1"),
            ("value.converter", "t.Text"),
            ("value.converter.unprepared", "1"),
        ],
        TargetState::Started,
        |_| {},
    );
    bench.script.records(1..=3);
    bench.until_committed(3).await;
    assert_eq!(bench.values(), ["v1", "v2", "v3"]);
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_record_is_sent() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.kafka.add_topic("t", 3)
    });
    let partition = Arc::new(OffsetMap::new().with("p", 1i64));
    let mut full = record(&partition, 1);
    full.record.partition = Some(2);
    full.record.key = Value::from("k");
    full.record.timestamp = Some(12);
    for number in 0..10 {
        let value = if number == 5 {
            Value::Null
        } else {
            Value::from(number)
        };
        full.record
            .headers
            .add(format!("h{number}"), SchemaAndValue::schemaless(value));
    }
    let mut tombstone = record(&partition, 2);
    tombstone.record.value = Value::Null;
    tombstone.record.timestamp = Some(-1);
    tombstone.source_offset = None;
    bench.script.poll(Poll::Records(vec![full, tombstone]));
    bench
        .around
        .offsets
        .log
        .until_line("[\"c\",{\"p\":1}]=null")
        .await;
    let records = bench.around.kafka.records("t");
    let empty = records
        .iter()
        .find(|record| record.value.is_none())
        .unwrap();
    assert_eq!(empty.key, None);
    let sent = records
        .iter()
        .find(|record| record.value.is_some())
        .unwrap();
    assert_eq!((sent.partition, sent.timestamp), (2, Some(12)));
    assert_eq!(sent.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(sent.headers.len(), 10);
    assert_eq!(
        (&*sent.headers[0].0, sent.headers[0].1.as_deref()),
        ("h0", Some(&b"0"[..]))
    );
    assert_eq!(sent.headers[5].1, None);
    assert_eq!(sent.headers[9].1.as_deref(), Some(&b"9"[..]));
}

#[tokio::test(start_paused = true)]
async fn timestamps_must_not_be_negative() {
    let bench = bench();
    let mut wrong = record(&Arc::new(OffsetMap::new()), 1);
    wrong.record.timestamp = Some(-2);
    bench.script.poll(Poll::Records(vec![wrong]));
    let trace = bench.around.trace(&id()).await;
    assert_eq!(
        trace,
        "org.apache.kafka.common.InvalidRecordException: Invalid record timestamp -2\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_stopping_is_no_failure() {
    let bench = bench();
    bench.script.log.until_line("poll").await;
    bench.script.poll(Poll::Fail(ConnectError::other("gone")));
    bench.task.request_stop();
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(
        bench.around.statuses.log.lines(),
        ["c-0 RUNNING", "c-0 UNASSIGNED"]
    );
}

#[tokio::test(start_paused = true)]
async fn offsets_that_cannot_be_stored_do_not_end_the_task() {
    let bench = bench();
    let mut wrong = record(&Arc::new(OffsetMap::new().with("p", 1i64)), 1);
    let nested = Value::from(vec![Value::Null]);
    wrong.source_offset = Some(Arc::new(OffsetMap::new().with("at", nested)));
    bench.script.poll(Poll::Records(vec![wrong]));
    bench.until_values(1).await;
    bench.script.records([2]);
    bench.until_committed(2).await;
    assert_eq!(bench.statuses(), ["c-0 RUNNING", "c uses t"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_acknowledgement_and_commit_repeats_records() {
    let bench = bench_with(&[], TargetState::Started, |around| {
        around.offsets.script([OffsetFault::Hang]);
    });
    bench.script.records(1..=2);
    bench.around.offsets.log.until_line("hangs").await;
    assert_eq!(bench.values(), ["v1", "v2"]);
    bench.task.abandon();
    // The next run finds no offset and sends everything again.
    let script = Script::new();
    let task = launch(
        &bench.around,
        script.task(),
        &map(&[]),
        TargetState::Started,
    );
    script.log.until_line("poll").await;
    let partition = OffsetMap::new().with("p", 1i64);
    let found = script.context().offsets.offsets(&[partition]).await;
    assert_eq!(found.unwrap(), [None]);
    script.records(1..=3);
    bench
        .around
        .offsets
        .log
        .until_line("[\"c\",{\"p\":1}]={\"at\":3}")
        .await;
    assert!(stop(task, &bench.around).await);
    let values = bench.around.kafka.records("t").len();
    assert_eq!(values, 5);
}

/// What becomes of each record of [`never_more_is_committed_than_kafka_has`].
fn fault() -> impl Strategy<Value = Option<u64>> {
    // Most are slow by some milliseconds, some are refused for now.
    prop_oneof![3 => (0..400u64).prop_map(Some), 1 => Just(None)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the producer does, the stored offset never passes a record that
    /// Kafka does not have, and in the end everything before the first lost
    /// record is there, in order, and committed.
    #[test]
    fn never_more_is_committed_than_kafka_has(
        faults in prop::collection::vec(fault(), 1..40),
        batch in 1..10usize,
        lost in prop::option::of(0..40usize),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let count = faults.len() as i64;
            let lost = lost.filter(|at| *at < faults.len());
            let bench = bench_with(&[], TargetState::Started, |around| {
                let script = faults.iter().enumerate().flat_map(|(at, fault)| {
                    let refused = Fault::Reject(error(KafkaErrorKind::Retriable, "later"));
                    let last = if lost == Some(at) {
                        Fault::Lose(error(KafkaErrorKind::Fatal, "lost"))
                    } else {
                        Fault::Slow(Duration::from_millis(fault.unwrap_or(0)))
                    };
                    fault.is_none().then_some(refused).into_iter().chain([last])
                });
                around.kafka.script(Operation::Send, script);
            });
            let positions: Vec<i64> = (1..=count).collect();
            for batch in positions.chunks(batch) {
                bench.script.records(batch.iter().copied());
            }
            let through = lost.map_or(count, |at| at as i64);
            if lost.is_some() {
                bench.around.trace(&id()).await;
            } else {
                bench.until_committed(through).await;
            }
            let committed = bench.committed().await;
            let expected = (through > 0).then(|| format!("{{\"at\":{through}}}"));
            prop_assert_eq!(committed, expected);
            let expected: Vec<String> = (1..=through).map(|at| format!("v{at}")).collect();
            prop_assert_eq!(&bench.values()[..through as usize], &expected[..]);
            Ok(())
        })?;
    }
}
