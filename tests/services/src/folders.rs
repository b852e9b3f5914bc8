//! Where services keep their files.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::process;

/// The root of this checkout.
pub fn checkout() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_path_buf()
}

/// `.services/` of this checkout: state of running services, ignored by git.
pub fn services() -> PathBuf {
    checkout().join(".services")
}

/// `${XDG_CACHE_HOME:-~/.cache}/tether`, or a folder below [`services`] when there is no home.
pub fn cache() -> PathBuf {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| services().join("cache"))
        .join("tether")
}

/// A folder in [`cache`], made by the first who asks for its name; others wait.
///
/// `make` fills the folder it is given. Only a complete one takes the name, so what a killed process
/// leaves does no harm.
pub fn cached(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache();
    let folder = cache.join(name);
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    if !folder.exists() {
        let partial = folder.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir(&partial)?;
        make(&partial)?;
        fs::rename(&partial, &folder)?;
    }
    Ok(folder)
}

/// A name for [`cached`] that changes with the text of these files and with `salt`.
pub fn cache_name(prefix: &str, files: &[PathBuf], salt: &str) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    for file in files {
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        text.hash(&mut hasher);
    }
    Ok(format!("{prefix}-{:016x}", hasher.finish()))
}

/// The files of one running service: `.services/run/<pid>/<name>-<number>`.
///
/// Removed when dropped, unless a test is panicking: then its logs stay until the next process makes
/// a run folder, which removes those of processes that are gone.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new, empty folder for a service of this process.
    pub fn create(name: &str) -> Result<Self> {
        Self::create_below(&services().join("run"), name)
    }

    /// Like [`RunFolder::create`], at a place that other users of this machine can reach: in the
    /// checkout if every folder above it lets them pass, otherwise in the system's temporary folder.
    pub fn create_reachable(name: &str) -> Result<Self> {
        let preferred = services().join("run");
        if lets_others_pass(&checkout()) {
            Self::create_below(&preferred, name)
        } else {
            Self::create_below(&std::env::temp_dir().join("tether-services"), name)
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn create_below(parent: &Path, name: &str) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        remove_left_behind(parent);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent
            .join(std::process::id().to_string())
            .join(format!("{name}-{number}"));
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // What cannot be removed now is removed by the next process.
        let _ = fs::remove_dir_all(&self.path);
        if let Some(of_this_process) = self.path.parent() {
            let _ = fs::remove_dir(of_this_process);
        }
    }
}

/// Removes the folders of processes that no longer run.
fn remove_left_behind(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_gone = name
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
            .is_some_and(|pid| process::started(pid).is_none());
        if is_gone {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn lets_others_pass(folder: &Path) -> bool {
    folder.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}
