//! The source connector: one task, whatever `tasks.max` says.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::{ConfigDef, ConfigMap};
use tether_api::connector::{
    AlteredOffsets, Connector, ConnectorContext, ExactlyOnceSupport, Task,
};
use tether_api::data::Value;
use tether_api::offset::OffsetMap;
use tether_api::{ConnectError, Result};

use crate::config::{self, FILE, SourceConfig};
use crate::source_task::{FILENAME, FileStreamSourceTask, POSITION};

/// `org.apache.kafka.connect.file.FileStreamSourceConnector`
#[derive(Default)]
pub(crate) struct FileStreamSourceConnector {
    config: ConfigMap,
}

#[async_trait]
impl Connector for FileStreamSourceConnector {
    fn config_def(&self) -> Arc<ConfigDef> {
        config::source()
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        let parsed = SourceConfig::parse(&config)?;
        tracing::info!(
            file = parsed.path().unwrap_or("standard input"),
            "Starting file source connector"
        );
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        // Only one input stream makes sense.
        Ok(vec![self.config.clone()])
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::new(FileStreamSourceTask::default()))
    }

    fn task_class(&self) -> &'static str {
        "org.apache.kafka.connect.file.FileStreamSourceTask"
    }

    async fn alter_offsets(&self, config: &ConfigMap, offsets: &AlteredOffsets) -> Result<bool> {
        if SourceConfig::parse(config)?.path().is_none() {
            return Err(ConnectError::other(format!(
                "Offsets cannot be modified if the '{FILE}' configuration is unspecified. This is \
                 because stdin is used for input and offsets are not tracked."
            )));
        }
        let AlteredOffsets::Source(offsets) = offsets else {
            return Err(ConnectError::other(
                "The offsets of a source connector have a partition and an offset each",
            ));
        };
        for (partition, offset) in offsets {
            // A tombstone is allowed for anything, so that users can clean up.
            if let Some(offset) = offset {
                check(partition, offset)?;
            }
        }
        // Whether the file reaches up to the position is for the task to see.
        Ok(true)
    }

    /// A file that is only appended to has the same lines after an offset. The
    /// standard input has no offsets.
    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        let parsed = SourceConfig::parse(config)?;
        Ok(Some(match parsed.path() {
            Some(_) => ExactlyOnceSupport::Supported,
            None => ExactlyOnceSupport::Unsupported,
        }))
    }
}

/// Checks a position that a user wants to set; texts of
/// `FileStreamSourceConnector.alterOffsets`.
fn check(partition: &OffsetMap, offset: &OffsetMap) -> Result<()> {
    let position = offset.get(POSITION).ok_or_else(|| {
        ConnectError::other(format!(
            "Offset objects should either be null or contain the key '{POSITION}'"
        ))
    })?;
    let &Value::Int64(position) = position else {
        return Err(ConnectError::other(format!(
            "The value for the '{POSITION}' key in the offset is expected to be a Long value"
        )));
    };
    if position < 0 {
        return Err(ConnectError::other(format!(
            "The value for the '{POSITION}' key in the offset should be a non-negative value"
        )));
    }
    if partition.get(FILENAME).is_none() {
        return Err(ConnectError::other(format!(
            "Partition objects should contain the key '{FILENAME}'"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn config(file: Option<&str>) -> ConfigMap {
        let mut config = ConfigMap::from([("topic".to_owned(), "t".to_owned())]);
        if let Some(file) = file {
            config.insert(FILE.to_owned(), file.to_owned());
        }
        config
    }

    async fn alter(partition: OffsetMap, offset: Option<OffsetMap>) -> Result<bool, String> {
        FileStreamSourceConnector::default()
            .alter_offsets(
                &config(Some("/f")),
                &AlteredOffsets::Source(vec![(partition, offset)]),
            )
            .await
            .map_err(|error| error.to_string())
    }

    fn filename() -> OffsetMap {
        OffsetMap::new().with(FILENAME, "/f")
    }

    fn position(value: impl Into<Value>) -> Option<OffsetMap> {
        Some(OffsetMap::new().with(POSITION, value))
    }

    #[tokio::test]
    async fn one_task_gets_the_whole_configuration() {
        let mut connector = FileStreamSourceConnector::default();
        let mut config = config(Some("/f"));
        config.insert("transforms".to_owned(), "insert".to_owned());
        let (requests, _receiver) = mpsc::unbounded_channel();
        connector
            .start(ConnectorContext::new(requests, None), config.clone())
            .await
            .unwrap();
        assert_eq!(connector.task_configs(5).await.unwrap(), [config]);
    }

    #[test]
    fn files_are_read_exactly_once() {
        let support =
            |file| FileStreamSourceConnector::default().exactly_once_support(&config(file));
        assert_eq!(
            support(Some("/f")).unwrap(),
            Some(ExactlyOnceSupport::Supported)
        );
        assert_eq!(
            support(None).unwrap(),
            Some(ExactlyOnceSupport::Unsupported)
        );
        assert!(
            FileStreamSourceConnector::default()
                .exactly_once_support(&ConfigMap::new())
                .is_err()
        );
    }

    #[tokio::test]
    async fn good_positions_are_accepted() {
        assert_eq!(alter(filename(), position(10i64)).await, Ok(true));
        assert_eq!(alter(filename(), None).await, Ok(true));
        assert_eq!(
            alter(OffsetMap::new().with("garbage", 1i64), None).await,
            Ok(true)
        );
        assert_eq!(alter(OffsetMap::new(), None).await, Ok(true));
    }

    #[tokio::test]
    async fn bad_positions_are_refused_in_the_references_words() {
        let missing = Some(OffsetMap::new().with("other", 0i64));
        assert_eq!(
            alter(filename(), missing).await.unwrap_err(),
            "Offset objects should either be null or contain the key 'position'"
        );
        for value in [Value::from("10"), Value::Null, Value::from(2.5)] {
            assert_eq!(
                alter(filename(), position(value)).await.unwrap_err(),
                "The value for the 'position' key in the offset is expected to be a Long value"
            );
        }
        assert_eq!(
            alter(filename(), position(-10i64)).await.unwrap_err(),
            "The value for the 'position' key in the offset should be a non-negative value"
        );
        let other = OffsetMap::new().with("other", "/f");
        assert_eq!(
            alter(other, position(1i64)).await.unwrap_err(),
            "Partition objects should contain the key 'filename'"
        );
    }

    #[tokio::test]
    async fn the_standard_input_has_no_offsets() {
        let error = FileStreamSourceConnector::default()
            .alter_offsets(&config(None), &AlteredOffsets::Source(Vec::new()))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "Offsets cannot be modified if the 'file' configuration is unspecified. This is \
             because stdin is used for input and offsets are not tracked."
        );
    }
}
