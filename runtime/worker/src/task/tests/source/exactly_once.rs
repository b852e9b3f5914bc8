//! Records and offsets in one transaction.

use tether_api::ConnectError as Error;

use super::*;
use crate::preflight::Preflight;
use crate::testing::EXACTLY_ONCE;

/// Says that nobody else writes, or what a test wants.
#[derive(Default)]
struct Herder {
    log: Log,
    fencing: Option<&'static str>,
    verdict: Option<&'static str>,
}

#[async_trait]
impl Preflight for Herder {
    async fn fence_zombies(&self) -> Result<()> {
        self.log.add("fence");
        self.fencing.map_or(Ok(()), |text| Err(Error::other(text)))
    }

    async fn verify(&self) -> Result<()> {
        self.log.add("verify");
        self.verdict.map_or(Ok(()), |text| Err(Error::other(text)))
    }
}

fn start(around: Surroundings, script: Script, connector: &[(&str, &str)]) -> Bench {
    let herder = Arc::new(Herder {
        log: script.log.clone(),
        ..Herder::default()
    });
    let started = TargetState::Started;
    let task = script.task();
    let task = try_launch(Some(herder), &around, task, &map(connector), started).unwrap();
    Bench {
        around,
        script,
        task,
    }
}

fn exactly_once(connector: &[(&str, &str)]) -> Bench {
    start(
        surroundings(Vec::new(), &EXACTLY_ONCE),
        Script::new(),
        connector,
    )
}

impl Bench {
    /// The offsets that are committed, in order.
    fn offsets(&self) -> Vec<String> {
        let text = |record: tether_kafka::ConsumedRecord| {
            let value = record.value.map(|value| value.to_vec());
            String::from_utf8(value.unwrap_or_default()).unwrap()
        };
        self.around
            .kafka
            .records("offsets")
            .into_iter()
            .map(text)
            .collect()
    }

    fn calls(&self, operation: Operation) -> usize {
        self.around.kafka.calls(operation)
    }

    /// Lets the task read what is committed; another run of it comes after.
    async fn again(self) -> Bench {
        let Bench {
            around,
            script,
            task,
        } = self;
        task.abandon();
        drop(script);
        start(around, Script::new(), &[])
    }
}

#[tokio::test(start_paused = true)]
async fn transactions_are_measured() {
    let bench = exactly_once(&[("transaction.boundary", "poll")]);
    let of = |name| measured(&bench.around, "source_task", name);
    bench.script.records(0..3);
    bench.script.records(3..4);
    until_measured(&bench.around, "source_task", "transaction-size-min", 1.0).await;
    assert_eq!(of("transaction-size-max"), 3.0);
    assert_eq!(of("transaction-size-avg"), 2.0);
    // Offsets are records of the same producer, and not counted.
    assert_eq!(of("source-record-write-total"), 4.0);
    assert_eq!(of("source-record-active-count"), 0.0);
    let successes = "offset-commit-success-percentage";
    assert_eq!(measured(&bench.around, "connector_task", successes), 1.0);
}

/// What a task of the reference is FAILED with.
const NOT_COMMITTED: &str = "Failed to flush offsets and/or records for task c-0";

