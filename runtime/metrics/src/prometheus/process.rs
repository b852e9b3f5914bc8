//! What the system says of this process, under the names that Prometheus has for
//! it. Where there is no `/proc`, nothing.

use std::fs;

use super::families::{Families, Kind, Labels, set_number};

/// Linux counts the time of processes in hundredths of a second, whatever it
/// counts in itself (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Default, PartialEq)]
struct Usage {
    cpu_seconds: Option<f64>,
    start_seconds: Option<f64>,
    threads: Option<f64>,
    resident_bytes: Option<f64>,
    virtual_bytes: Option<f64>,
    open_files: Option<f64>,
    max_files: Option<f64>,
}

/// Adds what is known.
pub(super) fn write(families: &mut Families) {
    let usage = Usage::now();
    let mut number = String::new();
    for (name, kind, help, value) in [
        (
            "process_cpu_seconds_total",
            Kind::Counter,
            "User and system processor time, in seconds.",
            usage.cpu_seconds,
        ),
        (
            "process_start_time_seconds",
            Kind::Gauge,
            "When the process was started, in seconds since the epoch.",
            usage.start_seconds,
        ),
        (
            "process_resident_memory_bytes",
            Kind::Gauge,
            "Memory that is in use, in bytes.",
            usage.resident_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            Kind::Gauge,
            "Address space that is in use, in bytes.",
            usage.virtual_bytes,
        ),
        (
            "process_threads",
            Kind::Gauge,
            "The number of threads.",
            usage.threads,
        ),
        (
            "process_open_fds",
            Kind::Gauge,
            "The number of open files and sockets.",
            usage.open_files,
        ),
        (
            "process_max_fds",
            Kind::Gauge,
            "How many files and sockets may be open.",
            usage.max_files,
        ),
    ] {
        if let Some(value) = value {
            let family = families.family(name, kind, help);
            set_number(&mut number, value);
            families.sample(family, &Labels::default(), &number);
        }
    }
    // For panels that ask for a virtual machine.
    if let Some(bytes) = usage.resident_bytes {
        let help = "Memory that is in use, in bytes; there is no virtual machine.";
        let family = families.family("jvm_memory_used_bytes", Kind::Gauge, help);
        set_number(&mut number, bytes);
        families.sample_with(family, &Labels::default(), ("area", "heap"), &number);
    }
    if let Some(threads) = usage.threads {
        let help = "The number of threads; there is no virtual machine.";
        let family = families.family("jvm_threads_current", Kind::Gauge, help);
        set_number(&mut number, threads);
        families.sample(family, &Labels::default(), &number);
    }
}

impl Usage {
    fn now() -> Self {
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
        let usage = Usage::parse(stat, status, limits, "cpu 1\nbtime 1700000000\n");
        let expected = Usage {
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
        assert_eq!(Usage::parse("", "", "", ""), Usage::default());
    }
}
