//! Measures the clients against a real broker:
//! `cargo run --release --example throughput -- BOOTSTRAP [RECORDS]`.
//!
//! Prints how many records of 100 bytes a second one producer writes and one
//! consumer reads, and how much memory idle clients take.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for developers"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tether_api::config::ConfigMap;
use tether_api::offset::TopicPartition;
use tether_kafka::{
    Clients, ConsumerEvent, DeliveryHandler, KafkaErrorKind, NewTopic, OutgoingRecord,
    RdKafkaClients, RecordMetadata, Result, TopicPartitionOffset,
};

const PATIENCE: Duration = Duration::from_secs(60);
const RECORD: [u8; 100] = [7; 100];

struct Ignore;

impl DeliveryHandler for Ignore {
    fn delivered(&self, _token: usize, outcome: Result<RecordMetadata>) {
        outcome.unwrap();
    }
}

/// Resident memory of this process and its threads.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map_or_else(String::new, |value| value.trim().to_owned())
    };
    format!(
        "{} resident, {} threads",
        field("VmRSS:"),
        field("Threads:")
    )
}

fn properties(bootstrap: &str, more: &[(&str, &str)]) -> ConfigMap {
    std::iter::once(&("bootstrap.servers", bootstrap))
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What Connect's source tasks set.
const SOURCE_TASK: [(&str, &str); 4] = [
    ("enable.idempotence", "false"),
    ("acks", "all"),
    ("max.in.flight.requests.per.connection", "1"),
    ("delivery.timeout.ms", "2147483647"),
];

async fn produce(clients: &RdKafkaClients, bootstrap: &str, topic: &str, records: usize) {
    let producer = clients
        .producer(&properties(bootstrap, &SOURCE_TASK), Arc::new(Ignore))
        .unwrap();
    let record = OutgoingRecord {
        topic,
        partition: None,
        key: None,
        value: Some(&RECORD),
        timestamp: None,
        headers: &[],
    };
    let start = Instant::now();
    for token in 0..records {
        while let Err(error) = producer.send(&record, token) {
            assert_eq!(error.kind, KafkaErrorKind::QueueFull, "{error}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    producer.flush(PATIENCE).await.unwrap();
    report("produced", records, start, bootstrap);
}

async fn consume(
    clients: &RdKafkaClients,
    bootstrap: &str,
    start: &[TopicPartitionOffset],
    records: usize,
) {
    let consumer = clients.consumer(&properties(bootstrap, &[])).unwrap();
    consumer.assign(start).unwrap();
    let (mut read, begin) = (0, Instant::now());
    while read < records {
        if let ConsumerEvent::Records(batch) = consumer.poll(PATIENCE, 500).await.unwrap() {
            read += batch.len();
        }
    }
    report("consumed", read, begin, bootstrap);
    consumer.close().await;
}

fn report(what: &str, records: usize, start: Instant, bootstrap: &str) {
    let rate = records as f64 / start.elapsed().as_secs_f64();
    println!("{what} {rate:.0} records/s at {bootstrap}; {}", resident());
}

/// What a worker holds that runs no connector: three logs and an admin client.
async fn idle(clients: &RdKafkaClients, bootstrap: &str, partition: &TopicPartitionOffset) {
    println!("no clients: {}", resident());
    let admin = clients.admin(&properties(bootstrap, &[])).unwrap();
    admin.cluster_id(PATIENCE).await.unwrap();
    println!("an admin client: {}", resident());
    let mut held = Vec::new();
    for number in 1..=3 {
        let producer = clients
            .producer(&properties(bootstrap, &[]), Arc::new(Ignore))
            .unwrap();
        let record = OutgoingRecord {
            topic: &partition.partition.topic,
            partition: Some(0),
            key: None,
            value: Some(&RECORD),
            timestamp: None,
            headers: &[],
        };
        producer.send(&record, 0).unwrap();
        producer.flush(PATIENCE).await.unwrap();
        println!("+ producer {number}: {}", resident());
        let consumer = clients.consumer(&properties(bootstrap, &[])).unwrap();
        consumer.assign(std::slice::from_ref(partition)).unwrap();
        consumer.poll(PATIENCE, 1).await.unwrap();
        println!("+ consumer {number}: {}", resident());
        held.push((producer, consumer));
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("after five seconds: {}", resident());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let bootstrap = arguments
        .next()
        .unwrap_or_else(|| "localhost:9092".to_owned());
    let records = arguments
        .next()
        .map_or(2_000_000, |text| text.parse().unwrap());
    let clients = RdKafkaClients::new();
    let topic = format!("throughput-{}", std::process::id());
    let first = TopicPartitionOffset {
        partition: TopicPartition::new(topic.as_str(), 0),
        offset: -2,
    };
    let admin = clients.admin(&properties(&bootstrap, &[])).unwrap();
    let new = NewTopic {
        name: topic.clone(),
        partitions: 1,
        replication_factor: 1,
        config: BTreeMap::new(),
    };
    admin.create_topic(&new, PATIENCE).await.unwrap();
    drop(admin);
    tokio::time::sleep(Duration::from_secs(2)).await;
    idle(&clients, &bootstrap, &first).await;
    produce(&clients, &bootstrap, &topic, records).await;
    consume(&clients, &bootstrap, std::slice::from_ref(&first), records).await;
}
