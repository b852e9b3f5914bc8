//! Which broker is reached, and when.

use super::*;
use crate::broker::Growing;
use BrokerErrorKind::{Refused, Unreachable};

/// An address where nothing listens.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn dead_servers_are_passed_over() {
    let (alive_at, served) = listen((0..8).map(|_| vec![greeting(), alive()]).collect()).await;
    let bootstrap = format!("{},{alive_at},{}", dead().await, dead().await);
    let brokers = brokers(&bootstrap, &[]);
    for _ in 0..8 {
        let mut connection = brokers.any().await.unwrap();
        assert_eq!(heartbeat(&mut *connection).await, Ok(0));
    }
    assert_eq!(served.await.unwrap().len(), 8);
}

#[tokio::test]
async fn every_server_is_named_in_the_error() {
    let (refusing, _served) = listen(vec![vec![Answer::Raw(vec![0x15, 3, 3, 0, 2, 2, 80])]]).await;
    let dead = dead().await;
    let (kind, message) = error(brokers(&format!("{dead},{refusing}"), &[]).any().await);
    assert_eq!(kind, Refused);
    assert!(
        message.starts_with("None of bootstrap.servers can be used: "),
        "{message}"
    );
    let refused = format!("Broker {dead}: cannot connect to {dead}: ");
    assert!(message.contains(&refused), "{message}");
    let tls = format!("Broker {refusing}: it expects TLS; set security.protocol to SSL");
    assert!(message.contains(&tls), "{message}");
}

#[tokio::test]
async fn a_broker_is_reached_by_name() {
    let (address, _served) = listen(vec![vec![greeting(), alive()]]).await;
    let (_, port) = address.rsplit_once(':').unwrap();
    let brokers = brokers("127.0.0.1:1", &[]);
    let mut connection = brokers
        .connect("localhost", port.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(heartbeat(&mut *connection).await, Ok(0));
}

#[tokio::test]
async fn a_server_that_ends_the_connection_gets_a_hint() {
    let (address, _served) = listen(vec![vec![Answer::Raw(Vec::new())]]).await;
    let (kind, message) = error(brokers(&address, &[]).any().await);
    assert_eq!(kind, Unreachable);
    let hint = "it ended the connection; if the listener expects TLS, set security.protocol";
    assert!(message.contains(hint), "{message}");
}

#[tokio::test(start_paused = true)]
async fn times_grow_with_failures() {
    let seconds = Duration::from_secs;
    let growing = |first, longest| Growing {
        first: seconds(first),
        longest: seconds(longest),
    };
    let reconnects = Reconnects::new(growing(1, 10), growing(10, 30));
    let broker = Address {
        host: "b".to_owned(),
        port: 9092,
    };
    let near = |actual: Duration, expected: u64| {
        let range = seconds(expected).mul_f64(0.8)..=seconds(expected).mul_f64(1.2);
        assert!(
            range.contains(&actual),
            "{actual:?} is not near {expected} s"
        );
    };
    assert_eq!(reconnects.next(&broker), None);
    near(reconnects.setup_timeout(&broker), 10);
    for (wait, setup) in [(1, 20), (2, 30), (4, 30), (8, 30), (10, 30), (10, 30)] {
        reconnects.failed(&broker);
        let next = reconnects.next(&broker).unwrap();
        near(next - Instant::now(), wait);
        near(reconnects.setup_timeout(&broker), setup);
    }
    reconnects.succeeded(&broker);
    assert_eq!(reconnects.next(&broker), None);
}

#[test]
fn addresses_are_those_of_javas_properties() {
    let brokers = brokers("PLAINTEXT://a:1,[::1]:2", &[("client.id", "me")]);
    let servers: Vec<_> = brokers.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["a:1", "[::1]:2"]);
    assert_eq!(brokers.servers[1].host, "::1");
    assert_eq!(brokers.client_id, "me");
    assert_eq!(brokers.security.timeout, Duration::from_secs(40));
}
