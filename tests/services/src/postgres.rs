//! A PostgreSQL server from the Debian package.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};

use crate::folders::RunFolder;
use crate::port;
use crate::process::{self, Process};
use crate::system_user::SystemUser;

const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const KILL_PATIENCE: Duration = Duration::from_secs(10);
/// Where Debian puts the programs of each major version.
const DEBIAN: &str = "/usr/lib/postgresql";
const SYSTEM_USER: SystemUser = SystemUser { name: "postgres" };
const PASSWORD: &str = "postgres";

/// A server with `wal_level=logical`; superuser `postgres`, password `postgres`, database `postgres`.
/// Killed when dropped.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder, so that it ends before its files go.
    process: Process,
    programs: PathBuf,
    port: u16,
    settings: Vec<String>,
    folder: RunFolder,
}

impl Postgres {
    /// Creates a cluster and starts a server on it; returns once it takes connections.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with other settings, such as `shared_buffers=128MB`.
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        let settings: Vec<_> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let programs = programs()?;
        let folder = SYSTEM_USER.folder("postgres")?;
        let port = port::free()?;
        initialize(&programs, &folder)?;
        let process = spawn(&programs, port, &settings, folder.path())?;
        Ok(Self {
            process,
            programs,
            port,
            settings,
            folder,
        })
    }

    /// `postgres://…` of the superuser and the database `postgres`.
    pub fn url(&self) -> String {
        let port = self.port;
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    /// `jdbc:postgresql://…` of the database `postgres`, with user and password in the query, as
    /// `connection.url` of the JDBC connectors takes it.
    pub fn jdbc_url(&self) -> String {
        let port = self.port;
        format!("jdbc:postgresql://127.0.0.1:{port}/postgres?user=postgres&password={PASSWORD}")
    }

    /// Port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the server's first process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Stops in order; open connections are ended (a "fast" shutdown).
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Signal::INT, STOP_PATIENCE)
    }

    /// `kill -9` of all its processes.
    pub fn kill(&mut self) {
        // A server that is stopped first starts no process that would be missed.
        let _ = self.process.signal(Signal::STOP);
        let children = children(self.process.id());
        self.process.kill();
        for child in &children {
            let _ = kill_process(*child, Signal::KILL);
        }
        // They hold the shared memory until they are gone, and no new server starts before.
        let _ = process::wait_until("the end of PostgreSQL's processes", KILL_PATIENCE, || {
            Ok(children
                .iter()
                .all(|child| process::started(child.as_raw_pid().unsigned_abs()).is_none()))
        });
    }

    /// Starts again on the same port and data, after stopping in order if it still runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = spawn(
            &self.programs,
            self.port,
            &self.settings,
            self.folder.path(),
        )?;
        Ok(())
    }

    /// A client program of the server's version, such as `pg_recvlogical`, killed with this process.
    /// Arguments are added by the caller.
    pub fn client(&self, program: &str) -> Command {
        process::command(self.programs.join(program))
    }

    /// Runs SQL with `psql` in the database `postgres` and returns its rows, unaligned and without
    /// headings (`a|b`).
    pub fn sql(&self, statements: &str) -> Result<String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        command.args(["--set", "ON_ERROR_STOP=1", "--command", statements]);
        command.arg(self.url());
        process::output(command)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder with the programs of the newest version.
fn programs() -> Result<PathBuf> {
    let newest = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs
                .join("initdb")
                .exists()
                .then_some((version, programs))
        })
        .max();
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    newest
        .map(|(_, programs)| programs)
        .or_else(in_path)
        .ok_or_else(|| anyhow!("PostgreSQL is missing; on Debian: apt-get install postgresql"))
}

fn initialize(programs: &Path, folder: &RunFolder) -> Result<()> {
    let password = folder.path().join("password");
    fs::write(&password, PASSWORD)?;
    SYSTEM_USER.give(folder.path())?;
    SYSTEM_USER.give(&password)?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;

    let mut initdb = SYSTEM_USER.command(programs.join("initdb"));
    initdb.arg("--pgdata").arg(folder.path().join("data"));
    initdb.arg("--pwfile").arg(&password);
    initdb.args(["--username", "postgres", "--auth", "scram-sha-256"]);
    initdb.args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]);
    process::output(initdb)
        .context("cannot create a PostgreSQL cluster")
        .map(drop)
}

fn spawn(programs: &Path, port: u16, settings: &[String], folder: &Path) -> Result<Process> {
    let mut server = SYSTEM_USER.command(programs.join("postgres"));
    server.arg("-D").arg(folder.join("data"));
    for setting in [
        format!("port={port}").as_str(),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "wal_level=logical",
        // Two connectors for each of some dozens of configurations at once, each with a slot and a few
        // connections.
        "max_wal_senders=200",
        "max_replication_slots=200",
        "max_connections=600",
        "shared_buffers=32MB",
        // Data survives a killed server, which is what tests do, though not a crash of the machine.
        "fsync=off",
    ] {
        server.args(["-c", setting]);
    }
    // Later ones win.
    for setting in settings {
        server.args(["-c", setting]);
    }
    let mut process = Process::spawn("PostgreSQL", server, &folder.join("postgres.log"))?;
    process.wait_ready(START_PATIENCE, |_| {
        Command::new(programs.join("pg_isready"))
            .args([
                "--quiet",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })?;
    Ok(process)
}

fn children(pid: u32) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_ascii_whitespace()
        .filter_map(|child| Pid::from_raw(child.parse().ok()?))
        .collect()
}
