//! Offsets of connectors, read and changed on request (KIP-875).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tether_api::config::ConfigMap;
use tether_api::connector::AlteredOffsets;
use tether_api::data::Value;
use tether_api::offset::{OffsetMap, TopicPartition};
use tether_api::{ConnectError, Result};
use tether_kafka::{Admin, KafkaError, KafkaErrorKind};
use tether_storage::{OffsetStore, java_hash_order, offset_bytes};

use crate::client_properties::{ClientProperties, OverridePolicy};
use crate::herder::{ConnectorKind, ConnectorOffset, OffsetChange};

use super::{ReconcilingHerder, status};

/// How long a call of the admin client may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The committed offsets of a connector.
pub(super) async fn read(
    herder: &ReconcilingHerder,
    connector: &str,
    config: &ConfigMap,
) -> Result<Vec<ConnectorOffset>> {
    let context = &herder.shared.context;
    let class = config.get("connector.class");
    if status::kind(&context.plugins, class) == ConnectorKind::Sink {
        let config = herder.resolved(config)?;
        let (admin, group) = group(herder, connector, &config)?;
        let offsets = admin.group_offsets(&group, TIMEOUT).await?;
        return Ok(offsets
            .iter()
            .map(|(partition, offset)| sink_offset(partition, *offset))
            .collect());
    }
    let config = herder.resolved(config)?;
    let worker = &herder.shared.context.worker;
    let store = worker.source_offsets().read(connector, &config)?;
    let stored = stored_source_offsets(&*store.store(), connector).await;
    store.stop().await;
    Ok(stored?
        .into_iter()
        .map(|stored| ConnectorOffset {
            partition: Some(stored.partition),
            offset: Some(stored.offset),
        })
        .collect())
}

/// An entry of the offset store.
struct Stored {
    key: Bytes,
    partition: OffsetMap,
    offset: OffsetMap,
}

/// What the store has of a source connector. Entries that are not offsets are
/// passed over with a warning; others may write to the topic, too.
async fn stored_source_offsets(store: &dyn OffsetStore, connector: &str) -> Result<Vec<Stored>> {
    let entries = store.connector_entries(connector).await?;
    let read = |key: &Bytes, value: &Bytes| -> Result<Option<(OffsetMap, OffsetMap)>> {
        let Some((_, partition)) = offset_bytes::parse_key(key)? else {
            return Ok(None);
        };
        Ok(offset_bytes::parse_value(value)?.map(|offset| (partition, offset)))
    };
    Ok(entries
        .into_iter()
        .filter_map(|(key, value)| match read(&key, &value) {
            Ok(found) => found.map(|(partition, offset)| Stored {
                key,
                partition,
                offset,
            }),
            Err(error) => {
                tracing::warn!(connector, %error, "Passing over an entry of the offset store");
                None
            }
        })
        .collect())
}

/// Sets or deletes the offsets of a stopped connector; the sentence for the
/// user.
pub(super) async fn change(
    herder: &ReconcilingHerder,
    connector: &str,
    config: &ConfigMap,
    change: OffsetChange,
) -> Result<String> {
    if matches!(&change, OffsetChange::Alter(offsets) if offsets.is_empty()) {
        return Err(ConnectError::config(
            "Partitions / offsets need to be provided for an alter offsets request",
        ));
    }
    let class = config.get("connector.class").map_or("", String::as_str);
    let plugin = herder.shared.context.plugins.new_connector(class)?;
    let resolved = herder.resolved(config)?;
    let verb = if change == OffsetChange::Reset {
        "reset"
    } else {
        "altered"
    };
    let kind = status::kind(
        &herder.shared.context.plugins,
        config.get("connector.class"),
    );
    let complete = if kind == ConnectorKind::Sink {
        change_sink(herder, connector, &resolved, plugin.as_ref(), change).await?
    } else {
        if herder.shared.context.config.exactly_once_sources() {
            // A task that was given up may still commit offsets.
            let fenced = super::fencing::fence_zombies(&herder.shared, connector).await;
            fenced.map_err(|error| {
                ConnectError::other(
                    "Failed to perform zombie fencing for source connector prior to modifying offsets",
                )
                .caused_by(error)
            })?;
        }
        let offsets = herder.shared.context.worker.source_offsets();
        let store = offsets.change(connector, &resolved)?;
        let entries = store.store();
        let changed = change_source(&*entries, connector, &resolved, plugin.as_ref(), change).await;
        store.stop().await;
        changed?
    };
    Ok(if complete {
        format!("The offsets for this connector have been {verb} successfully")
    } else {
        format!(
            "The Connect framework-managed offsets for this connector have been {verb} successfully. However, if \
             this connector manages offsets externally, they will need to be manually {verb} in the system that \
             the connector uses."
        )
    })
}

