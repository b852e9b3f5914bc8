//! Starts the real services for a person, or around a command.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program"
)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tether_services::jars::Jars;
use tether_services::process::wait_until;
use tether_services::state::{self, State};
use tether_services::{Services, ServicesOptions, folders};

const STOP_PATIENCE: Duration = Duration::from_secs(120);
const START_PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Real services for tests, benchmarks and people.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    /// Download what services need, and start nothing.
    Fetch,
    /// Start services in the background and print their addresses.
    Up(Which),
    /// Stop what `up` has started.
    Down,
    /// Start services, run a command with their addresses in its environment, stop them, and end with
    /// the command's exit code.
    Run {
        #[command(flatten)]
        which: Which,
        /// The command with its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Hold services in the foreground until a signal; `up` runs this.
    #[command(hide = true)]
    Hold(Which),
}

#[derive(Args, Clone, Copy)]
struct Which {
    /// Also start a Java Kafka Connect worker.
    #[arg(long)]
    connect: bool,
}

impl From<Which> for ServicesOptions {
    fn from(which: Which) -> Self {
        Self {
            connect: which.connect,
        }
    }
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Subcommands::Fetch => fetch(),
        Subcommands::Up(which) => up(which),
        Subcommands::Down => down(),
        Subcommands::Run { which, command } => run(which, &command),
        Subcommands::Hold(which) => hold(which),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn fetch() -> Result<ExitCode> {
    let jars = Jars::fetch()?;
    println!("class path   {}", jars.kafka_class_path());
    println!("plugin path  {}", jars.plugin_path().display());
    Ok(ExitCode::SUCCESS)
}

/// Starts a process of its own that holds the services, and waits for its state file.
fn up(which: Which) -> Result<ExitCode> {
    if let Some(state) = state::running() {
        println!("services are running already");
        return Ok(print(&state));
    }
    state::remove();
    fs::create_dir_all(folders::services())?;
    let log = folders::services().join("hold.log");
    let output = File::create(&log)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("hold");
    if which.connect {
        command.arg("--connect");
    }
    let mut holder = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()?;
    let mut started = None;
    wait_until("the start of the services", START_PATIENCE, || {
        started = state::running().filter(|state| state.pid == holder.id());
        if let (None, Some(status)) = (&started, holder.try_wait()?) {
            bail!("{status}\n{}", fs::read_to_string(&log)?);
        }
        Ok(started.is_some())
    })?;
    Ok(started.as_ref().map_or(ExitCode::FAILURE, print))
}

fn print(state: &State) -> ExitCode {
    for (name, address) in &state.environment {
        println!("export {name}='{address}'");
    }
    ExitCode::SUCCESS
}

fn down() -> Result<ExitCode> {
    let Some(state) = state::running() else {
        state::remove();
        println!("no services are running");
        return Ok(ExitCode::SUCCESS);
    };
    let pid = i32::try_from(state.pid).ok().and_then(Pid::from_raw);
    kill_process(
        pid.context("the state file holds no process id")?,
        Signal::TERM,
    )?;
    wait_until("the end of the services", STOP_PATIENCE, || {
        Ok(state::running().is_none())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn hold(which: Which) -> Result<ExitCode> {
    let services = Services::start(&which.into())?;
    // From here on a signal ends the services in order; before, the kernel ends them with us.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    // Closing the terminal that ran `up` is no reason to stop.
    let _ignored = Signals::new([SIGHUP])?;
    State::of_this_process(services.environment())?.save()?;
    signals.forever().next();
    let stopped = services.stop();
    // Last, as its end is what `down` waits for.
    state::remove();
    stopped?;
    Ok(ExitCode::SUCCESS)
}

fn run(which: Which, command: &[OsString]) -> Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command")?;
    let start = Instant::now();
    let services = Services::start(&which.into())?;
    eprintln!(
        "services are ready after {:.1} s",
        start.elapsed().as_secs_f32()
    );

    // The terminal sends Ctrl-C to the command as well. Let it end, then stop the services.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(services.environment())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    thread::spawn(move || {
        for signal in signals.forever() {
            if let (Some(pid), true) = (pid, signal != SIGINT) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    });
    let status = child.wait()?;
    services.stop()?;
    Ok(exit_code(status))
}

/// The command's code, or 128 and the signal that ended it, as shells have it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
