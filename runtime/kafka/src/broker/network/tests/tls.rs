//! TLS, between this client and a listener of the same library. Keys and
//! certificates are those of the tests of stores: one authority, a broker at
//! 127.0.0.1 and a client.

use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use tokio_openssl::SslStream;

use super::*;
use BrokerErrorKind::{Refused, Unreachable};

fn store(name: &str) -> String {
    format!("{}/../keystore/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn properties(properties: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    properties.iter().map(owned).collect()
}

/// Properties that trust the authority.
fn trusting() -> Vec<(String, String)> {
    let location = store("trust.jks");
    properties(&[
        ("security.protocol", "SSL"),
        ("ssl.truststore.location", &location),
    ])
}

/// A key store's properties.
fn identity(file: &str) -> Vec<(String, String)> {
    let location = store(file);
    properties(&[
        ("ssl.keystore.location", &location),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.keystore.password", "storepass"),
    ])
}

/// The broker's end of TLS.
fn acceptor(set: impl FnOnce(&mut openssl::ssl::SslAcceptorBuilder)) -> SslAcceptor {
    let config: ConfigMap = identity("broker.p12").into_iter().collect();
    let identity = tether_keystore::identity(&config, "").unwrap().unwrap();
    let chain = X509::stack_from_pem(identity.chain.as_bytes()).unwrap();
    let key = PKey::private_key_from_pem(identity.key.reveal().as_bytes()).unwrap();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_certificate(&chain[0]).unwrap();
    builder.set_private_key(&key).unwrap();
    builder.set_ca_file(store("ca.pem")).unwrap();
    set(&mut builder);
    builder.build()
}

/// Serves one connection with TLS at this address, and connects to it with these
/// properties.
async fn connect(
    acceptor: SslAcceptor,
    host: &str,
    properties: &[(String, String)],
) -> Result<(), (BrokerErrorKind, String)> {
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let session = Ssl::new(acceptor.context()).unwrap();
        let mut stream = SslStream::new(session, stream).unwrap();
        if std::pin::Pin::new(&mut stream).accept().await.is_ok() {
            serve(stream, [greeting(), alive()]).await;
        }
    });
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let brokers = brokers("127.0.0.1:1", &properties);
    let outcome = match brokers.connect(host, address.port()).await {
        Ok(mut connection) => heartbeat(&mut *connection).await,
        Err(error) => Err(error),
    };
    served.await.unwrap();
    outcome
        .map(|error| assert_eq!(error, 0))
        .map_err(|error| (error.kind, error.message))
}

#[tokio::test]
async fn a_broker_has_to_be_trusted() {
    let open = || acceptor(|_| {});
    assert_eq!(connect(open(), "127.0.0.1", &trusting()).await, Ok(()));

    let of_the_system = properties(&[("security.protocol", "SSL")]);
    let (kind, message) = connect(open(), "127.0.0.1", &of_the_system)
        .await
        .unwrap_err();
    assert_eq!(kind, Refused);
    assert!(message.contains("is not trusted"), "{message}");
    assert!(message.ends_with("check ssl.truststore.*"), "{message}");

    let (kind, message) = connect(open(), "127.0.0.2", &trusting()).await.unwrap_err();
    assert_eq!(kind, Refused);
    assert!(
        message.contains("its certificate is not for this host"),
        "{message}"
    );
    let unchecked = [
        trusting(),
        properties(&[("ssl.endpoint.identification.algorithm", "")]),
    ];
    let outcome = connect(open(), "127.0.0.2", &unchecked.concat()).await;
    assert_eq!(outcome, Ok(()));
}

/// A trust store may have the broker's own certificate only.
#[tokio::test]
async fn a_certificate_can_be_trusted_without_its_issuer() {
    let config: ConfigMap = identity("broker.p12").into_iter().collect();
    let chain = tether_keystore::identity(&config, "")
        .unwrap()
        .unwrap()
        .chain;
    let end = chain.find("-----END CERTIFICATE-----").unwrap();
    let own = format!("{}-----END CERTIFICATE-----", &chain[..end]);
    let properties = properties(&[
        ("security.protocol", "SSL"),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.certificates", &own),
    ]);
    assert_eq!(
        connect(acceptor(|_| {}), "127.0.0.1", &properties).await,
        Ok(())
    );
}

#[tokio::test]
async fn a_broker_may_want_a_certificate() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let strict = || {
            acceptor(|builder| {
                builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
                builder.set_max_proto_version(Some(version)).unwrap();
            })
        };
        let known = [trusting(), identity("client.p12")].concat();
        assert_eq!(connect(strict(), "127.0.0.1", &known).await, Ok(()));
        let (kind, message) = connect(strict(), "127.0.0.1", &trusting())
            .await
            .unwrap_err();
        assert_eq!(kind, Refused, "{message}");
        assert!(message.contains("(ssl.keystore.*)"), "{message}");
    }
}

#[tokio::test]
async fn versions_are_those_that_are_enabled() {
    let newest = || {
        acceptor(|builder| {
            builder
                .set_min_proto_version(Some(SslVersion::TLS1_3))
                .unwrap();
        })
    };
    let old = [
        trusting(),
        properties(&[("ssl.enabled.protocols", "TLSv1.2")]),
    ]
    .concat();
    let (kind, message) = connect(newest(), "127.0.0.1", &old).await.unwrap_err();
    assert_eq!(kind, Refused);
    assert!(message.contains("ssl.enabled.protocols"), "{message}");
    assert_eq!(connect(newest(), "127.0.0.1", &trusting()).await, Ok(()));

    let none: ConfigMap = [
        ("bootstrap.servers", "b:1"),
        ("security.protocol", "SSL"),
        ("ssl.enabled.protocols", "SSLv3"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    assert_eq!(
        NetworkBrokers::new(&none).unwrap_err().message,
        "Invalid value SSLv3 for configuration ssl.enabled.protocols: none of them is supported"
    );
}

#[tokio::test]
async fn a_listener_without_tls_gets_a_hint() {
    // A broker takes the beginning of TLS for a length that is too large.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_i32().await.unwrap();
    });
    let (kind, message) = error(
        brokers(&address, &[("security.protocol", "SSL")])
            .any()
            .await,
    );
    assert_eq!(kind, Unreachable);
    let hint = "set security.protocol to PLAINTEXT or SASL_PLAINTEXT";
    assert!(message.ends_with(hint), "{message}");
}
