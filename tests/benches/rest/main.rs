//! What the REST API answers, and what connectors cost that have nothing to do: ours beside the Java
//! worker, distributed, on the same broker, in the same run. `make bench-rest` runs it;
//! `docs/benchmarks.md` tells the method.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod keep_alive;
mod measure;
mod report;
mod requests;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use tether_services::java::Jvm;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::bench_results::Report;
use tether_tests::bench_worker::Kind;

use measure::Bench;
use requests::Load;

/// Measures the REST API and idle connectors beside the Java worker.
#[derive(Parser)]
struct Arguments {
    /// How many connectors of one task: each of these.
    #[arg(long, value_delimiter = ',', default_value = "1,100,1000")]
    connectors: Vec<usize>,
    /// With how many of them requests are measured.
    #[arg(long, default_value_t = 100)]
    requests_at: usize,
    /// How many clients ask at once, each over a connection that it keeps.
    #[arg(long, default_value_t = 4)]
    clients: usize,
    /// For how many seconds requests are measured, each after as many that do not count.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often each is measured.
    #[arg(long, default_value_t = 1)]
    repetitions: u32,
    /// Only one of the workers.
    #[arg(long)]
    only: Option<Kind>,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(
        arguments.connectors.contains(&arguments.requests_at),
        "requests are measured with {} connectors, which --connectors does not have",
        arguments.requests_at
    );
    let mut report = Report::begin("rest")?;
    let mut bench = Bench {
        kafka: Kafka::start(KafkaOptions {
            jvm: Jvm::as_distributed(),
            ..KafkaOptions::default()
        })?,
        requests_at: arguments.requests_at,
        load: Load {
            clients: arguments.clients,
            time: Duration::from_secs(arguments.seconds),
        },
    };
    for connectors in &arguments.connectors {
        for _ in 0..arguments.repetitions {
            for kind in Kind::chosen(arguments.only) {
                let ran = bench.run(kind, *connectors, |case, measured| {
                    println!("{case}: {}: {measured}", kind.name());
                    report.runs.add(kind, case, measured);
                    // After each, as some take long.
                    report.write()
                });
                if let Err(error) = ran {
                    println!("{connectors} connectors: {}: {error:#}", kind.name());
                    // What follows the first line is the end of a log.
                    let why = error.to_string();
                    let why = why.lines().next().unwrap_or_default().to_owned();
                    report.fail(kind, &measure::name(*connectors), why);
                    report.write()?;
                }
            }
        }
    }
    bench.kafka.stop()?;
    println!("\n{}", report::markdown(&report));
    Ok(())
}
