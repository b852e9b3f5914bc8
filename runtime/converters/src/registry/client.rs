//! The client of a registry's REST API.

use std::fmt::Write as _;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tether_api::Result;

use super::http::Http;
use super::rules::{self, Mode, RuleSet};
use super::{
    Registered, RegisteredText, RegistryConfig, RegistryError, SchemaKind, SchemaReference,
    SchemaRegistry,
};

/// What stays as it is in a segment of a path or in a parameter.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A client of a registry.
pub(super) struct RegistryClient {
    http: Http,
}

impl RegistryClient {
    /// Makes a client.
    ///
    /// # Errors
    /// Config, if a setting is wrong.
    pub(super) fn new(config: &RegistryConfig) -> Result<Self> {
        Ok(Self {
            http: Http::new(config)?,
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RegistryError> {
        self.http.request(Method::GET, path, None).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        schema: &RegisteredText,
    ) -> Result<T, RegistryError> {
        let body = serde_json::to_vec(&SchemaBody::of(schema)).unwrap_or_default();
        self.http.request(Method::POST, path, Some(body)).await
    }
}

fn path(segments: &[&str]) -> String {
    let mut path = String::new();
    for segment in segments {
        let _ = write!(path, "/{}", utf8_percent_encode(segment, SEGMENT));
    }
    path
}

/// A schema as requests carry it.
#[derive(Serialize)]
struct SchemaBody<'a> {
    schema: &'a str,
    #[serde(rename = "schemaType", skip_serializing_if = "Option::is_none")]
    schema_type: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    references: &'a [SchemaReference],
}

impl<'a> SchemaBody<'a> {
    fn of(schema: &'a RegisteredText) -> Self {
        Self {
            schema: &schema.text,
            // Avro is what is meant without one.
            schema_type: (schema.kind != SchemaKind::Avro).then(|| schema.kind.name()),
            references: &schema.references,
        }
    }
}

/// A schema as answers carry it.
#[derive(Deserialize)]
struct SchemaAnswer {
    schema: String,
    #[serde(rename = "schemaType", default)]
    schema_type: Option<String>,
    #[serde(default)]
    references: Option<Vec<SchemaReference>>,
    #[serde(rename = "ruleSet", default)]
    rules: Option<RuleSet>,
}

impl From<SchemaAnswer> for RegisteredText {
    fn from(answer: SchemaAnswer) -> Self {
        Self {
            kind: match answer.schema_type.as_deref() {
                Some("JSON") => SchemaKind::Json,
                Some("PROTOBUF") => SchemaKind::Protobuf,
                _ => SchemaKind::Avro,
            },
            text: answer.schema.into(),
            references: answer.references.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct RegisteredAnswer {
    id: i32,
    version: i32,
    #[serde(flatten)]
    schema: SchemaAnswer,
}

impl From<RegisteredAnswer> for Registered {
    fn from(answer: RegisteredAnswer) -> Self {
        Self {
            id: answer.id,
            version: answer.version,
            schema: answer.schema.into(),
        }
    }
}

#[derive(Deserialize)]
struct IdAnswer {
    id: i32,
    #[serde(rename = "ruleSet", default)]
    rules: Option<RuleSet>,
}

#[async_trait]
impl SchemaRegistry for RegistryClient {
    async fn register(
        &self,
        subject: &str,
        schema: &RegisteredText,
        normalize: bool,
    ) -> Result<i32, RegistryError> {
        let path = path(&["subjects", subject, "versions"]);
        let answer: IdAnswer = self
            .post(&format!("{path}?normalize={normalize}"), schema)
            .await?;
        rules::check(answer.rules.as_ref(), Mode::Write)?;
        Ok(answer.id)
    }

    async fn look_up(
        &self,
        subject: &str,
        schema: &RegisteredText,
        normalize: bool,
        deleted: bool,
    ) -> Result<Registered, RegistryError> {
        let path = path(&["subjects", subject]);
        let query = format!("normalize={normalize}&deleted={deleted}");
        let answer: RegisteredAnswer = self.post(&format!("{path}?{query}"), schema).await?;
        Ok(answer.into())
    }

    async fn latest(&self, subject: &str) -> Result<Registered, RegistryError> {
        let path = path(&["subjects", subject, "versions", "latest"]);
        let answer: RegisteredAnswer = self.get(&path).await?;
        rules::check(answer.schema.rules.as_ref(), Mode::Write)?;
        Ok(answer.into())
    }

    async fn latest_with(
        &self,
        subject: &str,
        properties: &[(String, String)],
    ) -> Result<Registered, RegistryError> {
        let mut path = path(&["subjects", subject, "metadata"]);
        path.push_str("?deleted=true");
        for (name, value) in properties {
            let encode = |text| utf8_percent_encode(text, SEGMENT);
            let _ = write!(path, "&key={}&value={}", encode(name), encode(value));
        }
        let answer: RegisteredAnswer = self.get(&path).await?;
        rules::check(answer.schema.rules.as_ref(), Mode::Write)?;
        Ok(answer.into())
    }

    async fn by_id(&self, subject: Option<&str>, id: i32) -> Result<RegisteredText, RegistryError> {
        let mut path = format!("/schemas/ids/{id}?fetchMaxId=false");
        if let Some(subject) = subject {
            let _ = write!(path, "&subject={}", utf8_percent_encode(subject, SEGMENT));
        }
        let answer: SchemaAnswer = self.get(&path).await?;
        rules::check(answer.rules.as_ref(), Mode::Read)?;
        Ok(answer.into())
    }

    async fn by_version(
        &self,
        subject: &str,
        version: i32,
    ) -> Result<RegisteredText, RegistryError> {
        let path = path(&["subjects", subject, "versions", &version.to_string()]);
        let answer: SchemaAnswer = self.get(&format!("{path}?deleted=true")).await?;
        Ok(answer.into())
    }
}
