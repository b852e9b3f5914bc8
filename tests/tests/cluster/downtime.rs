//! How long tasks are down that move from one worker to another, as the status topic tells it.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tether_tests::topics::{Record, TopicReader};

const TASK: &str = "status-task-";

/// Reads the statuses of tasks further and further.
pub(super) struct Downtimes {
    statuses: TopicReader,
    read: usize,
    tasks: BTreeMap<String, Last>,
}

/// The latest that is known of a task.
struct Last {
    status: Status,
    /// Milliseconds since 1970.
    written: i64,
    /// A worker that had the task before has written over that.
    is_overwritten: bool,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    worker_id: String,
}

/// Tasks that went on on another worker.
#[derive(Default)]
pub(super) struct Moves {
    /// How long each was down, in milliseconds: from the end of one to the start of the next.
    down: Vec<i64>,
    /// When the first ended and the last started.
    span: Option<(i64, i64)>,
}

impl Downtimes {
    pub(super) fn new(statuses: TopicReader) -> Self {
        Self {
            statuses,
            read: 0,
            tasks: BTreeMap::new(),
        }
    }

    /// The moves since this was asked last.
    ///
    /// # Errors
    ///
    /// A task was started anew on the worker that had it, or failed.
    pub(super) fn moves(&mut self) -> Result<Moves> {
        let mut moves = Moves::default();
        let records = self.statuses.read()?;
        for record in &records[self.read..] {
            if let Some(task) = record.key_text().strip_prefix(TASK) {
                note(&mut self.tasks, task, record, &mut moves)
                    .with_context(|| format!("{task}: {}", record.value_text()))?;
            }
        }
        self.read = records.len();
        Ok(moves)
    }
}

fn note(
    tasks: &mut BTreeMap<String, Last>,
    task: &str,
    record: &Record,
    moves: &mut Moves,
) -> Result<()> {
    let status: Status = serde_json::from_str(&record.value_text())?;
    let written = record.timestamp.context("no timestamp")?;
    let before = tasks.get_mut(task);
    match (status.state.as_str(), before) {
        ("UNASSIGNED", Some(last)) if last.status.worker_id != status.worker_id => {
            // It comes late: its worker has lost the task already.
            last.is_overwritten = true;
            return Ok(());
        }
        ("RUNNING", Some(last)) if last.status.worker_id == status.worker_id => {
            ensure!(last.is_overwritten, "started anew where it was");
        }
        ("RUNNING", Some(last)) => {
            let is_ended = last.status.state == "UNASSIGNED";
            let ended = if is_ended { last.written } else { written };
            moves.add(ended, written);
        }
        ("RUNNING", None) | ("UNASSIGNED", _) => {}
        _ => bail!("neither RUNNING nor UNASSIGNED"),
    }
    let last = Last {
        status,
        written,
        is_overwritten: false,
    };
    tasks.insert(task.to_owned(), last);
    Ok(())
}

impl Moves {
    fn add(&mut self, ended: i64, started: i64) {
        self.down.push(started - ended);
        let (first, last) = self.span.unwrap_or((ended, started));
        self.span = Some((first.min(ended), last.max(started)));
    }
}

impl fmt::Display for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(longest), Some((first, last))) = (self.down.iter().max(), self.span) else {
            return f.write_str("no task moves");
        };
        let (count, all) = (self.down.len(), last - first);
        write!(
            f,
            "{count} tasks move; the longest is down for {longest} ms, all together for {all} ms"
        )
    }
}
