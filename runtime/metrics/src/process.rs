//! What the system says of this process. Where there is no `/proc`, nothing.

use std::fs;

/// Linux counts the time of processes in hundredths of a second, whatever it
/// counts in itself (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process uses; `None` is not known.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct ProcessUsage {
    /// User and system processor time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// When it was started, in seconds since the epoch.
    pub start_seconds: Option<f64>,
    /// The number of threads.
    pub threads: Option<f64>,
    /// Memory that is in use, in bytes.
    pub resident_bytes: Option<f64>,
    /// Address space that is in use, in bytes.
    pub virtual_bytes: Option<f64>,
    /// Open files and sockets.
    pub open_files: Option<f64>,
    /// How many files and sockets may be open.
    pub max_files: Option<f64>,
}

impl ProcessUsage {
    /// What the system says now.
    pub fn now() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let mut usage = Self::parse(
            &read("/proc/self/stat"),
            &read("/proc/self/status"),
            &read("/proc/self/limits"),
            &read("/proc/stat"),
        );
        usage.open_files = fs::read_dir("/proc/self/fd")
            .ok()
            // One is for the look itself.
            .map(|files| files.count().saturating_sub(1) as f64);
        usage
    }

    /// Of the files `stat`, `status` and `limits` of a process, and `stat` of the
    /// system.
    fn parse(stat: &str, status: &str, limits: &str, system: &str) -> Self {
        // The name of the program, in parentheses, may have anything in it.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        // The state, field 3 of proc(5), is the first that is left.
        let field = |number: usize| number_of(fields.split_ascii_whitespace().nth(number - 3)?);
        let ticks = |number| Some(field(number)? / TICKS_PER_SECOND);
        let kibibytes = |key| Some(number_of(after(status, key)?)? * 1024.0);
        Self {
            cpu_seconds: ticks(14).and_then(|user| Some(user + ticks(15)?)),
            start_seconds: ticks(22)
                .and_then(|since_boot| Some(since_boot + number_of(after(system, "btime")?)?)),
            threads: field(20),
            resident_bytes: kibibytes("VmRSS:"),
            virtual_bytes: kibibytes("VmSize:"),
            open_files: None,
            max_files: after(limits, "Max open files").and_then(number_of),
        }
    }
}

/// The first word after this key at the beginning of a line.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_ascii_whitespace().next()
}

fn number_of(text: &str) -> Option<f64> {
    text.parse::<u64>().ok().map(|number| number as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system_are_understood() {
        let stat = "4711 (a) S (b) S 1 1 1 0 -1 0 0 0 0 0 250 150 0 0 20 0 7 0 1000 0 0";
        let status = "Name:\tx\nVmSize:\t  2048 kB\nVmRSS:\t    1024 kB\n";
        let limits = "Limit  Soft\nMax open files            1024                 4096  files\n";
        let usage = ProcessUsage::parse(stat, status, limits, "cpu 1\nbtime 1700000000\n");
        let expected = ProcessUsage {
            cpu_seconds: Some(4.0),
            start_seconds: Some(1_700_000_010.0),
            threads: Some(7.0),
            resident_bytes: Some(1_048_576.0),
            virtual_bytes: Some(2_097_152.0),
            open_files: None,
            max_files: Some(1024.0),
        };
        assert_eq!(usage, expected);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        assert_eq!(ProcessUsage::parse("", "", "", ""), ProcessUsage::default());
    }
}
