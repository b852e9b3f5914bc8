//! Partitions that move between members.

use std::time::Duration;

use anyhow::{Result, bail};
use tether_kafka::{Consumer, ConsumerEvent, KafkaErrorKind};
use tether_tests::names;

use super::clients::{Cluster, PATIENCE, assigned, at, change, records, topics, values};

const COOPERATIVE: (&str, &str) = (
    "partition.assignment.strategy",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
);

/// Polls a member while others move, as a busy loop does.
async fn keep_polling(consumer: &dyn Consumer) -> Result<()> {
    match consumer.poll(Duration::from_millis(100), 500).await? {
        ConsumerEvent::Records(_) => Ok(()),
        other => bail!("{other:?} in place of records"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_eager_group_waits_for_consent() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(2).await?;
    cluster
        .write(&topic, &[(0, "a"), (0, "b"), (1, "c")])
        .await?;
    let group = names::unique("group");
    let session = ("session.timeout.ms", "6000");
    let first = cluster.member(&group, &topics(&[&topic]), &[session])?;
    assert_eq!(assigned(&*first).await?.len(), 2);
    records(&*first, 3).await?;

    let second = cluster.member(&group, &topics(&[&topic]), &[session])?;
    let joining = tokio::spawn(async move {
        let partitions = assigned(&*second).await?;
        Ok::<_, anyhow::Error>((second, partitions))
    });
    let ConsumerEvent::Revoked(revoked) = change(&*first).await? else {
        bail!("expected a revocation");
    };
    assert_eq!(revoked.len(), 2);
    // Longer than the session: heartbeats go on, and nobody takes over.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(8);
    while tokio::time::Instant::now() < deadline {
        keep_polling(&*first).await?;
    }
    assert!(!joining.is_finished());
    assert_eq!(first.assignment().len(), 2);
    first.commit(&[at(&topic, 0, 2), at(&topic, 1, 1)]).await?;
    first.accept_revocation(&revoked)?;
    assert!(first.assignment().is_empty());
    let fenced = first.commit(&[at(&topic, 0, 0)]).await.unwrap_err();
    assert_eq!(fenced.kind, KafkaErrorKind::Fenced);

    let ours = assigned(&*first).await?;
    let (second, theirs) = joining.await??;
    assert_eq!((ours.len(), theirs.len()), (1, 1));
    assert_ne!(ours, theirs);
    let position = second.positions(&theirs, PATIENCE).await?;
    let committed = if theirs[0].partition == 0 { 2 } else { 1 };
    assert_eq!(position[0].offset, committed);
    second.close().await;
    first.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cooperative_group_keeps_what_stays() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(2).await?;
    let group = names::unique("group");
    let first = cluster.member(&group, &topics(&[&topic]), &[COOPERATIVE])?;
    let both = assigned(&*first).await?;
    assert_eq!(both.len(), 2);
    first.pause(&both)?;
    let second = cluster.member(&group, &topics(&[&topic]), &[COOPERATIVE])?;
    let joining = tokio::spawn(async move {
        let partitions = assigned(&*second).await?;
        Ok::<_, anyhow::Error>((second, partitions))
    });
    let ConsumerEvent::Revoked(revoked) = change(&*first).await? else {
        bail!("expected a revocation");
    };
    assert_eq!(revoked.len(), 1);
    first.accept_revocation(&revoked)?;
    let kept = first.assignment();
    assert_eq!(kept.len(), 1);
    while !joining.is_finished() {
        keep_polling(&*first).await?;
    }
    let (second, theirs) = joining.await??;
    assert_eq!(theirs, revoked);

    // The partition that stayed is still paused, the other one is not.
    let (stayed, moved) = (kept[0].partition, theirs[0].partition);
    cluster
        .write(&topic, &[(stayed, "stayed"), (moved, "moved")])
        .await?;
    assert_eq!(values(&records(&*second, 1).await?), ["moved"]);
    keep_polling(&*first).await?;
    first.resume(&kept)?;
    assert_eq!(values(&records(&*first, 1).await?), ["stayed"]);

    // What comes back from another member comes back unpaused.
    second.close().await;
    let back = assigned(&*first).await?;
    assert_eq!(back, theirs);
    assert_eq!(values(&records(&*first, 1).await?), ["moved"]);
    first.close().await;
    Ok(())
}

/// Timeouts that the broker still allows.
const SHORT: [(&str, &str); 2] = [
    ("session.timeout.ms", "6000"),
    ("max.poll.interval.ms", "6000"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_poll_loses_the_partitions() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let group = names::unique("group");
    let member = cluster.member(&group, &topics(&[&topic]), &SHORT)?;
    let only = assigned(&*member).await?;
    let admin = cluster.admin()?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while admin
        .group(&group, PATIENCE)
        .await?
        .is_none_or(|group| group.members > 0)
    {
        if tokio::time::Instant::now() > deadline {
            bail!("the member stays in the group");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let error = member.commit(&[at(&topic, 0, 0)]).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fenced, "{error}");
    let lost = match change(&*member).await? {
        ConsumerEvent::Lost(lost) => lost,
        other => bail!("{other:?} in place of a loss"),
    };
    assert_eq!(lost, only);
    let error = member.commit(&[at(&topic, 0, 0)]).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fenced, "{error}");
    member.accept_revocation(&lost)?;
    assert!(member.assignment().is_empty());
    assert_eq!(assigned(&*member).await?, only);
    member.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_late_cannot_commit() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let topic = cluster.topic(1).await?;
    let group = names::unique("group");
    let first = cluster.member(&group, &topics(&[&topic]), &SHORT)?;
    let only = assigned(&*first).await?;
    let second = cluster.member(&group, &topics(&[&topic]), &SHORT)?;
    // Nobody polls the first one, until the second one has got the partition.
    assert_eq!(assigned(&*second).await?, only);
    let error = first.commit(&[at(&topic, 0, 0)]).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fenced, "{error}");
    // The revocation may have been announced before the group moved on.
    match change(&*first).await? {
        ConsumerEvent::Lost(gone) | ConsumerEvent::Revoked(gone) => {
            assert_eq!(gone, only);
            first.accept_revocation(&gone)?;
        }
        other => bail!("{other:?} in place of a loss"),
    }
    second.close().await;
    // A decision that is still due does not hold up the end.
    let ConsumerEvent::Assigned(_) = change(&*first).await? else {
        bail!("expected an assignment");
    };
    first.close().await;
    Ok(())
}
