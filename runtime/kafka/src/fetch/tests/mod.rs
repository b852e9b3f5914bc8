//! Fetching from brokers in memory, which do what a real one does only when it
//! is in trouble. Time passes at once.

mod cluster;

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::broker::Growing;
use crate::records::ReadOptions;
use cluster::{Cluster, TOPIC};

const PATIENCE: Duration = Duration::from_secs(60);

fn settings() -> FetchSettings {
    FetchSettings {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 50_000_000,
        max_partition_bytes: 1_000_000,
        read: ReadOptions {
            check_crcs: true,
            read_committed: false,
        },
        rack: String::new(),
        may_reset: true,
        request_timeout: Duration::from_secs(30),
        backoff: Growing {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
        },
        max_idle: Duration::from_secs(540),
        metadata_max_age: Duration::from_secs(300),
    }
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new(TOPIC, number)
}

/// A fetcher of these partitions from their beginnings.
struct Reading {
    fetcher: Fetcher,
    arrived: Arc<Notify>,
}

impl Reading {
    fn new(cluster: &Cluster, settings: FetchSettings, partitions: &[i32]) -> Self {
        let arrived = Arc::new(Notify::new());
        let fetcher = Fetcher::new(Arc::new(cluster.clone()), settings, Arc::clone(&arrived));
        for number in partitions {
            fetcher.add(partition(*number));
            fetcher.seek(&partition(*number), 0);
        }
        fetcher.start().unwrap();
        Self { fetcher, arrived }
    }

    /// Something that comes.
    async fn wait<T>(&self, mut look: impl FnMut(&Fetcher) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look(&self.fetcher) {
                    return found;
                }
                self.arrived.notified().await;
            }
        };
        timeout(PATIENCE, looking).await.unwrap()
    }

    /// Offsets and values of the next records.
    async fn read(&self, count: usize) -> Vec<(i64, String)> {
        let mut all = Vec::new();
        while all.len() < count {
            let most = count - all.len();
            let records = self
                .wait(|fetcher| {
                    let records = fetcher.read(most, usize::MAX).unwrap();
                    (!records.is_empty()).then_some(records)
                })
                .await;
            all.extend(records.into_iter().map(|record| {
                let value = record.value.unwrap_or_default().to_vec();
                (record.offset, String::from_utf8(value).unwrap())
            }));
        }
        all
    }

    /// So many requests that have ended, whatever came of them.
    async fn ended(&self, count: usize) {
        for _ in 0..count {
            timeout(PATIENCE, self.arrived.notified()).await.unwrap();
        }
    }

    async fn error(&self) -> KafkaError {
        self.wait(|fetcher| fetcher.read(100, usize::MAX).err())
            .await
    }
}

