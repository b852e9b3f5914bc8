//! What came out, as JSON and as a table.

use anyhow::Result;
use serde_json::json;

use crate::run::Measured;

/// All measurements.
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    runs: Vec<(&'static str, Vec<Measured>)>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Vec<(&'static str, String)>) -> Self {
        Self {
            machine,
            runs: Vec::new(),
        }
    }

    /// Adds a measurement of the worker of this name.
    pub(crate) fn add(&mut self, name: &'static str, measured: Measured) {
        match self.runs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, runs)) => runs.push(measured),
            None => self.runs.push((name, vec![measured])),
        }
    }

    /// The machine, and every measurement.
    pub(crate) fn json(&self) -> Result<String> {
        let machine: serde_json::Map<_, _> = self
            .machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let workers: Vec<_> = self
            .runs
            .iter()
            .map(|(name, runs)| json!({"worker": name, "runs": runs}))
            .collect();
        let report = json!({"machine": machine, "workers": workers});
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }

    /// Medians in a Markdown table, least and greatest in parentheses.
    pub(crate) fn markdown(&self) -> String {
        let mut table = String::from(
            "| worker | first answer (ms) | ready (ms) | processor time (ms) | resident (MiB) | proportional (MiB) |\n\
             |---|---|---|---|---|---|\n",
        );
        for (name, runs) in &self.runs {
            let column = |of: fn(&Measured) -> f64, digits: usize| {
                let mut values: Vec<f64> = runs.iter().map(of).collect();
                values.sort_by(f64::total_cmp);
                let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
                let (least, middle, greatest) = (at(0), at(values.len() / 2), at(values.len() - 1));
                format!("{middle:.digits$} ({least:.digits$}–{greatest:.digits$})")
            };
            let row = [
                column(|run| run.answered_ms, 0),
                column(|run| run.ready_ms, 0),
                column(|run| approximate(run.processor_ms), 0),
                column(|run| mebibytes(run.rss_kib), 1),
                column(|run| mebibytes(run.pss_kib), 1),
            ];
            table.push_str(&format!("| {name} | {} |\n", row.join(" | ")));
        }
        table
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "times and memory of a process are far below 2^52"
)]
fn approximate(number: u64) -> f64 {
    number as f64
}

fn mebibytes(kibibytes: u64) -> f64 {
    approximate(kibibytes) / 1024.0
}
