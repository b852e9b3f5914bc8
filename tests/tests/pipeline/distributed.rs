//! The two configs, posted to a distributed worker.

use anyhow::Result;
use serde_json::{Value, json};
use tether_tests::eventually::eventually;
use tether_tests::rest_client::RestClient;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::setting::{COLUMNS, Setting, edition};

const SOURCE: &str = "rest-source-connector";
const SINK: &str = "jdbc-postgres-sink";

#[test]
fn users_of_an_http_api_become_rows() -> Result<()> {
    let _turn = turns::take();
    let setting = Setting::start()?;
    let options = WorkerOptions::new("connect", &setting.kafka.bootstrap())?;
    let mut worker = WorkerProcess::distributed(&options)?;
    let rest = worker.rest();
    post(&rest, &setting.config("rest-source-config.json")?)?;
    post(&rest, &setting.config("jdbc-sink-config.json")?)?;
    wait_running(&rest)?;

    setting.wait_rows(10, 1)?;
    check_table(&setting)?;
    assert_eq!(setting.counts()?, [1; 10]);
    for (connector, topic) in [(SOURCE, "rest-data"), (SINK, "processed-users")] {
        let topics = rest.get(&format!("/connectors/{connector}/topics"))?;
        assert_eq!(topics[connector]["topics"], json!([topic]));
    }

    // Seen again: updated, not duplicated. The config says to wait a minute; a restart polls at once.
    setting.users.set(edition(10, 2));
    rest.restart(SOURCE)?;
    setting.wait_rows(10, 2)?;
    assert_eq!(setting.counts()?, [2; 10]);

    poll_often(&rest, &setting)?;
    setting.processor.add_nickname("nick");
    eventually("the new field is a column", || {
        let nicknames = setting.database.column("SELECT nickname FROM users")?;
        anyhow::ensure!(nicknames == ["nick"; 10], "{nicknames:?}");
        Ok(())
    })?;
    let columns = [&COLUMNS[..], &["nickname text"]].concat();
    assert_eq!(setting.database.columns("users")?, columns);

    worker.stop()?;
    let before = setting.counts()?;
    setting.users.set(edition(12, 3));
    worker.restart()?;
    wait_running(&rest)?;
    setting.wait_rows(12, 3)?;
    check_grown(&before, &setting.counts()?);

    worker.kill();
    let before = setting.counts()?;
    setting.users.set(edition(12, 4));
    worker.restart()?;
    wait_running(&rest)?;
    setting.wait_rows(12, 4)?;
    check_grown(&before, &setting.counts()?);
    Ok(())
}

/// Creates a connector; the answer holds the config as it was posted and nothing else.
fn post(rest: &RestClient, request: &Value) -> Result<()> {
    let created = rest.expect(201, "POST", "/connectors", Some(request))?;
    let mut config = request["config"].clone();
    config["name"] = request["name"].clone();
    assert_eq!(created["name"], request["name"]);
    assert_eq!(created["config"], config);
    Ok(())
}

fn wait_running(rest: &RestClient) -> Result<()> {
    rest.wait_for(SOURCE, "RUNNING[RUNNING]")?;
    rest.wait_for(SINK, "RUNNING[RUNNING]")
}

fn check_table(setting: &Setting) -> Result<()> {
    let database = &setting.database;
    assert_eq!(database.columns("users")?, COLUMNS);
    assert_eq!(database.primary_key("users")?, ["id"]);
    let rows = database.rows(
        "SELECT *, timestamp::timestamptz BETWEEN now() - interval '1 hour' AND now() \
         FROM users WHERE id = 7",
    )?;
    let mut row: Vec<&str> = rows[0].iter().flatten().map(String::as_str).collect();
    let timestamp = row.remove(15);
    assert!(
        timestamp.contains('T') && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    let expected = [
        "7",
        "name 7 edition 1",
        "user7",
        "user7@example.com",
        "street 7",
        "suite 7",
        "city 7",
        "00007",
        "7.5",
        "-7.25",
        "555-7",
        "user7.example.com",
        "company 7",
        "phrase 7",
        "bs 7",
        "1",
        "t",
    ];
    assert_eq!(row, expected);
    Ok(())
}

/// Changes the source's config so that it polls several times per second.
fn poll_often(rest: &RestClient, setting: &Setting) -> Result<()> {
    let mut config = setting.config("rest-source-config.json")?["config"].clone();
    config["poll.interval.ms"] = json!("200");
    let path = format!("/connectors/{SOURCE}/config");
    rest.expect(200, "PUT", &path, Some(&config))?;
    let before = setting.counts()?;
    eventually("users are seen again and again", || {
        let now = setting.counts()?;
        anyhow::ensure!(
            now.iter()
                .zip(&before)
                .all(|(now, before)| *now > before + 3),
            "{now:?}"
        );
        Ok(())
    })
}

fn check_grown(before: &[i64], after: &[i64]) {
    assert!(
        before
            .iter()
            .zip(after)
            .all(|(before, after)| before < after),
        "{before:?} {after:?}"
    );
}
