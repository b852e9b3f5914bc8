//! How many rows the JDBC sink writes to PostgreSQL, per second and per second of processor time, and
//! how much memory it takes: ours beside Debezium's in the Java worker, on the same database and the
//! same records, in the same run, and beside what a bare client writes. `make bench-jdbc` runs it.
#![allow(clippy::print_stdout, reason = "a command line program")]

mod bare_client;
mod case;
mod encode;
mod encoded;
mod measure;
mod report;
mod row;
mod table;

use anyhow::{Result, ensure};
use clap::Parser;
use tether_services::java::Jvm;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::bench_results::Report;
use tether_tests::bench_worker::Kind;

use bare_client::Way;
use case::{Case, Format, Mode};
use measure::Bench;
use report::Measured;
use row::Width;
use table::{BATCH, Tables};

/// Measures the JDBC sink beside Debezium's.
#[derive(Parser)]
struct Arguments {
    /// Only the cases whose name contains one of these: insert-narrow-avro, upsert-wide-json and so on.
    cases: Vec<String>,
    /// How often each case is measured.
    #[arg(long, default_value_t = 3)]
    repetitions: u32,
    /// Only one of the workers.
    #[arg(long)]
    only: Option<Kind>,
    /// Narrow rows of a run, of which the first fifth does not count. Of wide rows there are a tenth as
    /// many.
    #[arg(long, default_value_t = 5_000_000)]
    rows: u64,
    /// Only compares the ways of a bare client to write batches of several sizes.
    #[arg(long)]
    ways: bool,
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
    if arguments.ways {
        let tables = Tables::start()?;
        for width in Width::ALL {
            println!("{}", bare_client::compare(&tables, width)?);
        }
        return Ok(());
    }
    let kinds = Kind::chosen(arguments.only);
    let mut report = Report::begin("jdbc")?;
    let kafka = Kafka::start(KafkaOptions {
        jvm: Jvm::as_distributed(),
        ..KafkaOptions::default()
    })?;
    let mut bench = Bench::new(kafka, arguments.rows)?;
    let mut is_any = false;
    for width in Width::ALL {
        let mut ceilings: Vec<(Mode, f64, String)> = Vec::new();
        for format in Format::ALL {
            let cases = Mode::ALL.map(|mode| Case {
                mode,
                width,
                format,
            });
            let cases: Vec<_> = cases
                .into_iter()
                .filter(|case| arguments.wants(*case))
                .collect();
            if cases.is_empty() {
                continue;
            }
            is_any = true;
            let topic = bench.fill(width, format)?;
            for case in cases {
                let known = ceilings.iter().find(|(mode, ..)| *mode == case.mode);
                let (_, ceiling, fingerprint) = match known {
                    Some(known) => known,
                    None => {
                        let (rows, way) = (bench.rows(width), Way::fastest(case.mode));
                        let ceiling = way.measure(&bench.tables, width, rows, BATCH)?;
                        let fingerprint = bench.tables.fingerprint(width)?;
                        ceilings.push((case.mode, ceiling, fingerprint));
                        &ceilings[ceilings.len() - 1]
                    }
                };
                println!("{}: ceiling: {ceiling:.0}/s", case.name());
                report.set_ceiling(&case.name(), report::RATE, *ceiling);
                for _ in 0..arguments.repetitions {
                    for kind in &kinds {
                        let measured = bench.run(*kind, case, &topic, fingerprint)?;
                        println!("{}: {}: {measured}", case.name(), kind.name());
                        report.runs.add(*kind, &case.name(), Measured(measured));
                    }
                }
                // After each case, as all of them take long.
                report.write()?;
            }
            bench.delete(&topic)?;
        }
    }
    ensure!(is_any, "there is no such case");
    bench.kafka.stop()?;
    println!("\n{}", report::markdown(&report));
    Ok(())
}
