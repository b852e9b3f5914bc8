//! What came out, as JSON and as a table.

use anyhow::Result;
use serde_json::{Map, Value, json};
use tether_tests::bench_worker::Kind;

use crate::case::Case;
use crate::measure::Measured;

/// All measurements.
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    cases: Vec<CaseReport>,
}

/// Those of one case.
struct CaseReport {
    case: Case,
    runs: Vec<(Kind, Measured)>,
    ceiling: Option<f64>,
}

/// Medians of the runs of one worker.
struct Medians {
    events_per_second: f64,
    events_per_cpu_second: f64,
    p99_latency: Option<f64>,
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
        self.case(case).runs.push((kind, measured));
    }

    /// Sets what PostgreSQL gives at most, in events a second.
    pub(crate) fn set_ceiling(&mut self, case: Case, events_per_second: f64) {
        self.case(case).ceiling = Some(events_per_second);
    }

    fn case(&mut self, case: Case) -> &mut CaseReport {
        let index = self.cases.iter().position(|known| known.case == case);
        let index = index.unwrap_or_else(|| {
            self.cases.push(CaseReport {
                case,
                runs: Vec::new(),
                ceiling: None,
            });
            self.cases.len() - 1
        });
        &mut self.cases[index]
    }

    /// Medians and all runs of both workers, what PostgreSQL gives at most, and ours divided by the
    /// reference's.
    pub(crate) fn json(&self) -> Result<String> {
        let machine: Map<_, _> = self
            .machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let ceilings = self.cases.iter().filter_map(|case| {
            let ceiling = json!({"events_per_second": case.ceiling?});
            Some((case.case.name().to_owned(), ceiling))
        });
        let ratios = self.cases.iter().filter_map(|case| {
            let ratio = case
                .medians(Kind::Tether)?
                .over(&case.medians(Kind::Reference)?);
            Some((case.case.name().to_owned(), ratio.json()))
        });
        let report = json!({
            "machine": machine,
            "tether": self.of(Kind::Tether),
            "reference": self.of(Kind::Reference),
            "ceiling": ceilings.collect::<Map<_, _>>(),
            "ratios": ratios.collect::<Map<_, _>>(),
        });
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }

    fn of(&self, kind: Kind) -> Map<String, Value> {
        let cases = self.cases.iter().filter_map(|case| {
            let mut json = case.medians(kind)?.json();
            json["runs"] = json!(case.of(kind).collect::<Vec<_>>());
            Some((case.case.name().to_owned(), json))
        });
        cases.collect()
    }

    /// Medians in a Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let mut table = String::from(
            "| case | worker | events/CPU s | events/s | of the ceiling | p99 latency | peak |\n\
             |---|---|---:|---:|---:|---:|---:|\n",
        );
        for case in &self.cases {
            for kind in [Kind::Reference, Kind::Tether] {
                let Some(medians) = case.medians(kind) else {
                    continue;
                };
                let share = case
                    .ceiling
                    .map(|ceiling| format!("{:.0} %", 100.0 * medians.events_per_second / ceiling));
                let latency = medians.p99_latency.map(|p99| format!("{p99:.1} ms"));
                table.push_str(&format!(
                    "| {} | {} | {:.0} | {:.0} | {} | {} | {:.0} MiB |\n",
                    case.case.name(),
                    kind.name(),
                    medians.events_per_cpu_second,
                    medians.events_per_second,
                    share.unwrap_or_default(),
                    latency.unwrap_or_default(),
                    medians.peak_memory / 1_048_576.0,
                ));
            }
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
        let median = |of: &dyn Fn(&Measured) -> Option<f64>| {
            let mut values: Vec<f64> = self.of(kind).filter_map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(Medians {
            events_per_second: median(&|run| Some(run.events_per_second()))?,
            events_per_cpu_second: median(&|run| Some(run.events_per_cpu_second()))?,
            p99_latency: median(&|run| run.p99_latency),
            peak_memory: median(&|run| Some(approximate(run.peak_memory)))?,
        })
    }
}

impl Medians {
    fn over(&self, other: &Self) -> Self {
        let latencies = self.p99_latency.zip(other.p99_latency);
        Self {
            events_per_second: self.events_per_second / other.events_per_second,
            events_per_cpu_second: self.events_per_cpu_second / other.events_per_cpu_second,
            p99_latency: latencies.map(|(ours, theirs)| ours / theirs),
            peak_memory: self.peak_memory / other.peak_memory,
        }
    }

    fn json(&self) -> Value {
        json!({
            "events_per_cpu_second": self.events_per_cpu_second,
            "events_per_second": self.events_per_second,
            "p99_latency": self.p99_latency,
            "peak_memory": self.peak_memory,
        })
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "memory of a process is far below 2^52 bytes"
)]
fn approximate(number: u64) -> f64 {
    number as f64
}
