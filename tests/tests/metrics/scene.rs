//! What a worker has to do, and what is counted then.

use std::fs;

use anyhow::Result;
use serde_json::json;
use tether_services::folders::RunFolder;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;

/// A metric with its labels and value.
pub(super) type Expected = (&'static str, Vec<(&'static str, String)>, f64);

/// Four connectors of a worker: a source and a sink that pass over records that are wrong, a sink
/// that does not and fails, and a source that is paused.
pub(super) struct Scene {
    rest: RestClient,
    topics: Topics,
    name: String,
    folder: RunFolder,
}

impl Scene {
    pub(super) fn new(rest: RestClient, bootstrap: &str, name: String) -> Result<Self> {
        Ok(Self {
            rest,
            topics: Topics::new(bootstrap),
            name,
            folder: RunFolder::create("metrics")?,
        })
    }

    /// Takes the names of this side out of a text.
    pub(super) fn plain(&self, text: &str) -> String {
        text.replace(&self.name, "{name}")
    }

    /// Does everything.
    pub(super) fn run(&self) -> Result<()> {
        let text = "org.apache.kafka.connect.storage.StringConverter";
        fs::write(self.file("lines"), "1\n2\nthree\n4\n")?;
        let input = format!("{}-in", self.name);
        let output = format!("{}-out", self.name);
        self.topics.create(&input, 2)?;
        self.topics.create(&output, 1)?;
        let values: [&[u8]; 4] = [b"1", b"{broken", b"\"two\"", b"also broken"];
        let records = values.map(|value| (None, Some(value)));
        self.topics.produce(&input, &records)?;
        let source = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "file": self.file("lines"), "topic": output, "value.converter": text,
            "transforms": "cast", "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
            "transforms.cast.spec": "int32", "transforms.cast.predicate": "all",
            "predicates": "all",
            "predicates.all.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            "predicates.all.pattern": ".*",
            "errors.tolerance": "all", "errors.log.enable": "true",
        });
        let sink = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "topics": input, "file": self.file("out"), "value.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": format!("{}-dlq", self.name),
            "errors.deadletterqueue.topic.replication.factor": "1",
        });
        let mut strict = sink.clone();
        strict["errors.tolerance"] = json!("none");
        strict["file"] = json!(self.file("strict"));
        let paused = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "file": self.file("none"), "topic": output,
        });
        for (name, config) in [
            ("source", source),
            ("sink", sink),
            ("strict", strict),
            ("paused", paused),
        ] {
            self.rest.create(&self.connector(name), &config)?;
        }
        self.rest
            .wait_for(&self.connector("source"), "RUNNING[RUNNING]")?;
        self.rest
            .wait_for(&self.connector("sink"), "RUNNING[RUNNING]")?;
        self.rest.wait_for_failure(&self.connector("strict"))?;
        let paused = self.connector("paused");
        self.rest.wait_for(&paused, "RUNNING[RUNNING]")?;
        self.rest
            .expect(202, "PUT", &format!("/connectors/{paused}/pause"), None)?;
        self.rest.wait_for(&paused, "PAUSED[PAUSED]")
    }

    /// What is counted in the end. Everything else depends on when it happened.
    pub(super) fn expected(&self) -> Vec<Expected> {
        let mut expected: Vec<Expected> = [
            ("kafka_connect_worker_connector_count", 4.0),
            ("kafka_connect_worker_task_count", 4.0),
            ("kafka_connect_worker_connector_startup_attempts_total", 4.0),
            ("kafka_connect_worker_connector_startup_success_total", 4.0),
            ("kafka_connect_worker_connector_startup_failure_total", 0.0),
            (
                "kafka_connect_worker_connector_startup_success_percentage",
                1.0,
            ),
            (
                "kafka_connect_worker_connector_startup_failure_percentage",
                0.0,
            ),
            ("kafka_connect_worker_rebalance_rebalancing", 0.0),
        ]
        .into_iter()
        .map(|(metric, value)| (metric, Vec::new(), value))
        .collect();
        for (connector, state, task) in [
            ("source", "running", "running"),
            ("sink", "running", "running"),
            ("strict", "running", "failed"),
            ("paused", "paused", "paused"),
        ] {
            let mut labels = self.labels(connector);
            for (metric, value) in [
                ("kafka_connect_worker_connector_total_task_count", 1.0),
                (
                    "kafka_connect_worker_connector_running_task_count",
                    of(task == "running"),
                ),
                (
                    "kafka_connect_worker_connector_failed_task_count",
                    of(task == "failed"),
                ),
                (
                    "kafka_connect_worker_connector_paused_task_count",
                    of(task == "paused"),
                ),
                ("kafka_connect_worker_connector_unassigned_task_count", 0.0),
                ("kafka_connect_worker_connector_destroyed_task_count", 0.0),
                ("kafka_connect_worker_connector_restarting_task_count", 0.0),
            ] {
                expected.push((metric, labels.clone(), value));
            }
            labels.push(("status", state.to_owned()));
            expected.push(("kafka_connect_connector_status", labels, 1.0));
            let mut labels = self.task_labels(connector);
            labels.push(("status", task.to_owned()));
            expected.push(("kafka_connect_connector_task_status", labels, 1.0));
        }
        let of_source = [
            ("kafka_connect_source_task_source_record_poll_total", 4.0),
            ("kafka_connect_source_task_source_record_write_total", 3.0),
            ("kafka_connect_source_task_source_record_active_count", 0.0),
            (
                "kafka_connect_source_task_source_record_active_count_max",
                4.0,
            ),
            ("kafka_connect_connector_task_batch_size_max", 4.0),
            ("kafka_connect_connector_task_batch_size_avg", 4.0),
            (
                "kafka_connect_connector_task_offset_commit_success_percentage",
                1.0,
            ),
            (
                "kafka_connect_connector_task_offset_commit_failure_percentage",
                0.0,
            ),
            ("kafka_connect_connector_task_pause_ratio", 0.0),
            ("kafka_connect_task_error_total_record_failures", 1.0),
            ("kafka_connect_task_error_total_record_errors", 1.0),
            ("kafka_connect_task_error_total_records_skipped", 1.0),
            ("kafka_connect_task_error_total_retries", 0.0),
            ("kafka_connect_task_error_total_errors_logged", 1.0),
            (
                "kafka_connect_task_error_deadletterqueue_produce_requests",
                0.0,
            ),
            (
                "kafka_connect_task_error_deadletterqueue_produce_failures",
                0.0,
            ),
        ];
        let of_sink = [
            ("kafka_connect_sink_task_sink_record_read_total", 4.0),
            ("kafka_connect_sink_task_sink_record_send_total", 2.0),
            ("kafka_connect_sink_task_sink_record_active_count", 0.0),
            ("kafka_connect_sink_task_partition_count", 2.0),
            ("kafka_connect_sink_task_offset_commit_skip_total", 0.0),
            ("kafka_connect_sink_task_offset_commit_skip_rate", 0.0),
            (
                "kafka_connect_connector_task_offset_commit_success_percentage",
                1.0,
            ),
            (
                "kafka_connect_connector_task_offset_commit_failure_percentage",
                0.0,
            ),
            ("kafka_connect_task_error_total_record_failures", 2.0),
            ("kafka_connect_task_error_total_record_errors", 2.0),
            ("kafka_connect_task_error_total_records_skipped", 2.0),
            ("kafka_connect_task_error_total_errors_logged", 0.0),
            (
                "kafka_connect_task_error_deadletterqueue_produce_requests",
                2.0,
            ),
            (
                "kafka_connect_task_error_deadletterqueue_produce_failures",
                0.0,
            ),
        ];
        let of_strict = [
            ("kafka_connect_sink_task_partition_count", 0.0),
            ("kafka_connect_sink_task_sink_record_send_total", 0.0),
            ("kafka_connect_task_error_total_record_errors", 1.0),
            ("kafka_connect_task_error_total_records_skipped", 0.0),
            (
                "kafka_connect_task_error_deadletterqueue_produce_requests",
                1.0,
            ),
        ];
        let of_paused = [
            ("kafka_connect_source_task_source_record_poll_total", 0.0),
            ("kafka_connect_source_task_source_record_poll_rate", 0.0),
            ("kafka_connect_source_task_source_record_write_total", 0.0),
            ("kafka_connect_task_error_last_error_timestamp", 0.0),
        ];
        for (connector, values) in [
            ("source", &of_source[..]),
            ("sink", &of_sink),
            ("strict", &of_strict),
            ("paused", &of_paused),
        ] {
            let values = values.iter();
            expected.extend(
                values.map(|(metric, value)| (*metric, self.task_labels(connector), *value)),
            );
        }
        expected
    }

    /// How the starts of tasks went. The reference has 0 there, always (KAFKA-18489).
    pub(super) fn expected_task_startups() -> [Expected; 5] {
        [
            ("kafka_connect_worker_task_startup_attempts_total", 4.0),
            ("kafka_connect_worker_task_startup_success_total", 4.0),
            ("kafka_connect_worker_task_startup_failure_total", 0.0),
            ("kafka_connect_worker_task_startup_success_percentage", 1.0),
            ("kafka_connect_worker_task_startup_failure_percentage", 0.0),
        ]
        .map(|(metric, value)| (metric, Vec::new(), value))
    }

    /// The lags of the sink's consumer by labels, once everything is read.
    pub(super) fn expected_lags(&self) -> Vec<(Vec<(&'static str, String)>, f64)> {
        let lag = |partition: i32| {
            let client = format!("connector-consumer-{}-0", self.connector("sink"));
            let topic = format!("{}-in", self.name);
            let partition = partition.to_string();
            let labels = [
                ("clientid", client),
                ("topic", topic),
                ("partition", partition),
            ];
            (labels.to_vec(), 0.0)
        };
        vec![lag(0), lag(1)]
    }

    fn connector(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    fn labels(&self, connector: &str) -> Vec<(&'static str, String)> {
        vec![("connector", self.connector(connector))]
    }

    fn task_labels(&self, connector: &str) -> Vec<(&'static str, String)> {
        let mut labels = self.labels(connector);
        labels.push(("task", "0".to_owned()));
        labels
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn of(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}
