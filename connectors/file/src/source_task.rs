//! The source task: follows a file as `tail -f` does and makes a record of each
//! line.

use std::io::{self, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::data::{Schema, SchemaRef, Text, Type, Value};
use tether_api::offset::OffsetMap;
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::config::SourceConfig;
use crate::lines::LineBuffer;
use crate::stdin::Stdin;

/// The entry of a source partition: the file.
pub(crate) const FILENAME: &str = "filename";
/// The entry of a source offset: the number of bytes before the next line.
pub(crate) const POSITION: &str = "position";

/// How long a poll waits for more to appear before it returns empty-handed.
const WAIT: Duration = Duration::from_millis(500);

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// How much is read at once of a file that has so much more. Each read is a way
/// to another thread and back, which costs as much as some hundred lines.
const LARGE_CHUNK: usize = 512 * 1024;

/// No broker takes a record of this size, so a longer line is an error rather
/// than a reason to take ever more memory. In bytes.
const LONGEST_LINE: usize = 128 * 1024 * 1024;

/// `org.apache.kafka.connect.file.FileStreamSourceTask`
#[derive(Default)]
pub(crate) struct FileStreamSourceTask {
    reader: Option<Reader>,
}

#[async_trait]
impl SourceTask for FileStreamSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<()> {
        self.reader = Some(Reader::new(context, SourceConfig::parse(&config)?));
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        match &mut self.reader {
            Some(reader) => reader.poll().await,
            None => Ok(Vec::new()),
        }
    }

    async fn stop(&mut self) -> Result<()> {
        self.reader = None;
        Ok(())
    }
}

enum Input {
    /// A file, the position of the end of the last line that was returned, and
    /// how much to read next.
    File(File, u64, usize),
    /// Positions of the standard input mean nothing, so none are kept.
    Stdin(Stdin),
}

impl Input {
    /// Appends more bytes to the buffer and tells how many. If there are none,
    /// it may wait a moment for them.
    async fn read(&mut self, buffer: &mut LineBuffer, may_wait: bool) -> Result<usize> {
        let bytes = buffer.bytes_mut();
        let count = match self {
            Self::File(file, _, chunk) => {
                bytes.reserve(*chunk);
                let count = file
                    .read_buf(bytes)
                    .await
                    .map_err(|error| ConnectError::other("Error while reading").caused_by(error))?;
                *chunk = if count < *chunk { CHUNK } else { LARGE_CHUNK };
                count
            }
            Self::Stdin(stdin) => {
                let wait = if may_wait { WAIT } else { Duration::ZERO };
                let Ok(chunk) = tokio::time::timeout(wait, stdin.next_chunk()).await else {
                    return Ok(0);
                };
                chunk?.map_or(0, |chunk| {
                    bytes.extend_from_slice(&chunk);
                    chunk.len()
                })
            }
        };
        if count == 0 && may_wait {
            tokio::time::sleep(WAIT).await;
        }
        Ok(count)
    }

    /// Moves the position over a line and returns the new one.
    fn advance(&mut self, taken: u64) -> Value {
        match self {
            Self::File(_, position, _) => {
                *position += taken;
                Value::from(i64::try_from(*position).ok())
            }
            Self::Stdin(_) => Value::Null,
        }
    }
}

struct Reader {
    context: SourceTaskContext,
    config: SourceConfig,
    partition: Arc<OffsetMap>,
    schema: SchemaRef,
    input: Option<Input>,
    buffer: LineBuffer,
    /// The number of records of the last batch.
    last_batch: usize,
    /// The cause for which nothing can be read yet, once it has been logged.
    waiting_for: Option<&'static str>,
}

impl Reader {
    fn new(context: SourceTaskContext, config: SourceConfig) -> Self {
        let filename = Value::from(config.filename.clone());
        Self {
            context,
            config,
            partition: Arc::new(OffsetMap::new().with(FILENAME, filename)),
            schema: Schema::primitive(Type::String, false),
            input: None,
            buffer: LineBuffer::default(),
            last_batch: 0,
            waiting_for: None,
        }
    }

