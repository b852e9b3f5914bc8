//! How far a sink task is behind in each of its partitions, which Kafka's own
//! consumer measures (`FetchMetricsManager`).

use std::sync::Arc;

use tether_api::offset::TopicPartition;
use tether_kafka::Consumer;
use tether_metrics::{Gauge, Group, Metrics};

/// Measures lags of one consumer.
pub(crate) struct ConsumerLags {
    registry: Metrics,
    client_id: String,
}

/// The lag in a partition, as long as the task has that.
pub(crate) struct PartitionLag {
    position: Arc<Gauge>,
    _group: Group,
}

impl ConsumerLags {
    /// Of the consumer with this `client.id`.
    pub(crate) fn new(registry: Metrics, client_id: &str) -> Self {
        Self {
            registry,
            client_id: client_id.to_owned(),
        }
    }

    /// Registers the group of a partition that is read from this offset on.
    pub(crate) fn of(
        &self,
        consumer: &Arc<dyn Consumer>,
        partition: &TopicPartition,
        offset: i64,
    ) -> PartitionLag {
        let mut group = self
            .registry
            .group("kafka.consumer", "consumer-fetch-manager-metrics");
        group.tag("client-id", self.client_id.as_str());
        group.tag("topic", &*partition.topic);
        group.tag("partition", partition.partition.to_string());
        let position = Arc::<Gauge>::default();
        position.set(offset);
        let at = Arc::clone(&position);
        let consumer = Arc::downgrade(consumer);
        let partition = partition.clone();
        group.computed(
            "records-lag",
            "The number of records of the partition that were not read yet, as of the last fetch; NaN before it.",
            move || {
                let end = consumer
                    .upgrade()
                    .and_then(|consumer| consumer.known_end_offset(&partition));
                end.map_or(f64::NAN, |end| (end - at.get()).max(0) as f64)
            },
        );
        PartitionLag {
            position,
            _group: group.register(),
        }
    }
}

impl PartitionLag {
    /// The next record to read is this one.
    pub(crate) fn read_up_to(&self, offset: i64) {
        self.position.set(offset);
    }
}
