//! Any text as a Protobuf schema.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| tether_converters::fuzzing::protobuf_schema(text));
