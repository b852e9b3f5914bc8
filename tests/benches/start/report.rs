//! What came out, as figures and as a table.

use tether_tests::bench_results::Report;
use tether_tests::bench_runs::Run;
use tether_tests::bench_worker::Kind;

use crate::run::Measured;
use crate::workers::Mode;

const ANSWERED: &str = "start_time";
const READY: &str = "ready_time";
const CPU: &str = "cpu_time";
const MEMORY: &str = "idle_memory";
const PROPORTIONAL_MEMORY: &str = "idle_memory_proportional";

impl Run for Measured {
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            (ANSWERED, Some(self.answered_ms)),
            (READY, Some(self.ready_ms)),
            (CPU, Some(approximate(self.processor_ms))),
            (MEMORY, Some(approximate(self.rss_kib) * 1024.0)),
            (
                PROPORTIONAL_MEMORY,
                Some(approximate(self.pss_kib) * 1024.0),
            ),
        ]
    }
}

/// Medians in a Markdown table, least and greatest in parentheses.
pub(crate) fn markdown(report: &Report<Measured>) -> String {
    let mut table = String::from(
        "| worker | first answer (ms) | ready (ms) | processor time (ms) | resident (MiB) | proportional (MiB) |\n\
         |---|---|---|---|---|---|\n",
    );
    for mode in Mode::ALL {
        for kind in [Kind::Reference, Kind::Tether] {
            let column = |figure, unit: f64, digits: usize| {
                let values = report.runs.values(kind, mode.name(), figure);
                let at = |index: usize| values.get(index).map_or(f64::NAN, |value| value / unit);
                let (least, middle) = (at(0), at(values.len() / 2));
                let greatest = at(values.len().saturating_sub(1));
                format!("{middle:.digits$} ({least:.digits$}–{greatest:.digits$})")
            };
            let row = [
                column(ANSWERED, 1.0, 0),
                column(READY, 1.0, 0),
                column(CPU, 1.0, 0),
                column(MEMORY, 1_048_576.0, 1),
                column(PROPORTIONAL_MEMORY, 1_048_576.0, 1),
            ];
            let worker = format!("{}, {}", kind.name(), mode.name());
            table.push_str(&format!("| {worker} | {} |\n", row.join(" | ")));
        }
    }
    table
}

#[allow(
    clippy::cast_precision_loss,
    reason = "times and memory of a process are far below 2^52"
)]
fn approximate(number: u64) -> f64 {
    number as f64
}
