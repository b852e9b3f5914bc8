//! How long a worker takes to answer, and how much memory it keeps when it has nothing to do: ours beside
//! the Java worker, on the same broker, in the same run. `make bench-start` runs it; `docs/benchmarks.md`
//! tells the method.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod report;
mod run;
mod workers;

use std::fs;

use anyhow::{Result, ensure};
use tether_services::{Kafka, KafkaOptions, folders};
use tether_tests::machine;

use report::Report;
use run::measure;
use workers::Worker;

/// How often each worker is measured.
const REPETITIONS: usize = 5;

fn main() -> Result<()> {
    // What cargo passes to benchmarks is of no use here.
    let machine = machine::describe()?;
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let workers = Worker::all(&kafka.bootstrap())?;
    let mut report = Report::new(machine);
    // The first round creates internal topics and fills the file cache, and does not count.
    for round in 0..=REPETITIONS {
        for worker in &workers {
            let measured = measure(worker)?;
            println!("round {round}: {}: {measured}", worker.name());
            if round > 0 {
                report.add(worker.name(), measured);
            }
        }
    }
    kafka.stop()?;
    let folder = folders::checkout().join("bench-results");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("start.json"), report.json()?)?;
    let table = report.markdown();
    ensure!(!table.is_empty(), "nothing was measured");
    println!("\n{table}");
    Ok(())
}
