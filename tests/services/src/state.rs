//! What `up` leaves for `down` and for tests: `.services/state.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::folders;
use crate::process::started;

/// Services that run in the background.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The process that holds them.
    pub pid: u32,
    /// When that process started, in the kernel's clock ticks: tells it from a later one that got the
    /// same id.
    pub started: u64,
    /// Addresses by the names that tests look for in their environment.
    pub environment: BTreeMap<String, String>,
}

impl State {
    /// The state of services which this process holds.
    pub fn of_this_process(environment: Vec<(&'static str, String)>) -> Result<Self> {
        let pid = std::process::id();
        Ok(Self {
            pid,
            started: started(pid).context("cannot read the start time of this process")?,
            environment: environment
                .into_iter()
                .map(|(name, address)| (name.to_owned(), address))
                .collect(),
        })
    }

    /// Writes the file.
    pub fn save(&self) -> Result<()> {
        let file = file();
        let partial = file.with_extension("partial");
        fs::create_dir_all(folders::services())?;
        fs::write(&partial, serde_json::to_string_pretty(self)?)?;
        fs::rename(&partial, &file).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// The services in the background, if the process that holds them still runs.
pub fn running() -> Option<State> {
    let text = fs::read_to_string(file()).ok()?;
    let state: State = serde_json::from_str(&text).ok()?;
    (started(state.pid) == Some(state.started)).then_some(state)
}

/// Removes the file, if there is one.
pub fn remove() {
    let _ = fs::remove_file(file());
}

fn file() -> PathBuf {
    folders::services().join("state.json")
}
