//! Any bytes as a message of the JSON converter, with and without schemas.
//! What was read can be written, and reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_fuzz::{converter, read, write};

fuzz_target!(|data: &[u8]| {
    for enable in ["true", "false"] {
        let converter = converter(
            "org.apache.kafka.connect.json.JsonConverter",
            &[("schemas.enable", enable)],
        );
        let Some(first) = read(&*converter, data) else {
            continue;
        };
        if let Some(bytes) = write(&*converter, &first) {
            assert!(read(&*converter, &bytes).is_some());
        }
    }
});
