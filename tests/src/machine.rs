//! What measurements are made on.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use tether_services::{java, process};

use crate::program;

/// Name and value of what matters: processor, memory, system and programs.
///
/// # Errors
///
/// The system or a program does not tell.
pub fn describe() -> Result<Vec<(&'static str, String)>> {
    let mut binary = Command::new(program::binary()?);
    binary.arg("--version");
    let mut java = Command::new("sh");
    java.arg("-c").arg(format!(
        "'{}' --version",
        java::executable("java").display()
    ));
    Ok(vec![
        ("processors", available_parallelism()?.to_string()),
        ("processor", line_value("/proc/cpuinfo", "model name")?),
        ("memory", line_value("/proc/meminfo", "MemTotal")?),
        ("kernel", kernel()?),
        ("tether", process::output(binary)?.trim().to_owned()),
        (
            "tether_bytes",
            fs::metadata(program::binary()?)?.len().to_string(),
        ),
        (
            "java",
            process::output(java)?
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        ),
        ("kafka", java_version("pom.xml", "kafka.version")?),
        ("debezium", java_version("pom.xml", "debezium.version")?),
        (
            "debezium_jdbc",
            java_version("debezium-jdbc/pom.xml", "debezium-jdbc.version")?,
        ),
        ("postgresql", postgres_version()?),
    ])
}

/// The kernel's version, without what a distributor adds to it.
fn kernel() -> Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let version = release.trim().split('-').next();
    Ok(version.unwrap_or_default().to_owned())
}

/// The value after the colon in the first line that begins with `key`.
fn line_value(file: &str, key: &str) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(':'));
    Ok(value
        .with_context(|| format!("no {key} in {file}"))?
        .1
        .trim()
        .to_owned())
}

/// The version of the servers that the distribution has, by their client.
fn postgres_version() -> Result<String> {
    let mut client = Command::new("psql");
    client.arg("--version");
    // As in `psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    let printed = process::output(client)?;
    let version = printed.split_ascii_whitespace().nth(2);
    Ok(version.context("psql has no version")?.to_owned())
}

/// The version that a property of a POM names: the services are made of these.
fn java_version(file: &str, property: &str) -> Result<String> {
    let pom = fs::read_to_string(java::sources().join(file))?;
    let version = pom
        .split_once(&format!("<{property}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{property}>")));
    let version = version.with_context(|| format!("no {property} in {file}"))?;
    Ok(version.0.to_owned())
}
