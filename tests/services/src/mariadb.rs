//! A MariaDB server from the Debian package.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::process::Signal;

use crate::folders::RunFolder;
use crate::port;
use crate::process::{self, Process};
use crate::system_user::SystemUser;

const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const SYSTEM_USER: SystemUser = SystemUser { name: "mysql" };
const PASSWORD: &str = "mariadb";
/// Where the server is, which is not in everybody's `PATH`.
const SERVER: &str = "/usr/sbin/mariadbd";

/// Settings of a run. Data survives a killed server, which is what tests do, though not a crash of the
/// machine.
const SETTINGS: [&str; 9] = [
    "--bind-address=127.0.0.1",
    "--socket=mariadb.sock",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    "--key-buffer-size=1M",
    "--max-connections=200",
];

/// A server with the user `root`, password `mariadb`, who may do everything. Killed when dropped.
#[derive(Debug)]
pub struct MariaDb {
    // Before the folder, so that it ends before its files go.
    process: Process,
    settings: Vec<String>,
    port: u16,
    folder: RunFolder,
}

impl MariaDb {
    /// Creates the system tables and starts a server on them; returns once it takes connections.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Like [`MariaDb::start`], with more of the server's options, such as `--ssl-ca=…`.
    pub fn start_with(options: &[&str]) -> Result<Self> {
        let folder = SYSTEM_USER.folder("mariadb")?;
        let port = port::free()?;
        initialize(folder.path())?;
        let options = options.iter().copied();
        let settings: Vec<_> = SETTINGS
            .into_iter()
            .chain(options)
            .map(str::to_owned)
            .collect();
        let process = spawn(port, &settings, folder.path())?;
        Ok(Self {
            process,
            settings,
            port,
            folder,
        })
    }

    /// `jdbc:mysql://…` without a database, with user and password in the query.
    pub fn jdbc_url(&self) -> String {
        let port = self.port;
        format!("jdbc:mysql://127.0.0.1:{port}/?user=root&password={PASSWORD}")
    }

    /// Port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops in order; open connections are ended.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Signal::TERM, STOP_PATIENCE)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts again on the same port and data, after stopping in order if it still runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = spawn(self.port, &self.settings, self.folder.path())?;
        Ok(())
    }

    /// Runs SQL with the command line client and returns its rows, tabs between the columns and without
    /// headings.
    pub fn sql(&self, statements: &str) -> Result<String> {
        sql(self.port, statements)
    }
}

/// Runs SQL on the server at a port of 127.0.0.1, as [`MariaDb::sql`] does.
pub fn sql(port: u16, statements: &str) -> Result<String> {
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"]);
    client.args([format!("--port={port}"), format!("--password={PASSWORD}")]);
    client.args(["--user=root", "--batch", "--raw", "--skip-column-names"]);
    client.args(["--default-character-set=utf8mb4", "--execute", statements]);
    process::output(client)
}

fn initialize(folder: &Path) -> Result<()> {
    let statements = folder.join("user.sql");
    fs::write(
        &statements,
        format!(
            "FLUSH PRIVILEGES;\n\
             CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
        ),
    )?;
    SYSTEM_USER.give(folder)?;
    SYSTEM_USER.give(&statements)?;
    let mut install = SYSTEM_USER.command("mariadb-install-db");
    install.arg("--no-defaults");
    install.arg(setting("--datadir", &data(folder)));
    install.arg(setting("--extra-file", &statements));
    install.arg(setting("--tmpdir", folder));
    install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    install.args(["--skip-name-resolve", "--innodb-flush-method=nosync"]);
    install.arg("--innodb-log-file-size=16M");
    process::output(install)
        .context("cannot create MariaDB's system tables; on Debian: apt-get install mariadb-server")
        .map(drop)
}

fn spawn(port: u16, settings: &[String], folder: &Path) -> Result<Process> {
    let program = Some(PathBuf::from(SERVER))
        .filter(|program| program.exists())
        .ok_or_else(|| anyhow!("MariaDB is missing; on Debian: apt-get install mariadb-server"))?;
    let mut server = SYSTEM_USER.command(program);
    server.args([
        "--no-defaults".to_owned(),
        setting("--datadir", &data(folder)),
        setting("--tmpdir", folder),
        format!("--port={port}"),
    ]);
    server.args(settings);
    let mut process = Process::spawn("MariaDB", server, &folder.join("mariadb.log"))?;
    process.wait_ready(START_PATIENCE, |_| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() && sql(port, "SELECT 1").is_ok()
    })?;
    Ok(process)
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn setting(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}
