//! The offset file of a standalone worker (`FileOffsetBackingStore`).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::{ConnectError, ErrorKind, Result};

use crate::offset_index::OffsetIndex;
use crate::{OffsetEntry, OffsetStore, java_hash_map};

/// Keeps offsets in a file of the JVM worker's format, a Java-serialised
/// `HashMap` of byte arrays, so that the two can take the file over from each
/// other.
///
/// # Faults
/// The file is written beside the old one, made durable and put in its place by
/// renaming. A full disk, a crash or a power failure leaves the old file.
/// Memory follows only once the new file is in place.
///
/// A file that does not exist or is empty has no offsets. One that is damaged is
/// an error. (The reference takes one that is cut short for an empty one, and
/// forgets all offsets.)
pub struct FileOffsetStore {
    file: Arc<OffsetFile>,
    /// Held while the file is written, also by a write whose caller has gone.
    writing: Arc<tokio::sync::Mutex<()>>,
}

struct OffsetFile {
    path: PathBuf,
    entries: Mutex<OffsetIndex>,
}

impl FileOffsetStore {
    /// A store in this file, the value of `offset.storage.file.filename`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            file: Arc::new(OffsetFile {
                path: path.into(),
                entries: Mutex::default(),
            }),
            writing: Arc::default(),
        }
    }

    /// Works on the file where blocking is allowed, one after the other.
    async fn in_background(
        &self,
        work: impl FnOnce(&OffsetFile) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let writing = self.writing.clone().lock_owned().await;
        let file = self.file.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _writing = writing;
            work(&file)
        });
        work.await
            .unwrap_or_else(|error| Err(self.file.error(ErrorKind::Other, "work on", error)))
    }
}

impl OffsetFile {
    fn load(&self) -> Result<()> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Bytes::new(),
            Err(error) => return Err(self.error(ErrorKind::Other, "read", error)),
        };
        let entries = match bytes.is_empty() {
            true => OffsetIndex::default(),
            false => java_hash_map::decode(bytes).map_err(|reason| {
                let advice = "Restore it, or remove it to start without offsets.";
                self.error(
                    ErrorKind::Other,
                    "understand",
                    format!("{reason}. {advice}"),
                )
            })?,
        };
        *self.entries() = entries;
        Ok(())
    }

    fn save(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        let mut index = self.entries().clone();
        for (key, value) in entries {
            index.set(key, value);
        }
        let bytes = java_hash_map::encode(&index)
            .map_err(|reason| self.error(ErrorKind::Other, "write", reason))?;
        replace(&self.path, &bytes)
            .map_err(|error| self.error(ErrorKind::Retriable, "write", error))?;
        *self.entries() = index;
        Ok(())
    }

    fn entries(&self) -> MutexGuard<'_, OffsetIndex> {
        // No code that can panic runs while the lock is held.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(
        &self,
        kind: ErrorKind,
        doing: &str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ConnectError {
        ConnectError::new(
            kind,
            format!(
                "Failed to {doing} the offset file {} (offset.storage.file.filename)",
                self.path.display()
            ),
        )
        .caused_by(cause)
    }
}

#[async_trait]
impl OffsetStore for FileOffsetStore {
    async fn start(&self) -> Result<()> {
        self.in_background(OffsetFile::load).await
    }

    async fn stop(&self) {
        // Whoever waits for a write has it finished.
        drop(self.writing.lock().await);
    }

    async fn get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        Ok(self.file.entries().get(keys))
    }

    async fn connector_entries(&self, connector: &str) -> Result<Vec<(Bytes, Bytes)>> {
        Ok(self.file.entries().connector_entries(connector))
    }

    async fn set(&self, entries: Vec<OffsetEntry>) -> Result<()> {
        self.in_background(move |file| file.save(entries)).await
    }
}

/// Replaces a file's content, all or nothing.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link stays a link; what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = target.with_file_name(name);
    let written = write_durably(&temporary, content).and_then(|()| {
        if let Ok(metadata) = fs::metadata(&target) {
            fs::set_permissions(&temporary, metadata.permissions())?;
        }
        fs::rename(&temporary, &target)
    });
    if let Err(error) = written {
        // It may not exist; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    // The new name is durable once the directory is.
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &'static str, value: Option<&'static str>) -> OffsetEntry {
        (Bytes::from(key), value.map(Bytes::from))
    }

    async fn open(path: &Path) -> FileOffsetStore {
        let store = FileOffsetStore::new(path);
        store.start().await.unwrap();
        store
    }

    async fn value(store: &FileOffsetStore, key: &'static str) -> Option<Bytes> {
        store.get(&[Bytes::from(key)]).await.unwrap().remove(0)
    }

    #[tokio::test]
    async fn suite() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let open = async || Arc::new(FileOffsetStore::new(&path));
        crate::suite::offset_store(open, crate::suite::Lasting::Yes).await;
    }

    #[tokio::test]
    async fn entries_are_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let store = open(&path).await;
        store
            .set(vec![entry("a", Some("1")), entry("b", Some("2"))])
            .await
            .unwrap();
        store.set(vec![entry("a", None)]).await.unwrap();
        store.stop().await;
        let store = open(&path).await;
        assert_eq!(value(&store, "a").await, None);
        assert_eq!(value(&store, "b").await.unwrap(), "2");
        let files = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1, "nothing temporary is left");
    }

    #[tokio::test]
    async fn an_empty_file_has_no_offsets_and_a_damaged_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        fs::write(&path, b"").unwrap();
        let store = open(&path).await;
        store.set(vec![entry("a", Some("1"))]).await.unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let error = FileOffsetStore::new(&path).start().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Failed to understand the offset file {} (offset.storage.file.filename): it ends \
                 after {} bytes in the middle of an entry. Restore it, or remove it to start \
                 without offsets.",
                path.display(),
                whole.len() - 3
            )
        );
    }

    #[tokio::test]
    async fn a_failed_write_loses_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let store = open(&path).await;
        store.set(vec![entry("a", Some("1"))]).await.unwrap();
        let before = fs::read(&path).unwrap();
        // The temporary file cannot be made: a directory has its name.
        fs::create_dir(directory.path().join("offsets.tmp")).unwrap();
        store.set(vec![entry("a", Some("2"))]).await.unwrap_err();
        assert_eq!(value(&store, "a").await.unwrap(), "1");
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_dir(directory.path().join("offsets.tmp")).unwrap();
        store.set(vec![entry("a", Some("3"))]).await.unwrap();
        assert_eq!(value(&open(&path).await, "a").await.unwrap(), "3");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (link, path) = (directory.path().join("link"), directory.path().join("file"));
        fs::write(&path, b"").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        let store = open(&link).await;
        store.set(vec![entry("a", Some("1"))]).await.unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(value(&open(&path).await, "a").await.unwrap(), "1");
    }
}
