//! What came out, as figures and as a table.

use tether_tests::bench_results::Report;
use tether_tests::bench_runs::Run;
use tether_tests::bench_worker::Kind;

use crate::measure::Measured;

/// What the ceiling limits.
pub(crate) const RATE: &str = "events_per_second";
const CPU_RATE: &str = "events_per_cpu_second";
const LATENCY: &str = "p99_latency";
const MEMORY: &str = "peak_memory";

impl Run for Measured {
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            (CPU_RATE, Some(self.throughput.per_cpu_second())),
            (RATE, Some(self.throughput.per_second())),
            (LATENCY, self.p99_latency),
            (MEMORY, Some(self.throughput.peak_bytes())),
        ]
    }
}

/// Medians in a Markdown table.
pub(crate) fn markdown(report: &Report<Measured>) -> String {
    let mut table = String::from(
        "| case | worker | events/CPU s | events/s | of the ceiling | p99 latency | peak |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for kind in [Kind::Reference, Kind::Tether] {
        for (case, medians) in report.runs.medians(kind) {
            let Some(medians) = medians else {
                continue;
            };
            let cell =
                |name, text: fn(f64) -> String| medians.get(name).map(text).unwrap_or_default();
            let share = report.ceiling(case).zip(medians.get(RATE));
            let share = share.map(|(ceiling, rate)| format!("{:.0} %", 100.0 * rate / ceiling));
            let row = [
                case.to_owned(),
                kind.name().to_owned(),
                cell(CPU_RATE, |rate| format!("{rate:.0}")),
                cell(RATE, |rate| format!("{rate:.0}")),
                share.unwrap_or_default(),
                cell(LATENCY, |latency| format!("{latency:.1} ms")),
                cell(MEMORY, |bytes| format!("{:.0} MiB", bytes / 1_048_576.0)),
            ];
            table.push_str(&format!("| {} |\n", row.join(" | ")));
        }
    }
    table
}
