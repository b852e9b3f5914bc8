//! What came out, as JSON and as a table.

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::measure::Measured;
use tether_tests::bench_worker::Kind;

/// All measurements.
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    cases: Vec<CaseReport>,
}

/// Those of one case.
struct CaseReport {
    name: String,
    runs: Vec<(Kind, Measured)>,
}

/// Medians of the runs of one worker.
struct Medians {
    records_per_second: f64,
    records_per_cpu_second: f64,
    peak_memory: f64,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Vec<(&'static str, String)>) -> Self {
        Self {
            machine,
            cases: Vec::new(),
        }
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, kind: Kind, case: Case, measured: Measured) {
        let name = case.name();
        if self.cases.last().is_none_or(|last| last.name != name) {
            let runs = Vec::new();
            self.cases.push(CaseReport { name, runs });
        }
        if let Some(case) = self.cases.last_mut() {
            case.runs.push((kind, measured));
        }
    }

    /// Medians and all runs of both workers, and ours divided by the reference's.
    pub(crate) fn json(&self) -> Result<String> {
        let machine: Map<_, _> = self
            .machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let ratios = self.cases.iter().filter_map(|case| {
            let ratio = case
                .medians(Kind::Tether)?
                .over(&case.medians(Kind::Reference)?);
            Some((case.name.clone(), ratio.json()))
        });
        let report = json!({
            "machine": machine,
            "tether": self.of(Kind::Tether),
            "reference": self.of(Kind::Reference),
            "ratios": ratios.collect::<Map<_, _>>(),
        });
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }

    fn of(&self, kind: Kind) -> Map<String, Value> {
        let cases = self.cases.iter().filter_map(|case| {
            let mut json = case.medians(kind)?.json();
            json["runs"] = json!(case.of(kind).collect::<Vec<_>>());
            Some((case.name.clone(), json))
        });
        cases.collect()
    }

    /// Medians in a Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let mut table = String::from(
            "| case | Java: records/CPU s | Tether: records/CPU s | ratio | Java: records/s | \
             Tether: records/s | Java: peak | Tether: peak |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for case in &self.cases {
            let medians = [Kind::Reference, Kind::Tether].map(|kind| case.medians(kind));
            let cell = |kind: usize, of: fn(&Medians) -> String| {
                medians[kind].as_ref().map(of).unwrap_or_default()
            };
            let ratio = match &medians {
                [Some(java), Some(ours)] => {
                    format!("{:.1}", ours.over(java).records_per_cpu_second)
                }
                _ => String::new(),
            };
            let per_cpu = |medians: &Medians| thousands(medians.records_per_cpu_second);
            let per_second = |medians: &Medians| thousands(medians.records_per_second);
            let memory = |medians: &Medians| format!("{:.0} MiB", medians.peak_memory / 1048576.0);
            let row = [
                case.name.clone(),
                cell(0, per_cpu),
                cell(1, per_cpu),
                ratio,
                cell(0, per_second),
                cell(1, per_second),
                cell(0, memory),
                cell(1, memory),
            ];
            table.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        table
    }
}

impl CaseReport {
    fn of(&self, kind: Kind) -> impl Iterator<Item = &Measured> {
        self.runs
            .iter()
            .filter(move |(of, _)| *of == kind)
            .map(|(_, measured)| measured)
    }

    fn medians(&self, kind: Kind) -> Option<Medians> {
        let median = |of: fn(&Measured) -> f64| {
            let mut values: Vec<f64> = self.of(kind).map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(Medians {
            records_per_second: median(Measured::records_per_second)?,
            records_per_cpu_second: median(Measured::records_per_cpu_second)?,
            peak_memory: median(|run| approximate(run.peak_memory))?,
        })
    }
}

impl Medians {
    fn over(&self, other: &Self) -> Self {
        Self {
            records_per_second: self.records_per_second / other.records_per_second,
            records_per_cpu_second: self.records_per_cpu_second / other.records_per_cpu_second,
            peak_memory: self.peak_memory / other.peak_memory,
        }
    }

    fn json(&self) -> Value {
        json!({
            "records_per_second": self.records_per_second,
            "records_per_cpu_second": self.records_per_cpu_second,
            "peak_memory": self.peak_memory,
        })
    }
}

fn thousands(number: f64) -> String {
    format!("{:.0},000", number / 1000.0)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "memory of a process is far below 2^52 bytes"
)]
fn approximate(number: u64) -> f64 {
    number as f64
}
