//! Reading metrics over HTTP.

use std::fs;

use anyhow::{Context, Error, Result, ensure};
use tether_metrics::prometheus::reader::{self, Samples};
use tether_services::folders::RunFolder;
use tether_services::jars::Jars;
use tether_services::{http, port};

/// Where metrics are.
pub(crate) struct Scrape {
    url: String,
}

impl Scrape {
    pub(crate) fn new(url: String) -> Self {
        Self { url }
    }

    /// The samples as they are now.
    pub(crate) fn samples(&self) -> Result<Samples> {
        let answer = http::get(&self.url)?;
        ensure!(
            answer.status == 200,
            "{} answered {}",
            self.url,
            answer.status
        );
        reader::samples(&answer.body).map_err(Error::msg)
    }
}

/// The JMX exporter in a Java worker.
pub(crate) struct Exporter {
    folder: RunFolder,
    port: u16,
    scrape: Scrape,
}

impl Exporter {
    /// For a worker that is started with [`Exporter::flag`].
    pub(crate) fn new(rules: &str) -> Result<Self> {
        let port = port::free()?;
        let exporter = Self {
            folder: RunFolder::create("exporter")?,
            port,
            scrape: Scrape::new(format!("http://127.0.0.1:{port}/metrics")),
        };
        exporter.set_rules(rules)?;
        Ok(exporter)
    }

    /// The option of the virtual machine.
    pub(crate) fn flag(&self) -> Result<String> {
        let jar = Jars::fetch()?.jmx_exporter();
        let rules = self.folder.path().join("rules.yml");
        Ok(format!(
            "-javaagent:{}=127.0.0.1:{}:{}",
            jar.display(),
            self.port,
            rules.display()
        ))
    }

    /// Goes by other rules; the exporter looks at its file whenever it is asked.
    pub(crate) fn set_rules(&self, rules: &str) -> Result<()> {
        let file = self.folder.path().join("rules.yml");
        fs::write(&file, rules).with_context(|| format!("cannot write {}", file.display()))
    }

    pub(crate) fn scrape(&self) -> &Scrape {
        &self.scrape
    }
}
