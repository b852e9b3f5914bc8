use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::*;
use tether_api::metrics::Metrics;
use tether_api::offset::OffsetReader;
use tether_api::source::CommittedOffsets;

const DEADLINE: Duration = Duration::from_secs(20);

/// Offsets of an earlier run: the same for every partition.
struct Stored(Option<OffsetMap>);

#[async_trait]
impl OffsetReader for Stored {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        Ok(vec![self.0.clone(); partitions.len()])
    }
}

struct Running {
    task: FileStreamSourceTask,
    stopping: CancellationToken,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Running {
    /// A task on a file of this content; no content, no file.
    async fn start(content: Option<&[u8]>, batch_size: usize, stored: Option<OffsetMap>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input.txt");
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let stopping = CancellationToken::new();
        let (_, committed) = watch::channel(CommittedOffsets::default());
        let context = SourceTaskContext {
            offsets: Arc::new(Stored(stored)),
            stopping: stopping.clone(),
            committed,
            transactions: None,
            metrics: Metrics::default(),
        };
        let mut task = FileStreamSourceTask::default();
        let config = [
            ("file", path.to_str().unwrap()),
            ("topic", "lines"),
            ("batch.size", &batch_size.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        task.start(context, ConfigMap::from(config)).await.unwrap();
        Self {
            task,
            stopping,
            path,
            _directory: directory,
        }
    }

    fn append(&self, bytes: &[u8]) {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
    }

    /// Polls until there are records.
    async fn records(&mut self) -> Vec<SourceRecord> {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let records = self.task.poll().await.unwrap();
                if !records.is_empty() {
                    return records;
                }
            }
        })
        .await
        .unwrap()
    }

    /// Polls until this many lines were read.
    async fn lines(&mut self, count: usize) -> Vec<(String, i64)> {
        let mut lines = Vec::new();
        while lines.len() < count {
            lines.extend(self.records().await.iter().map(line));
        }
        lines
    }
}

fn line(record: &SourceRecord) -> (String, i64) {
    let position = record.source_offset.as_ref().unwrap().get(POSITION);
    (
        record.record.value.to_string(),
        position.unwrap().as_i64().unwrap(),
    )
}

fn expect(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
    lines
        .iter()
        .map(|(text, position)| ((*text).to_owned(), *position))
        .collect()
}

#[tokio::test]
async fn a_record_is_what_the_reference_makes_of_a_line() {
    let mut running = Running::start(Some(b"hello\n"), 10, None).await;
    let records = running.records().await;
    let record = &records[0].record;
    assert_eq!(records.len(), 1);
    assert_eq!(&*record.topic, "lines");
    assert_eq!((record.partition, &record.key_schema), (None, &None));
    assert_eq!(record.key, Value::Null);
    assert_eq!(
        record.value_schema,
        Some(Schema::primitive(Type::String, false))
    );
    assert_eq!(record.value, Value::from("hello"));
    assert!(record.timestamp.is_some());
    let path = running.path.to_str().unwrap();
    assert_eq!(
        *records[0].source_partition,
        OffsetMap::new().with(FILENAME, path)
    );
}

#[tokio::test]
async fn follows_a_file_that_grows() {
    let mut running = Running::start(Some(b"a\nb"), 10, None).await;
    assert_eq!(running.lines(1).await, expect(&[("a", 2)]));
    running.append(b"c\r\nd\n");
    assert_eq!(running.lines(2).await, expect(&[("bc", 6), ("d", 8)]));
}

#[tokio::test]
async fn waits_for_a_file_to_be_created() {
    let mut running = Running::start(None, 10, None).await;
    assert_eq!(running.task.poll().await.unwrap(), []);
    running.append(b"late\n");
    assert_eq!(running.lines(1).await, expect(&[("late", 5)]));
}

#[tokio::test]
async fn a_batch_has_at_most_its_size_and_the_rest_follows() {
    let mut running = Running::start(Some(b"1\n2\n3\n4\n5\n"), 2, None).await;
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 5 {
        sizes.push(running.records().await.len());
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn goes_on_from_the_stored_position_in_bytes() {
    let stored = OffsetMap::new().with(POSITION, 6i64);
    let mut running = Running::start(Some("grün\nrot\n".as_bytes()), 10, Some(stored)).await;
    assert_eq!(running.lines(1).await, expect(&[("rot", 10)]));
}

#[tokio::test]
async fn a_stored_null_is_the_beginning() {
    let stored = OffsetMap::new().with(POSITION, Value::Null);
    let mut running = Running::start(Some(b"a\n"), 10, Some(stored)).await;
    assert_eq!(running.lines(1).await, expect(&[("a", 2)]));
}

#[tokio::test]
async fn a_shorter_file_is_not_read_before_it_reaches_the_position() {
    let stored = OffsetMap::new().with(POSITION, 4i64);
    let mut running = Running::start(Some(b"a\n"), 10, Some(stored)).await;
    assert_eq!(running.task.poll().await.unwrap(), []);
    running.append(b"b\nc\n");
    assert_eq!(running.lines(1).await, expect(&[("c", 6)]));
}

#[tokio::test]
async fn a_stored_position_of_another_type_is_refused() {
    let stored = OffsetMap::new().with(POSITION, "4");
    let mut running = Running::start(Some(b"a\n"), 10, Some(stored)).await;
    let error = running.task.poll().await.unwrap_err();
    assert!(!error.is_retriable());
    assert!(
        error
            .to_string()
            .starts_with("Offset position is the incorrect type")
    );
}

#[tokio::test]
async fn a_directory_is_an_error_that_names_it() {
    let mut running = Running::start(None, 10, None).await;
    std::fs::create_dir(&running.path).unwrap();
    let error = running.task.poll().await.unwrap_err().to_string();
    assert!(error.starts_with(running.path.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_stop_ends_a_poll_that_waits() {
    let mut running = Running::start(Some(b""), 10, None).await;
    let stopping = running.stopping.clone();
    let polling = tokio::spawn(async move {
        while !running.stopping.is_cancelled() {
            assert_eq!(running.task.poll().await.unwrap(), []);
        }
        running.task.stop().await
    });
    stopping.cancel();
    tokio::time::timeout(DEADLINE, polling)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}
