//! How long a group of workers takes until everything runs, evenly spread, after a start, the loss of a
//! worker and new connectors, and what that costs: ours beside the Java worker's, each with a broker of
//! its own, in the same run. `make bench-group` runs it; `docs/benchmarks.md` tells the method.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod group;
mod measure;
mod meter;
mod report;
mod usage;

use anyhow::Result;
use clap::Parser;
use tether_tests::bench_results::Report;
use tether_tests::bench_worker::Kind;

use measure::{Size, run};
use report::Row;

/// Measures groups of workers.
#[derive(Parser)]
struct Arguments {
    /// How many workers: each of these.
    #[arg(long, value_delimiter = ',', default_value = "3")]
    workers: Vec<usize>,
    /// How many connectors of one task: each of these.
    #[arg(long, value_delimiter = ',', default_value = "250")]
    connectors: Vec<usize>,
    /// How often each is measured.
    #[arg(long, default_value_t = 1)]
    repetitions: u32,
    /// Only one of the workers.
    #[arg(long)]
    only: Option<Kind>,
    /// Heap of a Java worker at most, in mebibytes.
    #[arg(long, default_value_t = 512)]
    heap: u32,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let kinds = Kind::chosen(arguments.only);
    let mut report = Report::begin("group")?;
    for workers in arguments.workers {
        for connectors in &arguments.connectors {
            let size = Size {
                workers,
                connectors: *connectors,
            };
            for _ in 0..arguments.repetitions {
                for kind in &kinds {
                    run(*kind, size, arguments.heap, |phase, measured| {
                        let case = format!("{size}: {phase}");
                        println!("{case}: {}: {measured}", kind.name());
                        report.runs.add(*kind, &case, Row(measured));
                        // After each phase, as all of them take long.
                        report.write()
                    })?;
                }
            }
        }
    }
    println!("\n{}", report::markdown(&report));
    Ok(())
}
