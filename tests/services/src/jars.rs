//! What Java services are made of, fetched from Maven Central with Maven.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use crate::{folders, java, process};

const MODULES: [&str; 11] = [
    "pom.xml",
    "kafka/pom.xml",
    "connect-file/pom.xml",
    "avro-converter/pom.xml",
    "protobuf-converter/pom.xml",
    "debezium/pom.xml",
    "debezium-jdbc/pom.xml",
    "registry/pom.xml",
    "jmx-exporter/pom.xml",
    "connect-client/pom.xml",
    "microprofile-client/pom.xml",
];

/// The variable that names the class path of a Protobuf converter to compare with.
pub const PROTOBUF_CLASS_PATH: &str = "TETHER_TEST_PROTOBUF_CLASSPATH";

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
        let poms = MODULES.map(|module| java::sources().join(module));
        let folder = folders::cached(&folders::cache_name("java", &poms, "")?, run_maven)
            .context("cannot fetch the Java services from Maven Central")?;
        Ok(FETCHED.get_or_init(|| Self { folder }).clone())
    }

    /// Class path of the broker, its tools and the Kafka Connect worker.
    pub fn kafka_class_path(&self) -> String {
        self.all_of("kafka")
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

    /// Class path with Confluent's Protobuf converter besides, whose libraries are other ones than
    /// those of the Avro converter. The variable [`PROTOBUF_CLASS_PATH`] names another version.
    pub fn protobuf_class_path(&self) -> String {
        let converter = std::env::var(PROTOBUF_CLASS_PATH).unwrap_or_else(|_| {
            let jars = self.folder.join("protobuf-converter").join("*");
            jars.display().to_string()
        });
        format!("{converter}:{}", self.kafka_class_path())
    }

    /// A `plugin.path`: the FileStream connectors and Confluent's Avro converter, each in a folder.
    pub fn plugin_path(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    /// A `plugin.path` of Debezium's PostgreSQL connector alone, for a worker that needs it besides
    /// [`Jars::plugin_path`]. Its jars are in one folder below.
    pub fn debezium_path(&self) -> PathBuf {
        self.folder.join("debezium")
    }

    /// A `plugin.path` of Debezium's JDBC sink alone.
    pub fn debezium_jdbc_path(&self) -> PathBuf {
        self.folder.join("debezium-jdbc")
    }

    /// A `plugin.path` of the source with Confluent's Avro converter in the connector's own folder, where
    /// Debezium's converter of CloudEvents looks for it.
    pub fn debezium_with_avro_path(&self) -> Result<PathBuf> {
        let path = self.folder.join("debezium-with-avro");
        let own = path.join("connector-postgres");
        fs::create_dir_all(&own)?;
        for folder in [
            self.debezium_path().join("connector-postgres"),
            self.plugin_path().join("avro-converter"),
        ] {
            for jar in fs::read_dir(folder)? {
                let jar = jar?;
                match symlink(jar.path(), own.join(jar.file_name())) {
                    // Others have made it.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    made => made?,
                }
            }
        }
        Ok(path)
    }

    /// Class path with Debezium's connector besides.
    pub fn debezium_class_path(&self) -> String {
        let connector = self.debezium_path().join("connector-postgres").join("*");
        format!("{}:{}", self.full_class_path(), connector.display())
    }

    /// The JMX exporter of Prometheus, an agent of a virtual machine.
    pub fn jmx_exporter(&self) -> PathBuf {
        self.folder
            .join("jmx-exporter")
            .join("jmx_prometheus_javaagent.jar")
    }

    /// Class path of the client of the REST API that AKHQ uses.
    pub fn connect_client_class_path(&self) -> String {
        self.all_of("connect-client")
    }

    /// Class path of the library that kcctl calls the REST API with.
    pub fn microprofile_client_class_path(&self) -> String {
        self.all_of("microprofile-client")
    }

    fn all_of(&self, folder: &str) -> String {
        self.folder.join(folder).join("*").display().to_string()
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
    process::output(command)?;
    fs::remove_dir_all(folder.join("build"))?;
    Ok(())
}
