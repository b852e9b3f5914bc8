//! The part of `docs/benchmarks.md` that is made from the results.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::benchmark::{BENCHMARKS, Benchmark};
use crate::figure;
use crate::results::{Case, Results};

const BEGIN: &str = "<!-- Made by `make bench-report`, not by hand: -->\n";
const END: &str = "<!-- The end of what `make bench-report` has made. -->\n";

/// What a machine is told by, and what is said before it.
const MACHINE: [(&str, &str); 9] = [
    ("processors", "processors: "),
    ("processor", ""),
    ("memory", "memory: "),
    ("kernel", "Linux "),
    ("tether", ""),
    ("java", ""),
    ("kafka", "Apache Kafka "),
    ("debezium", "Debezium "),
    ("postgresql", "PostgreSQL "),
];

/// Puts this text between the two marks of the page.
///
/// # Errors
///
/// The page has no marks.
pub(crate) fn replace(page: &str, generated: &str) -> Result<String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| {
        format!("the page has no place for the results: the lines {BEGIN}and {END}")
    })?;
    Ok(format!("{before}{BEGIN}\n{generated}\n{END}{after}"))
}

/// What was measured on what, what was not, and a table with charts for each benchmark. `charts` are the
/// names of the files that were drawn.
pub(crate) fn generated(results: &Results, charts: &[String]) -> String {
    let mut page = String::from(
        "The last column is Tether's figure divided by Java's: rates are better above one, times and memory \
         below.\n\n| benchmark | date | command |\n|---|---|---|\n",
    );
    for benchmark in BENCHMARKS {
        let (date, command) = match results.report(benchmark) {
            Some(report) => (
                report["date"].as_str().unwrap_or("not told"),
                report["command"].as_str().map_or_else(
                    || "not told".to_owned(),
                    |command| format!("`{}`", cell(command)),
                ),
            ),
            None => ("not measured", format!("`{}`", benchmark.command())),
        };
        let _ = writeln!(page, "| {} | {date} | {command} |", benchmark.title);
    }
    page.push('\n');
    for (machine, names) in machines(results) {
        let _ = writeln!(page, "- {}: {machine}", names.join(", "));
    }
    for benchmark in BENCHMARKS {
        let cases = results.cases(benchmark);
        if !cases.is_empty() {
            let _ = write!(page, "\n### {} (`{}`)\n\n", benchmark.title, benchmark.name);
            images(&mut page, benchmark, charts);
            page.push_str(&table(&cases));
        }
    }
    page
}

/// Descriptions of machines and versions, each with the benchmarks that ran on it.
fn machines(results: &Results) -> Vec<(String, Vec<&'static str>)> {
    let mut machines: Vec<(String, Vec<&'static str>)> = Vec::new();
    for benchmark in BENCHMARKS {
        let Some(report) = results.report(benchmark) else {
            continue;
        };
        let machine = describe(&report["machine"]);
        match machines.iter_mut().find(|(known, _)| *known == machine) {
            Some((_, names)) => names.push(benchmark.name),
            None => machines.push((machine, vec![benchmark.name])),
        }
    }
    machines
}

fn describe(machine: &Value) -> String {
    let parts = MACHINE.iter().filter_map(|(key, before)| {
        let value = machine[key].as_str()?;
        Some(match kibibytes(value) {
            Some(kibibytes) => format!("{before}{:.1} GiB", kibibytes / 1_048_576.0),
            None => format!("{before}{}", cell(value)),
        })
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Memory as the kernel tells it.
fn kibibytes(value: &str) -> Option<f64> {
    value.strip_suffix(" kB")?.parse().ok()
}

fn images(page: &mut String, benchmark: &Benchmark, charts: &[String]) {
    for chart in benchmark.charts {
        let file = chart.file(benchmark);
        if charts.contains(&file) {
            let _ = write!(page, "![{}](images/{file})\n\n", chart.title);
        }
    }
}

fn table(cases: &[Case<'_>]) -> String {
    let mut table =
        String::from("| case | | Java | Tether | Tether / Java |\n|---|---|---:|---:|---:|\n");
    for case in cases {
        let failure = |kind| {
            let failures = case.failures.iter().find(|(of, _)| *of == kind);
            failures.map(|(_, why)| cell(why)).unwrap_or_default()
        };
        if case.figures.is_empty() {
            let (java, tether) = (failure("reference"), failure("tether"));
            let _ = writeln!(table, "| {} | | {java} | {tether} | |", cell(case.name));
        }
        // The name of the case, and why it failed, in its first row alone.
        for (row, figure) in case.figures.iter().enumerate() {
            let text = |value: Option<f64>, kind| match value {
                Some(value) => figure::text(figure.name, value),
                None if row == 0 => failure(kind),
                None => String::new(),
            };
            let cells = [
                if row == 0 {
                    cell(case.name)
                } else {
                    String::new()
                },
                cell(figure::label(figure.name)),
                text(figure.reference, "reference"),
                text(figure.tether, "tether"),
                figure.ratio.map(figure::ratio).unwrap_or_default(),
            ];
            let _ = writeln!(table, "| {} |", cells.join(" | "));
        }
    }
    table
}

/// Text as it may stand in a cell.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    #[test]
    fn the_page_says_what_was_measured_and_what_was_not() {
        let page = generated(&results(), &["bench-start-start-time.svg".to_owned()]);
        for line in [
            "| Start and idle memory | 2026-11-30 | `make bench-start` |",
            "| Change data capture | not measured | `make bench-cdc` |",
            "- start: processors: 2; some; memory: 23.5 GiB; Apache Kafka 4.3.0",
            "- rest: processors: 4",
            "![Time to the first answered request (less is better)](images/bench-start-start-time.svg)",
            "| standalone | first answered request | 6,000 ms | 12.0 ms | 0.0020 |",
            "|  | memory | 100 MiB | 1.00 MiB | 0.010 |",
            "| connectors-1000 | time until all run | not within 600 s: a \\| b c | 10.0 s |  |",
            "| metrics-1000 | time of a scrape |  | 9.00 ms |  |",
        ] {
            assert!(
                page.lines().any(|known| known == line),
                "{line} is not in\n{page}"
            );
        }
        assert!(!page.contains("idle-memory.svg"), "{page}");
        assert!(!page.contains("### Change data capture"), "{page}");
    }

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = format!("# Benchmarks\n\n{BEGIN}old\n{END}\n## More\n");
        let once = replace(&page, "new\n").unwrap();
        assert_eq!(
            once,
            format!("# Benchmarks\n\n{BEGIN}\nnew\n\n{END}\n## More\n")
        );
        assert_eq!(replace(&once, "new\n").unwrap(), once);
        assert!(replace("# Benchmarks\n", "new\n").is_err());
    }
}