async fn change_source(
    store: &dyn OffsetStore,
    connector: &str,
    config: &ConfigMap,
    plugin: &dyn tether_api::connector::Connector,
    change: OffsetChange,
) -> Result<bool> {
    let stored = stored_source_offsets(store, connector).await?;
    let is_reset = change == OffsetChange::Reset;
    let wanted: Vec<(OffsetMap, Option<OffsetMap>)> = match change {
        OffsetChange::Alter(offsets) => offsets
            .into_iter()
            .map(|entry| match entry.partition {
                Some(partition) => Ok((partition, entry.offset)),
                None => Err(ConnectError::other("Partition objects cannot be null")),
            })
            .collect::<Result<_>>()?,
        OffsetChange::Reset => stored
            .iter()
            .map(|stored| (stored.partition.clone(), None))
            .collect(),
    };
    let entries = wanted
        .iter()
        .map(|(partition, offset)| {
            let value = offset.as_ref().map(offset_bytes::value).transpose()?;
            // Tasks find offsets by the bytes of the key, so a partition that is
            // there keeps its own; a new one gets the order that a Java map has.
            let key = match stored.iter().find(|stored| stored.partition == *partition) {
                Some(stored) => stored.key.clone(),
                None => offset_bytes::key(connector, &java_hash_order(partition.clone()))?,
            };
            Ok((key, value))
        })
        .collect::<Result<Vec<_>>>()?;
    let altered = AlteredOffsets::Source(wanted);
    let complete = match is_reset {
        true => plugin.reset_offsets(config, &altered).await?,
        false => plugin.alter_offsets(config, &altered).await?,
    };
    store.set(entries).await?;
    Ok(complete)
}

async fn change_sink(
    herder: &ReconcilingHerder,
    connector: &str,
    config: &ConfigMap,
    plugin: &dyn tether_api::connector::Connector,
    change: OffsetChange,
) -> Result<bool> {
    let (admin, group) = group(herder, connector, config)?;
    let reset = change == OffsetChange::Reset;
    let wanted: BTreeMap<TopicPartition, Option<i64>> = match change {
        OffsetChange::Alter(offsets) => offsets
            .iter()
            .map(parse_sink_offset)
            .collect::<Result<_>>()?,
        OffsetChange::Reset => admin
            .group_offsets(&group, TIMEOUT)
            .await?
            .into_keys()
            .map(|partition| (partition, None))
            .collect(),
    };
    let altered = AlteredOffsets::Sink(wanted.clone());
    let complete = match reset {
        true => plugin.reset_offsets(config, &altered).await?,
        false => plugin.alter_offsets(config, &altered).await?,
    };
    let verb = if reset { "reset" } else { "alter" };
    let refused = |error| refusal(error, connector, verb);
    if reset {
        admin.delete_group(&group, TIMEOUT).await.map_err(refused)?;
        return Ok(complete);
    }
    let set: BTreeMap<TopicPartition, i64> = wanted
        .iter()
        .filter_map(|(partition, offset)| Some((partition.clone(), (*offset)?)))
        .collect();
    let deleted: Vec<TopicPartition> = wanted
        .into_iter()
        .filter(|(_, offset)| offset.is_none())
        .map(|(partition, _)| partition)
        .collect();
    if !set.is_empty() {
        admin
            .alter_group_offsets(&group, &set, TIMEOUT)
            .await
            .map_err(refused)?;
    }
    if !deleted.is_empty() {
        admin
            .delete_group_offsets(&group, &deleted, TIMEOUT)
            .await
            .map_err(refused)?;
    }
    Ok(complete)
}

/// Why the offsets of a sink's group could not be changed. What a request names
/// that does not exist is the client's mistake.
fn refusal(error: KafkaError, connector: &str, verb: &str) -> ConnectError {
    let beginning = format!("Failed to {verb} consumer group offsets for connector {connector}");
    match error.kind {
        KafkaErrorKind::GroupNotEmpty => {
            tracing::warn!(connector, %error, "{beginning}");
            ConnectError::other(format!(
                "{beginning} either because its tasks haven't stopped completely yet or the connector was resumed \
                 before the request to {verb} its offsets could be successfully completed. If the connector is in \
                 a stopped state, this operation can be safely retried. If it doesn't eventually succeed, the \
                 Connect cluster may need to be restarted to get rid of the zombie sink tasks."
            ))
        }
        KafkaErrorKind::NotFound | KafkaErrorKind::Invalid => {
            ConnectError::config(format!("{beginning}: {error}"))
        }
        _ => ConnectError::other(beginning).caused_by(error),
    }
}

