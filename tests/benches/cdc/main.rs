//! How many changes and rows the PostgreSQL connector moves, per second and per second of processor
//! time, how late they come and how much memory it takes: ours beside Debezium's in the Java worker, on
//! the same database and the same changes, in the same run, and beside what PostgreSQL gives to
//! `/dev/null`. `make bench-cdc` runs it.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod case;
mod measure;
mod report;

use anyhow::{Result, ensure};
use clap::Parser;
use tether_services::java::Jvm;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::bench_results::Report;
use tether_tests::bench_worker::Kind;

use case::Case;
use measure::Bench;

/// Measures the PostgreSQL connector beside Debezium's.
#[derive(Parser)]
struct Arguments {
    /// Only the cases whose name contains one of these: stream-small-inserts, snapshot and so on.
    cases: Vec<String>,
    /// How often each case is measured.
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Only one of the workers.
    #[arg(long)]
    only: Option<Kind>,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    fn wants(&self, case: Case) -> bool {
        let name = case.name();
        self.cases.is_empty() || self.cases.iter().any(|part| name.contains(part))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cases = Case::ALL.into_iter().filter(|case| arguments.wants(*case));
    let cases: Vec<Case> = cases.collect();
    ensure!(!cases.is_empty(), "there is no such case");
    let kinds = Kind::chosen(arguments.only);
    let mut bench = Bench::new(Kafka::start(KafkaOptions {
        jvm: Jvm::as_distributed(),
        ..KafkaOptions::default()
    })?)?;
    let mut report = Report::begin("cdc")?;
    for case in cases {
        let runs = arguments.repetitions * u32::try_from(kinds.len())?;
        // One more for the ceiling.
        let mut loaded = Bench::load(case, runs + 1)?;
        let ceiling = loaded.ceiling()?;
        println!("{}: ceiling: {ceiling:.0} events/s", case.name());
        report.set_ceiling(case.name(), report::RATE, ceiling);
        for _ in 0..arguments.repetitions {
            for kind in &kinds {
                let measured = bench.run(*kind, &mut loaded)?;
                println!("{}: {}: {measured}", case.name(), kind.name());
                report.runs.add(*kind, case.name(), measured);
            }
        }
        // After each case, as all of them take long.
        report.write()?;
    }
    bench.kafka.stop()?;
    println!("\n{}", report::markdown(&report));
    Ok(())
}
