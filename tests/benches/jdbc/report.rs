//! What came out, as figures and as a table.

use serde::Serialize;
use tether_tests::bench_results::Report;
use tether_tests::bench_runs::Run;
use tether_tests::bench_throughput::Throughput;
use tether_tests::bench_worker::Kind;

/// What the ceiling limits.
pub(crate) const RATE: &str = "rows_per_second";
const CPU_RATE: &str = "rows_per_cpu_second";
const MEMORY: &str = "peak_memory";

/// A run of a case.
#[derive(Debug, Serialize)]
pub(crate) struct Measured(pub(crate) Throughput);

impl Run for Measured {
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            (CPU_RATE, Some(self.0.per_cpu_second())),
            (RATE, Some(self.0.per_second())),
            (MEMORY, Some(self.0.peak_bytes())),
        ]
    }
}

/// Medians in a Markdown table.
pub(crate) fn markdown(report: &Report<Measured>) -> String {
    let mut table = String::from(
        "| case | worker | rows/CPU s | ratio | rows/s | of the ceiling | peak |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    let reference = report.runs.medians(Kind::Reference);
    for ((case, reference), (_, ours)) in reference.zip(report.runs.medians(Kind::Tether)) {
        let ratio = ours.as_ref().zip(reference.as_ref());
        let ratio = ratio.and_then(|(ours, reference)| ours.over(reference).get(CPU_RATE));
        for (kind, medians) in [(Kind::Reference, reference), (Kind::Tether, ours)] {
            let Some(medians) = medians else {
                continue;
            };
            let cell =
                |name, text: fn(f64) -> String| medians.get(name).map(text).unwrap_or_default();
            let share = report.ceiling(case).zip(medians.get(RATE));
            let share = share.map(|(ceiling, rate)| format!("{:.0} %", 100.0 * rate / ceiling));
            let ratio = ratio.filter(|_| kind == Kind::Tether);
            let row = [
                case.to_owned(),
                kind.name().to_owned(),
                cell(CPU_RATE, |rate| format!("{rate:.0}")),
                ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default(),
                cell(RATE, |rate| format!("{rate:.0}")),
                share.unwrap_or_default(),
                cell(MEMORY, |bytes| format!("{:.0} MiB", bytes / 1_048_576.0)),
            ];
            table.push_str(&format!("| {} |\n", row.join(" | ")));
        }
    }
    table
}
