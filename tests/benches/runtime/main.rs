//! How many records the task loops move, per second and per second of processor time: ours beside the
//! Java worker, on the same broker and the same records, in the same run. `make bench-runtime` runs it;
//! `docs/benchmarks.md` tells the method.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod case;
mod measure;
mod report;
mod worker;

use anyhow::{Result, ensure};
use clap::Parser;
use tether_services::java::Jvm;
use tether_services::{Kafka, KafkaOptions};

use case::{Case, Flow};
use measure::Bench;
use report::Measured;
use tether_tests::bench_results::Report;
use tether_tests::bench_worker::Kind;

/// Measures the task loops beside the Java worker.
#[derive(Parser)]
struct Arguments {
    /// Only the cases whose name contains one of these: file-100B-json, sink-1KB-avro and so on.
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
    fn wants(&self, case: &Case) -> bool {
        let name = case.name();
        self.cases.is_empty() || self.cases.iter().any(|part| name.contains(part))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cases: Vec<Case> = Case::all()
        .into_iter()
        .filter(|case| arguments.wants(case))
        .collect();
    ensure!(!cases.is_empty(), "there is no such case");
    let kinds = Kind::chosen(arguments.only);
    let mut bench = Bench::new(Kafka::start(KafkaOptions {
        jvm: Jvm::as_distributed(),
        ..KafkaOptions::default()
    })?)?;
    let mut report = Report::begin("runtime")?;
    for case in cases {
        let topic = match case.flow {
            Flow::Sink => Some(bench.fill(case)?),
            _ => None,
        };
        for _ in 0..arguments.repetitions {
            for kind in &kinds {
                let measured = match &topic {
                    Some(topic) => bench.sink(*kind, case, topic)?,
                    None => bench.source(*kind, case)?,
                };
                println!("{}: {}: {measured}", case.name(), kind.name());
                report.runs.add(*kind, &case.name(), Measured(measured));
            }
        }
        if let Some(topic) = topic {
            bench.delete(&topic)?;
        }
        // After each case: all of them take half an hour.
        report.write()?;
    }
    bench.kafka.stop()?;
    println!("\n{}", report::markdown(&report));
    Ok(())
}
