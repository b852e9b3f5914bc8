//! A small client of the workers' REST API.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::http;

use crate::eventually::{PATIENCE, eventually, within};

/// Workers give up on a request after 90 s.
const TIMEOUT: Duration = Duration::from_secs(100);

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The body: null if there is none, a string if it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The message of an error, empty if there is none.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// Whether this message of an answer only asks for patience until a rebalance is over.
pub fn is_rebalancing(message: &str) -> bool {
    const MESSAGES: [&str; 2] = [
        "Cannot complete request momentarily",
        "Request cannot be completed because a rebalance is expected",
    ];
    MESSAGES.iter().any(|text| message.contains(text))
}

/// A client of one worker.
#[derive(Debug, Clone)]
pub struct RestClient {
    url: String,
}

impl RestClient {
    /// A client of the worker at this base URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Sends a request with this text as its body, which may be no JSON.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        let answer = http::request_within(TIMEOUT, method, &url, body)
            .with_context(|| format!("{method} {path}"))?;
        let body = match answer.body.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        };
        Ok(Answer {
            status: answer.status,
            body,
        })
    }

    /// Sends a request and returns the body of its answer. A worker that is busy with a rebalance is
    /// asked again, as clients do: the Java worker says so for a moment after every change of a
    /// configuration.
    ///
    /// # Errors
    ///
    /// There is no answer, or not with this status.
    pub fn expect(
        &self,
        status: u16,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let answer = within(PATIENCE, "the end of a rebalance", || {
            let answer = self.send(method, path, &text);
            let message = answer.as_ref().map(Answer::message).unwrap_or_default();
            ensure!(!is_rebalancing(message), "{message}");
            Ok(answer)
        })??;
        ensure!(
            answer.status == status,
            "{method} {path} answered {} where {status} was expected: {}",
            answer.status,
            answer.body
        );
        Ok(answer.body)
    }

    /// `GET`, which has to answer 200.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.expect(200, "GET", path, None)
    }

    /// Creates a connector.
    pub fn create(&self, name: &str, config: &Value) -> Result<()> {
        let request = json!({"name": name, "config": config});
        self.expect(201, "POST", "/connectors", Some(&request))
            .map(drop)
    }

    /// `PUT /connectors/<name>/<action>`: `pause`, `resume` or `stop`.
    pub fn put(&self, name: &str, action: &str) -> Result<()> {
        let status = if action == "stop" { 204 } else { 202 };
        self.expect(status, "PUT", &format!("/connectors/{name}/{action}"), None)
            .map(drop)
    }

    /// Restarts a connector with all its tasks.
    pub fn restart(&self, name: &str) -> Result<()> {
        let path = format!("/connectors/{name}/restart?includeTasks=true");
        self.expect(202, "POST", &path, None).map(drop)
    }

    /// The offset that is stored for a connector of one partition; an error if there is none.
    pub fn offset(&self, name: &str) -> Result<Value> {
        let mut offsets = self.get(&format!("/connectors/{name}/offsets"))?;
        let offset = offsets.pointer_mut("/offsets/0/offset");
        offset.map(Value::take).context("nothing is stored")
    }

    /// Names of all connectors, sorted.
    pub fn connectors(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = serde_json::from_value(self.get("/connectors")?)?;
        names.sort();
        Ok(names)
    }

    /// The states of a connector and of its tasks, as in `RUNNING[RUNNING,FAILED]`.
    pub fn states(&self, name: &str) -> Result<String> {
        let status = self.get(&format!("/connectors/{name}/status"))?;
        let state = |of: &Value| of["state"].as_str().unwrap_or_default().to_owned();
        let tasks: Vec<String> = status["tasks"]
            .as_array()
            .context("the status has no tasks")?
            .iter()
            .map(state)
            .collect();
        Ok(format!(
            "{}[{}]",
            state(&status["connector"]),
            tasks.join(",")
        ))
    }

    /// Waits until [`RestClient::states`] are these. If they never are, the message carries the traces
    /// of what has failed.
    pub fn wait_for(&self, name: &str, states: &str) -> Result<()> {
        eventually(&format!("{name} is {states}"), || {
            let now = self.states(name)?;
            ensure!(now == states, "{now}\n{}", self.traces(name)?);
            Ok(())
        })
    }

    /// The traces of a connector and of its tasks that have failed, empty if none has.
    pub fn traces(&self, name: &str) -> Result<String> {
        let status = self.get(&format!("/connectors/{name}/status"))?;
        let tasks = status["tasks"].as_array().into_iter().flatten();
        let traces = std::iter::once(&status["connector"])
            .chain(tasks)
            .filter_map(|of| of["trace"].as_str());
        Ok(traces.collect::<Vec<_>>().join("\n"))
    }

    /// Waits until a task has failed, and returns its trace.
    pub fn wait_for_failure(&self, name: &str) -> Result<String> {
        eventually(&format!("a task of {name} fails"), || {
            let states = self.states(name)?;
            ensure!(states.contains("FAILED"), "{states}");
            self.traces(name)
        })
    }
}
