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

    /// A figure of all runs of a case with this worker, from the smallest on; medians are the middle ones.
    pub fn values(&self, kind: Kind, case: &str, figure: &str) -> Vec<f64> {
        let case = self.0.iter().find(|known| known.name == case);
        case.map(|case| case.values(kind, figure))
            .unwrap_or_default()
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
        let names = self.of(kind).next()?.figures().into_iter();
        let median = |name| {
            let values = self.values(kind, name);
            values.get(values.len() / 2).copied()
        };
        let medians = names.map(|(name, _)| (name, median(name)));
        Some(Figures(medians.collect()))
    }

    fn values(&self, kind: Kind, figure: &str) -> Vec<f64> {
        let runs = self.of(kind).map(|run| Figures(run.figures()));
        let mut values: Vec<f64> = runs.filter_map(|run| run.get(figure)).collect();
        values.sort_by(f64::total_cmp);
        values
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

    /// All that were measured.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let figures = self.0.iter();
        figures.filter_map(|(name, figure)| Some((*name, (*figure)?)))
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
            runs.values(Kind::Tether, "file", "speed"),
            [10.0, 20.0, 90.0]
        );
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
