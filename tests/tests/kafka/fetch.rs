//! What is fetched from a real broker, however it was written and whatever
//! happens meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tether_kafka::{ConsumedRecord, Consumer, ConsumerEvent, KafkaErrorKind, NewTopic};
use tether_services::{Kafka, KafkaOptions};
use tether_tests::eventually::within_async;
use tether_tests::names;
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::clients::{Cluster, PATIENCE, at, partition, record, records, values};
use super::transactions;

const EARLIEST: (&str, &str) = ("auto.offset.reset", "earliest");

async fn create(cluster: &Cluster, name: &str, config: &[(&str, &str)]) -> Result<()> {
    let topic = NewTopic {
        name: name.to_owned(),
        partitions: 1,
        replication_factor: 1,
        config: config
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
    };
    Ok(cluster.admin()?.create_topic(&topic, PATIENCE).await?)
}

/// Writes these values with a producer that has these properties.
async fn write(
    cluster: &Cluster,
    properties: &[(&str, &str)],
    topic: &str,
    values: &[String],
) -> Result<()> {
    let (producer, reports) = cluster.producer(properties)?;
    let headers: [(&str, Option<&[u8]>); 2] = [("a", Some(b"1")), ("b", None)];
    for (token, value) in values.iter().enumerate() {
        let mut record = record(topic, Some(b"k"), Some(value.as_bytes()));
        record.partition = Some(0);
        if token.is_multiple_of(3) {
            record.headers = &headers;
        }
        producer.send(&record, token)?;
    }
    producer.flush(PATIENCE).await?;
    for (_, outcome) in reports.all() {
        outcome?;
    }
    Ok(())
}

fn offsets(records: &[ConsumedRecord]) -> Vec<i64> {
    records.iter().map(|record| record.offset).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_compression_is_read() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    // Small, large, and such that cannot be compressed.
    let noise: String = (0..20_000_u64)
        .map(|number| char::from(b'!' + u8::try_from(number.wrapping_mul(number) % 90).unwrap()))
        .collect();
    let mut all: Vec<String> = (0..1000).map(|number| format!("value {number}")).collect();
    all.extend([String::new(), "x".repeat(300_000), noise]);
    let kinds = ["none", "gzip", "snappy", "lz4", "zstd"];
    for compression in kinds {
        let properties = [("compression.type", compression), ("linger.ms", "50")];
        write(&cluster, &properties, &topic, &all).await?;
    }
    for more in [&[][..], &[("check.crcs", "false")]] {
        let consumer = cluster.consumer(more)?;
        consumer.assign(&[at(&topic, 0, -2)])?;
        let read = records(&*consumer, all.len() * kinds.len()).await?;
        let expected: Vec<String> = kinds.iter().flat_map(|_| all.clone()).collect();
        assert!(values(&read) == expected, "the values differ");
        assert!(offsets(&read).into_iter().eq(0..read.len() as i64));
        for (index, record) in read.iter().enumerate() {
            let of_producer = index % all.len();
            let headers = if of_producer.is_multiple_of(3) { 2 } else { 0 };
            assert_eq!(record.headers.len(), headers, "{index}");
            assert_eq!(record.key.as_deref(), Some(&b"k"[..]));
        }
        // From within a batch.
        consumer.seek(&[at(&topic, 0, 1500)]).await?;
        let ConsumerEvent::Records(read) = consumer.poll(PATIENCE, 1).await? else {
            bail!("expected records");
        };
        assert_eq!(offsets(&read), [1500]);
    }
    Ok(())
}

