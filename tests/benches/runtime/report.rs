//! What came out, as figures and as a table.

use serde::Serialize;
use tether_tests::bench_results::Report;
use tether_tests::bench_runs::{Figures, Run};
use tether_tests::bench_throughput::Throughput;
use tether_tests::bench_worker::Kind;

const RATE: &str = "records_per_second";
const CPU_RATE: &str = "records_per_cpu_second";
const MEMORY: &str = "peak_memory";

/// A run of a case.
#[derive(Serialize)]
pub(crate) struct Measured(pub(crate) Throughput);

impl Run for Measured {
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            (RATE, Some(self.0.per_second())),
            (CPU_RATE, Some(self.0.per_cpu_second())),
            (MEMORY, Some(self.0.peak_bytes())),
        ]
    }
}

/// Medians in a Markdown table.
pub(crate) fn markdown(report: &Report<Measured>) -> String {
    let mut table = String::from(
        "| case | Java: records/CPU s | Tether: records/CPU s | ratio | Java: records/s | \
         Tether: records/s | Java: peak | Tether: peak |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let ours = report.runs.medians(Kind::Tether);
    for ((case, java), (_, ours)) in report.runs.medians(Kind::Reference).zip(ours) {
        let ratio = ours.as_ref().zip(java.as_ref());
        let ratio = ratio.and_then(|(ours, java)| ours.over(java).get(CPU_RATE));
        let cell = |medians: &Option<Figures>, name, text: fn(f64) -> String| {
            let figure = medians.as_ref().and_then(|medians| medians.get(name));
            figure.map(text).unwrap_or_default()
        };
        let row = [
            case.to_owned(),
            cell(&java, CPU_RATE, thousands),
            cell(&ours, CPU_RATE, thousands),
            ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default(),
            cell(&java, RATE, thousands),
            cell(&ours, RATE, thousands),
            cell(&java, MEMORY, mebibytes),
            cell(&ours, MEMORY, mebibytes),
        ];
        table.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    table
}

fn thousands(number: f64) -> String {
    format!("{:.0},000", number / 1000.0)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.0} MiB", bytes / 1_048_576.0)
}
