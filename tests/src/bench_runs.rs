//! What the runs of benchmarks came to: of both workers, case by case.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bench_worker::Kind;

/// A run of a benchmark.
pub trait Run: Serialize {
    /// What is compared, by its name in the report; nothing where a case does not measure it.
    fn figures(&self) -> Vec<(&'static str, Option<f64>)>;
}

/// The runs of all cases, in the order of their first ones.
#[derive(Debug)]
pub struct Runs<R>(Vec<Case<R>>);

#[derive(Debug)]
struct Case<R> {
    name: String,
    runs: Vec<(Kind, R)>,
}

/// Figures by name: of one run, medians of several, or ratios.
#[derive(Debug, Clone)]
pub struct Figures(Vec<(&'static str, Option<f64>)>);

impl<R> Default for Runs<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Run> Runs<R> {
    /// Adds a run.
    pub fn add(&mut self, kind: Kind, case: &str, run: R) {
        match self.0.iter_mut().find(|known| known.name == case) {
            Some(known) => known.runs.push((kind, run)),
            None => self.0.push(Case {
                name: case.to_owned(),
                runs: vec![(kind, run)],
            }),
        }
    }

    /// The names of the cases with the medians of the runs of this worker, if there are any.
    pub fn medians(&self, kind: Kind) -> impl Iterator<Item = (&str, Option<Figures>)> {
        self.0
            .iter()
            .map(move |case| (case.name.as_str(), case.medians(kind)))
    }

    /// Medians and all runs of a worker, by case.
    pub fn json(&self, kind: Kind) -> Map<String, Value> {
        let cases = self.0.iter().filter_map(|case| {
            let mut json = case.medians(kind)?.json();
            json["runs"] = json!(case.of(kind).collect::<Vec<_>>());
            Some((case.name.clone(), json))
        });
        cases.collect()
    }

    /// Our medians divided by the reference's, by case.
    pub fn ratios(&self) -> Map<String, Value> {
        let ratios = self.0.iter().filter_map(|case| {
            let ours = case.medians(Kind::Tether)?;
            let ratio = ours.over(&case.medians(Kind::Reference)?);
            Some((case.name.clone(), ratio.json()))
        });
        ratios.collect()
    }
}

impl<R: Run> Case<R> {
    fn of(&self, kind: Kind) -> impl Iterator<Item = &R> {
        self.runs
            .iter()
            .filter(move |(of, _)| *of == kind)
            .map(|(_, run)| run)
    }

    fn medians(&self, kind: Kind) -> Option<Figures> {
        let runs: Vec<Figures> = self.of(kind).map(|run| Figures(run.figures())).collect();
        let names = runs.first()?.0.iter().map(|(name, _)| *name);
        let median = |name| {
            let mut values: Vec<f64> = runs.iter().filter_map(|run| run.get(name)).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(Figures(names.map(|name| (name, median(name))).collect()))
    }
}

impl Figures {
    /// The figure of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .and_then(|(_, figure)| *figure)
    }

    /// These divided by others.
    #[must_use]
    pub fn over(&self, others: &Self) -> Self {
        let ratio = |(name, figure): &(&'static str, Option<f64>)| {
            let ratio = figure.zip(others.get(name)).map(|(one, other)| one / other);
            (*name, ratio)
        };
        Self(self.0.iter().map(ratio).collect())
    }

    fn json(&self) -> Value {
        let figures = self.0.iter();
        Value::Object(
            figures
                .map(|(name, figure)| ((*name).to_owned(), json!(figure)))
                .collect(),
        )
    }
}

/// All that a benchmark has measured.
#[derive(Debug)]
pub struct Report<R> {
    machine: Vec<(&'static str, String)>,
    /// The runs of both workers.
    pub runs: Runs<R>,
    /// What is possible at most without a worker, by case: name of the figure and figure.
    ceilings: Vec<(String, &'static str, f64)>,
}

impl<R: Run> Report<R> {
    /// An empty report.
    pub fn new(machine: Vec<(&'static str, String)>) -> Self {
        Self {
            machine,
            runs: Runs::default(),
            ceilings: Vec::new(),
        }
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

    /// Medians and all runs of both workers, what is possible at most where that is known, and our
    /// medians divided by the reference's.
    ///
    /// # Errors
    ///
    /// A figure is no number.
    pub fn json(&self) -> anyhow::Result<String> {
        let machine = self.machine.iter();
        let machine: Map<String, Value> = machine
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let mut report = json!({
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
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Speed(f64);

    impl Run for Speed {
        fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
            vec![("speed", Some(self.0)), ("latency", None)]
        }
    }

    #[test]
    fn ratios_are_those_of_medians() {
        let mut runs = Runs::default();
        for (kind, speed) in [
            (Kind::Tether, 90.0),
            (Kind::Tether, 10.0),
            (Kind::Tether, 20.0),
            (Kind::Reference, 4.0),
        ] {
            runs.add(kind, "file", Speed(speed));
        }
        runs.add(Kind::Tether, "sink", Speed(1.0));
        assert_eq!(
            Value::Object(runs.ratios()),
            json!({"file": {"speed": 5.0, "latency": null}})
        );
        assert_eq!(
            Value::Object(runs.json(Kind::Tether)),
            json!({
                "file": {"speed": 20.0, "latency": null, "runs": [90.0, 10.0, 20.0]},
                "sink": {"speed": 1.0, "latency": null, "runs": [1.0]},
            })
        );
    }
}
