//! Registries behind TLS, with the stores of `runtime/keystore`, and behind an
//! identity provider.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tether_api::ErrorKind;
use tether_api::config::ConfigMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::tests::{Answer, http, server};

fn store(name: &str) -> String {
    format!("{}/../keystore/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap()
}

/// Answers `{"id":1}` to those who show a certificate of the authority; its
/// port.
async fn secure_server() -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let properties: ConfigMap = [
        ("ssl.keystore.location", store("broker.p12")),
        ("ssl.keystore.password", "storepass".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let identity = tether_keystore::identity(&properties, "").unwrap().unwrap();
    let mut roots = RootCertStore::empty();
    let authority = std::fs::read_to_string(store("ca.pem")).unwrap();
    roots.add_parsable_certificates(certificates(&authority));
    let config = ServerConfig::builder()
        .with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap())
        .with_single_cert(
            certificates(&identity.chain),
            PrivateKeyDer::from_pem_slice(identity.key.reveal().as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Strangers are turned away.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = vec![0; 8192];
            if stream
                .read(&mut request)
                .await
                .is_ok_and(|length| length > 0)
            {
                let answer = "HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: 8\r\n\r\n";
                let _ = stream
                    .write_all(format!("{answer}{{\"id\":1}}").as_bytes())
                    .await;
            }
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn stores_of_all_types_open_the_door() {
    let url = format!("https://127.0.0.1:{}", secure_server().await);
    let (client, trust) = (
        "schema.registry.ssl.keystore.",
        "schema.registry.ssl.truststore.",
    );
    let kinds = [
        ("client.jks", "trust.jks", "JKS", "keypass1"),
        ("client.p12", "trust.p12", "PKCS12", ""),
        ("client.pem", "ca.pem", "PEM", "keypass1"),
    ];
    for (key, roots, kind, key_password) in kinds {
        let mut config = vec![
            ("schema.registry.url".to_owned(), url.clone()),
            (format!("{client}location"), store(key)),
            (format!("{client}type"), kind.to_owned()),
            (
                "schema.registry.ssl.key.password".to_owned(),
                key_password.to_owned(),
            ),
            (format!("{trust}location"), store(roots)),
            (format!("{trust}type"), kind.to_owned()),
        ];
        if kind != "PEM" {
            config.push((format!("{client}password"), "storepass".to_owned()));
            config.push((format!("{trust}password"), "trustpass".to_owned()));
        }
        let shown: Vec<_> = config
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let answer = http(&shown)
            .unwrap()
            .request::<Answer>(Method::GET, "/", None)
            .await;
        assert_eq!(answer.unwrap(), Answer { id: 1 }, "{kind}");
        // Those who show no certificate stay outside.
        let stranger: Vec<_> = shown
            .iter()
            .copied()
            .filter(|(key, _)| !key.contains("ssl.key"))
            .chain([("max.retries", "0")])
            .collect();
        let refused = http(&stranger).unwrap();
        assert!(
            refused
                .request::<Answer>(Method::GET, "/", None)
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn names_of_hosts_are_checked() {
    let port = secure_server().await;
    // The certificate is for 127.0.0.1.
    let url = format!("https://127.0.0.2:{port}");
    let config = [
        ("schema.registry.url", url.as_str()),
        ("max.retries", "0"),
        (
            "schema.registry.ssl.keystore.location",
            &store("client.p12"),
        ),
        ("schema.registry.ssl.keystore.password", "storepass"),
        (
            "schema.registry.ssl.truststore.location",
            &store("trust.p12"),
        ),
        ("schema.registry.ssl.truststore.password", "trustpass"),
    ];
    let error = http(&config)
        .unwrap()
        .request::<Answer>(Method::GET, "/", None)
        .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    for unchecked in ["", "none"] {
        let mut config = config.to_vec();
        config.push((
            "schema.registry.ssl.endpoint.identification.algorithm",
            unchecked,
        ));
        let answer = http(&config)
            .unwrap()
            .request::<Answer>(Method::GET, "/", None)
            .await;
        assert_eq!(answer.unwrap(), Answer { id: 1 });
    }
}

#[test]
fn wrong_stores_are_named() {
    let store = store("client.p12");
    let error = http(&[
        ("schema.registry.url", "https://localhost"),
        ("schema.registry.ssl.keystore.location", &store),
        ("schema.registry.ssl.keystore.password", "wrongpass"),
    ]);
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(
        text.contains("schema.registry.ssl.keystore.password"),
        "{text}"
    );
    assert!(!text.contains("wrongpass"), "{text}");
}

fn token(claims: &str) -> String {
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[tokio::test]
async fn tokens_of_a_provider_are_used_until_they_are_refused() {
    let answer = |claims| leak(format!(r#"{{"access_token":"{}"}}"#, token(claims)));
    let (first, second) = (r#"{"sub":"a","exp":4e9}"#, r#"{"sub":"b","exp":4e9}"#);
    let (provider, asked) = server(vec![(200, answer(first)), (200, answer(second))]).await;
    let ok = r#"{"id":1}"#;
    let (registry, requests) = server(vec![(200, ok), (200, ok), (401, ""), (200, ok)]).await;
    let config = [
        ("schema.registry.url", format!("http://{registry}")),
        // Either name will do.
        (
            "schema.registry.bearer.auth.credentials.source",
            "OAUTHBEARER".to_owned(),
        ),
        (
            "bearer.auth.issuer.endpoint.url",
            format!("http://{provider}/token"),
        ),
        ("bearer.auth.client.id", "me".to_owned()),
        ("bearer.auth.client.secret", "se:cret".to_owned()),
        ("bearer.auth.scope", "read write".to_owned()),
        ("bearer.auth.logical.cluster", "lsrc-1".to_owned()),
        ("bearer.auth.identity.pool.id", "pool-1".to_owned()),
    ];
    let config: Vec<_> = config
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    let http = http(&config).unwrap();
    for expected in [true, true, false, true] {
        let answer = http.request::<Answer>(Method::GET, "/", None).await;
        assert_eq!(answer.is_ok(), expected);
    }
    let bearer = |claims| format!("authorization: Bearer {}", token(claims));
    let requests = requests.await.unwrap();
    for (request, claims) in requests.iter().zip([first, first, first, second]) {
        assert!(request.contains(&bearer(claims)), "{request}");
        assert!(request.contains("target-sr-cluster: lsrc-1"), "{request}");
        assert!(
            request.contains("confluent-identity-pool-id: pool-1"),
            "{request}"
        );
    }
    let asked = asked.await.unwrap().remove(0);
    assert!(asked.starts_with("POST /token "), "{asked}");
    assert!(
        asked.contains("authorization: Basic bWU6c2U6Y3JldA=="),
        "{asked}"
    );
    assert!(
        asked.ends_with("grant_type=client_credentials&scope=read%20write"),
        "{asked}"
    );
}

#[tokio::test]
async fn providers_that_give_no_token_are_named() {
    let refusal = r#"{"error":"invalid_client"}"#;
    let cases = [
        (401, refusal, ErrorKind::Data, "invalid_client"),
        (503, "", ErrorKind::Retriable, "503"),
        (200, "{}", ErrorKind::Data, "access_token"),
        (
            200,
            r#"{"access_token":"e30.e30.x"}"#,
            ErrorKind::Data,
            "principal",
        ),
    ];
    for (status, body, kind, expected) in cases {
        let (provider, _asked) = server(vec![(status, body)]).await;
        let config = [
            ("schema.registry.url", "http://127.0.0.1:1".to_owned()),
            (
                "bearer.auth.credentials.source",
                "SASL_OAUTHBEARER_INHERIT".to_owned(),
            ),
            (
                "sasl.oauthbearer.token.endpoint.url",
                format!("http://{provider}"),
            ),
            (
                "sasl.jaas.config",
                "a.OAuthBearerLoginModule required clientId=\"me\" clientSecret=\"secret\";"
                    .to_owned(),
            ),
            ("max.retries", "0".to_owned()),
        ];
        let config: Vec<_> = config
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let error = http(&config)
            .unwrap()
            .request::<Answer>(Method::GET, "/", None)
            .await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(
            text.contains(expected) && !text.contains("secret"),
            "{text}"
        );
    }
    let only_one = [
        ("schema.registry.url", "http://localhost"),
        ("basic.auth.credentials.source", "URL"),
        ("bearer.auth.credentials.source", "STATIC_TOKEN"),
        ("bearer.auth.token", "t"),
    ];
    let error = http(&only_one).err().unwrap().to_string();
    assert!(error.starts_with("Only one of"), "{error}");
}
