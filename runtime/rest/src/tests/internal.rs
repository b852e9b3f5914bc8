//! Requests of one worker to another.

use std::sync::Arc;

use indexmap::IndexMap;
use tether_api::config::ConfigMap;
use tether_storage::SessionKey;
use tether_worker::herder::{Answered, status_of};
use tether_worker::session::{Algorithm, Signer, Verifier};

use super::peer::{Worker, answering};

fn key(secret: &[u8]) -> SessionKey {
    SessionKey {
        key: Arc::from(secret),
        algorithm: "HmacSHA256".to_owned(),
        created: 0,
    }
}

fn signer(algorithm: &str, secret: &[u8]) -> Signer {
    Signer::new(key(secret), Algorithm::from_name(algorithm).unwrap())
}

/// A leader that verifies what it's asked.
async fn leader(key: Option<SessionKey>) -> Worker {
    let leader = Worker::start().await;
    let verifier = Verifier::new(vec!["HmacSHA256".to_owned(), "HmacSHA512".to_owned()]);
    *leader.herder.session.lock().unwrap() = Some((verifier, key));
    leader
}

fn configs() -> Vec<ConfigMap> {
    ["a", "é"]
        .map(|value| IndexMap::from([("k".to_owned(), value.to_owned())]))
        .into()
}

#[tokio::test]
async fn signed_requests_reach_the_leader() {
    let (follower, leader) = (Worker::start().await, leader(Some(key(b"secret"))).await);
    for algorithm in ["HmacSHA256", "HmacSHA512"] {
        let signer = signer(algorithm, b"secret");
        let peers = &follower.peers;
        peers
            .put_task_configs(&leader.url, "a/b", &configs(), Some(&signer))
            .await
            .unwrap();
        peers
            .fence_zombies(&leader.url, "a/b", Some(&signer))
            .await
            .unwrap();
    }
    let put = leader.herder.task_configs.lock().unwrap();
    assert_eq!(put.len(), 2);
    let (connector, taken) = &put[1];
    assert_eq!(connector, "a/b");
    let values: Vec<_> = taken.iter().map(|config| config["k"].as_deref()).collect();
    assert_eq!(values, [Some("a"), Some("é")]);
    assert_eq!(*leader.herder.fenced.lock().unwrap(), ["a/b", "a/b"]);
}

