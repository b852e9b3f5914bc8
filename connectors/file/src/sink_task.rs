//! The sink task: appends the text of each record's value as a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::record::SinkRecord;
use tether_api::sink::{Offsets, SinkTask, SinkTaskContext};
use tether_api::{ConnectError, Result};

use crate::config;

/// `org.apache.kafka.connect.file.FileStreamSinkTask`
///
/// Lines are handed to the system at the end of each `put`, as the reference
/// does, and are on disk before their offsets are committed.
#[derive(Default)]
pub(crate) struct FileStreamSinkTask {
    output: Option<Output>,
}

#[derive(Clone)]
enum Output {
    File(Arc<File>, Arc<str>),
    Stdout,
}

impl Output {
    fn open(path: Option<String>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        match OpenOptions::new().create(true).append(true).open(&path) {
            Ok(file) => Ok(Self::File(Arc::new(file), path.into())),
            Err(error) => Err(ConnectError::other(format!(
                "Couldn't find or create file '{path}' for FileStreamSinkTask"
            ))
            .caused_by(error)),
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::File(file, _) => (&**file).write_all(bytes),
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())
            }
        }
        .map_err(|error| self.failed(error))
    }

    fn sync(&self) -> Result<()> {
        let Self::File(file, _) = self else {
            return Ok(());
        };
        match file.sync_data() {
            // Pipes and terminals have nothing to make durable.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result.map_err(|error| self.failed(error)),
        }
    }

    fn failed(&self, error: io::Error) -> ConnectError {
        let path = match self {
            Self::File(_, path) => path,
            Self::Stdout => "standard output",
        };
        ConnectError::other(format!("Couldn't write to {path}")).caused_by(error)
    }
}

impl FileStreamSinkTask {
    /// Runs file operations where they may block.
    async fn blocking<F>(&self, operation: F) -> Result<()>
    where
        F: FnOnce(Output) -> Result<()> + Send + 'static,
    {
        let Some(output) = self.output.clone() else {
            return Err(ConnectError::illegal_state("The task is not started"));
        };
        tokio::task::spawn_blocking(move || operation(output))
            .await
            .map_err(|error| ConnectError::other("Writing was interrupted").caused_by(error))?
    }
}

#[async_trait]
impl SinkTask for FileStreamSinkTask {
    async fn start(&mut self, _context: SinkTaskContext, config: ConfigMap) -> Result<()> {
        self.output = Some(Output::open(config::sink_path(&config)?)?);
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for record in records {
            // Writing to memory does not fail.
            let _ = writeln!(lines, "{}", record.record.value);
        }
        self.blocking(move |output| output.write(&lines)).await
    }

    async fn pre_commit(&mut self, offsets: &Offsets) -> Result<Offsets> {
        self.blocking(|output| output.sync()).await?;
        Ok(offsets.clone())
    }

    async fn stop(&mut self) -> Result<()> {
        self.output = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tether_api::data::Value;
    use tether_api::offset::TopicPartition;
    use tether_api::record::{ConnectRecord, TimestampType};
    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn start(path: &str) -> Result<FileStreamSinkTask> {
        let mut task = FileStreamSinkTask::default();
        let context = SinkTaskContext::new(CancellationToken::new(), None);
        let config = ConfigMap::from([("file".to_owned(), path.to_owned())]);
        task.start(context, config).await.map(|()| task)
    }

    fn record(value: impl Into<Value>) -> SinkRecord {
        SinkRecord::new(
            ConnectRecord::new("t").value(None, value),
            TimestampType::NoTimestampType,
            TopicPartition::new("t", 0),
            0,
        )
    }

    #[tokio::test]
    async fn appends_a_line_per_record_as_java_prints_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        std::fs::write(&path, "before\n").unwrap();
        let mut task = start(path.to_str().unwrap()).await.unwrap();
        let records = [
            record("line"),
            record(1.0e7),
            record(Value::Null),
            record(vec![Value::from(1i32)]),
        ];
        task.put(&records).await.unwrap();
        // Readers see the lines before the commit.
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "before\nline\n1.0E7\nnull\n[1]\n"
        );
        let offsets = Offsets::from([(TopicPartition::new("t", 0), 4)]);
        assert_eq!(task.pre_commit(&offsets).await.unwrap(), offsets);
        task.stop().await.unwrap();
    }

    #[tokio::test]
    async fn two_tasks_share_a_file_without_overwriting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.txt");
        let mut one = start(path.to_str().unwrap()).await.unwrap();
        let mut two = start(path.to_str().unwrap()).await.unwrap();
        one.put(&[record("a")]).await.unwrap();
        two.put(&[record("b")]).await.unwrap();
        one.put(&[record("c")]).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\nc\n");
    }

    #[tokio::test]
    async fn a_device_needs_no_sync() {
        let mut task = start("/dev/null").await.unwrap();
        task.put(&[record("x")]).await.unwrap();
        assert!(task.pre_commit(&Offsets::new()).await.is_ok());
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_is_named() {
        let error = start("/nonexistent/out.txt").await.err().unwrap();
        assert!(
            error.to_string().starts_with(
                "Couldn't find or create file '/nonexistent/out.txt' for FileStreamSinkTask"
            ),
            "{error}"
        );
    }
}
