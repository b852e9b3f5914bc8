//! Reading, seeking, pausing and committing.

use std::time::Duration;

use anyhow::Result;
use tether_kafka::{ConsumerEvent, KafkaErrorKind};
use tether_tests::names;

use super::clients::{Cluster, PATIENCE, assigned, at, partition, record, records, topics, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_follow_what_was_returned() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(2).await?;
    cluster
        .write(&topic, &[(0, "a"), (0, "b"), (0, "c"), (1, "d")])
        .await?;
    let group = names::unique("group");
    let consumer = cluster.member(&group, &topics(&[&topic]), &[])?;
    let both = assigned(&*consumer).await?;
    assert_eq!(both.len(), 2);
    let start = consumer.positions(&both, PATIENCE).await?;
    assert_eq!(start, [at(&topic, 0, 0), at(&topic, 1, 0)]);
    let mut read = values(&records(&*consumer, 4).await?);
    read.sort();
    assert_eq!(read, ["a", "b", "c", "d"]);
    let end = consumer.positions(&both, PATIENCE).await?;
    assert_eq!(end, [at(&topic, 0, 3), at(&topic, 1, 1)]);
    assert_eq!(consumer.end_offsets(&both, PATIENCE).await?, end);
    consumer.commit(&[at(&topic, 0, 2)]).await?;
    consumer.close().await;

    let again = cluster.member(
        &group,
        &topics(&[&topic]),
        &[("auto.offset.reset", "latest")],
    )?;
    let both = assigned(&*again).await?;
    let start = again.positions(&both, PATIENCE).await?;
    assert_eq!(start, [at(&topic, 0, 2), at(&topic, 1, 1)]);
    // What comes after the position was told is not left out.
    cluster.write(&topic, &[(1, "e")]).await?;
    let mut read = values(&records(&*again, 2).await?);
    read.sort();
    assert_eq!(read, ["c", "e"]);
    again.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seek_drops_what_was_fetched_ahead() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let numbers: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let all: Vec<_> = numbers.iter().map(|number| (0, number.as_str())).collect();
    cluster.write(&topic, &all).await?;
    let consumer = cluster.member(&names::unique("group"), &topics(&[&topic]), &[])?;
    let only = assigned(&*consumer).await?;
    // Before anything was fetched, and in mid-flow.
    consumer.seek(&[at(&topic, 0, 500)]).await?;
    for offset in [500i64, 10, 990, 0] {
        consumer.seek(&[at(&topic, 0, offset)]).await?;
        let ConsumerEvent::Records(read) = consumer.poll(PATIENCE, 5).await? else {
            panic!("expected records");
        };
        assert_eq!(read[0].offset, offset);
        let expected: Vec<String> = (offset..).take(read.len()).map(|n| n.to_string()).collect();
        assert_eq!(values(&read), expected);
    }
    consumer.seek(&[at(&topic, 0, -1)]).await?;
    assert_eq!(
        consumer.positions(&only, PATIENCE).await?,
        [at(&topic, 0, 1000)]
    );
    let elsewhere = consumer.seek(&[at(&topic, 5, 0)]).await.unwrap_err();
    assert_eq!(elsewhere.kind, KafkaErrorKind::Invalid);
    consumer.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_partitions_give_nothing() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(2).await?;
    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&topic, 0, -2), at(&topic, 1, -2)])?;
    consumer.pause(&[partition(&topic, 0)])?;
    cluster.write(&topic, &[(0, "a"), (1, "b")]).await?;
    assert_eq!(values(&records(&*consumer, 1).await?), ["b"]);
    cluster.write(&topic, &[(1, "c")]).await?;
    assert_eq!(values(&records(&*consumer, 1).await?), ["c"]);
    consumer.resume(&[partition(&topic, 0)])?;
    assert_eq!(values(&records(&*consumer, 1).await?), ["a"]);
    let error = consumer.pause(&[partition(&topic, 9)]).unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Invalid);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_poll_ends_with_the_first_record() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&topic, 0, -2)])?;
    let nothing = consumer.poll(Duration::ZERO, 10).await?;
    assert!(matches!(nothing, ConsumerEvent::Records(records) if records.is_empty()));
    let (producer, _reports) = cluster.producer(&[])?;
    let (polled, sent) = tokio::join!(consumer.poll(Duration::from_secs(600), 10), async {
        producer.send(&record(&topic, None, Some(b"x")), 0)
    });
    sent?;
    let ConsumerEvent::Records(read) = polled? else {
        panic!("expected records");
    };
    assert_eq!(values(&read), ["x"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_consumer_says_so() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let consumer = cluster.consumer(&[])?;
    consumer.close().await;
    let error = consumer.poll(Duration::ZERO, 1).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fatal);
    consumer.close().await;
    Ok(())
}

/// A thousand large records would fill the memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_of_large_records_ends_before_it_has_all() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let value = "x".repeat(40_000);
    let all = vec![(0, value.as_str()); 500];
    cluster.write(&topic, &all).await?;
    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&topic, 0, -2)])?;
    let (mut offsets, mut most) = (Vec::new(), 0);
    while offsets.len() < all.len() {
        let ConsumerEvent::Records(read) = consumer.poll(PATIENCE, 1000).await? else {
            panic!("expected records");
        };
        most = most.max(read.len());
        offsets.extend(read.iter().map(|record| record.offset));
    }
    assert!(most < all.len(), "{most} records came at once");
    assert!(offsets.iter().copied().eq(0..500));
    Ok(())
}