#[tokio::test(start_paused = true)]
async fn a_position_without_a_record_is_committed_too() {
    let interval = [
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "1000"),
    ];
    for connector in [&[][..], &interval[..]] {
        let bench = exactly_once(connector);
        let kafka = bench.around.kafka.clone();
        bench.until_status("RUNNING").await;
        bench.script.records_up_to([], 7);
        bench.script.records_up_to([8], 9);
        kafka
            .until(|_| {
                bench
                    .offsets()
                    .last()
                    .is_some_and(|last| last == r#"{"at":9}"#)
            })
            .await
            .unwrap();
        assert_eq!(bench.values(), ["v8"]);
        assert!(!bench.offsets().iter().any(|offset| offset == r#"{"at":8}"#));
        assert!(stop(bench.task, &bench.around).await);
    }
}

#[tokio::test(start_paused = true)]
async fn records_and_offsets_come_together() {
    let bench = exactly_once(&[]);
    let kafka = &bench.around.kafka;
    bench.until_status("RUNNING").await;
    kafka.script(
        Operation::CommitTransaction,
        [Fault::Slow(Duration::from_secs(9))],
    );
    bench.script.records(0..3);
    kafka
        .until(|kafka| kafka.calls(Operation::CommitTransaction) == 1)
        .await
        .unwrap();
    assert_eq!(bench.values(), [""; 0]);
    bench.until_values(3).await;
    assert_eq!(bench.values(), ["v0", "v1", "v2"]);
    assert_eq!(bench.offsets(), [r#"{"at":2}"#]);
    let committed = bench.script.context().committed;
    bench
        .script
        .log
        .until(|_| committed.borrow().sequence == 1)
        .await;
    let client = kafka
        .clients()
        .into_iter()
        .find(|client| client.contains_key("transactional.id"));
    let client = client.unwrap();
    assert_eq!(client["transactional.id"], "g-c-0");
    assert_eq!(client["enable.idempotence"], "true");
    assert!(stop(bench.task, &bench.around).await);
    // Nothing was left to commit.
    assert_eq!(bench.around.kafka.calls(Operation::CommitTransaction), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_before_zombies_are_fenced() {
    let bench = exactly_once(&[]);
    bench.until_status("RUNNING").await;
    assert_eq!(bench.script.log.lines()[..3], ["fence", "verify", "start"]);
    assert_eq!(bench.around.kafka.epoch("g-c-0"), 1);
    for (fencing, verdict) in [(Some("not fenced"), None), (None, Some("revoked"))] {
        let around = surroundings(Vec::new(), &EXACTLY_ONCE);
        let script = Script::new();
        let herder = Herder {
            fencing,
            verdict,
            ..Herder::default()
        };
        let task = script.task();
        let started = TargetState::Started;
        let _task = try_launch(Some(Arc::new(herder)), &around, task, &map(&[]), started);
        let trace = around.trace(&id()).await;
        assert!(trace.contains(fencing.or(verdict).unwrap()), "{trace}");
        assert!(script.log.lines().is_empty(), "it was not started");
        let epoch = u64::from(fencing.is_none());
        assert_eq!(around.kafka.epoch("g-c-0"), epoch);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_leaves_nothing() {
    for (kind, operation) in [
        (KafkaErrorKind::Abortable, Operation::CommitTransaction),
        (KafkaErrorKind::Fenced, Operation::CommitTransaction),
        (KafkaErrorKind::Fatal, Operation::BeginTransaction),
    ] {
        let bench = exactly_once(&[]);
        bench.until_status("RUNNING").await;
        let kafka = &bench.around.kafka;
        kafka.script(operation, [Fault::Reject(error(kind, "no"))]);
        bench.script.records(0..3);
        let trace = bench.around.trace(&id()).await;
        assert!(trace.contains(NOT_COMMITTED), "{trace}");
        assert_eq!((bench.values(), bench.offsets()), (Vec::new(), Vec::new()));
        // There is no second try at the end.
        assert!(bench.calls(Operation::CommitTransaction) <= 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_fails_the_whole_transaction() {
    let bench = exactly_once(&[]);
    bench.until_status("RUNNING").await;
    let lost = error(KafkaErrorKind::Invalid, "too large");
    bench
        .around
        .kafka
        .script(Operation::Send, [Fault::Pass, Fault::Lose(lost)]);
    bench.script.records(0..3);
    let trace = bench.around.trace(&id()).await;
    assert!(trace.contains(NOT_COMMITTED), "{trace}");
    assert_eq!((bench.values(), bench.offsets()), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn the_run_after_a_lost_reply_knows_what_was_committed() {
    let bench = exactly_once(&[]);
    bench.until_status("RUNNING").await;
    let lost = error(KafkaErrorKind::Fatal, "the reply is lost");
    bench
        .around
        .kafka
        .script(Operation::CommitTransaction, [Fault::FailAfter(lost)]);
    bench.script.records(0..3);
    bench.around.trace(&id()).await;
    assert_eq!(bench.values().len(), 3);
    let bench = bench.again().await;
    bench.script.log.until_line("start").await;
    let partition = OffsetMap::new().with("p", 1i64);
    let offsets = bench.script.context().offsets;
    assert_eq!(
        offsets.offsets(&[partition]).await.unwrap(),
        [Some(OffsetMap::new().with("at", 2i64))]
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_waited_for() {
    let bench = exactly_once(&[]);
    bench.until_status("RUNNING").await;
    let timeout = || Fault::Reject(error(KafkaErrorKind::Retriable, "still under way"));
    let kafka = &bench.around.kafka;
    kafka.script(Operation::CommitTransaction, [timeout(), timeout()]);
    kafka.script(Operation::InitTransactions, [timeout()]);
    bench.script.records(0..3);
    bench.until_values(3).await;
    assert_eq!(bench.calls(Operation::CommitTransaction), 3);
}

#[tokio::test(start_paused = true)]
async fn a_zombie_is_fenced_by_its_heir() {
    let bench = exactly_once(&[("transaction.boundary", "interval")]);
    bench.until_status("RUNNING").await;
    bench.script.records(0..3);
    bench
        .around
        .kafka
        .until(|kafka| kafka.calls(Operation::Send) == 3)
        .await
        .unwrap();
    let mut properties = ConfigMap::new();
    properties.insert("bootstrap.servers".to_owned(), "fake:9092".to_owned());
    let heirs = vec!["g-c-0".to_owned()];
    let clients = &*bench.around.context.clients;
    tether_kafka::fence_producers(clients, &properties, heirs, Duration::from_secs(1))
        .await
        .unwrap();
    let trace = bench.around.trace(&id()).await;
    assert!(
        trace.contains(NOT_COMMITTED) && trace.contains("newer producer"),
        "{trace}"
    );
    assert_eq!((bench.values(), bench.offsets()), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn an_interval_ends_while_the_source_has_nothing_to_tell() {
    let bench = exactly_once(&[
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "5000"),
    ]);
    bench.until_status("RUNNING").await;
    let begun = tokio::time::Instant::now();
    bench.script.records(0..2);
    bench.script.records(2..3);
    bench.until_values(3).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(bench.calls(Operation::CommitTransaction), 1);
    assert_eq!(bench.offsets(), [r#"{"at":2}"#]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_and_a_stop_commit_what_is_open() {
    let bench = exactly_once(&[
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "900000"),
    ]);
    bench.until_status("RUNNING").await;
    let sent = async |count| {
        let kafka = &bench.around.kafka;
        kafka
            .until(|kafka| kafka.calls(Operation::Send) >= count)
            .await
            .unwrap();
    };
    bench.script.records(0..2);
    sent(2).await;
    bench.task.set_target_state(TargetState::Paused);
    bench.until_values(2).await;
    bench.until_status("PAUSED").await;
    bench.task.set_target_state(TargetState::Started);
    bench.script.records(2..3);
    // With the offset of the first two.
    sent(4).await;
    assert_eq!(bench.values().len(), 2);
    assert!(stop(bench.task, &bench.around).await);
    assert_eq!(bench.around.kafka.records("t").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn connectors_commit_and_abort_where_they_like() {
    let bench = exactly_once(&[("transaction.boundary", "connector")]);
    bench.until_status("RUNNING").await;
    let transactions = bench.script.context().transactions.unwrap();
    // 0 and 1 are committed, 2 is aborted, 3 waits for the next batch.
    transactions.commit_transaction_after(1);
    transactions.abort_transaction_after(2);
    bench.script.records(0..4);
    bench
        .around
        .kafka
        .until(|kafka| kafka.records("offsets").len() == 2)
        .await
        .unwrap();
    assert_eq!(bench.values(), ["v0", "v1"]);
    assert_eq!(bench.offsets(), [r#"{"at":1}"#, r#"{"at":2}"#]);
    transactions.commit_transaction();
    bench.script.records(4..5);
    bench.until_values(4).await;
    assert_eq!(bench.values(), ["v0", "v1", "v3", "v4"]);
    transactions.abort_transaction();
    bench.script.records(5..6);
    bench
        .around
        .kafka
        .until(|kafka| kafka.records("offsets").len() == 4)
        .await
        .unwrap();
    bench.script.records(6..7);
    bench
        .around
        .kafka
        .until(|kafka| kafka.calls(Operation::Send) == 11)
        .await
        .unwrap();
    assert!(stop(bench.task, &bench.around).await);
    // Nobody said that the last one is to be committed.
    assert_eq!(bench.around.kafka.records("t").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_topic_of_offsets_is_not_for_records() {
    let bench = exactly_once(&[]);
    let partition = Arc::new(OffsetMap::new());
    let mut own = record(&partition, 1);
    own.record.topic = Arc::from("offsets");
    bench.script.poll(Poll::Records(vec![own]));
    let trace = bench.around.trace(&id()).await;
    let text = "Source tasks may not produce to their own offsets topics when exactly-once support is enabled";
    assert!(trace.contains(text), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_took_too_long_is_explained() {
    let bench = exactly_once(&[("producer.override.transaction.timeout.ms", "10000")]);
    bench.until_status("RUNNING").await;
    let kafka = &bench.around.kafka;
    kafka.script(Operation::Send, [Fault::Hold]);
    bench.script.records(0..1);
    kafka
        .until(|kafka| kafka.held(Operation::Send) == 1)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    kafka.fail_held(
        Operation::Send,
        error(KafkaErrorKind::Fenced, "the epoch is over"),
    );
    let trace = bench.around.trace(&id()).await;
    let text = "The task c-0 was unable to finish writing records to Kafka before its producer transaction expired.";
    assert!(trace.contains(text), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_may_be_larger_than_what_may_be_in_flight() {
    let bench = exactly_once(&[
        ("transaction.boundary", "interval"),
        ("producer.override.buffer.memory", "10"),
    ]);
    bench.around.kafka.limit_queue(2);
    bench.script.records(0..50);
    bench.until_values(50).await;
    assert_eq!(bench.calls(Operation::CommitTransaction), 1);
}

#[tokio::test(start_paused = true)]
async fn own_offsets_are_copied_for_the_worker() {
    let bench = exactly_once(&[("offsets.storage.topic", "own")]);
    bench.script.records(0..3);
    bench.until_committed(2).await;
    assert_eq!(bench.around.kafka.records("own").len(), 1);
    assert!(bench.offsets().is_empty());
}
