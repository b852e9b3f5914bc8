//! Connections to brokers that answer as a test says.

mod answers;
mod reaching;
mod sasl;
mod tls;

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::broker::messages::{ApiVersions, Heartbeat, Request};

/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a broker does with a request.
enum Answer {
    /// Answers with this body.
    Body(Vec<u8>),
    /// Answers with these bytes in place of length, header and body, and ends the
    /// connection.
    Raw(Vec<u8>),
    /// Says nothing, and keeps the connection.
    Silence,
}

/// A request as a broker sees it.
#[derive(Debug, PartialEq, Eq)]
struct Received {
    key: i16,
    version: i16,
    body: Vec<u8>,
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Option<(i32, Received)> {
    let length = stream.read_i32().await.ok()?;
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut bytes).await.ok()?;
    let mut request = &bytes[..];
    let key = request.read_i16().await.unwrap();
    let version = request.read_i16().await.unwrap();
    let id = request.read_i32().await.unwrap();
    let client_id = request.read_u16().await.unwrap();
    let body = request[usize::from(client_id)..].to_vec();
    Some((id, Received { key, version, body }))
}

/// Answers one request after the other, then ends the connection. Gives the
/// requests.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: impl IntoIterator<Item = Answer>,
) -> Vec<Received> {
    let mut requests = Vec::new();
    for answer in answers {
        let Some((id, request)) = receive(&mut stream).await else {
            break;
        };
        requests.push(request);
        match answer {
            Answer::Body(body) => {
                stream.write_i32(4 + body.len() as i32).await.unwrap();
                stream.write_i32(id).await.unwrap();
                stream.write_all(&body).await.unwrap();
            }
            Answer::Raw(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                break;
            }
            Answer::Silence => {
                // Until the other end goes.
                let _ = stream.read_u8().await;
            }
        }
    }
    requests
}

/// A broker at a port of its own, with the answers for each connection in turn.
async fn listen(connections: Vec<Vec<Answer>>) -> (String, JoinHandle<Vec<Vec<Received>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        let mut connections = VecDeque::from(connections);
        while let Some(answers) = connections.pop_front() {
            let (stream, _) = listener.accept().await.unwrap();
            requests.push(serve(stream, answers).await);
        }
        requests
    });
    (address, served)
}

/// Brokers with these properties.
fn brokers(bootstrap: &str, properties: &[(&str, &str)]) -> NetworkBrokers {
    let all = [&[("bootstrap.servers", bootstrap)], properties].concat();
    let properties: ConfigMap = all
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    NetworkBrokers::new(&properties).unwrap()
}

/// The answer to ApiVersions of a broker that understands all that is asked
/// here.
fn greeting() -> Answer {
    let kinds: [i16; 9] = [10, 11, 12, 13, 14, 17, 18, 36, 99];
    let mut body = vec![0, 0, 0, 0, 0, 9];
    for kind in kinds {
        for number in [kind, 0, 9] {
            body.extend_from_slice(&number.to_be_bytes());
        }
    }
    Answer::Body(body)
}

/// The answer to a heartbeat.
fn alive() -> Answer {
    Answer::Body(vec![0; 6])
}

async fn heartbeat(connection: &mut dyn BrokerConnection) -> Result<i16, BrokerError> {
    let request = Heartbeat {
        group: "g".to_owned(),
        generation: 1,
        member: "m".to_owned(),
    };
    crate::broker::ask(connection, &request, PATIENCE).await
}

fn error<T>(outcome: Result<T, BrokerError>) -> (BrokerErrorKind, String) {
    let error = outcome.err().unwrap();
    (error.kind, error.message)
}
