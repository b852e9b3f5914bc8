//! The worker with two plugins more, for `benches/runtime`: a source that makes
//! records and a sink that drops them. Their twins for the Java worker are in
//! `tests/java/bench`.

mod generator;
mod null_sink;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tether::cli::Cli;

fn main() -> ExitCode {
    match tether::run(
        Cli::parse().command,
        vec![generator::plugin(), null_sink::plugin()],
    ) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "tether: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
