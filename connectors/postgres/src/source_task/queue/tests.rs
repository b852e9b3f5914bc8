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
        end: None,
    }
}

/// A batch that ends here.
fn ends(records: usize, end: i64) -> Batch {
    Batch {
        end: Some((
            Arc::default(),
            Some(Arc::new(OffsetMap::new().with("at", end))),
        )),
        ..batch(records, 1)
    }
}

async fn taken(queue: &Queue) -> usize {
    queue
        .take()
        .await
        .map_or(usize::MAX, |taken| taken.records.len())
}

/// How many records are taken, and where they end.
async fn taken_with_end(queue: &Queue) -> (usize, Option<i64>) {
    let taken = queue.take().await.unwrap();
    let end = taken.end.and_then(|(_, end)| end?.get("at")?.as_i64());
    (taken.records.len(), end)
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
async fn an_end_comes_right_behind_its_records() {
    let queue = Queue::new(LIMITS);
    assert!(queue.try_put(&mut ends(0, 1)));
    assert!(queue.try_put(&mut ends(0, 2)));
    assert_eq!(taken_with_end(&queue).await, (0, Some(2)));

    assert!(queue.try_put(&mut batch(1, 1)));
    assert!(queue.try_put(&mut ends(1, 3)));
    assert!(queue.try_put(&mut batch(5, 1)));
    // It takes the place of the end before, however full the queue is.
    assert!(queue.try_put(&mut ends(0, 4)));
    assert_eq!(taken_with_end(&queue).await, (2, Some(3)));
    assert_eq!(taken_with_end(&queue).await, (3, None));
    assert_eq!(taken_with_end(&queue).await, (2, Some(4)));
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