/// The consumer group of a sink, and a client to manage it with.
fn group(
    herder: &ReconcilingHerder,
    connector: &str,
    config: &ConfigMap,
) -> Result<(Arc<dyn Admin>, String)> {
    let context = &herder.shared.context;
    let policy = OverridePolicy::from_worker(&context.config.properties)?;
    let properties = ClientProperties {
        worker: &context.config,
        kafka_cluster_id: &context.kafka_cluster_id,
        policy: &policy,
    };
    let admin = properties.connector_admin(connector, config)?;
    let group = properties.sink_group(connector, config)?;
    Ok((context.clients.admin(&admin)?, group))
}

fn sink_offset(partition: &TopicPartition, offset: i64) -> ConnectorOffset {
    ConnectorOffset {
        partition: Some(
            OffsetMap::new()
                .with("kafka_partition", i64::from(partition.partition))
                .with("kafka_topic", &*partition.topic),
        ),
        offset: Some(OffsetMap::new().with("kafka_offset", offset)),
    }
}

/// Reads the REST form of a sink's offset (`SinkUtils.parseSinkConnectorOffsets`).
fn parse_sink_offset(entry: &ConnectorOffset) -> Result<(TopicPartition, Option<i64>)> {
    let wrong = |message: &str| ConnectError::config(message);
    let partition = entry.partition.as_ref().ok_or_else(|| {
        wrong("The partition for a sink connector offset cannot be null or missing")
    })?;
    let (Some(topic), Some(number)) = (
        partition.get("kafka_topic"),
        partition.get("kafka_partition"),
    ) else {
        return Err(wrong(
            "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'",
        ));
    };
    if topic.is_null() {
        return Err(wrong(
            "Kafka topic names must be valid strings and may not be null",
        ));
    }
    if number.is_null() {
        return Err(wrong(
            "Kafka partitions must be valid numbers and may not be null",
        ));
    }
    let number = number.to_string();
    let number = number.parse().map_err(|_| {
        wrong(&format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{number}'. Partition \
             values for sink connectors need to be integers."
        ))
    })?;
    let partition = TopicPartition::new(topic.to_string(), number);
    let Some(offset) = &entry.offset else {
        return Ok((partition, None));
    };
    let offset = offset.get("kafka_offset").filter(|offset| !matches!(offset, Value::Null)).ok_or_else(|| {
        wrong("The offset for a sink connector should either be null or contain the key 'kafka_offset'")
    })?;
    let text = offset.to_string();
    let offset = text.parse().map_err(|_| {
        wrong(&format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{text}'. Offset values for \
             sink connectors need to be integers."
        ))
    })?;
    if offset < 0 {
        return Err(wrong(&format!(
            "The offset of partition {partition} is {offset}, but offsets of sink connectors cannot be negative"
        )));
    }
    Ok((partition, Some(offset)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(
        topic: impl Into<Value>,
        partition: impl Into<Value>,
        offset: impl Into<Value>,
    ) -> ConnectorOffset {
        ConnectorOffset {
            partition: Some(
                OffsetMap::new()
                    .with("kafka_topic", topic)
                    .with("kafka_partition", partition),
            ),
            offset: Some(OffsetMap::new().with("kafka_offset", offset)),
        }
    }

    #[test]
    fn numbers_may_be_text() -> Result<()> {
        let expected = (TopicPartition::new("t", 1), Some(5));
        assert_eq!(parse_sink_offset(&entry("t", 1i64, 5i64))?, expected);
        assert_eq!(parse_sink_offset(&entry("t", "1", "5"))?, expected);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |entry: &ConnectorOffset| {
            parse_sink_offset(entry)
                .expect_err("refused")
                .message()
                .to_owned()
        };
        assert!(message(&entry("t", "x", 5i64)).contains("'x'. Partition values"));
        assert!(message(&entry("t", 1i64, 1.5)).contains("'1.5'. Offset values"));
        assert!(message(&entry("t", 1i64, -1i64)).contains("t-1 is -1, but"));
        assert!(message(&entry(Value::Null, 1i64, 1i64)).starts_with("Kafka topic names must"));
        let none = ConnectorOffset {
            partition: None,
            offset: None,
        };
        assert!(message(&none).contains("cannot be null or missing"));
    }
}
