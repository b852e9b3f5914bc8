//! Signals that are lines of a file (`signal.file`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value;

use super::Signal;
use super::channel::SignalReader;

/// How many bytes a file of signals may have.
const MOST: u64 = 16 * 1024 * 1024;

/// Reads a file, and empties it.
#[derive(Debug)]
pub(super) struct FileSignals {
    path: PathBuf,
}

impl FileSignals {
    pub(super) fn new(path: &str) -> Self {
        tracing::info!(
            "File signal channel is active, reading signals from '{path}'. Whoever can write it, \
             or the configuration, can make the connector read the database again."
        );
        Self { path: path.into() }
    }
}

#[async_trait]
impl SignalReader for FileSignals {
    async fn read(&mut self) -> Vec<Signal> {
        let path = self.path.clone();
        let taken = tokio::task::spawn_blocking(move || take(&path)).await;
        let text = match taken {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => {
                let path = self.path.display();
                tracing::error!(%error, "Failed to read signal file {path}");
                return Vec::new();
            }
            // The runtime stops.
            Err(_) => return Vec::new(),
        };
        text.lines().filter_map(signal).collect()
    }
}

/// The text of a file, which is empty afterwards; nothing if there is none.
fn take(path: &Path) -> io::Result<String> {
    let size = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(String::new()),
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    if size == 0 {
        return Ok(String::new());
    }
    if size > MOST {
        let message = format!("it has more than {MOST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    let bytes = fs::read(path)?;
    fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The signal of a line, if it has one.
fn signal(line: &str) -> Option<Signal> {
    if line.trim().is_empty() {
        return None;
    }
    let read = read(line);
    match &read {
        Ok(signal) => tracing::info!(
            id = signal.id,
            kind = signal.kind,
            data = signal.data,
            "Processing signal"
        ),
        Err(reason) => tracing::warn!("Skipped signal due to a parse error: {reason}"),
    }
    read.ok()
}

fn read(line: &str) -> Result<Signal, String> {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<Value>();
    let value = values.next().ok_or("nothing but blanks")?;
    let value = value.map_err(|error| error.to_string())?;
    let member = |name: &str| {
        value
            .get(name)
            .ok_or_else(|| format!("'{name}' is missing"))
    };
    Ok(Signal {
        id: text(member("id")?),
        kind: text(member("type")?),
        data: member("data")?.to_string(),
        channel_offset: None,
    })
}

/// A scalar as text; nothing for what is none.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => String::new(),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_line_is_a_signal_or_not(line: String, text in r#"(["\\{}:,0-9]|id|type|data)*"#) {
            let _ = (signal(&line), signal(&text));
        }
    }

    #[tokio::test]
    async fn a_file_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("signals.txt");
        let mut channel = FileSignals::new(&path.display().to_string());
        assert!(channel.read().await.is_empty());
        let lines = concat!(
            "{\"id\":1,\"type\":\"log\",\"data\":{\"message\":\"a\"}}\n",
            "\n",
            "not JSON\n",
            "{\"id\":\"no data\",\"type\":\"log\"}\n",
            "{\"id\":\"2\",\"type\":\"pause-snapshot\",\"data\":{},\"channelOffset\":7} x",
        );
        fs::write(&path, lines).unwrap();
        let read = channel.read().await;
        let read: Vec<_> = read
            .iter()
            .map(|signal| (&*signal.id, &*signal.kind, &*signal.data))
            .collect();
        assert_eq!(
            read,
            [
                ("1", "log", r#"{"message":"a"}"#),
                ("2", "pause-snapshot", "{}")
            ]
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert!(channel.read().await.is_empty());
    }
}
