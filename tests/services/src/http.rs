//! The few plain HTTP requests that starting a service takes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

const TIMEOUT: Duration = Duration::from_secs(10);

/// An answer: status and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// `GET` of an `http://` URL.
pub fn get(url: &str) -> Result<Answer> {
    request("GET", url, "")
}

/// A request with a JSON body (none if empty) to an `http://host:port/path` URL.
///
/// Speaks HTTP/1.0, so that the answer ends with the connection.
pub fn request(method: &str, url: &str, body: &str) -> Result<Answer> {
    request_within(TIMEOUT, method, url, body)
}

/// Like [`request`], waiting for the answer as long as the caller says.
pub fn request_within(timeout: Duration, method: &str, url: &str, body: &str) -> Result<Answer> {
    let rest = url
        .strip_prefix("http://")
        .with_context(|| format!("{url} is not an http:// URL"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream =
        TcpStream::connect(authority).with_context(|| format!("cannot connect to {authority}"))?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .with_context(|| format!("{url} answered something that is not HTTP"))?;
    let status = head
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .with_context(|| format!("{url} answered without a status"))?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}
