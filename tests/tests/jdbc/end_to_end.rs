//! The sink in a worker: requests that change offsets, dead letters, and a topic that is created again.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::shared;
use tether_tests::database::Database;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::sink::{database, rows};

/// A worker with one sink, plain inserts without a key.
struct Scene {
    database: Database,
    topics: Topics,
    worker: WorkerProcess,
    name: String,
}

impl Scene {
    fn start() -> Result<Self> {
        let (database, bootstrap, name) = (database()?, shared::bootstrap()?, unique("sink-once"));
        database.rows("CREATE TABLE t (n int CHECK (n >= 0))")?;
        let topics = Topics::new(&bootstrap);
        topics.create(&name, 1)?;
        let scene = Self {
            worker: WorkerProcess::distributed(&WorkerOptions::new(&name, &bootstrap)?)?,
            database,
            topics,
            name,
        };
        scene.rest().create(
            &scene.name,
            &json!({
                "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
                "tasks.max": "1", "topics": scene.name, "table.name.format": "t",
                "connection.url": scene.database.jdbc_url(),
                "delivery.guarantee": "exactly_once", "errors.tolerance": "all",
                "errors.deadletterqueue.topic.name": scene.letters(),
                "errors.deadletterqueue.topic.replication.factor": "1",
                "errors.deadletterqueue.context.headers.enable": "true",
            }),
        )?;
        scene.rest().wait_for(&scene.name, "RUNNING[RUNNING]")?;
        Ok(scene)
    }

    fn rest(&self) -> RestClient {
        self.worker.rest()
    }

    fn letters(&self) -> String {
        format!("{}-letters", self.name)
    }

    fn append(&self, numbers: std::ops::Range<i32>) -> Result<()> {
        let values: Vec<_> = numbers.map(|number| value(number).to_string()).collect();
        let records: Vec<_> = values
            .iter()
            .map(|text| (None, Some(text.as_bytes())))
            .collect();
        self.topics.produce(&self.name, &records)
    }

    /// Waits for count and sum of the numbers in the table, and the next offset.
    fn wait(&self, count: u32, sum: i32, next: i64) -> Result<()> {
        let query = "SELECT count(*), sum(n), \
             (SELECT next_offset FROM __connect_sink_offsets) FROM t";
        eventually(&format!("{count} rows, offset {next}"), || {
            let found = rows(&self.database, query)?;
            let states = self.rest().states(&self.name)?;
            ensure!(
                found == [format!("{count}|{sum}|{next}")],
                "{found:?}; {states}"
            );
            Ok(())
        })
    }

    /// What is in the table of offsets once the connector is stopped and a request has changed them.
    fn change_offsets(&self, method: &str, body: Option<&Value>) -> Result<Vec<String>> {
        self.rest().put(&self.name, "stop")?;
        self.rest().wait_for(&self.name, "STOPPED[]")?;
        let path = format!("/connectors/{}/offsets", self.name);
        // Brokers need a moment to see that the group is empty.
        eventually("the offsets are changed", || {
            self.rest().expect(200, method, &path, body)
        })?;
        rows(
            &self.database,
            "SELECT next_offset FROM __connect_sink_offsets",
        )
    }
}

fn value(number: i32) -> Value {
    json!({
        "schema": {"type": "struct", "optional": false,
            "fields": [{"field": "n", "type": "int32", "optional": false}]},
        "payload": {"n": number},
    })
}

#[test]
fn offsets_are_in_the_database() -> Result<()> {
    let scene = Scene::start()?;
    scene.append(0..10)?;
    scene.wait(10, 45, 10)?;

    let to_five = json!({"offsets": [{
        "partition": {"kafka_topic": scene.name, "kafka_partition": 0},
        "offset": {"kafka_offset": 5},
    }]});
    assert_eq!(scene.change_offsets("PATCH", Some(&to_five))?, ["5"]);
    scene.rest().put(&scene.name, "resume")?;
    scene.wait(15, 80, 10)?;

    assert!(scene.change_offsets("DELETE", None)?.is_empty());
    scene.rest().put(&scene.name, "resume")?;
    scene.wait(25, 125, 10)?;

    // A record that cannot be written is a dead letter before the offset passes it.
    scene.append(-1..1)?;
    scene.wait(26, 125, 12)?;
    let letters = scene.topics.records(&scene.letters())?;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].value_text(), value(-1).to_string());
    let header = |name: &str| {
        let found = letters[0].headers.iter().find(|(key, _)| key == name);
        let bytes = found
            .and_then(|(_, value)| value.clone())
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert_eq!(header("__connect.errors.offset"), "10");
    let class = header("__connect.errors.exception.class.name");
    assert_eq!(class, "java.sql.SQLException");
    let message = header("__connect.errors.exception.message");
    assert!(message.contains("SQLSTATE 23514"), "{message}");

    // A topic with fewer records than were written takes its place.
    scene.rest().put(&scene.name, "stop")?;
    scene.rest().wait_for(&scene.name, "STOPPED[]")?;
    scene.topics.delete(&scene.name)?;
    eventually("the topic is gone", || scene.topics.create(&scene.name, 1))?;
    scene.append(0..3)?;
    scene.rest().put(&scene.name, "resume")?;
    let trace = scene.rest().wait_for_failure(&scene.name)?;
    assert!(
        trace.contains("the topic was deleted and created again"),
        "{trace}"
    );
    scene.wait(26, 125, 12)?;
    assert!(scene.change_offsets("DELETE", None)?.is_empty());
    scene.rest().put(&scene.name, "resume")?;
    scene.wait(29, 128, 3)
}