#[tokio::test]
async fn internal_requests_look_like_those_of_the_reference() {
    let follower = Worker::start().await;
    let secret: Vec<u8> = (0..32).collect();
    let signer = signer("HmacSHA256", &secret);
    let (url, request) = answering("204 No Content\r\n\r\n").await;
    let put = follower
        .peers
        .put_task_configs(&url, "x", &configs(), Some(&signer))
        .await;
    put.unwrap();
    let request = request.await.unwrap();
    assert_eq!(request.line, "POST /connectors/x/tasks HTTP/1.1");
    assert_eq!(request.body, r#"[{"k":"a"},{"k":"é"}]"#);
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(
        request.header("x-connect-authorization"),
        signer.sign(request.body.as_bytes()).unwrap()
    );
    assert_eq!(
        request.header("x-connect-request-signature-algorithm"),
        "HmacSHA256"
    );

    let (url, request) = answering("204 No Content\r\n\r\n").await;
    let fenced = follower.peers.fence_zombies(&url, "x", Some(&signer)).await;
    fenced.unwrap();
    let request = request.await.unwrap();
    assert_eq!(request.line, "PUT /connectors/x/fence HTTP/1.1");
    assert_eq!((&*request.body, request.header("content-type")), ("", ""));
    // Java's code of no bytes with this key.
    assert_eq!(
        request.header("x-connect-authorization"),
        "04tCCW2A9F+Ca0Sp1WB95ySWpBXT9KGoyI47udqNwcs="
    );

    let (url, request) = answering("204 No Content\r\n\r\n").await;
    follower.peers.fence_zombies(&url, "x", None).await.unwrap();
    let request = request.await.unwrap();
    assert_eq!(request.header("x-connect-authorization"), "");
}

#[tokio::test]
async fn refusals_come_with_their_status() {
    let follower = Worker::start().await;
    let refused = async |leader: &Worker, signer: Option<Signer>| {
        let peers = &follower.peers;
        let put = peers
            .put_task_configs(&leader.url, "x", &configs(), signer.as_ref())
            .await
            .unwrap_err();
        let fenced = peers
            .fence_zombies(&leader.url, "x", signer.as_ref())
            .await
            .unwrap_err();
        assert_eq!(put.message(), fenced.message());
        assert_eq!(status_of(&put), status_of(&fenced));
        let Answered { status, error_code } = status_of(&put).unwrap();
        assert_eq!(i32::from(status), error_code);
        (status, put.message().to_owned())
    };
    let knowing = leader(Some(key(b"secret"))).await;
    let (status, message) = refused(&knowing, None).await;
    assert_eq!(
        (status, &*message),
        (400, "Internal request missing required signature")
    );
    let (status, message) = refused(&knowing, Some(signer("HmacSHA1", b"secret"))).await;
    assert_eq!(status, 400);
    assert!(
        message.starts_with("This worker does not support the 'HmacSHA1' key signing algorithm"),
        "{message}"
    );
    let (status, message) = refused(&knowing, Some(signer("HmacSHA256", b"old"))).await;
    assert_eq!(
        (status, &*message),
        (403, "Internal request contained invalid signature.")
    );
    let starting = leader(None).await;
    let (status, message) = refused(&starting, Some(signer("HmacSHA256", b"secret"))).await;
    assert_eq!(status, 503);
    assert!(
        message.starts_with("This worker is still starting up"),
        "{message}"
    );
    assert!(knowing.herder.task_configs.lock().unwrap().is_empty());
    assert!(knowing.herder.fenced.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_content_counts_only_if_the_signature_is_right() {
    let leader = leader(Some(key(b"secret"))).await;
    let signed = |body: &str| {
        let signature = signer("HmacSHA256", b"secret")
            .sign(body.as_bytes())
            .unwrap();
        format!(
            "X-Connect-Authorization: {signature}\r\n\
             X-Connect-Request-Signature-Algorithm: HmacSHA256\r\n"
        )
    };
    let line = "POST /connectors/x/tasks";
    let (status, message) = leader.ask_with(line, &signed("[]"), "{").await.error();
    assert_eq!(
        (status, &*message),
        (403, "Internal request contained invalid signature.")
    );
    let (status, message) = leader.ask_with(line, &signed("{"), "{").await.error();
    assert_eq!(status, 400);
    assert!(
        message.starts_with("The request body is not valid JSON"),
        "{message}"
    );
    // What was signed are the bytes, not what they mean.
    let (status, _) = leader.ask_with(line, &signed("[]"), "[ ]").await.error();
    assert_eq!(status, 403);
    let taken = leader.ask_with(line, &signed("[ ]"), "[ ]").await;
    assert_eq!((taken.status(), &*taken.body), (204, ""));
}

#[tokio::test]
async fn a_request_to_the_wrong_worker_loses_its_signature() {
    let (wrong, leader) = (
        leader(Some(key(b"secret"))).await,
        leader(Some(key(b"secret"))).await,
    );
    wrong.defer_to(&leader.url);
    let signer = signer("HmacSHA256", b"secret");
    for outcome in [
        wrong
            .peers
            .put_task_configs(&wrong.url, "x", &configs(), Some(&signer))
            .await,
        wrong
            .peers
            .fence_zombies(&wrong.url, "x", Some(&signer))
            .await,
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(status_of(&error).map(|answered| answered.status), Some(400));
        assert_eq!(
            error.message(),
            "Internal request missing required signature"
        );
    }
    assert!(leader.herder.task_configs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_leader_that_is_gone_has_no_status() {
    let follower = Worker::start().await;
    let error = follower
        .peers
        .fence_zombies("http://127.0.0.1:9", "x", None)
        .await
        .unwrap_err();
    assert_eq!(status_of(&error), None);
    assert!(
        error
            .message()
            .starts_with("IO Error trying to forward REST request: "),
        "{error}"
    );
}
