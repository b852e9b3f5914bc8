//! What Java services are made of, fetched from Maven Central with Maven.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use crate::{folders, java, process};

const MODULES: [&str; 5] = [
    "pom.xml",
    "kafka/pom.xml",
    "connect-file/pom.xml",
    "avro-converter/pom.xml",
    "registry/pom.xml",
];

/// A folder with the outcome of `mvn package` in `tests/java`.
#[derive(Debug, Clone)]
pub struct Jars {
    folder: PathBuf,
}

impl Jars {
    /// The jars, fetched if this is the first time that these versions are asked for.
    ///
    /// They stay in [`folders::cache`] under a name made of the POMs' text, so a second call reads
    /// nothing from the network. Processes that ask at the same time wait for the first.
    pub fn fetch() -> Result<Self> {
        static FETCHED: OnceLock<Jars> = OnceLock::new();
        if let Some(jars) = FETCHED.get() {
            return Ok(jars.clone());
        }
        let jars = Self::fetch_into(&folders::cache())
            .context("cannot fetch the Java services from Maven Central")?;
        Ok(FETCHED.get_or_init(|| jars).clone())
    }

    fn fetch_into(cache: &Path) -> Result<Self> {
        let jars = Self {
            folder: cache.join(format!("java-{:016x}", fingerprint()?)),
        };
        if jars.folder.exists() {
            return Ok(jars);
        }
        fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
        let lock = File::create(cache.join("lock"))?;
        lock.lock()?;
        if !jars.folder.exists() {
            let partial = jars.folder.with_extension("partial");
            if partial.exists() {
                fs::remove_dir_all(&partial)?;
            }
            run_maven(&partial)?;
            fs::remove_dir_all(partial.join("build"))?;
            fs::rename(&partial, &jars.folder)?;
        }
        Ok(jars)
    }

    /// Class path of the broker, its tools and the Kafka Connect worker.
    pub fn kafka_class_path(&self) -> String {
        self.folder.join("kafka").join("*").display().to_string()
    }

    /// Class path with every connector and converter besides, for one class loader.
    pub fn full_class_path(&self) -> String {
        let plugins = self.plugin_path();
        format!(
            "{}:{}:{}",
            self.kafka_class_path(),
            plugins.join("connect-file").join("*").display(),
            plugins.join("avro-converter").join("*").display()
        )
    }

    /// A `plugin.path`: the FileStream connectors and Confluent's Avro converter, each in a folder.
    pub fn plugin_path(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    /// The runnable jar of the schema registry.
    pub fn registry(&self) -> Result<PathBuf> {
        let folder = self.folder.join("registry");
        fs::read_dir(&folder)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().ends_with("-runner.jar"))
            .with_context(|| format!("no runnable jar in {}", folder.display()))
    }
}

/// A number that changes with the POMs.
fn fingerprint() -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for module in MODULES {
        let path = java::sources().join(module);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn run_maven(folder: &Path) -> Result<()> {
    ensure!(
        process::output({
            let mut command = Command::new("mvn");
            command.arg("--version");
            command
        })
        .is_ok(),
        "Maven (mvn) is missing; on Debian: apt-get install maven"
    );
    let mut command = Command::new("mvn");
    command
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(java::sources().join("pom.xml"))
        .arg("package")
        .arg(format!("-Dtether.jars={}", folder.display()));
    process::output(command).map(drop)
}
