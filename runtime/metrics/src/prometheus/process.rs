//! What the process uses, under the names that Prometheus has for it.

use super::families::{Families, Kind, Labels, set_number};
use crate::process::ProcessUsage;

/// Adds what is known.
pub(super) fn write(families: &mut Families) {
    let usage = ProcessUsage::now();
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
