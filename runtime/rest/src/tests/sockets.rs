//! Real sockets: what only they can show.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tether_api::config::ConfigMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;

use super::fake::FakeHerder;
use crate::{RestConfig, RestServer};

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(properties: &[(&str, &str)]) -> RestConfig {
    let properties: ConfigMap = properties
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    RestConfig::new(&properties, None).unwrap()
}

/// The whole answer to a `GET`.
async fn get(stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> std::io::Result<String> {
    let mut stream = stream;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: worker.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn regular_and_admin_listeners_are_apart() {
    let config = config(&[
        ("listeners", "http://127.0.0.1:0,http://127.0.0.1:0"),
        ("admin.listeners", "http://127.0.0.1:0"),
    ]);
    let server = RestServer::bind(config).await.unwrap();
    let (regular, admin) = (server.addresses(), server.admin_addresses());
    assert_eq!(
        server.url().to_string(),
        format!("http://127.0.0.1:{}/", regular[0].port())
    );
    assert_eq!(
        server.url().worker_id(),
        format!("127.0.0.1:{}", regular[0].port())
    );
    let server = server.serve(Arc::new(FakeHerder::default()));
    for address in regular {
        let answer = get(connect(address).await, "/connectors").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let answer = get(connect(address).await, "/admin/loggers").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    }
    let answer = get(connect(admin[0]).await, "/admin/loggers")
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(server.stop(PATIENCE).await, Vec::<String>::new());
    assert!(TcpStream::connect(admin[0]).await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_reported() {
    let first = RestServer::bind(config(&[("listeners", "http://127.0.0.1:0")]))
        .await
        .unwrap();
    let listener = format!("http://127.0.0.1:{}", first.addresses()[0].port());
    let error = RestServer::bind(config(&[("listeners", &listener)]))
        .await
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .starts_with(&format!("Unable to listen at {listener}: ")),
        "{error}"
    );
}

/// A server with one request that waits for the herder.
async fn busy_server() -> (crate::RunningServer, Arc<Notify>, TcpStream, SocketAddr) {
    let herder = Arc::new(FakeHerder::default());
    let gate = Arc::new(Notify::new());
    *herder.gate.lock().unwrap() = Some(gate.clone());
    let server = RestServer::bind(config(&[("listeners", "http://127.0.0.1:0")]))
        .await
        .unwrap();
    let address = server.addresses()[0];
    let server = server.serve(herder);
    let mut client = connect(address).await;
    client
        .write_all(b"GET /connectors/x HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, async {
        while server.running_requests().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    (server, gate, client, address)
}

#[tokio::test]
async fn a_running_request_is_finished_before_the_end() {
    let (server, gate, mut client, address) = busy_server().await;
    let mut idle = connect(address).await;
    let stopped = tokio::spawn(server.stop(PATIENCE));

    // The idle connection ends at once, and new ones are refused.
    let mut nothing = Vec::new();
    tokio::time::timeout(PATIENCE, idle.read_to_end(&mut nothing))
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!stopped.is_finished());

    gate.notify_one();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.ends_with("Connector x not found\"}"), "{answer}");
    assert_eq!(stopped.await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn stragglers_are_named_and_cut_off() {
    let (server, _gate, mut client, _) = busy_server().await;
    let stragglers = server.stop(Duration::ZERO).await;
    assert_eq!(stragglers, ["GET /connectors/x"]);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap_or_default();
    assert_eq!(answer, b"");
}

/// A certificate authority, and what it issues.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Key and certificate in one text.
    pub(super) fn issue(&self, name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        format!("{}{}", key.serialize_pem(), certificate.pem())
    }
}

/// A client that trusts the authority, and has a certificate of its own or not.
fn client(authority: &Authority, own: Option<&str>) -> TlsConnector {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some(pem) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    TlsConnector::from(Arc::new(config))
}

async fn get_securely(
    address: SocketAddr,
    authority: &Authority,
    own: Option<&str>,
) -> std::io::Result<String> {
    let name = ServerName::try_from("worker.example").unwrap();
    let stream = client(authority, own)
        .connect(name, connect(address).await)
        .await?;
    get(stream, "/connectors").await
}

#[tokio::test]
async fn https_listeners_prove_who_they_are() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.pem");
    std::fs::write(&store, authority.issue("worker.example")).unwrap();
    let store = store.to_str().unwrap();
    for prefix in ["", "listeners.https."] {
        let location = format!("{prefix}ssl.keystore.location");
        let kind = format!("{prefix}ssl.keystore.type");
        let config = config(&[
            ("listeners", "https://127.0.0.1:0"),
            (&location, store),
            (&kind, "PEM"),
        ]);
        let server = RestServer::bind(config).await.unwrap();
        assert!(server.url().to_string().starts_with("https://127.0.0.1:"));
        let address = server.addresses()[0];
        let server = server.serve(Arc::new(FakeHerder::default()));
        let answer = get_securely(address, &authority, None).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            get_securely(address, &Authority::new(), None)
                .await
                .is_err()
        );

        // Somebody who doesn't speak TLS gets nothing, and disturbs nobody.
        assert!(
            !get(connect(address).await, "/")
                .await
                .is_ok_and(|answer| answer.contains("HTTP"))
        );
        assert!(get_securely(address, &authority, None).await.is_ok());
        server.stop(PATIENCE).await;
    }
}

#[tokio::test]
async fn clients_prove_who_they_are_if_asked() {
    let authority = Authority::new();
    let identity = authority.issue("worker.example");
    let own = authority.issue("client.example");
    let foreign = Authority::new().issue("client.example");
    for (wish, without, with_own, with_foreign) in [
        ("none", true, true, true),
        ("requested", true, true, false),
        ("required", false, true, false),
    ] {
        let config = config(&[
            ("listeners", "https://127.0.0.1:0"),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.key", &identity),
            ("ssl.keystore.certificate.chain", &identity),
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.certificates", &authority.pem()),
            ("ssl.client.auth", wish),
        ]);
        let server = RestServer::bind(config).await.unwrap();
        let address = server.addresses()[0];
        let server = server.serve(Arc::new(FakeHerder::default()));
        for (certificate, expected) in [
            (None, without),
            (Some(own.as_str()), with_own),
            (Some(foreign.as_str()), with_foreign),
        ] {
            let answer = get_securely(address, &authority, certificate).await;
            let passed = answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 OK\r\n"));
            assert_eq!(passed, expected, "{wish} {}", certificate.is_some());
        }
        server.stop(PATIENCE).await;
    }
}

#[tokio::test]
async fn broken_stores_are_explained() {
    let authority = Authority::new();
    let identity = authority.issue("worker.example");
    let message = async |properties: &[(&str, &str)]| {
        let https = [
            ("listeners", "https://127.0.0.1:0"),
            ("ssl.keystore.type", "PEM"),
        ];
        RestServer::bind(config(&[&https, properties].concat()))
            .await
            .err()
            .unwrap()
            .to_string()
    };
    assert!(
        message(&[])
            .await
            .starts_with("An https listener needs a private key and a certificate")
    );
    assert!(
        message(&[("ssl.keystore.location", "/nope.pem")])
            .await
            .contains("/nope.pem of type PEM: it cannot be read")
    );
    let own = [
        ("ssl.keystore.key", identity.as_str()),
        ("ssl.keystore.certificate.chain", &identity),
    ];
    let with_own = async |more: (&str, &str)| message(&[&own[..], &[more]].concat()).await;
    assert!(
        with_own(("ssl.client.auth", "required"))
            .await
            .starts_with("ssl.client.auth=required needs the certificates")
    );
    assert_eq!(
        with_own(("ssl.enabled.protocols", "SSLv3,TLSv1")).await,
        "Invalid value SSLv3,TLSv1 for configuration ssl.enabled.protocols: none of them is \
         supported"
    );
    assert_eq!(
        with_own(("ssl.cipher.suites", "NOPE")).await,
        "Invalid value NOPE for configuration ssl.cipher.suites: none of them is supported"
    );
}

#[tokio::test]
async fn suites_and_protocols_can_be_chosen() {
    let authority = Authority::new();
    let identity = authority.issue("worker.example");
    let config = config(&[
        ("listeners", "https://127.0.0.1:0"),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.key", &identity),
        ("ssl.keystore.certificate.chain", &identity),
        ("ssl.enabled.protocols", "TLSv1.1,TLSv1.3"),
        ("ssl.cipher.suites", "TLS_AES_128_GCM_SHA256"),
    ]);
    assert!(!format!("{config:?}").contains("PRIVATE"));
    let server = RestServer::bind(config).await.unwrap();
    let address = server.addresses()[0];
    let server = server.serve(Arc::new(FakeHerder::default()));
    let name = ServerName::try_from("worker.example").unwrap();
    let stream = client(&authority, None)
        .connect(name, connect(address).await)
        .await
        .unwrap();
    let (_, session) = stream.get_ref();
    assert_eq!(
        session.negotiated_cipher_suite().unwrap().suite(),
        rustls::CipherSuite::TLS13_AES_128_GCM_SHA256
    );
    drop(stream);
    server.stop(PATIENCE).await;
}
