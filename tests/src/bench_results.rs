//! What benchmarks leave behind: a file each in `bench-results/`.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Map, Value, json};
use tether_services::folders;

use crate::bench_runs::{Run, Runs};
use crate::bench_worker::Kind;
use crate::machine;

/// The folder of the results, in this checkout.
pub fn folder() -> PathBuf {
    folders::checkout().join("bench-results")
}

/// All that a benchmark has measured.
#[derive(Debug)]
pub struct Report<R> {
    /// The benchmark's name.
    name: &'static str,
    machine: Vec<(&'static str, String)>,
    /// The command that repeats it.
    command: String,
    /// The day on which it began, as in `2026-11-30`.
    date: String,
    /// The runs of both workers.
    pub runs: Runs<R>,
    /// What is possible at most without a worker, by case: name of the figure and figure.
    ceilings: Vec<(String, &'static str, f64)>,
    /// Why a worker has no figures of a case.
    failures: Vec<(Kind, String, String)>,
}

impl<R: Run> Report<R> {
    /// An empty report of the benchmark of this name, which began now, on this machine, with the arguments
    /// of this process.
    ///
    /// # Errors
    ///
    /// The machine does not tell what it is.
    pub fn begin(name: &'static str) -> Result<Self> {
        Ok(Self {
            name,
            machine: machine::describe()?,
            command: command(name, std::env::args().skip(1)),
            date: jiff::Timestamp::now().strftime("%F").to_string(),
            runs: Runs::default(),
            ceilings: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Sets what a figure can be at most in a case.
    pub fn set_ceiling(&mut self, case: &str, figure: &'static str, ceiling: f64) {
        self.ceilings.push((case.to_owned(), figure, ceiling));
    }

    /// What a case's figure can be at most, if it is known.
    pub fn ceiling(&self, case: &str) -> Option<f64> {
        let mut ceilings = self.ceilings.iter();
        ceilings
            .find(|(known, ..)| known == case)
            .map(|(.., ceiling)| *ceiling)
    }

    /// Tells why a worker has no figures of a case.
    pub fn fail(&mut self, kind: Kind, case: &str, why: String) {
        self.failures.push((kind, case.to_owned(), why));
    }

    /// Writes what there is so far into `bench-results/<name>.json`.
    ///
    /// # Errors
    ///
    /// A figure is no number, or the file cannot be written.
    pub fn write(&self) -> Result<()> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let text = serde_json::to_string_pretty(&self.json())? + "\n";
        fs::write(folder.join(format!("{}.json", self.name)), text)?;
        Ok(())
    }

    /// Medians and all runs of both workers, what is possible at most where that is known, and our
    /// medians divided by the reference's.
    fn json(&self) -> Value {
        let machine = self.machine.iter();
        let machine: Map<String, Value> = machine
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let mut report = json!({
            "date": self.date,
            "command": self.command,
            "machine": machine,
            "tether": self.runs.json(Kind::Tether),
            "reference": self.runs.json(Kind::Reference),
            "ratios": self.runs.ratios(),
        });
        if !self.ceilings.is_empty() {
            let ceilings = self.ceilings.iter();
            let ceilings: Map<String, Value> = ceilings
                .map(|(case, figure, ceiling)| (case.clone(), json!({ *figure: ceiling })))
                .collect();
            report["ceiling"] = Value::Object(ceilings);
        }
        for (kind, case, why) in &self.failures {
            report["failures"][case][kind.name()] = json!(why);
        }
        report
    }
}

/// What repeats a benchmark that was called with these arguments, of which one is cargo's.
fn command(name: &str, arguments: impl Iterator<Item = String>) -> String {
    let arguments: Vec<String> = arguments.filter(|argument| argument != "--bench").collect();
    let make = format!("make bench-{name}");
    if arguments.is_empty() {
        make
    } else {
        format!("{make} ARGS=\"{}\"", arguments.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Speed(f64);

    impl Run for Speed {
        fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
            vec![("speed", Some(self.0))]
        }
    }

    #[test]
    fn a_report_has_what_was_measured_and_what_was_not() {
        let mut report = Report {
            name: "rest",
            machine: vec![("processors", "2".to_owned())],
            command: "make bench-rest".to_owned(),
            date: "2026-11-30".to_owned(),
            runs: Runs::default(),
            ceilings: Vec::new(),
            failures: Vec::new(),
        };
        report.runs.add(Kind::Tether, "many", Speed(4.0));
        report.set_ceiling("many", "speed", 8.0);
        report.fail(Kind::Reference, "many", "too slow".to_owned());
        assert_eq!(
            report.json(),
            json!({
                "date": "2026-11-30",
                "command": "make bench-rest",
                "machine": {"processors": "2"},
                "tether": {"many": {"speed": 4.0, "runs": [4.0]}},
                "reference": {},
                "ratios": {},
                "ceiling": {"many": {"speed": 8.0}},
                "failures": {"many": {"reference": "too slow"}},
            })
        );
    }

    #[test]
    fn the_command_repeats_the_benchmark() {
        let command = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|&argument| argument.to_owned());
            command("cdc", arguments)
        };
        assert_eq!(command(&["--bench"]), "make bench-cdc");
        assert_eq!(
            command(&["snapshot", "--repetitions", "1", "--bench"]),
            "make bench-cdc ARGS=\"snapshot --repetitions 1\""
        );
    }
}
