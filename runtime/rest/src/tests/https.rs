//! Requests to other workers over https.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tether_storage::SessionKey;
use tether_worker::session::{Algorithm, Signer, Verifier};

use super::peer::Worker;
use super::sockets::Authority;

const HTTPS: (&str, &str) = ("listeners", "https://127.0.0.1:0");
const HTTP: (&str, &str) = ("listeners", "http://127.0.0.1:0");

/// Key and certificate of a worker that nobody else vouches for.
fn self_signed(name: &str) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    format!("{}{}", key.serialize_pem(), certificate.pem())
}

/// The properties of a key store and a trust store.
fn stores<'a>(own: Option<&'a str>, trusted: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mut properties = vec![];
    if let Some(own) = own {
        properties.push(("ssl.keystore.type", "PEM"));
        properties.push(("ssl.keystore.key", own));
        properties.push(("ssl.keystore.certificate.chain", own));
    }
    if let Some(trusted) = trusted {
        properties.push(("ssl.truststore.type", "PEM"));
        properties.push(("ssl.truststore.certificates", trusted));
    }
    properties
}

/// What a worker with these properties gets from that one.
async fn fence(asking: &[(&str, &str)], leader: &Worker) -> Result<(), String> {
    let asking = Worker::with(&[&[HTTP], asking].concat()).await;
    let key = SessionKey {
        key: Arc::from(*b"secret"),
        algorithm: "HmacSHA256".to_owned(),
        created: 0,
    };
    let verifier = Verifier::new(vec!["HmacSHA256".to_owned()]);
    *leader.herder.session.lock().unwrap() = Some((verifier, Some(key.clone())));
    let signer = Signer::new(key, Algorithm::from_name("HmacSHA256").unwrap());
    let peers = &asking.peers;
    let fenced = peers.fence_zombies(&leader.url, "x", Some(&signer)).await;
    fenced.map_err(|error| error.message().to_owned())
}

#[tokio::test]
async fn workers_trust_those_whom_their_authority_vouches_for() {
    let authority = Authority::new();
    let (pem, own) = (authority.pem(), authority.issue("127.0.0.1"));
    let leader = Worker::with(&[&[HTTPS], &*stores(Some(&own), None)].concat()).await;
    assert!(leader.url.starts_with("https://127.0.0.1:"));

    fence(&stores(None, Some(&pem)), &leader).await.unwrap();
    fence(&stores(Some(&own), Some(&pem)), &leader)
        .await
        .unwrap();
    assert_eq!(leader.herder.fenced.lock().unwrap().len(), 2);
    let prefixed: Vec<(String, &str)> = stores(None, Some(&pem))
        .into_iter()
        .map(|(key, value)| (format!("listeners.https.{key}"), value))
        .collect();
    let prefixed: Vec<_> = prefixed
        .iter()
        .map(|(key, value)| (&**key, *value))
        .collect();
    fence(&prefixed, &leader).await.unwrap();

    let foreign = Authority::new().pem();
    for properties in [stores(None, Some(&foreign)), stores(None, None)] {
        let message = fence(&properties, &leader).await.unwrap_err();
        assert!(message.contains("invalid peer certificate"), "{message}");
    }
}

#[tokio::test]
async fn workers_may_share_a_certificate_that_nobody_vouches_for() {
    let (own, other) = (self_signed("127.0.0.1"), self_signed("127.0.0.1"));
    let leader = Worker::with(&[&[HTTPS], &*stores(Some(&own), None)].concat()).await;
    // In the trust store, or in place of one in the key store.
    fence(&stores(None, Some(&own)), &leader).await.unwrap();
    fence(&stores(Some(&own), None), &leader).await.unwrap();
    assert!(fence(&stores(Some(&other), None), &leader).await.is_err());
    assert!(
        fence(&stores(Some(&own), Some(&other)), &leader)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn host_names_are_checked_unless_a_user_wants_otherwise() {
    let authority = Authority::new();
    let (pem, own) = (authority.pem(), authority.issue("worker.example"));
    let leader = Worker::with(&[&[HTTPS], &*stores(Some(&own), None)].concat()).await;
    let message = fence(&stores(None, Some(&pem)), &leader).await.unwrap_err();
    assert!(message.contains("not valid for name"), "{message}");
    let mut careless = stores(None, Some(&pem));
    careless.push(("ssl.endpoint.identification.algorithm", ""));
    fence(&careless, &leader).await.unwrap();
    // Who they are counts even so.
    let foreign = Authority::new().pem();
    let mut careless = stores(None, Some(&foreign));
    careless.push(("ssl.endpoint.identification.algorithm", ""));
    assert!(fence(&careless, &leader).await.is_err());
}

#[tokio::test]
async fn workers_show_their_own_certificate() {
    let authority = Authority::new();
    let (pem, own) = (authority.pem(), authority.issue("127.0.0.1"));
    let strict = [
        &[HTTPS, ("ssl.client.auth", "required")],
        &*stores(Some(&own), Some(&pem)),
    ];
    let leader = Worker::with(&strict.concat()).await;
    fence(&stores(Some(&own), Some(&pem)), &leader)
        .await
        .unwrap();
    let message = fence(&stores(None, Some(&pem)), &leader).await.unwrap_err();
    assert!(
        message.starts_with("IO Error trying to forward REST request: "),
        "{message}"
    );
}

#[tokio::test]
async fn stores_are_read_when_they_are_needed() {
    let broken = [
        ("ssl.keystore.location", "/nope.pem"),
        ("ssl.keystore.type", "PEM"),
    ];
    let plain = Worker::start().await;
    fence(&broken, &plain).await.unwrap();
    let own = self_signed("127.0.0.1");
    let leader = Worker::with(&[&[HTTPS], &*stores(Some(&own), None)].concat()).await;
    let message = fence(&broken, &leader).await.unwrap_err();
    assert!(
        message.starts_with("Failed to start RestClient: "),
        "{message}"
    );
    assert!(message.contains("/nope.pem"), "{message}");
}
