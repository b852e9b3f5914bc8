//! `tether health`: asks a worker whether it is well, for containers that have no
//! program for it.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Url};
use tether_api::config::ConfigMap;
use tether_rest::Listener;

use crate::environment;
use crate::exit::Failure;

/// How long the answer may take. The worker answers at once, whatever its state.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the worker at `url`, or the one that the environment is for, and prints
/// its answer.
///
/// # Errors
/// Usage, if the worker is not well or does not answer.
pub(crate) async fn run(url: Option<Url>) -> Result<(), Failure> {
    ask(url).await.map_err(Failure::Usage)
}

async fn ask(url: Option<Url>) -> Result<()> {
    let worker = match url {
        Some(url) => url,
        None => listener_url(&environment::worker_properties())?,
    };
    let url = worker
        .join("health")
        .context("The URL is not one of a worker")?;
    // A certificate is for the name by which others reach the worker, which need not
    // be this one. Nothing is told to the other side but a password of the URL.
    let client = Client::builder()
        .danger_accept_invalid_certs(worker.password().is_none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .context("Could not make a client")?;
    let answer = client
        .get(url)
        .send()
        .await
        .map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    let body = answer.text().await.map_err(reqwest::Error::without_url)?;
    if !status.is_success() {
        bail!("The worker answered with {status}: {body}");
    }
    writeln!(std::io::stdout(), "{body}").context("Could not write to standard output")
}

/// Where a worker with these properties listens first.
fn listener_url(properties: &ConfigMap) -> Result<Url> {
    let listeners = properties
        .get("listeners")
        .map_or("http://:8083", String::as_str);
    let first = listeners.split(',').next().unwrap_or_default();
    let Listener { scheme, host, port } = Listener::parse(first)?;
    let host = match host.as_str() {
        "" | "0.0.0.0" | "::" => "localhost".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let url = format!("{}://{host}:{port}", scheme.name());
    Url::parse(&url).with_context(|| format!("There is no worker at {url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(listeners: Option<&str>) -> String {
        let properties = listeners.map(|value| ("listeners".to_owned(), value.to_owned()));
        let url = listener_url(&properties.into_iter().collect()).expect("a URL");
        url.to_string()
    }

    #[test]
    fn the_first_listener_is_asked() {
        assert_eq!(url(None), "http://localhost:8083/");
        assert_eq!(
            url(Some("https://0.0.0.0:8443, http://:8083")),
            "https://localhost:8443/"
        );
        assert_eq!(url(Some("HTTP://connect:1")), "http://connect:1/");
        assert_eq!(url(Some("http://[::1]:8083")), "http://[::1]:8083/");
        assert_eq!(url(Some("http://[::]:8083")), "http://localhost:8083/");
    }
}
