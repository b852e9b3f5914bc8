//! What came out, as JSON and as a table.

use anyhow::Result;
use serde_json::{Map, Value, json};
use tether_tests::bench_runs::{Run, Runs, bytes};
use tether_tests::bench_worker::Kind;

use crate::measure::Measured;

const RATE: &str = "events_per_second";
const CPU_RATE: &str = "events_per_cpu_second";
const LATENCY: &str = "p99_latency";
const MEMORY: &str = "peak_memory";

impl Run for Measured {
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            (CPU_RATE, Some(self.events_per_cpu_second())),
            (RATE, Some(self.events_per_second())),
            (LATENCY, self.p99_latency),
            (MEMORY, Some(bytes(self.peak_memory))),
        ]
    }
}

/// All measurements.
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    pub(crate) runs: Runs<Measured>,
    ceilings: Vec<(String, f64)>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Vec<(&'static str, String)>) -> Self {
        Self {
            machine,
            runs: Runs::default(),
            ceilings: Vec::new(),
        }
    }

    /// Sets what PostgreSQL gives at most, in events a second.
    pub(crate) fn set_ceiling(&mut self, case: &str, events_per_second: f64) {
        self.ceilings.push((case.to_owned(), events_per_second));
    }

    /// Medians and all runs of both workers, what PostgreSQL gives at most, and ours divided by the
    /// reference's.
    pub(crate) fn json(&self) -> Result<String> {
        let machine = self.machine.iter();
        let machine: Map<String, Value> = machine
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let ceilings = self.ceilings.iter();
        let ceilings: Map<String, Value> = ceilings
            .map(|(case, ceiling)| (case.clone(), json!({ RATE: ceiling })))
            .collect();
        let report = json!({
            "machine": machine,
            "tether": self.runs.json(Kind::Tether),
            "reference": self.runs.json(Kind::Reference),
            "ceiling": ceilings,
            "ratios": self.runs.ratios(),
        });
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }

    /// Medians in a Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let mut table = String::from(
            "| case | worker | events/CPU s | events/s | of the ceiling | p99 latency | peak |\n\
             |---|---|---:|---:|---:|---:|---:|\n",
        );
        for kind in [Kind::Reference, Kind::Tether] {
            for (case, medians) in self.runs.medians(kind) {
                let Some(medians) = medians else {
                    continue;
                };
                let cell =
                    |name, text: fn(f64) -> String| medians.get(name).map(text).unwrap_or_default();
                let share = self.ceiling(case).zip(medians.get(RATE));
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

    fn ceiling(&self, case: &str) -> Option<f64> {
        let mut ceilings = self.ceilings.iter();
        ceilings
            .find(|(known, _)| known == case)
            .map(|(_, ceiling)| *ceiling)
    }
}
