//! What a poll makes of each kind of answer.

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::data::{Type, Value};
use tether_api::offset::OffsetMap;
use tether_api::record::SourceRecord;

use crate::server::{Answer, Server};
use crate::task::{Running, connector};

fn user(id: usize) -> String {
    format!(
        r#"{{"id":{id},"name":"n","username":"u","email":"e","address":{{"street":"s",
        "suite":"t","city":"c","zipcode":"z","geo":{{"lat":"1","lng":"2"}}}},"phone":"p",
        "website":"w","company":{{"name":"n","catchPhrase":"p","bs":"b"}}}}"#
    )
}

fn users(count: usize) -> String {
    let all: Vec<String> = (1..=count).map(user).collect();
    format!("[{}]", all.join(","))
}

fn keys(records: &[SourceRecord]) -> Vec<Value> {
    records.iter().map(|r| r.record.key.clone()).collect()
}

fn ids(range: std::ops::RangeInclusive<i32>) -> Vec<Value> {
    range.map(Value::from).collect()
}

#[tokio::test]
async fn an_array_gives_a_record_per_element_and_every_poll_gives_all_again() {
    let server = Server::start([Answer::ok(users(10)), Answer::ok(users(10))]).await;
    let mut running = Running::start(&server.url, &[]).await;
    for _ in 0..2 {
        let records = running.records(10).await;
        assert_eq!(keys(&records), ids(1..=10));
        for record in &records {
            assert_eq!(&*record.record.topic, "users");
            let schema = record.record.value_schema.as_ref().unwrap();
            assert_eq!(schema.name(), Some("com.example.kafka.connect.User"));
            assert_eq!(
                *record.source_partition,
                OffsetMap::new().with("endpoint", server.url.as_str())
            );
            let offset = record.source_offset.as_ref().unwrap();
            assert!(matches!(offset.get("timestamp"), Some(Value::Int64(_))));
            assert!(Arc::ptr_eq(
                offset,
                records[0].source_offset.as_ref().unwrap()
            ));
        }
    }
}

#[tokio::test]
async fn an_object_is_one_record() {
    let server = Server::start([Answer::ok(user(3))]).await;
    let records = Running::start(&server.url, &[]).await.records(1).await;
    assert_eq!(keys(&records), ids(3..=3));
}

#[tokio::test]
async fn other_json_and_empty_bodies_give_nothing() {
    let server = Server::start([
        Answer::ok("5"),
        Answer::ok("[]"),
        Answer::Body(204, String::new()),
        Answer::ok(user(1)),
    ])
    .await;
    let records = Running::start(&server.url, &[]).await.records(1).await;
    assert_eq!(keys(&records), ids(1..=1));
    assert!(server.requests(4).await.len() >= 4);
}

#[tokio::test]
async fn a_misfit_among_others_is_its_json_text() {
    let body = format!("[{}, {{ \"id\": 2 }}, 7, {}]", user(1), user(3));
    let server = Server::start([Answer::ok(body)]).await;
    let records = Running::start(&server.url, &[]).await.records(4).await;
    assert_eq!(
        keys(&records),
        [1.into(), "{\"id\":2}".into(), "7".into(), 3.into()]
    );
    let text = &records[1].record;
    assert_eq!(text.value, text.key);
    for schema in [&text.key_schema, &text.value_schema] {
        assert_eq!(schema.as_ref().map(|s| s.kind()), Some(Type::String));
    }
}

#[tokio::test]
async fn more_than_a_hundred_and_more_than_a_batch_all_arrive() {
    for count in [101, 1001, 4500] {
        let server = Server::start([Answer::ok(users(count))]).await;
        let records = Running::start(&server.url, &[]).await.records(count).await;
        assert_eq!(keys(&records), ids(1..=count as i32));
    }
}

