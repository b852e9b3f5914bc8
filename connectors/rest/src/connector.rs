//! The connector: one endpoint, so one task, whatever `tasks.max` says.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::connector::{AlteredOffsets, Connector, ConnectorContext, Task};
use tether_api::data::Value;
use tether_api::offset::OffsetMap;
use tether_api::{ConnectError, Result};

use crate::config::{self, RestSourceConfig};
use crate::source_task::{ENDPOINT, RestSourceTask, TIMESTAMP};

/// `com.example.kafka.connect.RestSourceConnector`
#[derive(Default)]
pub(crate) struct RestSourceConnector {
    config: ConfigMap,
}

#[async_trait]
impl Connector for RestSourceConnector {
    fn config_def(&self) -> Arc<ConfigDef> {
        config::definition()
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        RestSourceConfig::parse(&config)?;
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        // Two tasks would poll the same endpoint and write everything twice.
        Ok(vec![self.config.clone()])
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::new(RestSourceTask::default()))
    }

    fn task_class(&self) -> &'static str {
        "com.example.kafka.connect.RestSourceTask"
    }

    async fn alter_offsets(&self, _config: &ConfigMap, offsets: &AlteredOffsets) -> Result<bool> {
        let AlteredOffsets::Source(offsets) = offsets else {
            return Err(refused("they must have a partition and an offset each"));
        };
        for (partition, offset) in offsets {
            // A tombstone is allowed for anything, so that users can clean up.
            if let Some(offset) = offset {
                check(partition, offset)?;
            }
        }
        Ok(true)
    }
}

/// Checks the form of an offset that a user wants to set. Nothing depends on
/// it: every poll writes all that the endpoint answers.
fn check(partition: &OffsetMap, offset: &OffsetMap) -> Result<()> {
    if partition.len() != 1 || partition.get(ENDPOINT).and_then(Value::as_str).is_none() {
        return Err(refused(format!(
            "a partition has the one key '{ENDPOINT}' with a URL"
        )));
    }
    let timestamp = offset.get(TIMESTAMP).and_then(Value::as_i64);
    if offset.len() != 1 || timestamp.is_none_or(|millis| millis < 0) {
        return Err(refused(format!(
            "an offset is null or has the one key '{TIMESTAMP}' with milliseconds since \
             1970-01-01"
        )));
    }
    Ok(())
}

fn refused(reason: impl std::fmt::Display) -> ConnectError {
    ConnectError::config(format!("The offsets cannot be set: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn alter(partition: OffsetMap, offset: Option<OffsetMap>) -> bool {
        RestSourceConnector::default()
            .alter_offsets(
                &ConfigMap::new(),
                &AlteredOffsets::Source(vec![(partition, offset)]),
            )
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn offsets_must_have_their_form() {
        let endpoint = || OffsetMap::new().with(ENDPOINT, "http://h/users");
        let timestamp = |value: Value| Some(OffsetMap::new().with(TIMESTAMP, value));
        assert!(alter(endpoint(), timestamp(1i64.into())).await);
        assert!(alter(OffsetMap::new().with("x", 1i64), None).await);
        assert!(!alter(endpoint(), timestamp((-1i64).into())).await);
        assert!(!alter(endpoint(), timestamp("1".into())).await);
        assert!(!alter(endpoint(), Some(OffsetMap::new().with("other", 1i64))).await);
        assert!(!alter(OffsetMap::new(), timestamp(1i64.into())).await);
    }
}
