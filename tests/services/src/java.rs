//! Java virtual machines and property files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::jars::Jars;
use crate::{folders, process};

/// Options of a Java virtual machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jvm {
    /// Flags such as `-Xmx512m`, before the class path.
    pub flags: Vec<String>,
}

impl Jvm {
    /// Starts fast and stays small: for tests, on machines with few cores.
    pub fn small(heap_mebibytes: u32) -> Self {
        Self {
            flags: [
                format!("-Xmx{heap_mebibytes}m").as_str(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }

    /// What `bin/connect-distributed.sh` of the Kafka distribution passes: for benchmarks.
    pub fn as_distributed() -> Self {
        Self {
            flags: [
                "-Xms256M",
                "-Xmx2G",
                "-server",
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35",
                "-XX:+ExplicitGCInvokesConcurrent",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }

    /// A service: `java <flags> -cp <class path>` that logs to standard output. Killed with this
    /// process; main class and arguments are added by the caller.
    pub fn service(&self, class_path: &str) -> Command {
        let mut command = self.command();
        command.arg(format!(
            "-Dlog4j2.configurationFile={}",
            sources().join("log4j2.properties").display()
        ));
        command.args(["-cp", class_path]);
        command
    }

    /// A tool: like [`Jvm::service`], but what it prints is its answer alone.
    pub fn tool(&self, class_path: &str) -> Command {
        let mut command = self.command();
        command.args(["-Dorg.apache.logging.log4j.level=OFF", "-cp", class_path]);
        command
    }

    /// `java <flags>`, killed with this process.
    pub fn command(&self) -> Command {
        let mut command = process::command(executable("java"));
        command.args(&self.flags);
        command
    }
}

/// `tests/java` of this checkout.
pub fn sources() -> PathBuf {
    folders::checkout().join("tests").join("java")
}

/// A program of the JDK: of `JAVA_HOME` if set, otherwise of the path.
pub fn executable(name: &str) -> PathBuf {
    std::env::var_os("JAVA_HOME")
        .map(|home| PathBuf::from(home).join("bin").join(name))
        .filter(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(name))
}

/// The folder with the classes of these sources, which are compiled if they have changed.
///
/// # Errors
///
/// The compiler refuses or warns; the message carries what it printed.
pub fn compile(name: &str, sources: &[PathBuf], class_path: &str) -> Result<PathBuf> {
    let name = folders::cache_name(name, sources, class_path)?;
    folders::cached(&name, |classes| {
        let mut javac = Command::new(executable("javac"));
        javac.arg("-d").arg(classes);
        javac.args([
            "--release",
            "17",
            "-Xlint:all,-processing,-classfile",
            "-Werror",
        ]);
        javac.args(["-cp", class_path]);
        javac.args(sources);
        process::output(javac).map(drop)
    })
}

/// The folder with the classes of `tests/java/bench`: a source and a sink that no release has.
///
/// # Errors
///
/// As for [`compile`].
pub fn bench_classes(class_path: &str) -> Result<PathBuf> {
    let folder = sources().join("bench").join("tether").join("bench");
    let sources = ["Generator.java", "NullSink.java"].map(|name| folder.join(name));
    compile("bench", &sources, class_path)
}

/// A program of `tests/java/clients` with the library that AKHQ uses. It calls the worker at a URL as its
/// input says.
///
/// # Errors
///
/// As for [`Jars::fetch`] and [`compile`].
pub fn connect_client(url: &str) -> Result<Command> {
    client(
        "ConnectClient",
        &Jars::fetch()?.connect_client_class_path(),
        url,
    )
}

/// The same with the library that kcctl uses.
///
/// # Errors
///
/// As for [`connect_client`].
pub fn microprofile_client(url: &str) -> Result<Command> {
    client(
        "MicroProfileClient",
        &Jars::fetch()?.microprofile_client_class_path(),
        url,
    )
}

fn client(class: &str, libraries: &str, url: &str) -> Result<Command> {
    let source = sources().join(format!("clients/tether/clients/{class}.java"));
    let classes = compile("clients", &[source], libraries)?;
    let class_path = format!("{}:{libraries}", classes.display());
    let mut command = Jvm::small(64).command();
    command.args(["-cp", &class_path, &format!("tether.clients.{class}"), url]);
    Ok(command)
}

/// Puts `overrides` over `defaults`: a key that both have keeps its place and takes the new value.
pub fn merge(
    defaults: Vec<(String, String)>,
    overrides: &[(String, String)],
) -> Vec<(String, String)> {
    let mut merged = defaults;
    for (key, value) in overrides {
        match merged.iter_mut().find(|(known, _)| known == key) {
            Some((_, current)) => current.clone_from(value),
            None => merged.push((key.clone(), value.clone())),
        }
    }
    merged
}

/// Writes a Java properties file.
pub fn write_properties(path: &Path, properties: &[(String, String)]) -> Result<()> {
    let text: String = properties
        .iter()
        .map(|(key, value)| format!("{}={}\n", escape(key, true), escape(value, false)))
        .collect();
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Escapes as `java.util.Properties.load` reads it.
fn escape(text: &str, is_key: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '=' | ':' if is_key => escaped.extend(['\\', character]),
            ' ' if is_key || index == 0 => escaped.push_str("\\ "),
            '#' | '!' if is_key && index == 0 => escaped.extend(['\\', character]),
            ' '..='~' => escaped.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_escaped_as_java_reads_them() {
        assert_eq!(escape("a b:c=d", true), "a\\ b\\:c\\=d");
        assert_eq!(escape(" a=b:c\\d\n", false), "\\ a=b:c\\\\d\\n");
        assert_eq!(escape("é😀", false), "\\u00e9\\ud83d\\ude00");
    }

    #[test]
    fn overrides_replace_in_place_and_append() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let merged = merge(
            vec![pair("a", "1"), pair("b", "2")],
            &[pair("a", "3"), pair("c", "4")],
        );
        assert_eq!(merged, [pair("a", "3"), pair("b", "2"), pair("c", "4")]);
    }
}
