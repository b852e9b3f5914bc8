//! Programs of `tests/java/clients`, which answer lines with lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

/// A running client. It ends with its input.
pub(super) struct JavaClient {
    _process: Child,
    calls: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl JavaClient {
    /// Starts the command.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        Ok(Self {
            calls: process.stdin.take().context("an input")?,
            answers: BufReader::new(process.stdout.take().context("an output")?),
            _process: process,
        })
    }

    /// Has it make a call, about this connector or plugin, with a body in JSON; returns what it answers.
    pub(super) fn call(&mut self, call: &str, name: &str, body: &str) -> Result<String> {
        writeln!(self.calls, "{call}\t{name}\t{body}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer)
    }
}