#[tokio::test]
async fn failures_are_reported_and_the_next_interval_goes_on() {
    let server = Server::start([
        Answer::Body(500, "s3cret".to_owned()),
        Answer::Body(404, "s3cret".to_owned()),
        Answer::ok("<html>s3cret"),
        Answer::ok(users(1)),
    ])
    .await;
    let mut running = Running::start(&server.url, &[]).await;
    for reason in ["500", "404", "not JSON"] {
        let error = running.error().await;
        assert!(error.contains(reason), "{error}");
        assert!(error.contains(&server.url), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    assert_eq!(keys(&running.records(1).await), ids(1..=1));
}

#[tokio::test]
async fn a_passing_failure_is_retried_within_the_interval() {
    let server = Server::start([Answer::Body(503, String::new()), Answer::ok(users(1))]).await;
    let hour = [("poll.interval.ms", "3600000")];
    let records = Running::start(&server.url, &hour).await.records(1).await;
    assert_eq!(keys(&records), ids(1..=1));
}

#[tokio::test]
async fn a_refused_connection_is_reported() {
    let url = Server::start([]).await.url.clone();
    let error = Running::start(&url, &[]).await.error().await;
    assert!(error.to_lowercase().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_stop_ends_a_request_that_hangs() {
    let server = Server::start([Answer::Silence]).await;
    let mut running = Running::start(&server.url, &[]).await;
    let stopping = running.stopping.clone();
    let polling = tokio::spawn(async move {
        while !running.stopping.is_cancelled() {
            assert_eq!(running.task.poll().await.unwrap(), []);
        }
        running.task.stop().await.unwrap();
    });
    server.requests(1).await;
    stopping.cancel();
    // The server never answers, and the request's own limit is a minute.
    tokio::time::timeout(Duration::from_secs(30), polling)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_key_goes_into_its_header_if_there_is_one() {
    let server = Server::start([Answer::ok(users(1)), Answer::ok(users(1))]).await;
    Running::start(&server.url, &[("api.key", "k1")])
        .await
        .records(1)
        .await;
    Running::start(&server.url, &[("api.key", "")])
        .await
        .records(1)
        .await;
    let requests = server.requests(2).await;
    assert_eq!(requests[0]["x-api-key"], "k1");
    assert!(!requests[1].contains_key("x-api-key"));
}

#[tokio::test]
async fn the_key_does_not_follow_to_another_server() {
    let other = Server::start([Answer::ok(users(1))]).await;
    let server = Server::start([
        Answer::Redirect("/people".to_owned()),
        Answer::Redirect(other.url.clone()),
    ])
    .await;
    let url = server.url.replace("http://", "http://me:p4ss@");
    let records = Running::start(&url, &[("api.key", "k1")])
        .await
        .records(1)
        .await;
    let shown = records[0].source_partition.get("endpoint").cloned();
    assert_eq!(shown, Some(Value::from(server.url.as_str())));
    for request in server.requests(2).await {
        assert_eq!(request["x-api-key"], "k1");
        assert_eq!(request["authorization"], "Basic bWU6cDRzcw==");
    }
    let request = &other.requests(1).await[0];
    assert!(!request.contains_key("x-api-key"));
    assert!(!request.contains_key("authorization"));
}

#[tokio::test]
async fn redirects_end() {
    let again = (0..9).map(|_| Answer::Redirect("/users".to_owned()));
    let server = Server::start(again).await;
    let error = Running::start(&server.url, &[]).await.error().await;
    assert!(error.contains("redirect"), "{error}");
    assert_eq!(server.requests(6).await.len(), 6);
}

#[tokio::test]
async fn there_is_one_task_whatever_is_allowed() {
    let (connector, configs) = connector(ConfigMap::new(), 3).await;
    assert_eq!(configs.len(), 1);
    assert_eq!(
        connector.task_class(),
        "com.example.kafka.connect.RestSourceTask"
    );
}

#[tokio::test]
async fn the_shipped_configuration_is_valid() {
    let shipped = include_str!("../../../../connector-configs/rest-source-config.json");
    let shipped: serde_json::Value = serde_json::from_str(shipped).unwrap();
    let config: ConfigMap = serde_json::from_value(shipped["config"].clone()).unwrap();
    let plugin = tether_connector_rest::plugins().remove(0);
    assert_eq!(config["connector.class"], plugin.class);
    for value in (plugin.config_def)().validate(&config) {
        assert!(value.errors.is_empty(), "{value:?}");
    }
}
