//! What the benchmarks have left, put together.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::benchmark::{BENCHMARKS, Benchmark};

/// What each report has of its cases.
const SECTIONS: [&str; 5] = ["tether", "reference", "ratios", "ceiling", "failures"];

/// The reports by the names of their benchmarks.
pub(crate) struct Results(BTreeMap<&'static str, Value>);

/// A case of a benchmark.
#[derive(Debug, PartialEq)]
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) figures: Vec<Figure<'a>>,
    /// Why the reference, or ours, has none.
    pub(crate) failures: Vec<(&'a str, &'a str)>,
}

/// A figure of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure<'a> {
    pub(crate) name: &'a str,
    pub(crate) tether: Option<f64>,
    pub(crate) reference: Option<f64>,
    /// Ours divided by the reference's.
    pub(crate) ratio: Option<f64>,
}

impl Results {
    /// Reads the files of this folder.
    ///
    /// # Errors
    ///
    /// There is none at all, or one is not what a benchmark writes.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut reports = BTreeMap::new();
        for benchmark in BENCHMARKS {
            let name = format!("{}.json", benchmark.name);
            let text = match fs::read_to_string(folder.join(&name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                text => text.with_context(|| name.clone())?,
            };
            let report: Value = serde_json::from_str(&text).with_context(|| name.clone())?;
            let is_whole = ["tether", "reference", "ratios"]
                .iter()
                .all(|section| report[section].is_object());
            ensure!(
                is_whole,
                "{name} is no report of this release; run `{}`",
                benchmark.command()
            );
            reports.insert(benchmark.name, report);
        }
        ensure!(
            !reports.is_empty(),
            "nothing was measured yet; run `make bench`"
        );
        Ok(Self(reports))
    }

    /// The benchmarks without a report.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &'static Benchmark> {
        BENCHMARKS
            .iter()
            .filter(|benchmark| !self.0.contains_key(benchmark.name))
    }

    /// A benchmark's report.
    pub(crate) fn report(&self, benchmark: &Benchmark) -> Option<&Value> {
        self.0.get(benchmark.name)
    }

    /// All in one, in the shape of the parts: benchmark by benchmark below each of their sections.
    pub(crate) fn merged(&self) -> Value {
        let mut merged = json!({
            "benchmarks": {},
            "missing": self.missing().map(|benchmark| benchmark.name).collect::<Vec<_>>(),
        });
        for section in SECTIONS {
            merged[section] = json!({});
        }
        for benchmark in BENCHMARKS {
            let Some(report) = self.report(benchmark) else {
                continue;
            };
            merged["benchmarks"][benchmark.name] = json!({
                "date": report["date"], "command": report["command"], "machine": report["machine"],
            });
            for section in SECTIONS {
                if report[section].is_object() {
                    merged[section][benchmark.name] = report[section].clone();
                }
            }
        }
        merged
    }

    /// The cases of a benchmark, with what is a number of either worker, in the order of the report.
    pub(crate) fn cases(&self, benchmark: &Benchmark) -> Vec<Case<'_>> {
        let Some(report) = self.report(benchmark) else {
            return Vec::new();
        };
        let names = union(["reference", "tether", "failures"].map(|section| &report[section]));
        let case = |name| {
            let [tether, reference, ratios, failures] =
                ["tether", "reference", "ratios", "failures"].map(|section| &report[section][name]);
            let figures = union([tether, reference]).into_iter().map(|figure| Figure {
                name: figure,
                tether: tether[figure].as_f64(),
                reference: reference[figure].as_f64(),
                ratio: ratios[figure].as_f64(),
            });
            let failures = entries(failures).filter_map(|(kind, why)| Some((kind, why.as_str()?)));
            Case {
                name,
                figures: figures
                    .filter(|figure| figure.tether.or(figure.reference).is_some())
                    .collect(),
                failures: failures.collect(),
            }
        };
        names.into_iter().map(case).collect()
    }
}

fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = object.as_object().into_iter().flat_map(Map::iter);
    entries.map(|(key, value)| (key.as_str(), value))
}

/// The keys of several objects, each once.
fn union<const N: usize>(objects: [&Value; N]) -> Vec<&str> {
    let mut union = Vec::new();
    for (key, _) in objects.into_iter().flat_map(entries) {
        if !union.contains(&key) {
            union.push(key);
        }
    }
    union
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn results() -> Results {
        let start = json!({
            "date": "2026-11-30",
            "command": "make bench-start",
            "machine": {"processors": "2", "processor": "some", "memory": "24684096 kB", "kafka": "4.3.0"},
            "tether": {"standalone": {"start_time": 12.0, "idle_memory": 1_048_576.0, "runs": [{}]}},
            "reference": {"standalone": {"start_time": 6000.0, "idle_memory": 104_857_600.0, "runs": [{}]}},
            "ratios": {"standalone": {"start_time": 0.002, "idle_memory": 0.01}},
        });
        let rest = json!({
            "machine": {"processors": "4"},
            "tether": {"connectors-1000": {"seconds": 10.0}, "metrics-1000": {"scrape_time": 9.0, "none": null}},
            "reference": {},
            "ratios": {},
            "failures": {"connectors-1000": {"reference": "not within 600 s: a | b\nc"}},
        });
        Results(BTreeMap::from([("start", start), ("rest", rest)]))
    }

    fn benchmark(name: &str) -> &'static Benchmark {
        BENCHMARKS.iter().find(|known| known.name == name).unwrap()
    }

    #[test]
    fn parts_are_merged_and_missing_ones_are_named() {
        let merged = results().merged();
        assert_eq!(
            merged["missing"],
            json!(["runtime", "cdc", "jdbc", "group"])
        );
        assert_eq!(
            merged["ratios"]["start"]["standalone"],
            json!({"start_time": 0.002, "idle_memory": 0.01})
        );
        assert_eq!(merged["tether"]["rest"]["connectors-1000"]["seconds"], 10.0);
        assert_eq!(merged["benchmarks"]["start"]["date"], "2026-11-30");
        assert_eq!(merged["benchmarks"].get("cdc"), None);
    }

    #[test]
    fn cases_have_what_either_worker_has() {
        let results = results();
        let cases = results.cases(benchmark("rest"));
        assert_eq!(
            cases,
            [
                Case {
                    name: "connectors-1000",
                    figures: vec![Figure {
                        name: "seconds",
                        tether: Some(10.0),
                        reference: None,
                        ratio: None,
                    }],
                    failures: vec![("reference", "not within 600 s: a | b\nc")],
                },
                Case {
                    name: "metrics-1000",
                    figures: vec![Figure {
                        name: "scrape_time",
                        tether: Some(9.0),
                        reference: None,
                        ratio: None,
                    }],
                    failures: Vec::new(),
                },
            ]
        );
        assert_eq!(results.cases(benchmark("cdc")), []);
    }

    #[test]
    fn a_folder_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &Path| Results::read(folder).map(drop).unwrap_err().to_string();
        assert_eq!(
            error(folder.path()),
            "nothing was measured yet; run `make bench`"
        );
        fs::write(
            folder.path().join("cdc.json"),
            r#"{"tether": {}, "reference": {}, "ratios": {}}"#,
        )
        .unwrap();
        let results = Results::read(folder.path()).unwrap();
        let missing: Vec<_> = results.missing().map(|benchmark| benchmark.name).collect();
        assert_eq!(missing, ["start", "rest", "runtime", "jdbc", "group"]);
        fs::write(folder.path().join("start.json"), r#"{"workers": []}"#).unwrap();
        assert_eq!(
            error(folder.path()),
            "start.json is no report of this release; run `make bench-start`"
        );
    }
}
