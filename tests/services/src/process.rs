//! Child processes that never outlive their parent.
//!
//! Two things see to that. Dropping a [`Process`] kills it. And the kernel kills it when this process
//! ends in any other way (`kill -9`, Ctrl-C, an abort), because it is started through
//! `setpriv --pdeathsig KILL`. The kernel's signal is bound to the *thread* that spawned the child, so
//! all children are spawned from one thread that lives as long as the process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
pub use rustix::process::Signal;
use rustix::process::{Pid, geteuid, kill_process};

/// How often a condition is looked at while waiting for it.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How much of a log goes into an error.
const LOG_TAIL_BYTES: u64 = 4000;

/// A command that is killed with this process. Arguments are added by the caller.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]);
    command.arg(program.as_ref());
    command
}

/// Like [`command`], run as another user, which takes root.
pub fn command_as(user: &str, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    command.args(["--pdeathsig", "KILL", "--"]);
    command.arg(program.as_ref());
    command
}

/// Like [`command`], with another root folder, of which the program's path is one; as this user and group,
/// numbers both. Without root they are those of this process, whom the program then sees as root.
pub fn command_within(root: &Path, user: &str, program: &str) -> Command {
    let mut command = if geteuid().is_root() {
        let mut command = command("chroot");
        command.arg(format!("--userspec={user}"));
        command
    } else {
        let mut command = command("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    command.arg(root).arg(program);
    command
}

/// Runs a short command to its end and returns its standard output.
///
/// # Errors
///
/// The command cannot be started or fails; the message carries what it printed.
pub fn output(mut command: Command) -> Result<String> {
    let name = display(&command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{name} failed ({}):\n{stdout}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(stdout)
}

/// Waits until `condition` holds.
///
/// # Errors
///
/// The condition fails, or does not hold after `patience`; the message then says `what` was awaited.
pub fn wait_until(
    what: &str,
    patience: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + patience;
    while !condition()? {
        if Instant::now() >= deadline {
            bail!("{what} did not happen within {} s", patience.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// When a process started, in the kernel's clock ticks: tells it from a later one that got the same id.
/// `None` if it no longer runs, even if nobody has collected its exit code.
pub fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // State and start time are fields 3 and 22, counted after the name in parentheses, which may hold
    // blanks.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    (state != "Z" && state != "X").then_some(started)
}

/// A running child with its output in a log file.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where this run begins in the log, which earlier runs wrote before.
    log_start: u64,
}

impl Process {
    /// Starts `command`, with standard output and error appended to `log`.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot open {}", log.display()))?;
        let log_start = output.metadata()?.len();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C in a terminal is for the parent, which then stops its services in order.
            .process_group(0);
        let shown = display(&command);
        let child = spawn(command)
            .with_context(|| format!("cannot start {name} ({shown}); is util-linux installed?"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_path_buf(),
            log_start,
        })
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `ready`, while the process runs.
    ///
    /// # Errors
    ///
    /// The process ends, or is not ready after `patience`; the message carries the end of its log.
    pub fn wait_ready(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut(&Self) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + patience;
        while !ready(self) {
            let name = &self.name;
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{name} ended ({status}); its log ends with:\n{}",
                    self.log_tail()
                );
            }
            if Instant::now() >= deadline {
                bail!(
                    "{name} was not ready within {} s; its log ends with:\n{}",
                    patience.as_secs(),
                    self.log_tail()
                );
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Sends a signal. A process that has ended is left alone.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let pid = pid.context("the process id is out of range")?;
        kill_process(pid, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Sends `signal` and waits for the end.
    ///
    /// # Errors
    ///
    /// It still ran after `patience`; then it was killed.
    pub fn stop(&mut self, signal: Signal, patience: Duration) -> Result<()> {
        self.signal(signal)?;
        let name = self.name.clone();
        let ended = wait_until(&format!("the end of {name}"), patience, || {
            Ok(!self.is_running())
        });
        if ended.is_err() {
            self.kill();
        }
        ended.with_context(|| format!("{name} was killed; its log ends with:\n{}", self.log_tail()))
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The file that takes its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What it has printed since it was started.
    pub fn printed(&self) -> String {
        read_from(&self.log, self.log_start).unwrap_or_default()
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let length = self.log.metadata().map_or(0, |metadata| metadata.len());
        read_from(&self.log, length.saturating_sub(LOG_TAIL_BYTES)).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_from(path: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The program that matters, for messages: what follows `--`, without its arguments.
fn display(command: &Command) -> String {
    let mut words = command.get_args().skip_while(|word| *word != "--").skip(1);
    let program = words.next().unwrap_or_else(|| command.get_program());
    program.to_string_lossy().into_owned()
}

/// Spawns from the thread that never ends.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();

    let spawner = SPAWNER.get_or_init(|| {
        let (orders, received) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in received {
                // The one who asked waits for the reply; there is nobody else to tell.
                let _ = reply.send(command.spawn());
            }
        });
        orders
    });
    let (reply, replied) = mpsc::channel();
    spawner
        .send((command, reply))
        .map_err(|_| io::Error::other("the spawning thread has ended"))?;
    replied.recv().map_err(io::Error::other)?
}
