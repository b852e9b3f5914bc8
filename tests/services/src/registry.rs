//! A schema registry that speaks the REST API of Confluent's.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::folders::RunFolder;
use crate::http;
use crate::jars::Jars;
use crate::java::Jvm;
use crate::port;
use crate::process::{Process, Signal};

const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const HEAP_MEBIBYTES: u32 = 256;

/// Apicurio Registry on a database file of its own. Killed when dropped.
///
/// It gives ids from one counter to all content, as Confluent's does, but leaves gaps: nothing may
/// depend on the first id being 1 or the next one following. Compatibility is checked as `BACKWARD`,
/// which is Confluent's default and not Apicurio's.
#[derive(Debug)]
pub struct Registry {
    // Before the folder, so that it ends before its files go.
    process: Process,
    jars: Jars,
    port: u16,
    folder: RunFolder,
}

impl Registry {
    /// Starts an empty registry; returns once it answers.
    pub fn start() -> Result<Self> {
        let jars = Jars::fetch()?;
        let folder = RunFolder::create("registry")?;
        let port = port::free()?;
        let process = spawn(&jars, port, folder.path())?;
        let answer = http::request(
            "PUT",
            &format!("{}/config", url(port)),
            r#"{"compatibility":"BACKWARD"}"#,
        )?;
        ensure!(
            answer.status == 200,
            "the schema registry refused its compatibility level: {}",
            answer.body
        );
        Ok(Self {
            process,
            jars,
            port,
            folder,
        })
    }

    /// `schema.registry.url`.
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Stops in order, as `SIGTERM` does.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Signal::TERM, STOP_PATIENCE)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Freezes the registry: connections stay open and nothing answers.
    pub fn pause(&mut self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Ends [`Registry::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Starts again on the same port with the same schemas, after stopping in order if it still runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = spawn(&self.jars, self.port, self.folder.path())?;
        Ok(())
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/apis/ccompat/v7")
}

fn spawn(jars: &Jars, port: u16, folder: &Path) -> Result<Process> {
    let mut command = Jvm::small(HEAP_MEBIBYTES).command();
    command.args([
        "-Dquarkus.http.host=127.0.0.1",
        &format!("-Dquarkus.http.port={port}"),
        "-Dapicurio.storage.kind=sql",
        "-Dapicurio.storage.sql.kind=h2",
        &format!(
            "-Dapicurio.datasource.url=jdbc:h2:file:{}",
            folder.join("schemas").display()
        ),
        "-jar",
    ]);
    command.arg(jars.registry()?);
    let mut process = Process::spawn("schema registry", command, &folder.join("registry.log"))?;
    let subjects = format!("{}/subjects", url(port));
    process.wait_ready(START_PATIENCE, |_| {
        http::get(&subjects).is_ok_and(|answer| answer.status == 200)
    })?;
    Ok(process)
}