/// A transaction holds up those who read what is committed, and its markers
/// take offsets that no reader gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_is_waited_for() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let only = [partition(&topic, 0)];
    let producer = transactions::producer(&cluster, &names::unique("transactions")).await?;
    transactions::write(&*producer, &topic, "aborted").await?;
    producer.abort_transaction(PATIENCE).await?;
    transactions::write(&*producer, &topic, "open").await?;
    cluster.write(&topic, &[(0, "after")]).await?;
    let committed = cluster.consumer(&[("isolation.level", "read_committed")])?;
    let all = cluster.consumer(&[])?;
    for consumer in [&all, &committed] {
        consumer.assign(&[at(&topic, 0, -2)])?;
    }
    let read = records(&*all, 3).await?;
    assert_eq!(values(&read), ["aborted", "open", "after"]);
    assert_eq!(offsets(&read), [0, 2, 3]);
    assert_eq!(all.known_end_offset(&only[0]), Some(4));
    // Past the aborted one and its marker.
    within_async(PATIENCE, "the position passes the marker", async || {
        let nothing = committed.poll(Duration::from_millis(50), 9).await?;
        assert!(matches!(nothing, ConsumerEvent::Records(records) if records.is_empty()));
        let position = committed.positions(&only, PATIENCE).await?;
        match position == [at(&topic, 0, 2)] {
            true => anyhow::Ok(()),
            false => bail!("{position:?}"),
        }
    })
    .await?;
    assert_eq!(committed.known_end_offset(&only[0]), Some(2));
    producer.commit_transaction(PATIENCE).await?;
    let read = records(&*committed, 2).await?;
    assert_eq!(values(&read), ["open", "after"]);
    within_async(
        PATIENCE,
        "the position passes the last marker",
        async || {
            committed.poll(Duration::from_millis(50), 9).await?;
            let position = committed.positions(&only, PATIENCE).await?;
            match position == [at(&topic, 0, 5)] {
                true => anyhow::Ok(()),
                false => bail!("{position:?}"),
            }
        },
    )
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_may_be_larger_than_a_fetch() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = names::unique("kafka");
    create(&cluster, &topic, &[("max.message.bytes", "8000000")]).await?;
    let all: Vec<String> = [10, 3_000_000, 20, 5_000_000, 30]
        .into_iter()
        .map(|length| "x".repeat(length))
        .collect();
    write(&cluster, &[("max.request.size", "8000000")], &topic, &all).await?;
    for limit in ["1000", "0"] {
        let consumer = cluster.consumer(&[
            ("max.partition.fetch.bytes", limit),
            ("fetch.max.bytes", limit),
        ])?;
        consumer.assign(&[at(&topic, 0, -2)])?;
        let read = records(&*consumer, all.len()).await?;
        assert!(values(&read) == all, "the values differ");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_partition_does_not_hold_up_others() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(3).await?;
    let numbers: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    let all: Vec<(i32, &str)> = numbers
        .iter()
        .enumerate()
        .map(|(index, number)| (if index.is_multiple_of(2) { 0 } else { 2 }, number.as_str()))
        .collect();
    cluster.write(&topic, &all).await?;
    let consumer = cluster.consumer(&[("max.partition.fetch.bytes", "5000")])?;
    let from = |number| at(&topic, number, -2);
    consumer.assign(&[from(0), from(1), from(2)])?;
    let read = records(&*consumer, all.len()).await?;
    for number in [0, 2] {
        let offsets = read.iter().filter(|record| record.partition == number);
        assert!(offsets.map(|record| record.offset).eq(0..2500));
    }
    cluster.write(&topic, &[(1, "first")]).await?;
    assert_eq!(values(&records(&*consumer, 1).await?), ["first"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_made_anew_is_read_anew() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    cluster.write(&topic, &[(0, "a"), (0, "b")]).await?;
    let consumer = cluster.consumer(&[EARLIEST])?;
    consumer.assign(&[at(&topic, 0, -2)])?;
    assert_eq!(values(&records(&*consumer, 2).await?), ["a", "b"]);
    let name = topic.clone();
    let bootstrap = tokio::task::spawn_blocking(tether_services::shared::bootstrap).await??;
    tokio::task::spawn_blocking(move || Topics::new(bootstrap).delete(&name)).await??;
    within_async(PATIENCE, "the topic is made anew", async || {
        let nothing = consumer.poll(Duration::from_millis(50), 9).await?;
        assert!(matches!(nothing, ConsumerEvent::Records(records) if records.is_empty()));
        cluster.create(&topic, 1).await
    })
    .await?;
    cluster.write(&topic, &[(0, "new")]).await?;
    let read = records(&*consumer, 1).await?;
    assert_eq!(
        (values(&read), offsets(&read)),
        (vec!["new".to_owned()], vec![0])
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offset_that_is_gone_is_replaced_only_if_that_is_allowed() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    cluster.write(&topic, &[(0, "a"), (0, "b")]).await?;
    let latest = cluster.consumer(&[("auto.offset.reset", "latest")])?;
    let earliest = cluster.consumer(&[EARLIEST])?;
    let none = cluster.consumer(&[("auto.offset.reset", "none")])?;
    for consumer in [&latest, &earliest, &none] {
        consumer.assign(&[at(&topic, 0, 99)])?;
    }
    assert_eq!(values(&records(&*earliest, 2).await?), ["a", "b"]);
    let only = [partition(&topic, 0)];
    within_async(PATIENCE, "reading goes on at the end", async || {
        latest.poll(Duration::from_millis(50), 9).await?;
        let position = latest.positions(&only, PATIENCE).await?;
        match position == [at(&topic, 0, 2)] {
            true => anyhow::Ok(()),
            false => bail!("{position:?}"),
        }
    })
    .await?;
    cluster.write(&topic, &[(0, "c")]).await?;
    assert_eq!(values(&records(&*latest, 1).await?), ["c"]);
    for _ in 0..2 {
        let error = none.poll(PATIENCE, 9).await.unwrap_err();
        assert_eq!(error.kind, KafkaErrorKind::Fatal);
        let message = format!("Fetch position 99 is out of range for partition {topic}-0");
        assert!(error.message.starts_with(&message), "{error}");
    }
    none.seek(&[at(&topic, 0, 0)]).await?;
    within_async(PATIENCE, "reading goes on", async || {
        match none.poll(PATIENCE, 9).await? {
            ConsumerEvent::Records(read) if read.len() == 3 => anyhow::Ok(()),
            other => bail!("{other:?}"),
        }
    })
    .await?;
    Ok(())
}

/// Reads on until this many records came, and says that they are all there are.
async fn read_on(
    consumer: &dyn Consumer,
    read: &mut Vec<ConsumedRecord>,
    count: usize,
) -> Result<()> {
    let more = records(consumer, count - read.len()).await?;
    read.extend(more);
    Ok(())
}

#[test]
fn nothing_is_left_out_or_comes_twice_when_a_broker_restarts() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let cluster = Cluster::new(&kafka.bootstrap(), &[]);
    let topic = names::unique("kafka");
    let all: Vec<String> = (0..30_000)
        .map(|number| format!("value {number}"))
        .collect();
    let consumer = cluster.consumer(&[("max.partition.fetch.bytes", "20000")])?;
    let mut read = Vec::new();
    runtime.block_on(async {
        create(&cluster, &topic, &[]).await?;
        write(&cluster, &[], &topic, &all).await?;
        consumer.assign(&[at(&topic, 0, -2)])?;
        read_on(&*consumer, &mut read, 10_000).await
    })?;
    kafka.restart()?;
    runtime.block_on(read_on(&*consumer, &mut read, 20_000))?;
    kafka.kill();
    kafka.restart()?;
    runtime
        .block_on(read_on(&*consumer, &mut read, all.len()))
        .context("after the kill")?;
    assert!(values(&read) == all, "the values differ");
    runtime.block_on(consumer.close());
    Ok(())
}

/// Of each key only the last record is left, so offsets have gaps.
#[test]
fn compacted_topics_have_gaps() -> Result<()> {
    let _turn = turns::take();
    let kafka = Kafka::start(KafkaOptions {
        properties: vec![("log.cleaner.backoff.ms".to_owned(), "100".to_owned())],
        ..KafkaOptions::default()
    })?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let cluster = Cluster::new(&kafka.bootstrap(), &[]);
        let topic = names::unique("kafka");
        let config = [
            ("cleanup.policy", "compact"),
            ("min.cleanable.dirty.ratio", "0.001"),
            ("segment.bytes", "1048576"),
        ];
        create(&cluster, &topic, &config).await?;
        let large: Vec<String> = (0..40)
            .map(|number| number.to_string().repeat(50_000))
            .collect();
        write(&cluster, &[], &topic, &large).await?;
        within_async(PATIENCE, "the topic is compacted", async || {
            let consumer = cluster.consumer(&[])?;
            consumer.assign(&[at(&topic, 0, -2)])?;
            let mut read = Vec::new();
            while read.last().is_none_or(|last| *last < 39) {
                read.extend(offsets(&records(&*consumer, 1).await?));
            }
            assert!(read.is_sorted_by(|one, next| one < next));
            match read.len() < large.len() {
                true => anyhow::Ok(()),
                false => bail!("all records are there"),
            }
        })
        .await
    })
}
