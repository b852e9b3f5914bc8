//! Who this client is.

use std::fmt::Write;

use super::*;
use BrokerErrorKind::{Refused, Unreachable};

const PLAIN: [(&str, &str); 3] = [
    ("security.protocol", "SASL_PLAINTEXT"),
    ("sasl.mechanism", "PLAIN"),
    (
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username='alice' \
         password='hunter2';",
    ),
];

const OAUTHBEARER: [(&str, &str); 3] = [
    ("security.protocol", "SASL_PLAINTEXT"),
    ("sasl.mechanism", "OAUTHBEARER"),
    (
        "sasl.jaas.config",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
         unsecuredLoginStringClaim_sub='carol';",
    ),
];

/// The answer to SaslHandshake.
fn mechanisms(error: i16, accepted: &[&str]) -> Answer {
    let mut body = error.to_be_bytes().to_vec();
    body.extend_from_slice(&(accepted.len() as i32).to_be_bytes());
    for name in accepted {
        body.extend_from_slice(&(name.len() as i16).to_be_bytes());
        body.extend_from_slice(name.as_bytes());
    }
    Answer::Body(body)
}

/// The answer to SaslAuthenticate.
fn step(error: i16, message: &str, bytes: &[u8], lifetime_ms: i64) -> Answer {
    let mut body = error.to_be_bytes().to_vec();
    body.extend_from_slice(&(message.len() as i16).to_be_bytes());
    body.extend_from_slice(message.as_bytes());
    body.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(&lifetime_ms.to_be_bytes());
    Answer::Body(body)
}

/// The error of a connection to a broker with these answers after the greeting.
async fn refusal(
    properties: &[(&str, &str)],
    answers: Vec<Answer>,
) -> (BrokerErrorKind, String, Vec<Received>) {
    let answers = [vec![greeting()], answers].into_iter().flatten().collect();
    let (address, served) = listen(vec![answers]).await;
    let (kind, message) = error(brokers(&address, properties).any().await);
    let message = message.replace(&address, "b");
    (kind, message, served.await.unwrap().remove(0))
}

#[tokio::test]
async fn a_password_is_said_and_not_shown() {
    let (kind, message, requests) = refusal(
        &PLAIN,
        vec![mechanisms(0, &["PLAIN"]), step(58, "Who?", b"", 0)],
    )
    .await;
    assert_eq!(kind, Refused);
    assert_eq!(
        message,
        "Broker b: SASL PLAIN failed: Who?; check sasl.jaas.config"
    );
    assert_eq!(requests[1].body, b"\0\x05PLAIN");
    assert_eq!(requests[2].body, b"\0\0\0\x0e\0alice\0hunter2");
    let mut shown = String::new();
    write!(shown, "{:?}", brokers("b:1", &PLAIN)).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let (_, other, _) = refusal(&PLAIN, vec![mechanisms(33, &["GSSAPI", "SCRAM-SHA-512"])]).await;
    assert_eq!(
        other,
        "Broker b: it does not accept the SASL mechanism PLAIN; set sasl.mechanism to one of \
         those that it has: GSSAPI, SCRAM-SHA-512"
    );
    let (kind, none, _) = refusal(&PLAIN, vec![mechanisms(34, &[])]).await;
    assert_eq!(kind, Refused);
    assert!(
        none.contains("set security.protocol to one without SASL"),
        "{none}"
    );
    let (kind, ended, _) = refusal(&PLAIN, vec![mechanisms(0, &[])]).await;
    assert_eq!(kind, Unreachable);
    assert_eq!(
        ended,
        "Broker b: it ended the connection; check security.protocol and sasl.*, which may not be \
         those of the listener"
    );
}

#[tokio::test]
async fn a_server_of_scram_that_proves_nothing_is_refused() {
    let scram = [PLAIN[0], ("sasl.mechanism", "SCRAM-SHA-256"), PLAIN[2]];
    let (kind, message, requests) = refusal(
        &scram,
        vec![mechanisms(0, &[]), step(0, "", b"r=short,s=YQ==,i=4096", 0)],
    )
    .await;
    assert_eq!(kind, Refused);
    assert_eq!(
        message,
        "Broker b: SASL SCRAM-SHA-256 failed: the server's nonce does not begin with the \
         client's; check sasl.jaas.config"
    );
    assert!(requests[2].body[4..].starts_with(b"n,,n=alice,r="));
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_read_to_the_end() {
    let reason = b"{\"status\":\"invalid_token\"}";
    let (kind, message, requests) = refusal(
        &OAUTHBEARER,
        vec![
            mechanisms(0, &[]),
            step(0, "", reason, 0),
            step(58, "invalid token", b"", 0),
        ],
    )
    .await;
    assert_eq!(kind, Refused);
    let told = "Broker b: SASL OAUTHBEARER failed: invalid token; check sasl.jaas.config";
    assert_eq!(message, told);
    assert!(requests[2].body[4..].starts_with(b"n,,\x01auth=Bearer ey"));
    assert_eq!(requests[3].body, [0, 0, 0, 1, 1]);
}

#[tokio::test]
async fn a_proof_that_expires_is_given_again() {
    let login = |lifetime_ms| vec![mechanisms(0, &[]), step(0, "", b"", lifetime_ms)];
    let answers = vec![
        vec![greeting()],
        login(1000),
        vec![alive()],
        // The next proof, which lasts.
        login(0),
        vec![alive(), alive()],
    ];
    let (address, served) = listen(vec![answers.into_iter().flatten().collect()]).await;
    let mut connection = brokers(&address, &PLAIN).any().await.unwrap();
    assert_eq!(heartbeat(&mut *connection).await, Ok(0));
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(1000)).await;
    tokio::time::resume();
    for _ in 0..2 {
        assert_eq!(heartbeat(&mut *connection).await, Ok(0));
    }
    drop(connection);
    let kinds: Vec<_> = served.await.unwrap()[0].iter().map(|r| r.key).collect();
    assert_eq!(kinds, [18, 17, 36, 12, 17, 36, 12, 12]);
}
