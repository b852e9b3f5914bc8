//! The configs of `connector-configs/`, which have to work as they are.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tether_services::folders;

/// Where the hosts are that the configs name.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// In place of `https://jsonplaceholder.typicode.com`, without a trailing slash.
    pub users_api: String,
    /// In place of `http://schema-registry:8081`.
    pub registry: String,
    /// In place of `postgres:5432`.
    pub postgres: String,
}

/// The create request in a file of `connector-configs/`, with nothing changed but the hosts.
pub fn load(file: &str, hosts: &Hosts) -> Result<Value> {
    let path = folders::checkout().join("connector-configs").join(file);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let replaced = text
        .replace("https://jsonplaceholder.typicode.com", &hosts.users_api)
        .replace("http://schema-registry:8081", &hosts.registry)
        .replace("//postgres:5432", &format!("//{}", hosts.postgres));
    ensure!(replaced != text, "{file} names none of the hosts");
    Ok(serde_json::from_str(&replaced)?)
}
