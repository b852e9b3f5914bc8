//! A file that grows by numbered lines, and whether all of them arrived.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

/// Lines are appended in groups of this size.
const GROUP: u64 = 10;
/// The pause between two groups.
const PAUSE: Duration = Duration::from_millis(10);

/// Holds the last whole line of a file.
const TAIL_BYTES: u64 = 100;

/// The line with this number, from 1 on.
pub fn line(number: u64) -> String {
    format!("line {number}")
}

/// The number of a line.
pub fn number(line: &str) -> Result<u64> {
    let number = line
        .strip_prefix("line ")
        .and_then(|text| text.parse().ok());
    number.with_context(|| format!("{line:?} is no numbered line"))
}

/// Appends the lines from `first` to `last`, ends included.
pub fn append(path: &Path, first: u64, last: u64) -> Result<()> {
    let lines: String = (first..=last).map(|number| line(number) + "\n").collect();
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(lines.as_bytes())
        .with_context(|| format!("cannot append to {}", path.display()))
}

/// The number of the last line of a file that may end with half a line.
pub fn last_in(path: &Path) -> Result<u64> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = String::new();
    file.read_to_string(&mut tail)?;
    let (whole, _) = tail.rsplit_once('\n').context("no line")?;
    number(whole.rsplit('\n').next().unwrap_or_default())
}

/// Checks what has arrived against the lines from 1 to `last`: every line is there, and those that came
/// for the first time came in their order. Duplicates are allowed, as a source that is killed sends
/// again what it has not yet committed.
///
/// # Errors
///
/// A line is missing, too early, or none of them.
pub fn check_all_arrived<'a>(lines: impl IntoIterator<Item = &'a str>, last: u64) -> Result<()> {
    let mut seen = 0;
    for line in lines {
        let number = number(line)?;
        ensure!(
            number <= seen + 1,
            "line {number} came while line {} was missing",
            seen + 1
        );
        seen = seen.max(number);
    }
    ensure!(seen == last, "line {seen} came as the last one of {last}");
    Ok(())
}

/// Checks that the lines from 1 on arrived once each and in order; returns the number of the last one.
///
/// # Errors
///
/// A line is missing, came twice or is not in its place, or is none of them.
pub fn check_each_once<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<u64> {
    let mut seen = 0;
    for line in lines {
        let number = number(line)?;
        ensure!(
            number == seen + 1,
            "line {number} came in the place of line {}",
            seen + 1
        );
        seen = number;
    }
    Ok(seen)
}

/// Appends lines until it is stopped, from a thread of its own.
#[derive(Debug)]
pub struct LineWriter {
    path: PathBuf,
    /// Dropped at the end, which ends the pause as well.
    going: Option<Sender<()>>,
    written: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl LineWriter {
    /// Starts with line 1 in a new file, at about a thousand lines per second.
    pub fn start(path: &Path) -> Result<Self> {
        Self::paced(path, PAUSE)
    }

    /// The same, with this pause after each group of ten.
    pub fn paced(path: &Path, pause: Duration) -> Result<Self> {
        let mut file = File::create_new(path)?;
        let (going, over) = mpsc::channel();
        let written = Arc::new(AtomicU64::new(0));
        let thread = std::thread::spawn({
            let written = Arc::clone(&written);
            move || {
                loop {
                    let first = written.load(Ordering::SeqCst) + 1;
                    let last = first + GROUP - 1;
                    let lines: String = (first..=last).map(|number| line(number) + "\n").collect();
                    file.write_all(lines.as_bytes())?;
                    written.store(last, Ordering::SeqCst);
                    if over.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                        return Ok(());
                    }
                }
            }
        });
        Ok(Self {
            path: path.to_path_buf(),
            going: Some(going),
            written,
            thread: Some(thread),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the last line so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Stops, and returns the number of the last line.
    pub fn stop(&mut self) -> Result<u64> {
        self.going = None;
        if let Some(thread) = self.thread.take() {
            thread
                .join()
                .map_err(|_| anyhow!("the writer of lines panicked"))??;
        }
        Ok(self.written())
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        // Whoever wants to know of an error stops it beforehand.
        let _ = self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_comes_once() {
        let check = |numbers: &[u64]| {
            let lines: Vec<String> = numbers.iter().map(|number| line(*number)).collect();
            check_each_once(lines.iter().map(String::as_str)).ok()
        };
        assert_eq!(check(&[]), Some(0));
        assert_eq!(check(&[1, 2, 3]), Some(3));
        for wrong in [[1, 1, 2], [1, 3, 2], [2, 3, 4]] {
            assert_eq!(check(&wrong), None);
        }
    }

    #[test]
    fn duplicates_are_fine_and_gaps_are_not() {
        let check = |numbers: &[u64], last| {
            let lines: Vec<String> = numbers.iter().map(|number| line(*number)).collect();
            check_all_arrived(lines.iter().map(String::as_str), last)
        };
        assert!(check(&[1, 2, 3, 2, 3, 4], 4).is_ok());
        assert!(check(&[1, 3, 2, 4], 4).is_err());
        assert!(check(&[1, 2, 3], 4).is_err());
        assert!(check(&[1, 2, 3, 4, 5], 4).is_err());
    }
}
