//! What a process has used, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// User and system time of a process. The kernel counts in steps of ten
/// milliseconds.
///
/// # Errors
///
/// There is no such process.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Fields 14 and 15, counted after the name in parentheses, which may hold blanks; in hundredths of a
    // second on every Linux.
    let (_, after_name) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks: u64 = after_name
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// A number of kibibytes under this key in a file of `/proc/<pid>`, such as `VmHWM:` in `status` or
/// `Pss:` in `smaps_rollup`.
///
/// # Errors
///
/// There is no such process or key.
pub fn kibibytes(pid: u32, file: &str, key: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    let value = value.with_context(|| format!("no {key} in {file}"))?;
    Ok(value.parse()?)
}

/// How many files and sockets a process has open.
///
/// # Errors
///
/// There is no such process.
pub fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}
