//! The converters that use a schema registry, from a file through a topic into a file.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_services::{http, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

/// Each converter's class, and the type of its schemas in the registry, which leaves Avro's out.
const FORMATS: [(&str, &str); 3] = [
    ("io.confluent.connect.avro.AvroConverter", "AVRO"),
    ("io.confluent.connect.json.JsonSchemaConverter", "JSON"),
    (
        "io.confluent.connect.protobuf.ProtobufConverter",
        "PROTOBUF",
    ),
];

#[test]
fn every_format_with_schemas_carries_structs() -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let registry = shared::registry_url()?;
    let topics = Topics::new(&bootstrap);
    let folder = tempfile::tempdir()?;
    let lines = folder.path().join("in.txt");
    fs::write(&lines, "one\ntwo\nthree\n")?;
    let options = WorkerOptions::new(&unique("formats"), &bootstrap)?;
    let mut worker = WorkerProcess::distributed(&options)?;
    for (class, kind) in FORMATS {
        let topic = unique(&format!("formats-{}", kind.to_lowercase()));
        topics.create(&topic, 1)?;
        let out = folder.path().join(kind);
        let config = |connector: &str, more: Value| {
            let mut config = json!({
                "connector.class": connector,
                "value.converter": class,
                "value.converter.schema.registry.url": registry,
            });
            let all = config.as_object_mut().into_iter();
            for (all, more) in all.zip(more.as_object()) {
                all.extend(more.clone());
            }
            config
        };
        let source = json!({
            "file": lines,
            "topic": topic,
            "transforms": "hoist,name",
            "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value",
            "transforms.hoist.field": "line",
            "transforms.name.type": "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
            "transforms.name.schema.name": "Line",
        });
        let sink = json!({"file": out, "topics": topic});
        let rest = worker.rest();
        rest.create(&format!("{topic}-in"), &config("FileStreamSource", source))?;
        rest.create(&format!("{topic}-out"), &config("FileStreamSink", sink))?;
        eventually(&format!("all lines pass in {kind}"), || {
            let read = fs::read_to_string(&out)?;
            let states = rest.states(&format!("{topic}-out"))?;
            ensure!(
                read == "Struct{line=one}\nStruct{line=two}\nStruct{line=three}\n",
                "{states}: {read}{}",
                rest.traces(&format!("{topic}-in"))?
            );
            Ok(())
        })?;
        let url = format!("{registry}/subjects/{topic}-value/versions/latest");
        let answer: Value = serde_json::from_str(&http::get(&url)?.body)?;
        ensure!(
            answer["schemaType"].as_str().unwrap_or("AVRO") == kind,
            "{answer}"
        );
    }
    worker.stop()
}
