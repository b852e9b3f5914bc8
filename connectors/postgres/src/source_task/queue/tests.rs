use std::sync::Arc;

use tether_api::offset::OffsetMap;
use tether_api::record::ConnectRecord;

use super::*;

const LIMITS: Limits = Limits {
    records: 4,
    bytes: 100,
    batch: 3,
};

fn batch(records: usize, bytes: usize) -> Batch {
    let record = SourceRecord {
        record: ConnectRecord::new("t"),
        source_partition: Arc::new(OffsetMap::new()),
        source_offset: None,
    };
    Batch {
        records: vec![record; records],
        bytes,
    }
}

async fn taken(queue: &Queue) -> usize {
    queue
        .take()
        .await
        .map_or(usize::MAX, |records| records.len())
}

#[tokio::test]
async fn small_batches_are_taken_together_and_large_ones_in_parts() {
    let queue = Queue::new(LIMITS);
    assert!(queue.try_put(&mut batch(1, 1)));
    assert!(queue.try_put(&mut batch(2, 1)));
    assert!(queue.try_put(&mut batch(7, 9)));
    for expected in [3, 3, 3, 1] {
        assert_eq!(taken(&queue).await, expected);
    }
    assert_eq!(queue.state().bytes, 0);
    assert_eq!(queue.state().records, 0);
}

#[tokio::test]
async fn records_and_bytes_are_bounded() {
    let queue = Queue::new(LIMITS);
    assert!(queue.try_put(&mut batch(4, 1)));
    let mut waiting = batch(1, 1);
    assert!(!queue.try_put(&mut waiting));
    assert_eq!(waiting.records.len(), 1);
    assert_eq!(taken(&queue).await, 3);
    queue.space().await;
    assert!(queue.try_put(&mut waiting) && waiting.records.is_empty());
    assert_eq!(taken(&queue).await, 2);

    // A record may be larger than the bound.
    assert!(queue.try_put(&mut batch(1, 1000)));
    let mut small = batch(1, 1);
    assert!(!queue.try_put(&mut small));
    assert_eq!(taken(&queue).await, 1);
    assert!(queue.try_put(&mut small));
}

#[tokio::test]
async fn a_failure_comes_after_the_records() {
    let queue = Queue::new(LIMITS);
    assert!(queue.try_put(&mut batch(1, 1)));
    queue.fail(ConnectError::other("first"));
    queue.fail(ConnectError::other("second"));
    assert_eq!(taken(&queue).await, 1);
    let error = queue.take().await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("first"));
}

#[tokio::test]
async fn whoever_waits_is_woken() {
    let queue = Queue::new(LIMITS);
    let writer = queue.clone();
    let (taken, ()) = tokio::join!(taken(&queue), async {
        tokio::task::yield_now().await;
        assert!(writer.try_put(&mut batch(2, 1)));
    });
    assert_eq!(taken, 2);
    assert!(queue.try_put(&mut Batch::default()));
}
