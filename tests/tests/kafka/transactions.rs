//! Transactions: what readers see of them, and who may write.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use tether_kafka::{Clients as _, KafkaErrorKind, TransactionalProducer, fence_producers};
use tether_tests::names::unique;

use super::clients::{Cluster, PATIENCE, Reports, at, record, records, values};

/// A producer with this id that has taken it over.
pub(super) async fn producer(
    cluster: &Cluster,
    id: &str,
) -> Result<Arc<dyn TransactionalProducer>> {
    let properties = cluster.with(&[("transactional.id", id), ("enable.idempotence", "true")]);
    let producer = cluster
        .clients
        .transactional_producer(&properties, Arc::new(Reports::default()))?;
    producer.init_transactions(PATIENCE).await?;
    Ok(producer)
}

/// The values that a reader of committed records sees until the one named last.
async fn committed(cluster: &Cluster, topic: &str, last: &str) -> Result<Vec<String>> {
    let consumer = cluster.consumer(&[("isolation.level", "read_committed")])?;
    consumer.assign(&[at(topic, 0, -2)])?;
    let mut seen = Vec::new();
    while seen.last().map(String::as_str) != Some(last) {
        seen.extend(values(&records(&*consumer, 1).await?));
    }
    Ok(seen)
}

pub(super) async fn write(
    producer: &dyn TransactionalProducer,
    topic: &str,
    value: &str,
) -> Result<()> {
    producer.begin_transaction()?;
    producer.send(&record(topic, None, Some(value.as_bytes())), 0)?;
    producer.flush(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_what_was_committed() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let producer = producer(&cluster, &unique("transactions")).await?;
    let early = producer.send(&record(&topic, None, Some(b"early")), 0);
    assert_eq!(early.unwrap_err().kind, KafkaErrorKind::Abortable);
    for (value, commit) in [("one", true), ("two", false), ("three", true)] {
        write(&*producer, &topic, value).await?;
        if commit {
            producer.commit_transaction(PATIENCE).await?;
        } else {
            producer.abort_transaction(PATIENCE).await?;
        }
    }
    assert_eq!(
        committed(&cluster, &topic, "three").await?,
        ["one", "three"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_of_two_live_producers_is_fenced() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let id = unique("transactions");
    let zombie = producer(&cluster, &id).await?;
    write(&*zombie, &topic, "of the zombie").await?;

    let heir = producer(&cluster, &id).await?;
    let error = zombie.commit_transaction(PATIENCE).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fenced, "{error}");
    let error = zombie.begin_transaction().unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fenced, "{error}");
    let refused = zombie.send(&record(&topic, None, Some(b"late")), 0);
    assert_eq!(refused.unwrap_err().kind, KafkaErrorKind::Fenced);

    write(&*heir, &topic, "of the heir").await?;
    heir.commit_transaction(PATIENCE).await?;
    let seen = committed(&cluster, &topic, "of the heir").await?;
    assert_eq!(seen, ["of the heir"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_producers_are_fenced_at_once() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let id = unique("transactions");
    let mut zombies = BTreeMap::new();
    for task in 0..3 {
        let id = format!("{id}-{task}");
        let zombie = producer(&cluster, &id).await?;
        write(&*zombie, &topic, "of a zombie").await?;
        zombies.insert(id, zombie);
    }
    // More than there are: those of a generation that had more tasks.
    let ids = (0..10).map(|task| format!("{id}-{task}")).collect();
    fence_producers(&cluster.clients, &cluster.with(&[]), ids, PATIENCE).await?;
    for zombie in zombies.into_values() {
        let error = zombie.commit_transaction(PATIENCE).await.unwrap_err();
        assert_eq!(error.kind, KafkaErrorKind::Fenced, "{error}");
    }
    Ok(())
}
