//! The benchmarks, and what is shown of them.

use crate::chart::Chart;

/// A benchmark.
#[derive(Debug)]
pub(crate) struct Benchmark {
    /// Its name, also that of its file.
    pub(crate) name: &'static str,
    /// Above its table.
    pub(crate) title: &'static str,
    /// Next to its table.
    pub(crate) charts: &'static [Chart],
}

impl Benchmark {
    /// What runs it.
    pub(crate) fn command(&self) -> String {
        format!("make bench-{}", self.name)
    }
}

const fn chart(figure: &'static str, cases: &'static str, title: &'static str) -> Chart {
    Chart {
        figure,
        cases,
        title,
    }
}

/// All, in the order in which `make bench` runs them.
pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "start",
        title: "Start and idle memory",
        charts: &[
            chart(
                "start_time",
                "",
                "Time to the first answered request (less is better)",
            ),
            chart("idle_memory", "", "Idle memory (less is better)"),
        ],
    },
    Benchmark {
        name: "rest",
        title: "The REST API and idle connectors",
        charts: &[
            chart(
                "requests_per_second",
                "",
                "Requests a second (more is better)",
            ),
            chart(
                "p99_latency",
                "",
                "Time of 99 % of the answers at most (less is better)",
            ),
            chart(
                "seconds",
                "connectors-",
                "Time until all connectors run (less is better)",
            ),
            chart(
                "memory",
                "connectors-",
                "Memory with idle connectors (less is better)",
            ),
        ],
    },
    Benchmark {
        name: "runtime",
        title: "Task loops",
        charts: &[
            chart(
                "records_per_second",
                "",
                "Records a second (more is better)",
            ),
            chart("peak_memory", "", "Memory under load (less is better)"),
        ],
    },
    Benchmark {
        name: "cdc",
        title: "Change data capture",
        charts: &[
            chart("events_per_second", "", "Events a second (more is better)"),
            chart("peak_memory", "", "Memory under load (less is better)"),
        ],
    },
    Benchmark {
        name: "jdbc",
        title: "The JDBC sink",
        charts: &[
            chart("rows_per_second", "", "Rows a second (more is better)"),
            chart("peak_memory", "", "Memory under load (less is better)"),
        ],
    },
    Benchmark {
        name: "group",
        title: "A group of workers",
        charts: &[chart(
            "seconds",
            "",
            "Time until everything runs (less is better)",
        )],
    },
];
