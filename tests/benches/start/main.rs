//! How long a worker takes to answer, and how much memory it keeps when it has nothing to do: ours beside
//! the Java worker, on the same broker, in the same run. `make bench-start` runs it; `docs/benchmarks.md`
//! tells the method.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod report;
mod run;
mod workers;

use anyhow::Result;
use clap::Parser;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::bench_results::Report;

use run::measure;
use workers::Worker;

/// Measures start time and idle memory beside the Java worker.
#[derive(Parser)]
struct Arguments {
    /// How often each worker is measured.
    #[arg(long, default_value_t = 5)]
    repetitions: usize,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut report = Report::begin("start")?;
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let workers = Worker::all(&kafka.bootstrap())?;
    // The first round creates internal topics and fills the file cache, and does not count.
    for round in 0..=arguments.repetitions {
        for worker in &workers {
            let measured = measure(worker)?;
            let (kind, mode) = (worker.kind, worker.mode.name());
            println!("round {round}: {}, {mode}: {measured}", kind.name());
            if round > 0 {
                report.runs.add(kind, mode, measured);
            }
        }
    }
    kafka.stop()?;
    report.write()?;
    println!("\n{}", report::markdown(&report));
    Ok(())
}
