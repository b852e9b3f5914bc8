//! Puts together what the benchmarks have left in `bench-results`: `all.json` there, and the table and the
//! charts of `docs/benchmarks.md`. `make bench-report` runs it, and measures nothing.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod benchmark;
mod chart;
mod figure;
mod page;
mod results;

use std::fs;

use anyhow::{Context, Result};
use tether_services::folders;
use tether_tests::bench_results;

use benchmark::BENCHMARKS;
use results::Results;

fn main() -> Result<()> {
    let folder = bench_results::folder();
    let results = Results::read(&folder)?;
    let all = serde_json::to_string_pretty(&results.merged())? + "\n";
    fs::write(folder.join("all.json"), all)?;

    let docs = folders::checkout().join("docs");
    let drawn = draw(&results, &docs)?;
    let page = docs.join("benchmarks.md");
    let text = fs::read_to_string(&page).context("docs/benchmarks.md")?;
    let text = page::replace(&text, &page::generated(&results, &drawn))?;
    fs::write(&page, text)?;
    for missing in results.missing() {
        println!("not measured: `{}`", missing.command());
    }
    Ok(())
}

/// Draws what there are figures of, and returns the names of those files. Earlier charts of others go.
fn draw(results: &Results, docs: &std::path::Path) -> Result<Vec<String>> {
    let images = docs.join("images");
    fs::create_dir_all(&images)?;
    let mut drawn = Vec::new();
    for benchmark in BENCHMARKS {
        for chart in benchmark.charts {
            let file = chart.file(benchmark);
            let path = images.join(&file);
            match chart.draw(&results.cases(benchmark)) {
                Some(svg) => {
                    fs::write(path, svg)?;
                    drawn.push(file);
                }
                None if path.exists() => fs::remove_file(path)?,
                None => {}
            }
        }
    }
    Ok(drawn)
}
