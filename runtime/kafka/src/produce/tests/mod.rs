//! Writing to brokers in memory, which do what a real one does only when it is
//! in trouble. Time passes at once.

mod cluster;
mod transactions;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::RecordMetadata;
use crate::broker::Growing;
use crate::broker::messages::{
    MESSAGE_TOO_LARGE, NOT_ENOUGH_REPLICAS, NOT_LEADER_OR_FOLLOWER, OUT_OF_ORDER_SEQUENCE_NUMBER,
    POLICY_VIOLATION, TOPIC_AUTHORIZATION_FAILED, UNKNOWN_TOPIC_OR_PARTITION,
};
use crate::records::Codec;
use cluster::{Cluster, Fate, TOPIC};

const PATIENCE: Duration = Duration::from_secs(600);

fn settings() -> ProduceSettings {
    ProduceSettings {
        acks: -1,
        batch_size: 100,
        linger: Duration::from_millis(5),
        max_request_size: 1_000_000,
        buffer_memory: 1_000_000,
        codec: Codec::None,
        request_timeout: Duration::from_secs(30),
        delivery_timeout: Duration::from_secs(120),
        topic_timeout: Duration::from_secs(60),
        retries: u32::MAX,
        backoff: Growing {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
        },
        max_in_flight: 5,
        idempotent: true,
        ignore_keys: false,
        metadata_max_age: Duration::from_secs(300),
        max_idle: Duration::from_secs(540),
        transactional_id: None,
        transaction_timeout: Duration::from_secs(60),
    }
}

fn plain() -> ProduceSettings {
    ProduceSettings {
        idempotent: false,
        ..settings()
    }
}

type Outcome = Result<RecordMetadata>;

#[derive(Default)]
struct Heard(Mutex<Vec<(usize, Outcome)>>);

impl DeliveryHandler for Heard {
    fn delivered(&self, token: usize, outcome: Outcome) {
        self.0.lock().unwrap().push((token, outcome));
    }
}

/// A producer and what it reports.
struct Writing {
    producer: NetworkProducer,
    heard: Arc<Heard>,
    sent: usize,
}

impl Writing {
    fn new(cluster: &Cluster, settings: ProduceSettings) -> Self {
        let heard = Arc::new(Heard::default());
        Self {
            producer: NetworkProducer::new(Arc::new(cluster.clone()), settings, heard.clone()),
            heard,
            sent: 0,
        }
    }

    /// Sends a value, which is its number.
    fn send(&mut self, partition: i32) -> Result<()> {
        let value = self.sent.to_string();
        let record = OutgoingRecord {
            topic: TOPIC,
            partition: Some(partition),
            key: None,
            value: Some(value.as_bytes()),
            timestamp: None,
            headers: &[],
        };
        self.producer.send(&record, self.sent)?;
        self.sent += 1;
        Ok(())
    }

    fn send_many(&mut self, count: usize) {
        for _ in 0..count {
            self.send(0).unwrap();
        }
    }

    async fn flush(&self) {
        self.producer.flush(PATIENCE).await.unwrap();
    }

