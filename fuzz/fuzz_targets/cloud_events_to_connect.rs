//! Any bytes as a CloudEvent, with and without the schema of its data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_fuzz::{converter, read};

fuzz_target!(|data: &[u8]| {
    for enable in ["true", "false"] {
        let converter = converter(
            "io.debezium.converters.CloudEventsConverter",
            &[("json.schemas.enable", enable)],
        );
        drop(read(&*converter, data));
    }
    for serializer in ["json", "avro"] {
        let converter = converter(
            "io.debezium.converters.CloudEventsConverter",
            &[
                ("serializer.type", serializer),
                ("data.serializer.type", "avro"),
                ("avro.schema.registry.url", "mock://fuzz"),
            ],
        );
        drop(read(&*converter, data));
    }
});
