//! What came out, as JSON and as a table.

use anyhow::Result;
use serde_json::{Map, json};
use tether_tests::bench_runs::{Figures, Run, Runs, bytes};
use tether_tests::bench_worker::Kind;

use crate::measure::Measured;

const RATE: &str = "records_per_second";
const CPU_RATE: &str = "records_per_cpu_second";
const MEMORY: &str = "peak_memory";

impl Run for Measured {
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            (RATE, Some(self.records_per_second())),
            (CPU_RATE, Some(self.records_per_cpu_second())),
            (MEMORY, Some(bytes(self.peak_memory))),
        ]
    }
}

/// All measurements.
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    pub(crate) runs: Runs<Measured>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Vec<(&'static str, String)>) -> Self {
        Self {
            machine,
            runs: Runs::default(),
        }
    }

    /// Medians and all runs of both workers, and ours divided by the reference's.
    pub(crate) fn json(&self) -> Result<String> {
        let machine = self.machine.iter();
        let report = json!({
            "machine": machine.map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>(),
            "tether": self.runs.json(Kind::Tether),
            "reference": self.runs.json(Kind::Reference),
            "ratios": self.runs.ratios(),
        });
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }

    /// Medians in a Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let mut table = String::from(
            "| case | Java: records/CPU s | Tether: records/CPU s | ratio | Java: records/s | \
             Tether: records/s | Java: peak | Tether: peak |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        let ours = self.runs.medians(Kind::Tether);
        for ((case, java), (_, ours)) in self.runs.medians(Kind::Reference).zip(ours) {
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
}

fn thousands(number: f64) -> String {
    format!("{:.0},000", number / 1000.0)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.0} MiB", bytes / 1_048_576.0)
}
