//! The `tether` program: where it is, and running it to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tether_services::folders::RunFolder;
use tether_services::process::{self, Process, Signal, wait_until};

/// Variable with the path of another build to test, for example the release binary.
pub const BINARY: &str = "TETHER_TEST_BINARY";

/// The crate of tests builds the program's `main.rs` under a name of its own, so that cargo has made it
/// before the tests run and with the same dependencies.
const NAME: &str = "tether-under-test";

/// How long a run may take that is expected to end by itself.
const RUN_PATIENCE: Duration = Duration::from_secs(60);

/// The program under test: [`BINARY`], otherwise what cargo has built next to this executable.
///
/// # Errors
///
/// There is none.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(BINARY) {
        return Ok(PathBuf::from(path));
    }
    let tests = std::env::current_exe()?;
    let binary = tests
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(NAME))
        .find(|path| path.exists());
    binary.with_context(|| format!("cargo has built no {NAME} next to {}", tests.display()))
}

/// The program, killed with this process, with nothing in its environment but what it takes to run.
/// Arguments and variables are added by the caller.
///
/// # Errors
///
/// There is no program, see [`binary`].
pub fn command() -> Result<Command> {
    let mut command = process::command(binary()?);
    command.env_clear();
    for name in ["PATH", "HOME", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok(command)
}

/// How a run of the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Runs the program to its end with these arguments and variables.
///
/// # Errors
///
/// It does not end within a minute; then it is killed.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Outcome> {
    let mut command = command()?;
    command.args(arguments).envs(variables.iter().copied());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start tether")?;
    // Reading both pipes to their end takes threads; a killed child ends them as well.
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let ended = wait_until("the end of tether", RUN_PATIENCE, || {
        Ok(child.try_wait()?.is_some())
    });
    if ended.is_err() {
        let _ = child.kill();
    }
    let status = child.wait()?;
    let text = |reader: std::thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let outcome = Outcome {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    };
    ended.with_context(|| format!("tether {arguments:?} went on: {outcome:?}"))?;
    Ok(outcome)
}

fn read_all(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is what there is to show.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A run of the program in the background, with its log in a folder of its own.
#[derive(Debug)]
pub struct Running {
    // Before the folder, so that it ends before its files go.
    process: Process,
    folder: RunFolder,
}

impl Running {
    /// Starts the program with these arguments and variables; does not wait for anything.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(arguments: &[&str], variables: &[(String, String)]) -> Result<Self> {
        let folder = RunFolder::create("tether")?;
        let mut command = command()?;
        command
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)));
        let process = Process::spawn("tether", command, &folder.path().join("tether.log"))?;
        Ok(Self { process, folder })
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it has printed.
    pub fn printed(&self) -> String {
        self.process.printed()
    }

    /// A folder that goes with this run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends a signal and waits for the end; returns the exit code.
    ///
    /// # Errors
    ///
    /// It still ran after `patience`, or a signal ended it.
    pub fn stop(&mut self, signal: Signal, patience: Duration) -> Result<i32> {
        self.process.stop(signal, patience)?;
        exit_code(&mut self.process)
    }
}

/// The exit code of a process that has ended.
///
/// # Errors
///
/// It runs, or a signal ended it.
pub fn exit_code(process: &mut Process) -> Result<i32> {
    let status = process.exit_status().context("tether still runs")?;
    ensure!(
        status.code().is_some(),
        "tether ended with {status}; its log ends with:\n{}",
        process.log_tail()
    );
    Ok(status.code().unwrap_or_default())
}