fn numbers(numbers: std::ops::Range<i64>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

fn numbered(offsets: std::ops::Range<i64>) -> Vec<(i64, String)> {
    offsets.map(|number| (number, number.to_string())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_moves_is_followed() {
    let cluster = Cluster::new(1);
    cluster.write(0, numbers(0..10));
    let reading = Reading::new(&cluster, settings(), &[0]);
    assert_eq!(reading.read(7).await, numbered(0..7));
    cluster.move_leader();
    cluster.write(0, numbers(10..20));
    assert_eq!(reading.read(13).await, numbered(7..20));
    cluster.change(|model| model.is_down = true);
    reading.ended(5).await;
    cluster.move_leader();
    cluster.change(|model| model.is_down = false);
    cluster.write(0, numbers(20..25));
    assert_eq!(reading.read(5).await, numbered(20..25));
    assert_eq!(reading.fetcher.position(&partition(0)), Some(25));
    assert_eq!(reading.fetcher.end_offset(&partition(0)), Some(25));
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_before_a_seek_does_not_count() {
    let cluster = Cluster::new(1);
    cluster.write(0, numbers(0..20));
    let reading = Reading::new(&cluster, settings(), &[0]);
    assert_eq!(reading.read(2).await, numbered(0..2));
    for target in [9, 0, 4, 4, 17] {
        cluster.change(|model| model.is_held = true);
        reading.fetcher.seek(&partition(0), 11);
        let asked = cluster.change(|model| model.fetches.len());
        reading.fetcher.seek(&partition(0), target);
        cluster.change(|model| model.is_held = false);
        assert_eq!(reading.read(3).await, numbered(target..target + 3));
        assert!(asked <= cluster.change(|model| model.fetches.len()));
    }
}

#[tokio::test(start_paused = true)]
async fn removed_partitions_give_nothing() {
    let cluster = Cluster::new(2);
    let reading = Reading::new(&cluster, settings(), &[0, 1]);
    cluster.write(0, numbers(0..4));
    assert_eq!(reading.read(1).await, numbered(0..1));
    reading.fetcher.remove(&partition(0));
    cluster.write(1, numbers(0..4));
    assert_eq!(reading.read(4).await, numbered(0..4));
    assert_eq!(reading.fetcher.position(&partition(0)), None);
    // Added anew, it is placed anew.
    reading.fetcher.add(partition(0));
    let unplaced = reading.fetcher.unplaced();
    assert_eq!(unplaced[0].partition, partition(0));
    reading.fetcher.add(partition(0));
    reading.fetcher.place(&unplaced[0], 1);
    assert_eq!(reading.fetcher.position(&partition(0)), None);
    reading.fetcher.place(&reading.fetcher.unplaced()[0], 2);
    assert_eq!(reading.read(2).await, numbered(2..4));
}

#[tokio::test(start_paused = true)]
async fn paused_partitions_do_not_hold_up_others() {
    let cluster = Cluster::new(2);
    for number in 0..2 {
        cluster.write(number, numbers(0..4));
    }
    let reading = Reading::new(&cluster, settings(), &[0, 1]);
    let first = [partition(0)];
    reading
        .wait(|fetcher| {
            let known = [0, 1].map(|number| fetcher.end_offset(&partition(number)));
            (known == [Some(4); 2]).then_some(())
        })
        .await;
    reading.fetcher.pause(&first);
    let mut read = reading.read(4).await;
    assert_eq!(read, numbered(0..4));
    let fetches = cluster.change(|model| std::mem::take(&mut model.fetches));
    assert!(fetches.iter().any(|(_, asked)| asked.len() == 2));
    cluster.write(1, numbers(4..6));
    assert_eq!(reading.read(2).await, numbered(4..6));
    reading.fetcher.resume(&first);
    read = reading.read(4).await;
    assert_eq!(read, numbered(0..4));
}

#[tokio::test(start_paused = true)]
async fn fetching_ahead_has_a_limit() {
    let cluster = Cluster::new(1);
    let value = "x".repeat(100_000);
    cluster.write(0, vec![value.clone(); 100]);
    let reading = Reading::new(&cluster, settings(), &[0]);
    let ahead = AHEAD.div_ceil(3 * value.len());
    let fetches = || cluster.change(|model| model.fetches.len());
    reading.wait(|_| (fetches() == ahead).then_some(())).await;
    // However long nobody reads, nothing more is asked for.
    let more = async {
        while fetches() == ahead {
            reading.arrived.notified().await;
        }
    };
    assert!(timeout(PATIENCE, more).await.is_err());
    assert_eq!(reading.read(100).await.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_close_replica_serves_while_it_can() {
    let cluster = Cluster::new(1);
    cluster.write(0, numbers(0..3));
    cluster.change(|model| model.preferred = Some(2));
    let reading = Reading::new(&cluster, settings(), &[0]);
    assert_eq!(reading.read(3).await, numbered(0..3));
    let asked = cluster.change(|model| model.fetches.clone());
    let nodes: Vec<i32> = asked.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes[..2], [1, 2]);
    // It may lag behind.
    cluster.change(|model| {
        model.preferred = None;
        model.errors.push_back(1);
    });
    cluster.write(0, numbers(3..6));
    assert_eq!(reading.read(3).await, numbered(3..6));
    assert!(reading.fetcher.take_out_of_range().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_truncated_log_is_read_from_where_it_differs() {
    for may_reset in [true, false] {
        let cluster = Cluster::new(1);
        cluster.write(0, numbers(0..6));
        let settings = FetchSettings {
            may_reset,
            ..settings()
        };
        let reading = Reading::new(&cluster, settings, &[0]);
        assert_eq!(reading.read(6).await, numbered(0..6));
        // The new leader had got less, and has got others since.
        cluster.move_leader();
        cluster.change(|model| {
            let log = model.logs.entry(0).or_default();
            log.truncate(4);
            log.extend((4..9).map(|number| (2, format!("new {number}"))));
        });
        if may_reset {
            let read = reading.read(5).await;
            assert_eq!(read[0], (4, "new 4".to_owned()));
            assert_eq!(read[4], (8, "new 8".to_owned()));
        } else {
            let error = reading.error().await;
            assert_eq!(error.kind, KafkaErrorKind::Fatal);
            let start =
                "Partition t-0 was truncated: its new leader has other records from offset 4";
            assert!(error.message.starts_with(start), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_offset_that_is_gone_is_told() {
    let cluster = Cluster::new(1);
    cluster.write(0, numbers(0..3));
    let reading = Reading::new(&cluster, settings(), &[0]);
    reading.fetcher.seek(&partition(0), 8);
    let gone = reading
        .wait(|fetcher| fetcher.take_out_of_range().pop())
        .await;
    assert_eq!((gone.partition, gone.offset), (partition(0), 8));
    let unplaced = reading.fetcher.unplaced().remove(0);
    reading.fetcher.place(&unplaced, 1);
    assert_eq!(reading.read(2).await, numbered(1..3));
}

#[tokio::test(start_paused = true)]
async fn errors_that_do_not_pass_are_told() {
    let cluster = Cluster::new(1);
    cluster.write(0, numbers(0..3));
    cluster.change(|model| model.errors.extend([29, 2, -1, 78]));
    let reading = Reading::new(&cluster, settings(), &[0]);
    let error = reading.error().await;
    assert_eq!(error.kind, KafkaErrorKind::NotAuthorized);
    assert_eq!(error.message, "Not authorized to access topics: [t]");
    let error = reading.error().await;
    assert_eq!(error.kind, KafkaErrorKind::Fatal);
    let message = "Encountered corrupt message when fetching offset 0 for topic-partition t-0: \
                   the broker answers with error 2";
    assert_eq!(error.message, message);
    assert_eq!(reading.read(3).await, numbered(0..3));
}
