use std::collections::HashMap;

use tether_api::ErrorKind;
use tether_api::config::ConfigMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[derive(Deserialize, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) id: i32,
}

pub(super) fn http(config: &[(&str, &str)]) -> Result<Http> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let mut raw: ConfigMap = config.iter().map(owned).collect();
    raw.insert("retries.wait.ms".to_owned(), "1".to_owned());
    Http::new(&RegistryConfig::parse(&raw)?)
}

/// Answers connections one after the other with these statuses and bodies; its
/// address, and the requests that came.
pub(super) async fn server(
    answers: Vec<(u16, &'static str)>,
) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap();
            requests.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let answer = format!(
                "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (address.to_string(), requests)
}

/// An address that refuses connections.
async fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn requests_are_authorised_and_typed() {
    let (address, requests) = server(vec![(200, r#"{"id":3,"more":1}"#)]).await;
    let url = format!("http://user:p%40ss@{address}/path/");
    let http = http(&[("schema.registry.url", &url), ("request.header.X-A", "b")]).unwrap();
    let answer: Answer = http
        .request(Method::POST, "/x?y=z", Some(b"{}".to_vec()))
        .await
        .unwrap();
    assert_eq!(answer, Answer { id: 3 });
    let request = requests.await.unwrap().remove(0);
    let lines: Vec<_> = request.lines().collect();
    assert_eq!(lines[0], "POST /path/x?y=z HTTP/1.1");
    let headers: HashMap<_, _> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert_eq!(
        headers["content-type"],
        "application/vnd.schemaregistry.v1+json"
    );
    assert_eq!(headers["authorization"], "Basic dXNlcjpwQHNz");
    assert_eq!(headers["x-a"], "b");
}

#[tokio::test]
async fn the_next_address_is_asked() {
    let (address, requests) = server(vec![(503, ""), (200, r#"{"id":1}"#)]).await;
    let urls = format!("{},http://{address}", closed().await);
    let http = http(&[("schema.registry.url", &urls)]).unwrap();
    // The first address is closed; the second one answers at the second turn.
    let answer: Answer = http.request(Method::GET, "/", None).await.unwrap();
    assert_eq!(answer, Answer { id: 1 });
    assert_eq!(requests.await.unwrap().len(), 2);
    assert_eq!(http.current.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn failures_say_where_but_not_who() {
    let url = closed().await.replace("http://", "http://user:secret@");
    let http = http(&[("schema.registry.url", &url), ("max.retries", "1")]).unwrap();
    let error = http
        .request::<Answer>(Method::GET, "/", None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable);
    let text = error.to_string();
    assert!(
        text.contains("127.0.0.1") && text.contains("refused"),
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains("user"), "{text}");
}

#[tokio::test]
async fn refusals_are_classified() {
    let cases = [
        (
            404,
            r#"{"error_code":40403,"message":"Schema not found"}"#,
            ErrorKind::Data,
        ),
        (
            409,
            r#"{"error_code":409,"message":"incompatible"}"#,
            ErrorKind::Config,
        ),
        (
            422,
            r#"{"error_code":42201,"message":"invalid"}"#,
            ErrorKind::Data,
        ),
        (401, "Unauthorized", ErrorKind::Config),
        (200, "no json", ErrorKind::Data),
    ];
    for (status, body, kind) in cases {
        let (address, _requests) = server(vec![(status, body)]).await;
        let http = http(&[("schema.registry.url", &format!("http://{address}"))]).unwrap();
        let error = http
            .request::<Answer>(Method::GET, "/", None)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn wrong_settings_are_named() {
    let error = |config: &[(&str, &str)]| {
        let error = http(config).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    let url = ("schema.registry.url", "http://localhost");
    assert!(error(&[]).contains("schema.registry.url"));
    assert!(error(&[("schema.registry.url", "ftp://u:secret@x")]).contains("ftp"));
    assert!(!error(&[("schema.registry.url", "http://u:secret@x:y")]).contains("secret"));
    let user_info = ("basic.auth.credentials.source", "USER_INFO");
    assert!(error(&[url, user_info]).contains("basic.auth.user.info"));
    assert!(error(&[url, ("bearer.auth.token", "")]).contains("bearer.auth.token"));
    let store = ("schema.registry.ssl.truststore.location", "/nowhere");
    assert!(error(&[url, store]).contains("/nowhere"));
}