    /// What has become of each record.
    fn outcomes(&self) -> Vec<Outcome> {
        let mut heard = self.heard.0.lock().unwrap().clone();
        heard.sort_by_key(|(token, _)| *token);
        let tokens: Vec<_> = heard.iter().map(|(token, _)| *token).collect();
        assert_eq!(tokens, (0..self.sent).collect::<Vec<_>>());
        heard.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn all_written(&self) {
        assert!(self.outcomes().iter().all(Result::is_ok));
    }

    fn error(&self, token: usize) -> KafkaError {
        self.outcomes()[token].clone().unwrap_err()
    }
}

fn numbers(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn records_are_written_in_their_order_and_reported_with_their_place() {
    for settings in [settings(), plain()] {
        let cluster = Cluster::new(1);
        let mut writing = Writing::new(&cluster, settings);
        writing.send_many(50);
        writing.flush().await;
        assert_eq!(cluster.values(0), numbers(0..50));
        for (index, outcome) in writing.outcomes().into_iter().enumerate() {
            let expected = RecordMetadata {
                partition: 0,
                offset: index as i64,
            };
            assert_eq!(outcome.unwrap(), expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_batches_are_under_way_only_where_their_order_is_kept() {
    for (settings, most) in [(settings(), 5), (plain(), 1)] {
        let cluster = Cluster::new(1);
        let mut writing = Writing::new(&cluster, settings);
        writing.send(0).unwrap();
        writing.flush().await;
        cluster.change(|model| model.is_held = true);
        writing.send_many(100);
        cluster.until(|model| model.under_way == most).await;
        cluster.change(|model| model.is_held = false);
        writing.flush().await;
        assert_eq!(cluster.change(|model| model.most_under_way), most);
        assert_eq!(cluster.values(0), numbers(0..101));
    }
}

#[tokio::test(start_paused = true)]
async fn without_acknowledgements_no_answer_is_waited_for() {
    let cluster = Cluster::new(1);
    cluster.change(|model| model.is_held = true);
    let settings = ProduceSettings { acks: 0, ..plain() };
    let mut writing = Writing::new(&cluster, settings);
    writing.send_many(10);
    writing.flush().await;
    assert!(
        writing
            .outcomes()
            .iter()
            .all(|outcome| { outcome.as_ref().is_ok_and(|metadata| metadata.offset == -1) })
    );
    assert_eq!(cluster.values(0), numbers(0..10));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_moves_is_followed() {
    let cluster = Cluster::new(1);
    let mut writing = Writing::new(&cluster, settings());
    writing.send_many(10);
    writing.flush().await;
    cluster.change(|model| model.leader = 2);
    writing.send_many(10);
    writing.flush().await;
    cluster.change(|model| model.is_down = true);
    writing.send_many(10);
    let patience = Duration::from_secs(20);
    writing.producer.flush(patience).await.unwrap_err();
    cluster.change(|model| model.is_down = false);
    writing.flush().await;
    writing.all_written();
    assert_eq!(cluster.values(0), numbers(0..30));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_is_sent_in_halves() {
    for codec in [
        Codec::None,
        Codec::Gzip(-1),
        Codec::Lz4,
        Codec::Snappy,
        Codec::Zstd(3),
    ] {
        let cluster = Cluster::new(1);
        cluster.change(|model| model.largest_batch = 120);
        let settings = ProduceSettings {
            batch_size: 10_000,
            codec,
            ..settings()
        };
        let mut writing = Writing::new(&cluster, settings);
        writing.send_many(300);
        writing.flush().await;
        writing.all_written();
        assert_eq!(cluster.values(0), numbers(0..300));
        // A record is never halved.
        cluster.change(|model| model.largest_batch = 10);
        writing.send(0).unwrap();
        writing.flush().await;
        let error = writing.error(300);
        assert_eq!(error.kind, KafkaErrorKind::Invalid);
        assert!(
            error
                .message
                .contains(&format!("(error {MESSAGE_TOO_LARGE})"))
        );
        cluster.change(|model| model.largest_batch = 1000);
        writing.send(0).unwrap();
        writing.flush().await;
        assert_eq!(cluster.values(0).last().unwrap(), "301");
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_that_forgot_a_producer_are_written_to_again() {
    let cluster = Cluster::new(1);
    let mut writing = Writing::new(&cluster, settings());
    writing.send_many(20);
    writing.flush().await;
    cluster.change(|model| {
        let again = Fate::Error(OUT_OF_ORDER_SEQUENCE_NUMBER);
        model.fates.extend([again, again]);
    });
    writing.send_many(20);
    writing.flush().await;
    cluster.forget_producers();
    writing.send_many(20);
    writing.flush().await;
    writing.all_written();
    assert_eq!(cluster.values(0), numbers(0..60));
}

#[tokio::test(start_paused = true)]
async fn what_a_broker_refuses_is_told() {
    for settings in [settings(), plain()] {
        let cluster = Cluster::new(1);
        let mut writing = Writing::new(&cluster, settings);
        writing.send(0).unwrap();
        writing.flush().await;
        cluster.change(|model| model.fates.push_back(Fate::Error(POLICY_VIOLATION)));
        writing.send(0).unwrap();
        writing.flush().await;
        let error = writing.error(1);
        assert_eq!(error.kind, KafkaErrorKind::Invalid, "{error}");
        writing.send(0).unwrap();
        writing.flush().await;
        assert_eq!(cluster.values(0), ["0", "2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn records_expire() {
    for settings in [settings(), plain()] {
        let cluster = Cluster::new(1);
        let settings = ProduceSettings {
            batch_size: 1000,
            ..settings
        };
        let mut writing = Writing::new(&cluster, settings);
        writing.send(0).unwrap();
        writing.flush().await;
        cluster.change(|model| model.is_down = true);
        writing.send_many(3);
        writing.flush().await;
        let error = writing.error(3);
        assert_eq!(error.kind, KafkaErrorKind::Retriable);
        let text = "Expiring 3 record(s) for t-0: 120000 ms has passed since batch creation";
        assert!(error.message.contains(text), "{error}");
        cluster.change(|model| model.is_down = false);
        writing.send(0).unwrap();
        writing.flush().await;
        assert_eq!(cluster.values(0), ["0", "4"]);
    }
}

#[tokio::test(start_paused = true)]
async fn topics_are_waited_for() {
    let cluster = Cluster::new(2);
    cluster.change(|model| model.topic_error = UNKNOWN_TOPIC_OR_PARTITION);
    let mut writing = Writing::new(&cluster, settings());
    writing.send(0).unwrap();
    writing.send(5).unwrap();
    writing.send(1).unwrap();
    let patience = Duration::from_secs(20);
    writing.producer.flush(patience).await.unwrap_err();
    cluster.change(|model| model.topic_error = 0);
    writing.flush().await;
    assert_eq!(writing.error(1).kind, KafkaErrorKind::NotFound);
    assert_eq!(
        (cluster.values(0), cluster.values(1)),
        (numbers(0..1), numbers(2..3))
    );
    // From now on that is known.
    assert_eq!(writing.send(2).unwrap_err().kind, KafkaErrorKind::NotFound);
    cluster.change(|model| model.logs.insert(2, Vec::new()));
    while writing.send(2).is_err() {
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    writing.flush().await;
    assert_eq!(cluster.values(2), ["3"]);
}

#[tokio::test(start_paused = true)]
async fn topics_that_do_not_come_are_told() {
    for (error, kind) in [
        (UNKNOWN_TOPIC_OR_PARTITION, KafkaErrorKind::NotFound),
        (TOPIC_AUTHORIZATION_FAILED, KafkaErrorKind::NotAuthorized),
    ] {
        let cluster = Cluster::new(1);
        cluster.change(|model| model.topic_error = error);
        let mut writing = Writing::new(&cluster, settings());
        writing.send(0).unwrap();
        writing.flush().await;
        assert_eq!(writing.error(0).kind, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_given_back() {
    let cluster = Cluster::new(1);
    let settings = ProduceSettings {
        buffer_memory: 1000,
        ..settings()
    };
    let mut writing = Writing::new(&cluster, settings);
    for _ in 0..3 {
        cluster.change(|model| model.is_down = true);
        let full = loop {
            if let Err(error) = writing.send(0) {
                break error;
            }
        };
        assert_eq!(full.kind, KafkaErrorKind::QueueFull);
        cluster.change(|model| model.is_down = false);
        writing.flush().await;
    }
    assert_eq!(writing.producer.shared.state().used, 0);
    writing.all_written();
    let large = [b'x'; 1000];
    let record = OutgoingRecord {
        topic: TOPIC,
        partition: None,
        key: None,
        value: Some(&large),
        timestamp: None,
        headers: &[],
    };
    let error = writing.producer.send(&record, 0).unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_hears_of_all_records() {
    let cluster = Cluster::new(1);
    let mut writing = Writing::new(&cluster, settings());
    writing.send_many(10);
    writing.flush().await;
    cluster.change(|model| model.is_held = true);
    writing.send_many(40);
    cluster.until(|model| model.under_way == 5).await;
    writing.producer.purge();
    writing.flush().await;
    let failed = |outcomes: &[Outcome]| outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(failed(&writing.outcomes()), 40);
    // What was under way is written all the same.
    cluster.change(|model| model.is_held = false);
    writing.send_many(1);
    writing.flush().await;
    assert_eq!(cluster.values(0).last().unwrap(), "50");

    cluster.change(|model| model.is_held = true);
    writing.send_many(40);
    cluster.until(|model| model.under_way == 5).await;
    let Writing {
        producer, heard, ..
    } = writing;
    drop(producer);
    while heard.0.lock().unwrap().len() < 91 {
        tokio::task::yield_now().await;
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Good),
        1 => Just(Fate::Error(NOT_LEADER_OR_FOLLOWER)),
        1 => Just(Fate::Error(NOT_ENOUGH_REPLICAS)),
        1 => Just(Fate::LostAnswer),
        1 => Just(Fate::LostRequest),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn trouble_neither_loses_nor_reorders(
        fates in prop::collection::vec(fate(), 0..40),
        idempotent in any::<bool>(),
        codec in prop_oneof![Just(Codec::None), Just(Codec::Zstd(1))],
        pauses in prop::collection::vec(0_u64..20, 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let cluster = Cluster::new(2);
            cluster.change(|model| model.fates = fates.into());
            let settings = ProduceSettings { idempotent, codec, ..settings() };
            let mut writing = Writing::new(&cluster, settings);
            for pause in pauses {
                for index in 0..17 {
                    writing.send(index % 2).unwrap();
                }
                tokio::time::advance(Duration::from_millis(pause)).await;
            }
            writing.flush().await;
            writing.all_written();
            for partition in 0..2 {
                let mut values = cluster.values(partition);
                if !idempotent {
                    // A batch may be there again, right behind itself.
                    let mut seen = std::collections::HashSet::new();
                    values.retain(|value| seen.insert(value.clone()));
                }
                let expected: Vec<String> = (0..writing.sent)
                    .filter(|number| number % 17 % 2 == partition as usize)
                    .map(|number| number.to_string())
                    .collect();
                assert_eq!(values, expected);
            }
        });
    }
}
