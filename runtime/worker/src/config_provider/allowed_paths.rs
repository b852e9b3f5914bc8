//! The `allowed.paths` parameter of the providers that read files
//! (`org.apache.kafka.common.config.internals.AllowedPaths`).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

/// The largest file that a provider reads. Anyone who may create a connector
/// may name a file, so its size must have a bound.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The folders and files that a provider may read; everything if none are
/// given.
pub(super) struct AllowedPaths(Option<Vec<Allowed>>);

/// An allowed path: as it is written, and with links followed.
struct Allowed {
    written: PathBuf,
    real: PathBuf,
}

impl AllowedPaths {
    /// Reads the parameter.
    ///
    /// # Errors
    /// Config, if a path is relative or does not exist.
    pub(super) fn new(provider: &str, parameters: &ConfigMap) -> Result<Self> {
        let Some(list) = parameters
            .get("allowed.paths")
            .filter(|list| !list.is_empty())
        else {
            return Ok(Self(None));
        };
        let paths = list.split(',').map(|text| {
            let path = Path::new(text.trim());
            let wrong = |why: &str| {
                ConnectError::config(format!(
                    "Invalid value {} for configuration config.providers.{provider}.param.allowed.paths: {why}",
                    path.display()
                ))
            };
            if !path.is_absolute() {
                return Err(wrong("Path is not absolute"));
            }
            Ok(Allowed {
                written: path.to_owned(),
                real: path
                    .canonicalize()
                    .map_err(|_| wrong("Path does not exist"))?,
            })
        });
        Ok(Self(Some(paths.collect::<Result<_>>()?)))
    }

    /// The path, links followed, if it may be read. A path outside is logged.
    pub(super) fn check(&self, path: &str) -> Option<PathBuf> {
        let Some(allowed) = &self.0 else {
            return Some(PathBuf::from(path));
        };
        match Path::new(path).canonicalize() {
            // Links are followed first, so that none leads out of the folder.
            Ok(real) => {
                if allowed.iter().any(|prefix| real.starts_with(&prefix.real)) {
                    return Some(real);
                }
            }
            // A file that is missing where it should be is told as such.
            Err(_) => {
                let path = Path::new(path);
                let leaves = path.components().any(|part| part == Component::ParentDir);
                if !leaves
                    && allowed
                        .iter()
                        .any(|prefix| path.starts_with(&prefix.written))
                {
                    return Some(path.to_owned());
                }
            }
        }
        tracing::warn!(
            path,
            "The path is not within allowed.paths; its variables stay unresolved"
        );
        None
    }
}

/// The bytes of a file, if it is a file and no larger than a few megabytes.
///
/// # Errors
/// If it is not, or cannot be read.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::other(format!(
            "it is larger than {LARGEST} bytes"
        )));
    }
    Ok(content)
}
