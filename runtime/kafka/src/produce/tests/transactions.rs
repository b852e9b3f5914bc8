use super::*;
use crate::broker::messages::{
    CONCURRENT_TRANSACTIONS, COORDINATOR_NOT_AVAILABLE, INVALID_TRANSACTION_TIMEOUT,
    NOT_COORDINATOR,
};

fn transactional() -> ProduceSettings {
    ProduceSettings {
        transactional_id: Some("x".into()),
        ..settings()
    }
}

async fn ready(cluster: &Cluster) -> Writing {
    let writing = Writing::new(cluster, transactional());
    writing.producer.init_transactions(PATIENCE).await.unwrap();
    writing
}

#[tokio::test(start_paused = true)]
async fn records_count_from_the_commit_on() {
    let cluster = Cluster::new(2);
    let mut writing = ready(&cluster).await;
    let error = writing.send(0).unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Abortable);
    writing.producer.begin_transaction().unwrap();
    for _ in 0..20 {
        writing.send(0).unwrap();
        writing.send(1).unwrap();
    }
    writing.flush().await;
    assert!(cluster.committed().is_empty());
    writing.send(0).unwrap();
    writing.producer.commit_transaction(PATIENCE).await.unwrap();
    assert_eq!(cluster.committed().len(), 41);
    writing.all_written();

    writing.producer.begin_transaction().unwrap();
    writing.send(0).unwrap();
    writing.flush().await;
    writing.send(1).unwrap();
    writing.producer.abort_transaction(PATIENCE).await.unwrap();
    assert_eq!(cluster.committed().len(), 41);
    writing.producer.begin_transaction().unwrap();
    writing.send(0).unwrap();
    writing.producer.commit_transaction(PATIENCE).await.unwrap();
    assert_eq!(cluster.committed().len(), 42);
    // What has no records needs no coordinator.
    writing.producer.begin_transaction().unwrap();
    writing.producer.commit_transaction(PATIENCE).await.unwrap();
    assert_eq!(
        cluster.change(|model| model.ends.clone()),
        [true, false, true]
    );
}

#[tokio::test(start_paused = true)]
async fn a_coordinator_that_is_not_ready_is_asked_again() {
    let cluster = Cluster::new(1);
    let again = [
        CONCURRENT_TRANSACTIONS,
        NOT_COORDINATOR,
        COORDINATOR_NOT_AVAILABLE,
    ];
    cluster.change(|model| model.coordinator_errors.extend(again));
    let mut writing = ready(&cluster).await;
    for _ in 0..3 {
        writing.producer.begin_transaction().unwrap();
        cluster.change(|model| model.coordinator_errors.extend(again));
        writing.send_many(3);
        writing.flush().await;
        cluster.change(|model| model.coordinator_errors.extend(again));
        writing.producer.commit_transaction(PATIENCE).await.unwrap();
    }
    assert_eq!(cluster.committed(), numbers(0..9));
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_given_up_are_taken_up_again() {
    let cluster = Cluster::new(1);
    cluster.change(|model| model.is_down = true);
    let mut writing = Writing::new(&cluster, transactional());
    let short = Duration::from_secs(1);
    let kind = |outcome: Result<()>| outcome.unwrap_err().kind;
    let outcome = writing.producer.init_transactions(short).await;
    assert_eq!(kind(outcome), KafkaErrorKind::Retriable);
    cluster.change(|model| model.is_down = false);
    writing.producer.init_transactions(PATIENCE).await.unwrap();
    writing.producer.begin_transaction().unwrap();
    writing.send_many(5);
    writing.flush().await;
    cluster.change(|model| model.is_down = true);
    let outcome = writing.producer.commit_transaction(short).await;
    assert_eq!(kind(outcome), KafkaErrorKind::Retriable);
    assert_eq!(
        kind(writing.producer.begin_transaction()),
        KafkaErrorKind::Invalid
    );
    cluster.change(|model| model.is_down = false);
    // It goes on, whether or not anybody waits.
    cluster.until(|model| model.ends == [true]).await;
    let outcome = writing.producer.abort_transaction(short).await;
    assert_eq!(kind(outcome), KafkaErrorKind::Invalid);
    writing.producer.commit_transaction(PATIENCE).await.unwrap();
    writing.producer.begin_transaction().unwrap();
    assert_eq!(cluster.committed(), numbers(0..5));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_last_fences_the_others() {
    let cluster = Cluster::new(1);
    let mut old = ready(&cluster).await;
    old.producer.begin_transaction().unwrap();
    old.send_many(5);
    old.flush().await;
    let mut new = ready(&cluster).await;
    let error = old.producer.commit_transaction(PATIENCE).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fenced);
    assert_eq!(old.send(0).unwrap_err().kind, KafkaErrorKind::Fenced);
    let again = old.producer.begin_transaction().unwrap_err();
    assert_eq!(again.kind, KafkaErrorKind::Fenced);
    new.producer.begin_transaction().unwrap();
    new.send_many(2);
    new.producer.commit_transaction(PATIENCE).await.unwrap();
    assert_eq!(cluster.committed(), numbers(0..2));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_written_fails_its_transaction() {
    let cluster = Cluster::new(1);
    let mut writing = ready(&cluster).await;
    writing.producer.begin_transaction().unwrap();
    writing.send(0).unwrap();
    writing.flush().await;
    cluster.change(|model| model.fates.push_back(Fate::Error(POLICY_VIOLATION)));
    writing.send_many(3);
    let error = writing
        .producer
        .commit_transaction(PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Abortable);
    assert_eq!(writing.send(0).unwrap_err().kind, KafkaErrorKind::Abortable);
    writing.producer.abort_transaction(PATIENCE).await.unwrap();
    assert!(cluster.committed().is_empty());
    assert_eq!(cluster.change(|model| model.ends.clone()), [false]);
    // The brokers may expect other sequences now.
    let error = writing.producer.begin_transaction().unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fatal);
    assert!(error.message.contains("another producer is needed"));
}

#[tokio::test(start_paused = true)]
async fn what_the_coordinator_refuses_is_told() {
    let cluster = Cluster::new(1);
    cluster.change(|model| {
        model
            .coordinator_errors
            .push_back(INVALID_TRANSACTION_TIMEOUT);
    });
    let writing = Writing::new(&cluster, transactional());
    let error = writing
        .producer
        .init_transactions(PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Invalid);
    assert!(error.message.contains("transaction.max.timeout.ms"));
}
