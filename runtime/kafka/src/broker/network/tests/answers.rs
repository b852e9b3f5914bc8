//! Answers that are late, cut, too large or to something else. The streams are
//! in memory, so that time can pass at once.

use tokio::io::{DuplexStream, duplex};

use super::*;
use BrokerErrorKind::{Incompatible, Unreachable};

/// A connection that was greeted, and a broker that gives these answers.
async fn connected(answers: Vec<Answer>) -> (Connection, JoinHandle<Vec<Received>>) {
    let (wire, served) = wired([vec![greeting()], answers].into_iter().flatten());
    let security = Security {
        encrypted: false,
        credentials: None,
        timeout: PATIENCE,
    };
    let connection = Connection::open(wire, Arc::new(security)).await.unwrap();
    (connection, served)
}

fn wired(
    answers: impl Iterator<Item = Answer> + Send + 'static,
) -> (Wire, JoinHandle<Vec<Received>>) {
    let (near, far): (DuplexStream, DuplexStream) = duplex(1024);
    let served = tokio::spawn(serve(far, answers.collect::<Vec<_>>()));
    let wire = Wire::new(Box::new(near), "b:9092".to_owned(), "c".to_owned());
    (wire, served)
}

fn raw(bytes: &[u8]) -> Vec<Answer> {
    vec![Answer::Raw(bytes.to_vec())]
}

#[tokio::test]
async fn requests_are_answered_one_after_the_other() {
    let (mut connection, served) = connected(vec![alive(), alive()]).await;
    for _ in 0..2 {
        assert_eq!(heartbeat(&mut connection).await, Ok(0));
    }
    let requests = served.await.unwrap();
    let kinds: Vec<_> = requests.iter().map(|r| (r.key, r.version)).collect();
    assert_eq!(kinds, [(ApiVersions::KEY, 0), (12, 2), (12, 2)]);
    assert_eq!(requests[1].body, b"\0\x01g\0\0\0\x01\0\x01m");
}

#[tokio::test]
async fn a_failure_breaks_a_connection() {
    for (bytes, kind, message) in [
        (
            &[0, 0, 0, 4, 0, 0, 0, 7][..],
            Incompatible,
            "Broker b:9092: it answers request 7 instead of 1",
        ),
        (
            &[0xff, 0xff, 0xff, 0xff],
            Incompatible,
            "Broker b:9092: its answer has a length of -1 bytes, where 4 to 104857600 are allowed; \
             is there a broker of Kafka at this port?",
        ),
        (
            b"HTTP/1.1 400",
            Incompatible,
            "Broker b:9092: its answer has a length of 1213486160 bytes, where 4 to 104857600 are \
             allowed; is there a broker of Kafka at this port?",
        ),
        (
            // The memory for this is not taken before it comes.
            &[6, 0, 0, 0, 0, 0, 0, 1, 0],
            Unreachable,
            "Broker b:9092: it ended the connection; if the listener wants to know who this \
             client is, set security.protocol to SASL_PLAINTEXT or SASL_SSL",
        ),
    ] {
        let (mut connection, _served) = connected(raw(bytes)).await;
        let failed = error(heartbeat(&mut connection).await);
        assert_eq!(failed, (kind, message.to_owned()));
        let broken = "Broker b:9092: the connection broke with an earlier request".to_owned();
        let later = error(heartbeat(&mut connection).await);
        assert_eq!(later, (Unreachable, broken));
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection() {
    let (mut connection, _served) = connected(vec![Answer::Silence]).await;
    let (kind, message) = error(heartbeat(&mut connection).await);
    assert_eq!(kind, Unreachable);
    assert_eq!(message, "Broker b:9092: no answer came within 60000 ms");
}

#[tokio::test]
async fn a_dropped_call_breaks_a_connection() {
    let (mut connection, _served) = connected(vec![Answer::Silence]).await;
    {
        let call = heartbeat(&mut connection);
        tokio::pin!(call);
        assert!(futures::poll!(&mut call).is_pending());
    }
    let (_, message) = error(heartbeat(&mut connection).await);
    assert!(
        message.ends_with("broke with an earlier request"),
        "{message}"
    );
}

#[tokio::test]
async fn a_broker_that_is_too_old_is_refused() {
    // It has no JoinGroup that is known here.
    let body = [
        &[0, 0, 0, 0, 0, 2][..],
        &[0, 10, 0, 0, 0, 3],
        &[0, 11, 0, 0, 0, 1],
    ];
    let (wire, _served) = wired([Answer::Body(body.concat())].into_iter());
    let security = Security {
        encrypted: false,
        credentials: None,
        timeout: PATIENCE,
    };
    let (kind, message) = error(Connection::open(wire, Arc::new(security)).await);
    assert_eq!(kind, Incompatible);
    let kinds = "Broker b:9092: it does not understand requests of kind 11";
    assert!(message.starts_with(kinds), "{message}");
}

proptest::proptest! {
    /// Whatever comes, the call ends, and fails unless it is an answer.
    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes: Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let whole = bytes.starts_with(&[0, 0, 0, 10, 0, 0, 0, 1]) && bytes.len() >= 14;
        let outcome = runtime.block_on(async {
            let (mut connection, _served) = connected(raw(&bytes)).await;
            connection.call(12, 2, &[], PATIENCE).await
        });
        proptest::prop_assert!(whole || outcome.is_err());
    }
}