    /// The lines that are there, at most a batch; waits a moment if there are
    /// none.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        let stopping = self.context.stopping.clone();
        tokio::select! {
            biased;
            () = stopping.cancelled() => Ok(Vec::new()),
            records = self.next_batch() => records,
        }
    }

    /// Cancelled only by the stop of the task, for which nothing is read on.
    async fn next_batch(&mut self) -> Result<Vec<SourceRecord>> {
        let mut input = match self.input.take() {
            Some(input) => input,
            None => match self.open().await? {
                Some(input) => input,
                None => {
                    tokio::time::sleep(WAIT).await;
                    return Ok(Vec::new());
                }
            },
        };
        // As large as the last batch: a follower needs little memory, and a
        // reader of a long file no larger and larger pieces of it.
        let mut records = Vec::with_capacity(self.last_batch);
        loop {
            self.take_lines(&mut input, &mut records);
            if records.len() >= self.config.batch_size {
                break;
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(ConnectError::other(format!(
                    "{} has a line of more than {LONGEST_LINE} bytes; is it a text file?",
                    self.shown()
                )));
            }
            let count = input
                .read(&mut self.buffer, records.is_empty())
                .await
                .map_err(|error| error.context(self.shown()))?;
            if count == 0 {
                break;
            }
        }
        self.input = Some(input);
        self.last_batch = records.len();
        Ok(records)
    }

    /// Makes records of the whole lines in the buffer, up to a batch.
    fn take_lines(&mut self, input: &mut Input, records: &mut Vec<SourceRecord>) {
        let now = epoch_millis();
        while records.len() < self.config.batch_size
            && let Some((line, taken)) = self.buffer.next_line()
        {
            let mut record = ConnectRecord::new(self.config.topic.clone())
                .value(Some(self.schema.clone()), line);
            record.timestamp = now;
            let offset = OffsetMap::new().with(Text::from_static(POSITION), input.advance(taken));
            records.push(SourceRecord {
                record,
                source_partition: self.partition.clone(),
                source_offset: Some(Arc::new(offset)),
            });
        }
    }

    /// Opens the input at the stored position; `None` if it is not there yet.
    async fn open(&mut self) -> Result<Option<Input>> {
        let Some(path) = self.config.path().map(str::to_owned) else {
            return match tokio::time::timeout(WAIT, Stdin::acquire()).await {
                Ok(stdin) => Ok(Some(Input::Stdin(stdin?))),
                Err(_) => {
                    self.wait_for("another task to leave the standard input");
                    Ok(None)
                }
            };
        };
        let mut file = match File::open(Path::new(&path)).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.wait_for("the file to be created");
                return Ok(None);
            }
            Err(error) => return Err(self.cannot_open(error)),
        };
        let position = self.stored_position().await?;
        if position > 0 {
            let metadata = file.metadata().await.map_err(|e| self.cannot_open(e))?;
            // A file that was replaced by a shorter one. The reference skips
            // for as long as the file does not reach up to the position.
            if metadata.is_file() && metadata.len() < position {
                self.wait_for("the file to reach the stored position");
                return Ok(None);
            }
            file.seek(SeekFrom::Start(position))
                .await
                .map_err(|error| self.cannot_open(error))?;
        }
        tracing::debug!(file = path, position, "Opened for reading");
        self.waiting_for = None;
        Ok(Some(Input::File(file, position, CHUNK)))
    }

    async fn stored_position(&self) -> Result<u64> {
        let stored = self
            .context
            .offsets
            .offsets(std::slice::from_ref(&self.partition))
            .await?;
        let position = stored.into_iter().flatten().next();
        match position.as_ref().and_then(|offset| offset.get(POSITION)) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::Int64(position)) if *position >= 0 => Ok(position.unsigned_abs()),
            Some(_) => Err(ConnectError::other(format!(
                "Offset position is the incorrect type: the stored '{POSITION}' of {} is not a \
                 non-negative integer; set or reset the connector's offsets",
                self.shown()
            ))),
        }
    }

    /// Logs once why nothing can be read yet.
    fn wait_for(&mut self, what: &'static str) {
        if self.waiting_for != Some(what) {
            tracing::warn!(file = self.shown(), "Waiting for {what}");
            self.waiting_for = Some(what);
        }
    }

    fn cannot_open(&self, error: io::Error) -> ConnectError {
        ConnectError::other(format!("Error while trying to open file {}", self.shown()))
            .caused_by(error)
    }

    fn shown(&self) -> &str {
        self.config.path().unwrap_or("standard input")
    }
}

fn epoch_millis() -> Option<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests;
