//! Arguments, and how the program ends (spec section 2.2): 1 for a wrong call, 2 for a worker that cannot
//! start, 3 for a connector that cannot.

use std::fs;

use anyhow::Result;
use tether_services::{java, port, shared};
use tether_tests::program::{Outcome, run};

#[test]
fn it_says_its_version() -> Result<()> {
    let outcome = run(&["--version"], &[])?;
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome.stdout.starts_with("tether 0."),
        "{}",
        outcome.stdout
    );
    Ok(())
}

#[test]
fn it_lists_its_plugins() -> Result<()> {
    let outcome = run(&["plugins"], &[])?;
    assert_eq!(outcome.code, Some(0));
    for class in [
        "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "com.example.kafka.connect.RestSourceConnector",
        "io.confluent.connect.jdbc.JdbcSinkConnector",
        "io.debezium.connector.postgresql.PostgresConnector",
        "io.confluent.connect.avro.AvroConverter",
        "org.apache.kafka.connect.json.JsonConverter",
        "org.apache.kafka.connect.transforms.Flatten$Value",
    ] {
        assert!(outcome.stdout.contains(class), "{}", outcome.stdout);
    }
    Ok(())
}

#[test]
fn a_wrong_call_ends_with_1() -> Result<()> {
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["connect-standalone"],
        &["demo", "--port=x"],
        &["validate"],
        &["dlq", "replay"],
    ] {
        let outcome = run(arguments, &[])?;
        assert_eq!(outcome.code, Some(1), "{arguments:?}: {outcome:?}");
        assert!(
            outcome.stderr.contains("--help"),
            "{arguments:?}: {outcome:?}"
        );
    }
    Ok(())
}

#[test]
fn a_worker_that_cannot_start_ends_with_2() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let missing = folder
        .path()
        .join("missing.properties")
        .display()
        .to_string();
    for command in ["connect-distributed", "connect-standalone"] {
        let outcome = run(&[command, &missing], &[])?;
        assert_ended(&outcome, 2, "missing.properties");
    }

    let file = folder.path().join("worker.properties");
    fs::write(&file, "bootstrap.servers=127.0.0.1:1\nkey.converter=x\n")?;
    let outcome = run(&["connect-distributed", &file.display().to_string()], &[])?;
    assert_ended(&outcome, 2, "Missing required configuration");

    let outcome = run(&["connect-distributed"], &[("CONNECT_GROUP_ID", "g")])?;
    assert_ended(&outcome, 2, "bootstrap.servers");
    Ok(())
}

#[test]
fn a_connector_that_cannot_start_ends_with_3() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let worker = folder.path().join("worker.properties");
    let json = "org.apache.kafka.connect.json.JsonConverter".to_owned();
    let properties = [
        ("bootstrap.servers", shared::bootstrap()?),
        ("key.converter", json.clone()),
        ("value.converter", json),
        (
            "offset.storage.file.filename",
            folder.path().join("offsets").display().to_string(),
        ),
        ("listeners", format!("http://127.0.0.1:{}", port::free()?)),
    ];
    java::write_properties(
        &worker,
        &properties.map(|(key, value)| (key.to_owned(), value)),
    )?;
    let worker = worker.display().to_string();

    let connector = folder.path().join("source.properties");
    fs::write(
        &connector,
        "name=source\nconnector.class=FileStreamSource\n",
    )?;
    let connector = connector.display().to_string();
    let outcome = run(&["connect-standalone", &worker, &connector], &[])?;
    assert_ended(
        &outcome,
        3,
        "Missing required configuration \"topic\" which has no default value.",
    );

    let outcome = run(&["connect-standalone", &worker, "/no/such/file.json"], &[])?;
    assert_ended(&outcome, 3, "/no/such/file.json");
    Ok(())
}

fn assert_ended(outcome: &Outcome, code: i32, reason: &str) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert!(outcome.stderr.contains(reason), "{outcome:?}");
}
