//! Making and checking an internal topic (`TopicAdmin`,
//! `KafkaTopicBasedBackingStore`).

use std::collections::BTreeSet;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::{Admin, KafkaError, KafkaErrorKind, NewTopic};
use tokio::time::{Instant, sleep};

use super::InternalTopic;

const CLEANUP_POLICY: &str = "cleanup.policy";
const COMPACT: &str = "compact";
/// `default.api.timeout.ms`
const API_TIMEOUT: Duration = Duration::from_secs(60);
/// `retry.backoff.ms`
const RETRY_BACKOFF: Duration = Duration::from_millis(100);
/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long partitions of a topic may be unknown.
const METADATA_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_METADATA_BACKOFF: Duration = Duration::from_secs(1);

/// What an internal topic is for, in the words of messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose {
    /// The worker's property that names the topic.
    pub(crate) property: &'static str,
    /// What it stores.
    pub(crate) content: &'static str,
}

/// Makes the topic unless it exists; one that exists must be compacted only.
///
/// Without the right to make or see it, it is taken to exist or to be made by
/// the broker.
///
/// # Errors
/// Config, if the topic would lose data. Other, if it cannot be made.
pub(crate) async fn ensure(
    admin: &dyn Admin,
    topic: &InternalTopic,
    partitions: i32,
    purpose: Purpose,
) -> Result<()> {
    let mut config = topic.settings.clone();
    config.insert(CLEANUP_POLICY.to_owned(), COMPACT.to_owned());
    let new = NewTopic {
        name: topic.name.clone(),
        partitions,
        replication_factor: topic.replication_factor,
        config,
    };
    if create(admin, &new, &topic.properties).await? {
        tracing::info!(
            topic = topic.name,
            "created the topic of {}",
            purpose.content
        );
        return Ok(());
    }
    check_policy(admin, &topic.name, purpose).await
}

/// Whether the topic is new.
async fn create(admin: &dyn Admin, topic: &NewTopic, properties: &ConfigMap) -> Result<bool> {
    let name = &topic.name;
    let timeout = millis(properties, "default.api.timeout.ms", API_TIMEOUT);
    let backoff = millis(properties, "retry.backoff.ms", RETRY_BACKOFF);
    let deadline = Instant::now() + timeout;
    loop {
        let error = match admin.create_topic(topic, CALL_TIMEOUT.min(timeout)).await {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        match error.kind {
            KafkaErrorKind::AlreadyExists => return Ok(false),
            KafkaErrorKind::NotAuthorized | KafkaErrorKind::Unsupported => {
                tracing::debug!(
                    topic = name,
                    %error,
                    "cannot create the topic; assuming that it exists or that the broker will"
                );
                return Ok(false);
            }
            _ if may_pass(&error) && Instant::now() + backoff < deadline => {
                tracing::info!(topic = name, %error, "creating the topic failed, retrying");
                sleep(backoff).await;
            }
            KafkaErrorKind::Retriable => {
                return Err(ConnectError::other(format!(
                    "Timed out while checking for or creating topic(s) '{name}'. This could \
                     indicate a connectivity issue, unavailable topic partitions, or if this is \
                     your first use of the topic it may have taken too long to create."
                ))
                .caused_by(error));
            }
            KafkaErrorKind::Invalid => {
                let message = format!("Unable to create topic(s) '{name}': {error}");
                return Err(ConnectError::other(message).caused_by(error));
            }
            _ => {
                let message = format!("Error while attempting to create/find topic(s) '{name}'");
                return Err(ConnectError::other(message).caused_by(error));
            }
        }
    }
}

/// Brokers that are still missing after a start of the cluster come later.
fn may_pass(error: &KafkaError) -> bool {
    error.kind == KafkaErrorKind::Retriable
        || (error.kind == KafkaErrorKind::Invalid
            && error.message.to_lowercase().contains("replication factor"))
}

async fn check_policy(admin: &dyn Admin, topic: &str, purpose: Purpose) -> Result<()> {
    let policy = match admin
        .topic_config(topic, CLEANUP_POLICY, CALL_TIMEOUT)
        .await
    {
        Ok(policy) => policy.unwrap_or_default(),
        Err(error) => match error.kind {
            KafkaErrorKind::NotFound
            | KafkaErrorKind::NotAuthorized
            | KafkaErrorKind::Unsupported => String::new(),
            _ => {
                let message = format!("Cannot read the settings of topic '{topic}'");
                return Err(ConnectError::from(error).context(message));
            }
        },
    };
    let policies: BTreeSet<String> = policy
        .split(',')
        .map(|policy| policy.trim().to_lowercase())
        .filter(|policy| !policy.is_empty())
        .collect();
    if policies.is_empty() {
        tracing::info!(
            topic,
            "cannot verify that the topic's cleanup policy is compact, because the broker is old \
             or the worker may not see it"
        );
        return Ok(());
    }
    if policies.iter().eq([COMPACT]) {
        return Ok(());
    }
    let found: Vec<String> = policies.into_iter().collect();
    let Purpose { property, content } = purpose;
    Err(ConnectError::config(format!(
        "Topic '{topic}' supplied via the '{property}' property is required to have \
         'cleanup.policy=compact' to guarantee consistency and durability of {content}, but found \
         the topic currently has 'cleanup.policy={}'. Continuing would likely result in eventually \
         losing {content} and problems restarting this Connect cluster in the future. Change the \
         '{property}' property in the Connect worker configurations to use a topic with \
         'cleanup.policy=compact'.",
        found.join(",")
    )))
}

/// The number of partitions of a topic, waiting until it is known.
///
/// # Errors
/// Other, with the reference's text, after 30 s.
pub(crate) async fn partitions(admin: &dyn Admin, topic: &str) -> Result<i32> {
    let deadline = Instant::now() + METADATA_TIMEOUT;
    let mut backoff = RETRY_BACKOFF;
    loop {
        let cause = match count_partitions(admin, topic).await {
            Ok(Some(count)) => return Ok(count),
            Ok(None) => None,
            Err(error) if error.kind == KafkaErrorKind::Retriable => Some(error),
            Err(error) => return Err(error.into()),
        };
        if Instant::now() + backoff >= deadline {
            let error = ConnectError::other(format!(
                "Could not look up partition metadata for topic '{topic}' in the allotted period. \
                 This could indicate a connectivity issue, unavailable topic partitions, or if \
                 this is your first use of the topic it may have taken too long to create."
            ));
            return Err(match cause {
                Some(cause) => error.caused_by(cause),
                None => error,
            });
        }
        sleep(backoff).await;
        backoff = (backoff * 2).min(MAX_METADATA_BACKOFF);
    }
}

/// The number of partitions of a topic; `None` if it is not known now.
///
/// # Errors
/// Those of [`Admin::topics`].
pub(crate) async fn count_partitions(
    admin: &dyn Admin,
    topic: &str,
) -> tether_kafka::Result<Option<i32>> {
    let topics = admin
        .topics(Some(&[topic.to_owned()]), CALL_TIMEOUT)
        .await?;
    Ok(topics
        .into_iter()
        .find(|found| found.name == topic)
        .map(|found| found.partitions)
        .filter(|count| *count > 0))
}

fn millis(properties: &ConfigMap, name: &str, default: Duration) -> Duration {
    properties
        .get(name)
        .and_then(|value| value.trim().parse().ok())
        .map_or(default, Duration::from_millis)
}
