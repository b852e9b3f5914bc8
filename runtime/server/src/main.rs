//! `tether`: Kafka Connect workers without a JVM.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tether::cli::Cli;

fn main() -> ExitCode {
    // clap prints help with success, and ends a wrong call with 2; the reference
    // ends it with 1.
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            let _ = error.print();
            return if wrong {
                ExitCode::from(1)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match tether::run(cli.command, Vec::new()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "tether: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
