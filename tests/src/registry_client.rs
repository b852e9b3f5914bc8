//! The little of the schema registry's REST API that the stream processor takes.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::http;

/// A client of one registry.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    url: String,
}

impl RegistryClient {
    /// A client of the registry at this `schema.registry.url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Registers an Avro schema and returns its id.
    pub fn register(&self, subject: &str, schema: &Value) -> Result<u32> {
        self.register_text(subject, &schema.to_string())
    }

    /// The same for the text of a schema: Confluent's converters find a schema under its subject only if
    /// the text is as Java's Avro library writes it.
    pub fn register_text(&self, subject: &str, schema: &str) -> Result<u32> {
        let url = format!("{}/subjects/{subject}/versions", self.url);
        let body = json!({"schema": schema}).to_string();
        let answer = http::request("POST", &url, &body)?;
        ensure!(answer.status == 200, "{subject}: {}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body)?;
        let id = answer["id"].as_u64().context("the registry gave no id")?;
        Ok(u32::try_from(id)?)
    }

    /// The Avro schema with this id.
    pub fn schema(&self, id: u32) -> Result<Value> {
        let answer = http::get(&format!("{}/schemas/ids/{id}", self.url))?;
        ensure!(answer.status == 200, "schema {id}: {}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body)?;
        let schema = answer["schema"].as_str().context("no schema")?;
        Ok(serde_json::from_str(schema)?)
    }
}
