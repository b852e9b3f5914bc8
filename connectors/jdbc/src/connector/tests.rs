use super::*;
use crate::config::confluent;
use crate::fixture::raw_config;

async fn errors(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    JdbcSinkConnector::new(&confluent::FLAVOUR)
        .validate(&raw_config(entries))
        .await
        .into_iter()
        .flat_map(|value| {
            value
                .errors
                .into_iter()
                .map(move |error| (value.name.clone(), error))
        })
        .collect()
}

#[tokio::test]
async fn a_good_configuration_has_no_errors() {
    assert_eq!(errors(&[]).await, []);
}

#[tokio::test]
async fn conflicts_are_attached_to_both_keys() {
    let reason = "Deletes are only supported for pk.mode record_key".to_owned();
    let found = errors(&[("delete.enabled", "true"), ("pk.mode", "kafka")]).await;
    assert_eq!(
        found,
        [
            ("delete.enabled".to_owned(), reason.clone()),
            ("pk.mode".to_owned(), reason)
        ]
    );
}

#[tokio::test]
async fn the_connection_is_tried_once_everything_else_is_right() {
    // Nothing listens on port 1.
    let url = (
        "connection.url",
        "jdbc:postgresql://127.0.0.1:1/d?user=u&password=s3cret",
    );
    let found = errors(&[url]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "connection.url");
    assert!(
        found[0].1.starts_with("Could not connect to database. "),
        "{found:?}"
    );
    assert!(!found[0].1.contains("s3cret"));
    let found = errors(&[url, ("batch.size", "x")]).await;
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|(key, _)| key == "batch.size"),
        "{found:?}"
    );
    assert_eq!(errors(&[url, ("validate.connection", "false")]).await, []);
}

#[tokio::test]
async fn what_only_the_dialect_finds_is_a_connection_error() {
    for (key, value, part) in [
        (
            "quote.sql.identifiers",
            "maybe",
            "No matching QuoteMethod found for 'maybe'",
        ),
        (
            "connection.url",
            "jdbc:oracle:thin:@h",
            "available dialects: PostgreSqlDatabaseDialect",
        ),
        (
            "connection.url",
            "nonsense",
            "Not a valid JDBC URL: nonsense",
        ),
        (
            "connection.url",
            "jdbc:sqlite:/no/such/folder/x.db",
            "folder /no/such/folder does not exist",
        ),
        ("connection.url", "jdbc:postgresql://h/d", "No user"),
    ] {
        let found = errors(&[(key, value)]).await;
        assert_eq!(found.len(), 1, "{value}: {found:?}");
        assert_eq!(found[0].0, "connection.url");
        assert!(
            found[0].1.starts_with("Could not connect to database."),
            "{found:?}"
        );
        assert!(found[0].1.contains(part), "{found:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_on() {
    // The listener takes connections but never says anything.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "jdbc:postgresql://{}/d?user=u&sslmode=disable",
        listener.local_addr().unwrap()
    );
    let found = errors(&[
        ("connection.url", &url),
        ("validate.connection.timeout.ms", "50"),
    ])
    .await;
    assert!(
        found[0].1.contains("did not answer within 50 ms"),
        "{found:?}"
    );
}

#[tokio::test]
async fn validation_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let url = format!("jdbc:sqlite:{}", path.display());
    assert_eq!(errors(&[("connection.url", &url)]).await, []);
    assert!(!path.exists());
}

#[tokio::test]
async fn every_task_gets_the_configuration() {
    let mut connector = JdbcSinkConnector::new(&confluent::FLAVOUR);
    let (requests, _keep) = tokio::sync::mpsc::unbounded_channel();
    let context = ConnectorContext::new(requests, None);
    let config = raw_config(&[("a", "b")]);
    connector.start(context, config.clone()).await.unwrap();
    assert_eq!(
        connector.task_configs(2).await.unwrap(),
        [config.clone(), config]
    );
}
