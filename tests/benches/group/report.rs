//! What came out, as figures and as a table.

use serde::Serialize;
use tether_tests::bench_results::Report;
use tether_tests::bench_runs::Run;
use tether_tests::bench_worker::Kind;

use crate::measure::Measured;

const SECONDS: &str = "seconds";
const CPU: &str = "cpu_seconds";
const BROKER_CPU: &str = "broker_cpu_seconds";
const BYTES: &str = "bytes";
const ROUNDS: &str = "rounds";
const MEMORY: &str = "memory";

/// A phase of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Row(pub(crate) Measured);

impl Run for Row {
    #[allow(
        clippy::cast_precision_loss,
        reason = "bytes and rounds of a run are far below 2^52"
    )]
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        let measured = &self.0;
        vec![
            (SECONDS, Some(measured.seconds)),
            (CPU, Some(measured.cpu_seconds)),
            (BROKER_CPU, Some(measured.broker_cpu_seconds)),
            (BYTES, Some(measured.bytes as f64)),
            (ROUNDS, Some(measured.rounds as f64)),
            (MEMORY, Some(measured.resident_kib as f64 * 1024.0)),
        ]
    }
}

/// Medians in a Markdown table.
pub(crate) fn markdown(report: &Report<Row>) -> String {
    let mut table = String::from(
        "| workers × connectors | worker | time | workers' CPU | broker's CPU | bytes | rounds | memory of a worker |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    let reference = report.runs.medians(Kind::Reference);
    for ((case, reference), (_, ours)) in reference.zip(report.runs.medians(Kind::Tether)) {
        for (kind, medians) in [(Kind::Reference, reference), (Kind::Tether, ours)] {
            let Some(medians) = medians else {
                continue;
            };
            let cell =
                |name, text: fn(f64) -> String| medians.get(name).map(text).unwrap_or_default();
            let row = [
                case.to_owned(),
                kind.name().to_owned(),
                cell(SECONDS, |seconds| format!("{seconds:.1} s")),
                cell(CPU, |seconds| format!("{seconds:.1} s")),
                cell(BROKER_CPU, |seconds| format!("{seconds:.1} s")),
                cell(BYTES, |bytes| format!("{:.1} MB", bytes / 1e6)),
                cell(ROUNDS, |rounds| format!("{rounds:.0}")),
                cell(MEMORY, |bytes| format!("{:.0} MiB", bytes / 1_048_576.0)),
            ];
            table.push_str(&format!("| {} |\n", row.join(" | ")));
        }
    }
    table
}
