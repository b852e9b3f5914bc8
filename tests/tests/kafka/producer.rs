//! What is written, where, and what the handler hears.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tether_api::record::TimestampType;
use tether_kafka::{KafkaErrorKind, NewTopic, OutgoingRecord};
use tether_services::{Kafka, KafkaOptions};
use tether_tests::eventually::within;
use tether_tests::names;
use tether_tests::topics::{Record, Topics};
use tether_tests::turns;

use super::clients::{Cluster, PATIENCE, at, record, records, values as read_values};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_back_as_they_were() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let (producer, reports) = cluster.producer(&[])?;
    let headers: [(&str, Option<&[u8]>); 4] = [
        ("a", Some(b"1")),
        ("a", None),
        ("empty", Some(b"")),
        ("имя", Some(b"\xff")),
    ];
    let full = OutgoingRecord {
        topic: &topic,
        partition: Some(0),
        key: Some(b"key"),
        value: Some(b"value"),
        timestamp: Some(1_700_000_000_123),
        headers: &headers,
    };
    producer.send(&full, 7)?;
    producer.send(&record(&topic, Some(b""), Some(b"")), 8)?;
    producer.send(&record(&topic, None, None), usize::MAX)?;
    producer.flush(PATIENCE).await?;

    let tokens: Vec<_> = reports
        .all()
        .into_iter()
        .map(|(token, outcome)| (token, outcome.map(|metadata| metadata.offset)))
        .collect();
    assert_eq!(tokens.len(), 3);
    for (token, offset) in [(7, 0), (8, 1), (usize::MAX, 2)] {
        let report = tokens.iter().find(|(seen, _)| *seen == token);
        assert_eq!(
            report.map(|(_, offset)| offset.clone().ok()),
            Some(Some(offset))
        );
    }

    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&topic, 0, -2)])?;
    let read = records(&*consumer, 3).await?;
    assert_eq!(read[0].key.as_deref(), Some(&b"key"[..]));
    assert_eq!(read[0].value.as_deref(), Some(&b"value"[..]));
    assert_eq!(read[0].timestamp, Some(1_700_000_000_123));
    assert_eq!(read[0].timestamp_type, TimestampType::CreateTime);
    let seen: Vec<_> = read[0]
        .headers
        .iter()
        .map(|(name, value)| (&**name, value.as_deref()))
        .collect();
    assert_eq!(seen, headers);
    assert_eq!(read[1].key.as_deref(), Some(&b""[..]));
    assert_eq!(read[1].value.as_deref(), Some(&b""[..]));
    assert_eq!((&read[2].key, &read[2].value), (&None, &None));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_records_keep_their_order() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (one, other) = (cluster.topic(1).await?, cluster.topic(2).await?);
    let (producer, reports) = cluster.producer(&[("max.request.size", "2000")])?;
    let values: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let large = vec![0; 5000];
    let run: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(token, value)| {
            let topic = if token < 35 { &one } else { &other };
            let mut record = record(topic, None, Some(value.as_bytes()));
            match token {
                10 => record.timestamp = Some(1_700_000_000_123),
                20 => record.headers = &[("a", None)],
                25 => record.value = Some(&large),
                30..35 => record.partition = Some(0),
                35.. => record.partition = Some(1),
                _ => {}
            }
            (record, token)
        })
        .collect();
    // The run ends where a record is refused, and goes on behind it.
    let refusal = producer.send_run(&run).unwrap_err();
    assert_eq!(
        (refusal.taken, refusal.error.kind),
        (25, KafkaErrorKind::Invalid)
    );
    producer
        .send_run(&run[26..])
        .map_err(|refusal| refusal.error)?;
    producer.flush(PATIENCE).await?;
    let mut told = reports.all();
    told.sort_by_key(|(token, _)| *token);
    let tokens: Vec<_> = told.iter().map(|(token, _)| *token).collect();
    let expected: Vec<_> = (0..40).filter(|token| *token != 25).collect();
    assert_eq!(tokens, expected);
    for (token, outcome) in told {
        assert_eq!(outcome?.partition, i32::from(token >= 35));
    }

    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&one, 0, -2)])?;
    let read = records(&*consumer, 34).await?;
    let expected: Vec<_> = (0..35).filter(|number| *number != 25).collect();
    let seen: Vec<usize> = read
        .iter()
        .map(|record| {
            Ok(std::str::from_utf8(record.value.as_deref().unwrap_or_default())?.parse()?)
        })
        .collect::<Result<_>>()?;
    assert_eq!(seen, expected);
    assert_eq!(read[10].timestamp, Some(1_700_000_000_123));
    assert!(read[9].timestamp > read[10].timestamp);
    assert_eq!(read[20].headers.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_where_a_record_is_not_taken() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let (producer, reports) = cluster.producer(&[])?;
    // The partitions are known.
    producer.send(&record(&topic, None, Some(b"first")), 0)?;
    producer.flush(PATIENCE).await?;
    let run: Vec<_> = (1..=9)
        .map(|token| {
            let mut record = record(&topic, None, Some(b"next"));
            record.partition = (token > 4).then_some(7);
            (record, token)
        })
        .collect();
    let refusal = producer.send_run(&run).unwrap_err();
    assert_eq!(refusal.taken, 4);
    assert_eq!(refusal.error.kind, KafkaErrorKind::NotFound);
    producer.flush(PATIENCE).await?;
    assert_eq!(reports.all().len(), 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_go_where_java_sends_them() -> Result<()> {
    // `Utils.toPositive(Utils.murmur2(key)) % 7` of the reference.
    let places: [(&str, i32); 13] = [
        ("", 2),
        ("a", 5),
        ("ab", 0),
        ("abc", 4),
        ("abcd", 5),
        ("user-1", 3),
        ("user-2", 0),
        ("user-3", 0),
        ("user-42", 1),
        ("ключ", 4),
        ("{\"id\":7}", 0),
        ("a-little-bit-longer-string", 0),
        ("\0", 0),
    ];
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(7).await?;
    let (producer, reports) = cluster.producer(&[])?;
    for (token, (key, _)) in places.iter().enumerate() {
        producer.send(&record(&topic, Some(key.as_bytes()), Some(b"v")), token)?;
    }
    producer.flush(PATIENCE).await?;
    for (token, outcome) in reports.all() {
        assert_eq!(outcome?.partition, places[token].1, "{:?}", places[token].0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_records_are_told_apart() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let (producer, reports) = cluster.producer(&[("max.request.size", "2000")])?;
    let large = vec![0; 5000];
    let error = producer
        .send(&record(&topic, None, Some(&large)), 1)
        .unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Invalid, "{error}");
    let mut early = record(&topic, None, None);
    early.timestamp = Some(-1);
    let error = producer.send(&early, 2).unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Invalid, "{error}");
    let error = producer.send(&record("a\0b", None, None), 3).unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Invalid, "{error}");
    producer.flush(PATIENCE).await?;
    assert!(reports.all().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_fails_what_cannot_be_sent() -> Result<()> {
    // Nothing listens there.
    let cluster = Cluster::new("127.0.0.1:1", &[]);
    let (producer, reports) = cluster.producer(&[("buffer.memory", "4096")])?;
    let value = vec![0; 1024];
    let mut taken = 0;
    let full = loop {
        match producer.send(&record("t", None, Some(&value)), taken) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind, KafkaErrorKind::QueueFull, "{full}");
    assert!(taken > 0);
    let error = producer.flush(Duration::from_millis(10)).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Retriable);
    producer.purge();
    producer.flush(PATIENCE).await?;
    assert_eq!(reports.all().len(), taken);
    assert!(reports.all().iter().all(|(_, outcome)| outcome.is_err()));
    Ok(())
}

/// What the broker had not answered when it went is sent again, and counts once.
#[test]
fn records_come_once_and_in_order_when_a_broker_restarts() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let topics = Topics::new(kafka.bootstrap());
    let topic = names::unique("kafka");
    topics.create(&topic, 1)?;
    let cluster = Cluster::new(&kafka.bootstrap(), &[]);
    let stop = Arc::new(AtomicBool::new(false));
    // Many small batches, so that several are under way.
    let (producer, reports) = cluster.producer(&[("batch.size", "500")])?;
    let writing = runtime.spawn({
        let (topic, stop) = (topic.clone(), Arc::clone(&stop));
        async move {
            let mut sent = 0_usize;
            let mut pace = tokio::time::interval(Duration::from_millis(1));
            while !stop.load(Ordering::Acquire) {
                let value = sent.to_string();
                match producer.send(&record(&topic, None, Some(value.as_bytes())), sent) {
                    Ok(()) => sent += 1,
                    Err(error) if error.kind == KafkaErrorKind::QueueFull => {}
                    Err(error) => return Err(error),
                }
                // As many as a broker takes on a busy machine.
                if sent.is_multiple_of(50) {
                    pace.tick().await;
                }
            }
            producer.flush(PATIENCE).await?;
            Ok(sent)
        }
    });
    for round in 0..3 {
        let before = reports.all().len();
        within(PATIENCE, "records are written", || {
            ensure!(reports.all().len() > before + 1000);
            Ok(())
        })?;
        if round == 1 {
            kafka.kill();
        }
        if round < 2 {
            kafka.restart()?;
        }
    }
    stop.store(true, Ordering::Release);
    let sent = runtime.block_on(writing)??;
    let told = reports.all();
    assert_eq!(told.len(), sent);
    for (_, outcome) in told {
        outcome?;
    }
    let read = topics.records(&topic)?;
    let read: Vec<String> = read.iter().map(Record::value_text).collect();
    let expected: Vec<String> = (0..sent).map(|number| number.to_string()).collect();
    assert!(read == expected, "{} of {sent} records", read.len());
    Ok(())
}

/// A broker looks into each compressed batch before it takes it, and another
/// client reads it.
#[test]
fn others_read_every_compression() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let bootstrap = tether_services::shared::bootstrap()?;
    let topics = Topics::new(&bootstrap);
    let cluster = Cluster::new(&bootstrap, &[]);
    let values: Vec<String> = (0..3000).map(|number| format!("value {number}")).collect();
    for (compression, level) in [
        ("none", None),
        ("gzip", Some(("compression.gzip.level", "1"))),
        ("snappy", None),
        ("lz4", None),
        ("zstd", Some(("compression.zstd.level", "15"))),
    ] {
        let topic = names::unique("kafka");
        topics.create(&topic, 1)?;
        let properties: Vec<_> = std::iter::once(("compression.type", compression))
            .chain(level)
            .collect();
        runtime.block_on(async {
            let (producer, reports) = cluster.producer(&properties)?;
            for (token, value) in values.iter().enumerate() {
                producer.send(&record(&topic, Some(b"k"), Some(value.as_bytes())), token)?;
            }
            producer.flush(PATIENCE).await?;
            for (_, outcome) in reports.all() {
                outcome?;
            }
            anyhow::Ok(())
        })?;
        let read = topics.records(&topic)?;
        let read: Vec<String> = read.iter().map(Record::value_text).collect();
        assert!(read == values, "{compression}");
    }
    Ok(())
}

/// The broker's limit is not the producer's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_for_the_broker_is_split_or_told() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = NewTopic {
        name: names::unique("kafka"),
        partitions: 1,
        replication_factor: 1,
        config: BTreeMap::from([("max.message.bytes".to_owned(), "20000".to_owned())]),
    };
    cluster.admin()?.create_topic(&topic, PATIENCE).await?;
    let topic = topic.name;
    let (producer, reports) = cluster.producer(&[("linger.ms", "100")])?;
    let values: Vec<String> = (0..500)
        .map(|number| number.to_string().repeat(100))
        .collect();
    let large = "x".repeat(30_000);
    for (token, value) in values.iter().chain([&large]).enumerate() {
        producer.send(&record(&topic, None, Some(value.as_bytes())), token)?;
    }
    producer.flush(PATIENCE).await?;
    for (token, outcome) in reports.all() {
        match outcome {
            Ok(_) => assert_ne!(token, 500),
            Err(error) => assert_eq!((token, error.kind), (500, KafkaErrorKind::Invalid)),
        }
    }
    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&topic, 0, -2)])?;
    let read = records(&*consumer, values.len()).await?;
    assert!(read_values(&read) == values, "the values differ");
    Ok(())
}
