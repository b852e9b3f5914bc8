use std::io::{Read, Write};
use std::net::TcpListener;

use tether_api::config::Password;

use super::*;
use crate::properties::ClientCredentials;

/// Serves one answer to each request, and gives the requests.
fn endpoint(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let (mut socket, _) = listener.accept().unwrap();
                let mut request = String::new();
                let mut buffer = [0; 4096];
                while !request.contains("grant_type") {
                    let count = socket.read(&mut buffer).unwrap();
                    request.push_str(&String::from_utf8_lossy(&buffer[..count]));
                }
                socket.write_all(answer.as_bytes()).unwrap();
                request
            })
            .collect()
    });
    (url, served)
}

fn credentials(url: &str) -> TokenSource {
    TokenSource::Endpoint(ClientCredentials {
        url: url.to_owned(),
        client_id: "me".to_owned(),
        client_secret: Password::new("hunter2"),
        scope: Some("kafka".to_owned()),
        url_encoded: false,
        connect_timeout: Duration::from_secs(10),
        read_timeout: Duration::from_secs(10),
        principal_claim: "sub".to_owned(),
        trusted: None,
    })
}

fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_token_is_fetched_once_and_shared() {
    let token = jwt::unsecured("alice", Duration::from_secs(600), None).text;
    let body = format!("{{\"access_token\":\"{token}\"}}");
    let (url, served) = endpoint(vec![response("200 OK", &body)]);
    let source = credentials(&url);
    let providers = TokenProviders::default();
    let first = providers.provider(Some(&source)).unwrap().unwrap();
    let second = providers.provider(Some(&source)).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    for _ in 0..2 {
        let token = first.token().unwrap();
        assert_eq!(token.principal, "alice");
        assert!(token.is_valid() && !token.is_half_over());
    }
    let requests = served.join().unwrap();
    assert!(requests[0].contains("authorization: Basic bWU6aHVudGVyMg=="));
    assert!(requests[0].ends_with("grant_type=client_credentials&scope=kafka"));
}

#[test]
fn a_refusal_is_told_without_the_secret() {
    let refusal = response("401 Unauthorized", "{\"error\":\"invalid_client\"}");
    let (url, served) = endpoint(vec![refusal]);
    let provider = TokenProviders::default()
        .provider(Some(&credentials(&url)))
        .unwrap()
        .unwrap();
    let error = provider.token().err().unwrap();
    assert_eq!(error.kind, KafkaErrorKind::NotAuthorized);
    assert!(
        error
            .message
            .ends_with("answers with status 401 invalid_client"),
        "{error}"
    );
    served.join().unwrap();
}

#[test]
fn a_token_that_has_expired_is_refused() {
    let source = TokenSource::Unsecured {
        principal: "bob".to_owned(),
        lifetime: Duration::ZERO,
        scope: None,
    };
    let providers = TokenProviders::default();
    let provider = providers.provider(Some(&source)).unwrap().unwrap();
    let error = provider.token().err().unwrap();
    assert!(error.message.ends_with("that has expired"), "{error}");
}

#[test]
fn unsecured_tokens_and_files() {
    let source = TokenSource::Unsecured {
        principal: "bob".to_owned(),
        lifetime: Duration::from_secs(60),
        scope: Some("a b".to_owned()),
    };
    let made = fetch(&source).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, format!("{}\n", made.text)).unwrap();
    let read = fetch(&TokenSource::File(path)).unwrap();
    assert_eq!((read.text, read.principal), (made.text, "bob".to_owned()));
    let missing = fetch(&TokenSource::File(directory.path().join("none")));
    assert!(missing.err().unwrap().message.contains("cannot be read"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_token_or_refused(text in "[a-zA-Z0-9._=-]{0,60}") {
        let _ = jwt::token(&text, "sub", None);
    }
}
