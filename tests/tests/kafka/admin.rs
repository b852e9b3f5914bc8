//! Topics, groups and their offsets.

use std::collections::BTreeMap;

use anyhow::Result;
use tether_kafka::{GroupDescription, KafkaErrorKind, NewTopic, TopicDescription};
use tether_tests::names;

use super::clients::{Cluster, PATIENCE, assigned, at, partition, topics};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_made_once_and_described() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let admin = cluster.admin()?;
    let id = admin.cluster_id(PATIENCE).await?;
    assert!(id.is_some_and(|id| !id.is_empty()));
    let name = names::unique("admin");
    let mut topic = NewTopic {
        name: name.clone(),
        partitions: 3,
        replication_factor: -1,
        config: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
    };
    let described = || [name.clone(), names::unique("none")];
    assert_eq!(admin.topics(Some(&described()), PATIENCE).await?, []);
    // Looking for a topic does not make it.
    assert_eq!(admin.topics(Some(&described()), PATIENCE).await?, []);
    admin.create_topic(&topic, PATIENCE).await?;
    let description = TopicDescription {
        name: name.clone(),
        partitions: 3,
    };
    assert_eq!(
        admin.topics(Some(&described()), PATIENCE).await?,
        std::slice::from_ref(&description)
    );
    assert!(admin.topics(None, PATIENCE).await?.contains(&description));
    let again = admin.create_topic(&topic, PATIENCE).await.unwrap_err();
    assert_eq!(again.kind, KafkaErrorKind::AlreadyExists, "{again}");
    let policy = admin
        .topic_config(&name, "cleanup.policy", PATIENCE)
        .await?;
    assert_eq!(policy.as_deref(), Some("compact"));
    assert_eq!(admin.topic_config(&name, "no.such", PATIENCE).await?, None);
    let missing = admin
        .topic_config(&names::unique("none"), "cleanup.policy", PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(missing.kind, KafkaErrorKind::NotFound, "{missing}");

    topic.name = names::unique("admin");
    topic.replication_factor = 100;
    let refused = admin.create_topic(&topic, PATIENCE).await.unwrap_err();
    assert_eq!(refused.kind, KafkaErrorKind::Invalid, "{refused}");
    topic.replication_factor = 1;
    topic
        .config
        .insert("cleanup.policy".to_owned(), "x".to_owned());
    let refused = admin.create_topic(&topic, PATIENCE).await.unwrap_err();
    assert_eq!(refused.kind, KafkaErrorKind::Invalid, "{refused}");
    topic.name = "a b".to_owned();
    let refused = admin.create_topic(&topic, PATIENCE).await.unwrap_err();
    assert_eq!(refused.kind, KafkaErrorKind::Invalid, "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_of_a_group_change_while_it_is_empty() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let admin = cluster.admin()?;
    let topic = cluster.topic(2).await?;
    let group = names::unique("group");
    assert_eq!(admin.group(&group, PATIENCE).await?, None);
    assert_eq!(
        admin.group_offsets(&group, PATIENCE).await?,
        BTreeMap::new()
    );

    let consumer = cluster.member(&group, &topics(&[&topic]), &[])?;
    assigned(&*consumer).await?;
    consumer.commit(&[at(&topic, 0, 5)]).await?;
    let busy = Some(GroupDescription {
        group: group.clone(),
        members: 1,
    });
    assert_eq!(admin.group(&group, PATIENCE).await?, busy);
    let wanted = BTreeMap::from([(partition(&topic, 0), 7), (partition(&topic, 1), 8)]);
    for refused in [
        admin.alter_group_offsets(&group, &wanted, PATIENCE).await,
        admin
            .delete_group_offsets(&group, &[partition(&topic, 0)], PATIENCE)
            .await,
        admin.delete_group(&group, PATIENCE).await,
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind, KafkaErrorKind::GroupNotEmpty, "{error}");
    }
    consumer.close().await;

    let empty = admin.group(&group, PATIENCE).await?;
    assert_eq!(empty.map(|group| group.members), Some(0));
    admin.alter_group_offsets(&group, &wanted, PATIENCE).await?;
    assert_eq!(admin.group_offsets(&group, PATIENCE).await?, wanted);
    let unknown = BTreeMap::from([(partition(&topic, 9), 1)]);
    let error = admin
        .alter_group_offsets(&group, &unknown, PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::NotFound, "{error}");
    let some = [partition(&topic, 0), partition(&topic, 9)];
    admin.delete_group_offsets(&group, &some, PATIENCE).await?;
    let left = BTreeMap::from([(partition(&topic, 1), 8)]);
    assert_eq!(admin.group_offsets(&group, PATIENCE).await?, left);
    admin.delete_group(&group, PATIENCE).await?;
    assert_eq!(admin.group(&group, PATIENCE).await?, None);
    admin.delete_group(&group, PATIENCE).await?;
    admin.delete_group_offsets(&group, &some, PATIENCE).await?;
    // A group that nobody has joined can be given offsets too.
    admin.alter_group_offsets(&group, &left, PATIENCE).await?;
    assert_eq!(admin.group_offsets(&group, PATIENCE).await?, left);
    admin.delete_group(&group, PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_end_in_time_without_a_broker() -> Result<()> {
    let admin = Cluster::new("127.0.0.1:1", &[]).admin()?;
    let soon = std::time::Duration::from_millis(200);
    let error = admin.cluster_id(soon).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Retriable, "{error}");
    let error = admin.topics(None, soon).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Retriable, "{error}");
    let error = admin.group_offsets("g", soon).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Retriable, "{error}");
    Ok(())
}
