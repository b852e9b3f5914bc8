//! Workers over sockets, and one that answers whatever a test wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tether_api::config::ConfigMap;
use tether_worker::herder::Peers;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::fake::FakeHerder;
use crate::{RestConfig, RestServer, RunningServer};

/// A request or an answer.
#[derive(Debug)]
pub(super) struct Message {
    /// The first line.
    pub(super) line: String,
    /// The others, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Message {
    /// Reads one. An answer without a length goes on to the end.
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let mut message = Self {
            line: lines.next().unwrap().to_owned(),
            headers: lines
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: String::new(),
        };
        let length = message.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        message.body = String::from_utf8(body).unwrap();
        message
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        let value = found.next().map_or("", |(_, value)| value);
        assert!(found.next().is_none(), "{name} twice: {self:?}");
        value
    }

    pub(super) fn status(&self) -> u16 {
        self.line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and message of an error.
    pub(super) fn error(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["error_code"], self.status());
        (self.status(), json["message"].as_str().unwrap().to_owned())
    }
}

/// Sends a request with these headers and reads the answer.
pub(super) async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    line: &str,
    headers: &str,
    body: &str,
) -> Message {
    let typed = match body {
        "" => "",
        _ => "Content-Type: application/json\r\n",
    };
    let request = format!(
        "{line} HTTP/1.1\r\nHost: client.example\r\n{typed}{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    Message::read(stream).await
}

/// A worker.
pub(super) struct Worker {
    pub(super) herder: Arc<FakeHerder>,
    pub(super) url: String,
    pub(super) peers: Arc<dyn Peers>,
    address: SocketAddr,
    _server: RunningServer,
}

impl Worker {
    pub(super) async fn start() -> Self {
        Self::with(&[("listeners", "http://127.0.0.1:0")]).await
    }

    /// A worker with these properties.
    pub(super) async fn with(properties: &[(&str, &str)]) -> Self {
        let properties: ConfigMap = properties
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Self::configured(RestConfig::new(&properties, None).unwrap()).await
    }

    /// A worker that sends each request on once.
    pub(super) async fn impatient() -> Self {
        let properties = [("listeners".to_owned(), "http://127.0.0.1:0".to_owned())];
        let mut config = RestConfig::new(&properties.into(), None).unwrap();
        config.timeouts.forwarding = Duration::ZERO;
        Self::configured(config).await
    }

    async fn configured(config: RestConfig) -> Self {
        let server = RestServer::bind(config).await.unwrap();
        let herder = Arc::new(FakeHerder::default());
        Self {
            herder: Arc::clone(&herder),
            url: server.url().to_string(),
            peers: server.peers(),
            address: server.addresses()[0],
            _server: server.serve(herder),
        }
    }

    /// Makes this worker say that the one with the URL has to answer.
    pub(super) fn defer_to(&self, url: &str) {
        *self.herder.elsewhere.lock().unwrap() = Some(Some(url.to_owned()));
    }

    /// Sends a request, such as `PUT /connectors/x/stop`, to a listener without
    /// TLS.
    pub(super) async fn ask(&self, line: &str, body: &str) -> Message {
        self.ask_with(line, "", body).await
    }

    /// The same with more headers.
    pub(super) async fn ask_with(&self, line: &str, headers: &str, body: &str) -> Message {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        exchange(&mut stream, line, headers, body).await
    }
}

/// The URL of a worker that is not there.
pub(super) async fn gone() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// Gives one answer, such as `204 No Content\r\n\r\n`, to one request. Returns
/// its URL, and the request when it has come.
pub(super) async fn answering(answer: impl Into<String>) -> (String, JoinHandle<Message>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let request = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = Message::read(&mut stream).await;
        let answer = format!("HTTP/1.1 {answer}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        request
    });
    (url, request)
}

/// An answer with this status and body.
pub(super) fn answer(status: &str, body: &str) -> String {
    format!(
        "{status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
